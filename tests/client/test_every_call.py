"""Every call of the OpenAPI document has a method in both clients, with its parameters and its answer."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.client import AsyncRerunDownstreamClient, RerunDownstreamClient, calls
from airflow_rerun_downstream.client.call import Call

DOCUMENT = json.loads((Path(__file__).resolve().parents[2] / "ui" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = {
    (method.upper(), path.removeprefix("/api/v1")): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
NOT_HERE = {("GET", "/reruns/{rerun_id}/proof"): {"format"}}
"""Parameters that a client has no use for: as a file for spreadsheets."""

DESCRIBED: dict[str, Callable[..., Call[Any]]] = {
    name: function
    for name, function in vars(calls).items()
    if inspect.isfunction(function) and function.__module__ == calls.__name__
}


def example(parameter: inspect.Parameter) -> Any:
    """An argument that nothing else in a path is equal to."""
    return {"rerun_id": 71, "member_id": 72, "body": {}}.get(parameter.name, f"the {parameter.name}")


def described(name: str, **said: str) -> Call[Any]:
    parameters = inspect.signature(DESCRIBED[name]).parameters.values()
    optional = {each.name: None for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY}
    given = [example(each) for each in parameters if each.kind is not inspect.Parameter.KEYWORD_ONLY]
    return DESCRIBED[name](*given, **{**optional, **said})


def operation(call: Call[Any]) -> tuple[str, str]:
    """The operation that a call is: the one whose path has its form."""
    found = [
        (method, path)
        for method, path in OPERATIONS
        if method == call.method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), call.path)
    ]
    assert len(found) == 1, (call.path, found)
    return found[0]


BY_OPERATION = {operation(described(name)): name for name in DESCRIBED}


def test_every_operation_has_one_method_and_there_is_no_other() -> None:
    assert set(BY_OPERATION) == set(OPERATIONS)
    assert len(BY_OPERATION) == len(DESCRIBED)


@pytest.mark.parametrize("name", DESCRIBED)
def test_its_parameters_are_those_of_the_document(name: str) -> None:
    call = described(name)
    key = operation(call)
    said = {(each["in"], each["name"]) for each in OPERATIONS[key].get("parameters", ())}
    assert set(call.params) == {each for place, each in said if place == "query"} - NOT_HERE.get(key, set())
    headers = {each for place, each in said if place == "header"}
    assert set(described(name, **{each.lower().replace("-", "_"): "k" for each in headers}).headers) == headers
    assert (call.body is not None) == ("requestBody" in OPERATIONS[key])


@pytest.mark.parametrize("name", DESCRIBED)
def test_its_answer_is_that_of_the_document(name: str) -> None:
    call = described(name)
    answers = [answer for status, answer in OPERATIONS[operation(call)]["responses"].items() if status.startswith("2")]
    assert answers
    for answer in answers:
        reference = answer["content"]["application/json"]["schema"]["$ref"]
        assert reference.rpartition("/")[2] == call.answer.__name__


@pytest.mark.parametrize("of", [RerunDownstreamClient, AsyncRerunDownstreamClient])
@pytest.mark.parametrize("name", DESCRIBED)
def test_both_clients_have_the_method_with_its_arguments_and_its_sentence(of: type, name: str) -> None:
    method = vars(of)[name]
    arguments = list(inspect.signature(method).parameters.values())
    assert arguments[0].name == "self"
    assert arguments[1:] == list(inspect.signature(DESCRIBED[name]).parameters.values())
    assert method.__name__ == name
    assert method.__doc__ == DESCRIBED[name].__doc__
    assert method.__doc__


def test_the_twins_have_the_same_methods() -> None:
    ours, theirs = (
        {name for name in vars(of) if not name.startswith("_")}
        for of in (RerunDownstreamClient, AsyncRerunDownstreamClient)
    )
    assert ours == theirs
    for name in ours:
        arguments = [
            [(each.name, each.kind, each.default) for each in inspect.signature(getattr(of, name)).parameters.values()]
            for of in (RerunDownstreamClient, AsyncRerunDownstreamClient)
        ]
        assert arguments[0] == arguments[1], name
