"""Give the FAB auth manager of one Airflow the roles and users that standard input names.

Run by `LiveAirflow.grant` in the environment of that Airflow, because only FAB itself knows its tables:
`{"roles": {name: [[action, resource], …]}, "users": {name: {"password": …, "roles": […]}}}`.
A role gets exactly these permissions, a user exactly these roles.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder


def apply(manager: Any, grants: dict[str, Any]) -> None:
    """Write roles first, because users refer to them."""
    for name, permissions in grants["roles"].items():
        role = manager.add_role(name)
        role.permissions = [manager.create_permission(action, resource) for action, resource in permissions]
        manager.session.commit()
    for name, wanted in grants["users"].items():
        roles = [manager.find_role(role) for role in wanted["roles"]]
        if None in roles:
            raise LookupError(f"{name}: one of the roles {wanted['roles']} doesn't exist")
        user = manager.find_user(username=name) or manager.add_user(
            name, name, name, f"{name}@example.org", roles, password=wanted["password"]
        )
        user.roles = roles
        manager.session.commit()


if __name__ == "__main__":
    with get_application_builder() as builder:
        apply(builder.sm, json.load(sys.stdin))
