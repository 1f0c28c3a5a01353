"""A target: somebody that the deployment lets reruns tell, with all that is needed for it. Never shown as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_rerun_downstream.notify.wording import USUAL, Wording


@dataclass(frozen=True)
class Credentials:
    """What an Airflow connection says. Its text forms hold nothing of it."""

    host: str = field(default="", repr=False)
    port: int | None = field(default=None, repr=False)
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    schema: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Webhook:
    """``url`` and ``secret`` None: the connection has them. ``payload``: a body of the deployment's own."""

    url: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    payload: Mapping[str, Any] | None = field(default=None, repr=False)
    allow_http: bool = False
    allow_private_addresses: bool = False


@dataclass(frozen=True)
class Email:
    """Who gets it; ``sender`` None: the connection says from whom it is."""

    to: Sequence[str] = ()
    sender: str | None = None


@dataclass(frozen=True)
class NotifierCall:
    """One of Airflow's notifiers, by the path of its class."""

    path: str
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seconds: float = 30.0


@dataclass(frozen=True)
class Target:
    """``dag_ids`` False: messages name no Dag or run, nor what people have written."""

    name: str
    kind: str
    call: Webhook | Email | NotifierCall
    description: str = ""
    conn_id: str | None = None
    dag_ids: bool = True
    wording: Wording = USUAL
