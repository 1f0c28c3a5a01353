"""The connection type ``rerun_downstream``: how an Airflow is reached whose REST API is spoken to.

Standard library only: Airflow is told of it in every process.
"""

from __future__ import annotations

from typing import Any

CONN_TYPE = "rerun_downstream"
HOOK_NAME = "Rerun Downstream"
HOOK = "airflow_rerun_downstream.operators.hook.RerunDownstreamHook"

FIELDS: dict[str, dict[str, Any]] = {
    "token": {
        "label": "API token",
        "description": "Instead of a username and a password. It isn't renewed when it expires.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "ca_bundle": {
        "label": "CA bundle",
        "description": "A file or a folder on the workers with the certificates to trust. Default: the usual ones.",
        "schema": {"type": ["string", "null"]},
    },
    "verify": {
        "label": "Verify certificates",
        "description": "Off: any certificate is accepted, and somebody in between can read the password.",
        "schema": {"type": ["boolean", "null"], "default": True},
    },
    "timeout": {
        "label": "Timeout",
        "description": "Seconds after which a call is given up.",
        "schema": {"type": ["integer", "null"], "default": 60},
    },
}
"""The fields besides Airflow's own, as provider information has them."""

HIDDEN = ["schema", "extra"]
RELABELED = {"host": "Airflow URL", "login": "Username", "password": "Password"}
PLACEHOLDERS = {"host": "https://airflow.example.com", "port": "443", "login": "who reruns"}
"""The port is there, although an address can have one: Airflow 3.3 tries no connection from its list without one."""

INFO: dict[str, Any] = {
    "connection-type": CONN_TYPE,
    "hook-class-name": HOOK,
    "hook-name": HOOK_NAME,
    "conn-fields": FIELDS,
    "ui-field-behaviour": {"hidden-fields": HIDDEN, "relabeling": RELABELED, "placeholders": PLACEHOLDERS},
}
"""What Airflow is told. Airflow 3.1 passes the form over and asks the hook for it."""
