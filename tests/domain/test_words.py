"""The lists of words hold exactly what the code says: a word that isn't listed has no text on the pages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import airflow_rerun_downstream
from airflow_rerun_downstream.domain import words
from airflow_rerun_downstream.domain.reasons import REASONS
from airflow_rerun_downstream.domain.words import Cause, cause

ROOT = Path(airflow_rerun_downstream.__file__).parent
CALLS = [
    node for file in ROOT.rglob("*.py") for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
]
"""Every call in the package."""


def name_of(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def texts(nodes: list[ast.expr]) -> Iterator[str]:
    """The texts that are written out among some arguments."""
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.Constant) and isinstance(each.value, str):
                yield each.value


def test_every_warning_is_listed() -> None:
    found = {text for call in CALLS if name_of(call) == "PlanWarning" for text in texts(call.args[:1])}
    assert len(found) > 20
    assert found <= set(words.WARNINGS)


def test_every_event_is_listed() -> None:
    told = {
        each.value
        for call in CALLS
        if name_of(call) == "log" and len(call.args) > 2
        for each in call.args
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier()
    }
    assert {"member_dispatched", "proof_not_computed"} <= told
    assert told - set(REASONS) <= set(words.EVENTS)


def test_every_reason_that_a_member_is_moved_with_is_listed() -> None:
    moves = [call for call in CALLS if name_of(call) in ("MoveMember", "Explain")]
    found = {text for call in moves for text in texts(call.args[1:]) if text.isidentifier()}
    assert {"dispatch_error", "run_gone"} <= found
    assert found <= set(REASONS)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, None),
        ("", None),
        ("tasks_failed", Cause("tasks_failed")),
        ("no_pool_slots: pool small", Cause("no_pool_slots", detail="pool small")),
        ("paused by ana", Cause("paused_by_user", by="ana")),
        ("terminated by a\nb", Cause("terminated_by_user", by="a\nb")),
        ("3 task instance(s) cleared", Cause(None, detail="3 task instance(s) cleared")),
        ("unknown_word", Cause(None, detail="unknown_word")),
    ],
)
def test_a_reason_is_taken_apart(text: str | None, found: Cause | None) -> None:
    assert cause(text) == found


def test_no_list_names_a_word_twice() -> None:
    for each in (words.WARNINGS, words.EVENTS, words.CAUSES, words.RUN_TYPES):
        assert len(set(each)) == len(each)
