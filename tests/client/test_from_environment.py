from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.client import (
    AsyncRerunDownstreamClient,
    ClientError,
    ConnectionProblem,
    NotConfigured,
    RerunDownstreamClient,
)
from airflow_rerun_downstream.client.from_environment import PREFIX, from_environment

Made = Callable[[dict[str, str] | None], Any]
TWINS: list[Made] = [RerunDownstreamClient.from_env, AsyncRerunDownstreamClient.from_env]


def test_each_variable_is_an_argument() -> None:
    said = {"URL": "https://a", "TOKEN": "t", "USERNAME": "u", "PASSWORD": "p", "CA": "/ca.pem", "TIMEOUT": "5"}
    assert from_environment({PREFIX + name: value for name, value in said.items()} | {"OTHER": "x"}) == {
        "base_url": "https://a",
        "token": "t",
        "username": "u",
        "password": "p",
        "verify": "/ca.pem",
        "timeout": 5.0,
    }


def test_an_empty_one_is_none() -> None:
    assert from_environment({f"{PREFIX}URL": "https://a", f"{PREFIX}TOKEN": "", f"{PREFIX}TIMEOUT": ""}) == {
        "base_url": "https://a"
    }


@pytest.mark.parametrize("made", TWINS)
def test_without_an_address_it_says_which_variable(made: Made) -> None:
    with pytest.raises(NotConfigured, match="AIRFLOW_RERUN_DOWNSTREAM_URL isn't set"):
        made({})
    assert issubclass(NotConfigured, ClientError)


@pytest.mark.parametrize("made", TWINS)
def test_it_is_read_from_the_process(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}URL", "https://airflow.example.com")
    assert made(None) is not None


@pytest.mark.parametrize("said", ["soon", "0", "-1", "nan", "inf"])
def test_a_timeout_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(NotConfigured, match="TIMEOUT"):
        from_environment({f"{PREFIX}URL": "https://a", f"{PREFIX}TIMEOUT": said})


@pytest.mark.parametrize("made", TWINS)
def test_certificates_that_cannot_be_read_are_named(made: Made, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate")
    for path in (tmp_path / "none.pem", empty):
        with pytest.raises(ConnectionProblem, match=path.name):
            made({f"{PREFIX}URL": "https://a", f"{PREFIX}CA": str(path)})
