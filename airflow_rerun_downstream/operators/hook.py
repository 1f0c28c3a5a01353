"""The hook: from an Airflow connection to clients of the REST API."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

from airflow.sdk import BaseHook
from asgiref.sync import sync_to_async

from airflow_rerun_downstream import connection_type as form
from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, ClientError, RerunDownstreamClient
from airflow_rerun_downstream.operators.server import Server


class RerunDownstreamHook(BaseHook):
    """Reaches the Airflow that a connection of the type ``rerun_downstream`` names.

    :param rerun_downstream_conn_id: the connection's id
    """

    conn_name_attr = "rerun_downstream_conn_id"
    default_conn_name = "rerun_downstream_default"
    conn_type = form.CONN_TYPE
    hook_name = form.HOOK_NAME

    def __init__(self, rerun_downstream_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.rerun_downstream_conn_id = rerun_downstream_conn_id

    @cached_property
    def server(self) -> Server:
        """What the connection says. Raises `ConnectionProblem` where something in it can't be used."""
        return Server.of(self.get_connection(self.rerun_downstream_conn_id))

    def get_conn(self) -> RerunDownstreamClient:
        """A client: enter its context, or close it."""
        return self.server.client()

    async def get_async_conn(self) -> AsyncRerunDownstreamClient:
        """The same for an event loop."""
        return (await self.async_server()).async_client()

    async def async_server(self) -> Server:
        """`server`, for an event loop."""
        # Airflow's own way to read a connection blocks, and before 3.3 there is no other. Shielded from cancellation:
        # `sync_to_async` raises it again without its message, by which alone Airflow 3.3 knows a kill; and in 3.1 the
        # next one who asks meets the answer to this question, which ends the triggerer.
        found: Server = await asyncio.shield(sync_to_async(lambda: self.server)())
        return found

    def test_connection(self) -> tuple[bool, str]:
        """Whether Airflow can be reached, whether the package answers there, and what the user sees of it."""
        try:
            with self.server.client(retries=0) as client:  # somebody waits, and so does a thread of the api-server
                status = client.health().status
                runs = client.dag_runs(limit=1).total_entries
        except ClientError as error:
            return False, str(error)
        sees = f"This user sees {runs} Dag run{'' if runs == 1 else 's'}; what may be rerun, a plan says."
        return True, f"Rerun Downstream is {status} there. {sees}"

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """The form, for Airflow 3.1; later ones have it from the provider information."""
        return {
            "hidden_fields": list(form.HIDDEN),
            "relabeling": dict(form.RELABELED),
            "placeholders": dict(form.PLACEHOLDERS),
        }

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The form's own fields, for Airflow 3.1."""
        from wtforms import BooleanField, IntegerField, PasswordField, StringField

        kinds = {"boolean": BooleanField, "integer": IntegerField, "string": StringField}
        found = {}
        for name, field in form.FIELDS.items():
            schema = field["schema"]
            kind = PasswordField if schema.get("format") == "password" else kinds[schema["type"][0]]
            found[name] = kind(field["label"], description=field["description"], default=schema.get("default"))
        return found
