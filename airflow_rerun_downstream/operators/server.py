"""The Airflow that a connection names: its address, who calls, and whose certificates are trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, ConnectionProblem, RerunDownstreamClient
from airflow_rerun_downstream.client.addresses import record_url
from airflow_rerun_downstream.client.answers import understood
from airflow_rerun_downstream.client.tokens import authentication
from airflow_rerun_downstream.client.transport import Verify, trusted

RETRIES = 30
"""How often a call that may be repeated is sent again while the server is away; the client stops after a minute."""

PAGE = 100
NO = ("false", "0", "no", "off")


@dataclass(frozen=True)
class Server:
    """What a connection says. The secrets aren't shown."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    verify: Verify = True
    timeout: float = 60.0

    @classmethod
    def of(cls, connection: Any) -> Server:
        """The server of an Airflow connection. Raises `ConnectionProblem` where something in it can't be used."""
        extra = connection.extra_dejson
        return cls(
            url=address_of(connection),
            username=connection.login or None,
            password=connection.password or None,
            token=extra.get("token") or None,
            verify=verify_of(extra),
            timeout=seconds(extra.get("timeout")),
        )

    def client(self, retries: int = RETRIES) -> RerunDownstreamClient:
        """A client, which logs in when it is first used, and again when its token has expired."""
        return RerunDownstreamClient(self.url, **{**self._options(), "retries": retries})

    def async_client(self) -> AsyncRerunDownstreamClient:
        """The same for an event loop."""
        return AsyncRerunDownstreamClient(self.url, **self._options())

    def _options(self) -> dict[str, Any]:
        who = {"token": self.token, "username": self.username, "password": self.password}
        return {**who, "timeout": self.timeout, "verify": self.verify, "retries": RETRIES}

    def record(self, rerun_id: int) -> str:
        """Where people find a rerun's record."""
        return record_url(self.url, rerun_id)

    def run_at(self, dag_id: str, logical_date: datetime) -> str:
        """The id of a Dag's run with a logical date. Raises `ConnectionProblem` where there is none."""
        at = logical_date.isoformat()
        path = f"/api/v2/dags/{quote(dag_id, safe='')}/dagRuns"
        found = self._airflow(path, logical_date_gte=at, logical_date_lte=at)["dag_runs"]
        if not found:
            raise NoSuchRun(f"{dag_id} has no run with the logical date {at}.")
        return str(found[0]["dag_run_id"])

    def dags_with_tags(self, tags: list[str]) -> set[str]:
        """The Dags that have one of these tags, as far as the user may read them."""
        found: set[str] = set()
        while True:
            part = self._airflow("/api/v2/dags", tags=tags, tags_match_mode="any", limit=PAGE, offset=len(found))
            ids = {str(each["dag_id"]) for each in part["dags"]} - found
            found |= ids
            if not ids or len(found) >= part["total_entries"]:
                return found

    def _http(self, **options: Any) -> httpx.Client:
        return httpx.Client(**options)

    def _airflow(self, path: str, **params: Any) -> Mapping[str, Any]:
        """An answer of Airflow's own API."""
        who = authentication(self.url, self.token, self.username, self.password)
        options: dict[str, Any] = {"auth": who, "verify": trusted(self.verify), "timeout": self.timeout}
        try:
            with self._http(**options) as http:
                answer: Mapping[str, Any] = understood(http.get(f"{self.url.rstrip('/')}{path}", params=params))
                return answer
        except httpx.TransportError as error:
            raise ConnectionProblem(f"{self.url} can't be reached: {str(error) or type(error).__name__}") from error


class NoSuchRun(ConnectionProblem):
    """No run has that logical date."""


def address_of(connection: Any) -> str:
    """Airflow's address. A connection that was written as a URI has it in parts; without a scheme it is https."""
    host = str(connection.host or "")
    if not host:
        raise ConnectionProblem(
            f"The connection {connection.conn_id} doesn't say where Airflow is: give its URL as host."
        )
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    if connection.port:
        scheme, _, rest = host.partition("://")
        name, slash, path = rest.partition("/")
        own = name.rpartition(":")[2] if ":" in name else ""
        if not own.isdecimal():  # such as the end of an IPv6 address; whatever else it is isn't told
            return f"{scheme}://{name}:{connection.port}{slash}{path}"
        if own != str(connection.port):
            raise ConnectionProblem(
                f"The connection {connection.conn_id} has two ports: {own} in its URL, and {connection.port}."
            )
    return host


def verify_of(extra: Mapping[str, Any]) -> Verify:
    """Whose certificates are trusted."""
    said = extra.get("verify")
    if said is False or (isinstance(said, str) and said.strip().lower() in NO):
        return False
    return extra.get("ca_bundle") or True


def seconds(said: Any) -> float:
    """A timeout. Raises `ConnectionProblem` for one that is no number above 0."""
    try:
        found = float(said or Server.timeout)
    except (TypeError, ValueError):
        found = 0.0
    if not 0 < found < float("inf"):
        raise ConnectionProblem("The connection's timeout must be a number of seconds above 0.")
    return found
