"""The connection: its form, what it says, and its test."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.models.connection import Connection as StoredConnection
from airflow.sdk import Connection

from airflow_rerun_downstream import connection_type
from airflow_rerun_downstream.client import ConnectionProblem
from airflow_rerun_downstream.operators import RerunDownstreamHook
from airflow_rerun_downstream.operators.server import Server, address_of
from tests.fakes.house import House
from tests.operators.conftest import CONNECTION, Chain
from tests.operators.fake_server import FakeServer


def said(**fields: Any) -> Connection:
    return Connection(conn_id="x", conn_type="rerun_downstream", **fields)


def test_a_connection_that_works_says_what_the_user_sees(server: FakeServer, chain: Chain) -> None:
    works, sentence = RerunDownstreamHook().test_connection()
    assert works
    assert sentence.startswith("Rerun Downstream is healthy there. This user sees 3 Dag runs")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"password": "wrong"}, "Invalid credentials"),
        ({"login": None, "password": None}, "Not authenticated"),
        ({"host": ""}, "doesn't say where Airflow is"),
        ({"host": "ftp://x"}, "must begin with https:// or http://"),
        ({"host": "https://me:pw@x"}, "contains a login"),
        ({"host": "https://me:pw@x", "port": 443}, "contains a login"),
        ({"host": "http://x:8080", "port": 443}, "has two ports: 8080 in its URL, and 443"),
        ({"extra": {"timeout": "soon"}}, "timeout must be a number"),
        ({"extra": {"timeout": -1}}, "timeout must be a number"),
        ({"extra": {"ca_bundle": "/nowhere/ca.pem"}}, "can't be read"),
        ({"extra": {"token": "two words"}}, "token is empty, or has characters"),
    ],
)
def test_one_that_does_not_says_why_in_a_sentence(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], sentence: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RERUN_DOWNSTREAM_DEFAULT", json.dumps({**CONNECTION, **changes}))
    works, told = RerunDownstreamHook().test_connection()
    assert not works
    assert sentence in told
    assert "pw" not in told


def test_a_server_that_is_away_is_told(server: FakeServer) -> None:
    server.away = 10_000
    works, told = RerunDownstreamHook().test_connection()
    assert (works, "can't be reached" in told) == (False, True)
    assert server.away == 9_999, "it is asked once: somebody waits"


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "https://a.example.com/airflow"}, "https://a.example.com/airflow"),
        ({"host": "http://127.0.0.1:8080"}, "http://127.0.0.1:8080"),
        ({"host": "a.example.com"}, "https://a.example.com"),
        ({"host": "a.example.com", "schema": "http", "port": 8080}, "http://a.example.com:8080"),
        ({"host": "http://a.example.com/sub", "port": 81}, "http://a.example.com:81/sub"),
        ({"host": "http://a.example.com:81/sub", "port": 81}, "http://a.example.com:81/sub"),
        ({"host": "http://[::1]", "port": 81}, "http://[::1]:81"),
    ],
)
def test_the_address_may_be_in_parts(fields: dict[str, Any], url: str) -> None:
    assert address_of(said(**fields)) == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://a.example.com/airflow", "http://h:1/a b"])
def test_an_address_survives_airflows_test_of_a_connection(url: str) -> None:
    """It writes the connection as a URI into the environment, from which the hook reads it."""
    stored = StoredConnection(conn_id="x", conn_type="rerun_downstream", host=url, login="a", password="p/w")
    read = StoredConnection(conn_id="y", uri=stored.get_uri())
    assert (address_of(read), read.login, read.password) == (url, "a", "p/w")


def test_extra_says_the_rest(tmp_path: Path) -> None:
    extra = {"token": "t", "ca_bundle": str(tmp_path), "timeout": "7"}
    server = Server.of(said(host="https://a", login="ada", password="secret", extra=json.dumps(extra)))
    assert (server.token, server.verify, server.timeout) == ("t", str(tmp_path), 7.0)
    assert "secret" not in repr(server)
    for off in (False, "false", "No"):
        assert Server.of(said(host="https://a", extra=json.dumps({"verify": off}))).verify is False
    assert Server.of(said(host="https://a", extra=json.dumps({"verify": None}))).verify is True


def test_the_form_of_airflow_3_1_is_that_of_later_ones() -> None:
    pytest.importorskip("wtforms")
    widgets = RerunDownstreamHook.get_connection_form_widgets()
    assert list(widgets) == list(connection_type.FIELDS)
    kinds = {name: field.field_class.__name__ for name, field in widgets.items()}
    assert kinds == {
        "token": "PasswordField",
        "ca_bundle": "StringField",
        "verify": "BooleanField",
        "timeout": "IntegerField",
    }
    behaviour = RerunDownstreamHook.get_ui_field_behaviour()
    info = connection_type.INFO["ui-field-behaviour"]
    assert {name.replace("_", "-"): value for name, value in behaviour.items()} == info


def test_the_hook_is_the_one_that_airflow_is_told_of() -> None:
    assert f"{RerunDownstreamHook.__module__}.{RerunDownstreamHook.__name__}" == connection_type.HOOK
    assert RerunDownstreamHook.conn_type == connection_type.CONN_TYPE


def test_more_tags_than_a_page_holds(server: FakeServer, house: House) -> None:
    server.dags = {f"d{number:03}": ["x"] for number in range(250)}
    assert len(RerunDownstreamHook().server.dags_with_tags(["x"])) == 250


def test_no_host_is_a_problem_of_the_connection() -> None:
    with pytest.raises(ConnectionProblem, match="my_conn"):
        address_of(SimpleNamespace(host=None, conn_id="my_conn"))
