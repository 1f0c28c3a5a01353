from __future__ import annotations

import json
from datetime import datetime, timezone
from enum import Enum

import pytest

from airflow_rerun_downstream.domain import errors
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.rest import problems


def subclasses(of: type[errors.Refusal]) -> list[type[errors.Refusal]]:
    return [of, *(each for child in of.__subclasses__() for each in subclasses(child))]


CONTRACT = {
    "invalid": 422,
    "empty_selection": 422,
    "unknown_target": 422,
    "forbidden_dags": 403,
    "not_found": 404,
    "stale_plan": 409,
    "run_in_active_rerun": 409,
    "not_selectable": 409,
    "source_not_eligible": 409,
    "asset_manager_inactive": 409,
    "offset_unknown": 409,
    "freeze_unavailable": 409,
    "action_not_allowed": 409,
    "changed_meanwhile": 409,
    "plan_too_large": 409,
    "database_not_migrated": 503,
}


def test_every_word_of_the_contract_has_a_class() -> None:
    assert CONTRACT.items() <= {each.reason: each.status for each in subclasses(errors.Refusal)}.items()


@pytest.mark.parametrize("kind", subclasses(errors.Refusal), ids=lambda kind: kind.__name__)
def test_a_refusal_keeps_its_status_and_reason(kind: type[errors.Refusal]) -> None:
    status, body = problems.of_refusal(kind("No.", reason_of="x", detail_of="y"))
    assert status == kind.status
    assert body == {"detail": "No.", "reason": kind.reason, "reason_of": "x", "detail_of": "y"}


class Colour(Enum):
    RED = "red"


def test_extra_fields_become_json() -> None:
    refusal = errors.RunInActiveRerun(
        "Taken.",
        run=RunRef("a", "r"),
        runs=frozenset({RunRef("b", "r"), RunRef("a", "r")}),
        at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        colour=Colour.RED,
        by={1: (2, None)},
        other=object,
    )
    _, body = problems.of_refusal(refusal)
    assert json.loads(json.dumps(body)) == {
        "detail": "Taken.",
        "reason": "run_in_active_rerun",
        "run": {"dag_id": "a", "run_id": "r"},
        "runs": [{"dag_id": "a", "run_id": "r"}, {"dag_id": "b", "run_id": "r"}],
        "at": "2026-01-01T00:00:00+00:00",
        "colour": "red",
        "by": {"1": [2, None]},
        "other": "<class 'object'>",
    }


MISSING = {"code": "field.missing", "params": {}}


def test_a_forms_errors_become_sentences_without_what_was_sent() -> None:
    listed = [
        {"loc": ("body", "source", "run_id"), "msg": "Field required", "type": "missing", "input": object()},
        {"loc": ("query", "limit"), "msg": "Value error, too small", "type": "value_error", "ctx": {"error": 1}},
        {"loc": ("body",), "msg": "Field required", "type": "missing"},
    ]
    assert problems.of_errors(listed) == (
        422,
        {
            "detail": "source.run_id: it is missing. limit: too small. body: it is missing.",
            "sentence": {
                "code": "refusal.invalid_fields",
                "params": {
                    "errors": [
                        {"code": "part.error_at", "params": {"place": place, "error": error}}
                        for place, error in (
                            ("source.run_id", MISSING),
                            ("limit", {"code": "field.said", "params": {"said": "too small"}}),
                            ("body", MISSING),
                        )
                    ]
                },
            },
            "reason": "invalid",
            "errors": [
                {"loc": ["body", "source", "run_id"], "msg": "Field required", "type": "missing"},
                {"loc": ["query", "limit"], "msg": "too small", "type": "value_error"},
                {"loc": ["body"], "msg": "Field required", "type": "missing"},
            ],
        },
    )


@pytest.mark.parametrize(
    ("status", "detail", "body"),
    [
        (404, "Not Found", {"detail": "Not Found", "reason": "not_found"}),
        (401, "Not authenticated", {"detail": "Not authenticated", "reason": "not_authenticated"}),
        (418, "Tea", {"detail": "Tea", "reason": "refused"}),
        (
            500,
            {"reason": "Database error", "message": "See the log.", "statement": "hidden"},
            {"detail": "See the log.", "reason": "database_error", "statement": "hidden"},
        ),
        (403, {"denied": ["a"]}, {"detail": "forbidden", "reason": "forbidden", "denied": ["a"]}),
    ],
)
def test_a_frameworks_error_gets_a_sentence_and_a_word(status: int, detail: object, body: dict[str, object]) -> None:
    assert problems.of_status(status, detail) == (status, body)


def test_the_first_twenty_errors_are_told_and_how_many_there_are() -> None:
    errors = [
        {"loc": ("body", "members", number, "x" * 9_000), "msg": "No" * 9_000, "type": "t"} for number in range(50)
    ]
    _, body = problems.of_errors(errors)
    assert len(body["errors"]) == 20
    assert body["errors"][19]["loc"][2] == 19
    assert body["detail"].endswith("And 30 more.")
    assert len(body["detail"]) < 20_000
    _, body = problems.of_errors(errors[:20])
    assert "more" not in body["detail"]
