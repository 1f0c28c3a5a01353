"""Which server, as environment variables say it: the same ones that the command line reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from airflow_rerun_downstream.client.exceptions import NotConfigured

PREFIX = "AIRFLOW_RERUN_DOWNSTREAM_"


def from_environment(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The arguments of a client. An empty variable counts as unset. Raises `NotConfigured`."""
    given = os.environ if environ is None else environ

    def said(name: str) -> str | None:
        return given.get(PREFIX + name) or None

    url = said("URL")
    if url is None:
        raise NotConfigured(f"{PREFIX}URL isn't set: it is the address of Airflow.")
    found = {
        "base_url": url,
        "token": said("TOKEN"),
        "username": said("USERNAME"),
        "password": said("PASSWORD"),
        "verify": said("CA"),
        "timeout": seconds(said("TIMEOUT")),
    }
    return {name: value for name, value in found.items() if value is not None}


def seconds(said: str | None) -> float | None:
    """A number of seconds. Raises `NotConfigured`."""
    try:
        found = None if said is None else float(said)
    except ValueError:
        found = 0.0
    if found is not None and not 0 < found < float("inf"):
        raise NotConfigured(f"{PREFIX}TIMEOUT is {said!r}; it must be a number of seconds above 0.")
    return found
