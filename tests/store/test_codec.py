"""What is written as JSON can be read back, also by a version that knows more or fewer fields."""

from __future__ import annotations

import json
from datetime import datetime
from datetime import timezone as timezones

import pytest

from airflow_rerun_downstream.domain.plan import FutureRef, LinkKind, PlanOptions, PlanWarning
from airflow_rerun_downstream.domain.refs import TaskRef
from airflow_rerun_downstream.domain.rerun_request import Notification, RerunSettings
from airflow_rerun_downstream.domain.seeing import Seeing
from airflow_rerun_downstream.domain.sentence import Sentence, sentence_in, to_json, with_parts
from airflow_rerun_downstream.store import codec

NOW = datetime(2026, 3, 1, 1, 2, 3, 4, tzinfo=timezones.utc)


def through_json(value: object) -> object:
    return json.loads(json.dumps(value))


def test_tasks_are_written_as_the_contract_has_them() -> None:
    tasks = (TaskRef("a"), TaskRef("m", 0))
    written = codec.tasks_to_json(tasks)
    assert written == ["a", {"task_id": "m", "map_index": 0}]
    assert codec.tasks_from_json(through_json(written)) == tasks  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ref", "written"),
    [
        (
            FutureRef("d", logical_date=NOW),
            {"dag_id": "d", "logical_date": "2026-03-01T01:02:03.000004+00:00"},
        ),
        (FutureRef("d", partition_key="k"), {"dag_id": "d", "partition_key": "k"}),
        (FutureRef("d", next=True), {"dag_id": "d", "next": True}),
        (FutureRef("d"), {"dag_id": "d"}),
    ],
)
def test_runs_to_come_are_written_as_the_contract_has_them(ref: FutureRef, written: dict[str, object]) -> None:
    assert codec.future_to_json(ref) == written
    assert codec.future_from_json(through_json(written)) == ref  # type: ignore[arg-type]


def test_settings_notifications_and_warnings_come_back() -> None:
    settings = RerunSettings(max_active_members=2, accept_duplicate_runs=True)
    notifications = (Notification("ops", ("terminated",)),)
    warnings = (PlanWarning("x", "y", task_id="t"), PlanWarning("z", "w"))
    assert codec.settings_from_json(codec.settings_to_json(settings)) == settings
    assert codec.notifications_from_json(codec.notifications_to_json(notifications)) == notifications
    assert codec.warnings_from_json(codec.warnings_to_json(warnings)) == warnings
    options = codec.options_to_json(PlanOptions(link_kinds=(LinkKind.ASSET,)))
    assert options["link_kinds"] == ["asset"]
    assert through_json(options) == options


def test_fields_of_other_versions_do_no_harm() -> None:
    assert codec.settings_from_json({"on_failure": "pause", "from_the_future": 1}) == RerunSettings(on_failure="pause")
    new = {"code": "x", "detail": "y", "dag_ids": ["a"], "more": 1}
    assert codec.warnings_from_json([new]) == (PlanWarning("x", "y", dag_ids=frozenset({"a"})),)


def test_what_an_older_warning_names_counts_as_hidden() -> None:
    (old,) = codec.warnings_from_json([{"code": "x", "detail": "y", "dag_id": "a"}])
    assert Seeing(frozenset({"a"}).intersection).warnings([old])[0].code == "hidden_warnings"


def test_whatever_a_link_was_seen_by_becomes_plain() -> None:
    seen = {
        "at": NOW,
        "kind": LinkKind.ASSET,
        "tasks": frozenset({"b", "a"}),
        "dates": (NOW,),
        1: None,
        "other": object,
    }
    assert codec.json_value(seen) == {
        "at": NOW.isoformat(),
        "kind": "asset",
        "tasks": ["a", "b"],
        "dates": [NOW.isoformat()],
        "1": None,
        "other": "<class 'object'>",
    }


def test_a_stored_warning_is_a_sentence_again() -> None:
    said = Sentence("warning.paused_dag", dag="report")
    (written,) = codec.warnings_to_json([PlanWarning("paused_dag", said, "report")])
    assert written["detail"] == said
    assert type(written["detail"]) is str
    (back,) = codec.warnings_from_json([written])
    assert (back.detail, back.sentence) == (said, said)
    (unknown,) = codec.warnings_from_json([{**written, "sentence": {"code": "of.another", "params": {}}}])
    assert (unknown.detail, unknown.sentence) == (said, None)


@pytest.mark.parametrize(
    "detail",
    [None, "", "paused by ada", '{"code": "record.held", "params": {"run": "r"}}', '{"text": "x"}', "{", '{"a": 1}'],
)
def test_what_a_user_wrote_stays_a_text(detail: str | None) -> None:
    """Also what looks like a sentence of ours."""
    back = codec.detail_from_text(codec.detail_to_text(detail))
    assert (back, sentence_in(back)) == (detail, None)


def test_a_line_of_a_record_is_a_sentence_again() -> None:
    said = Sentence("record.cleared", count=3)
    written = codec.detail_to_text(said)
    assert written is not None
    assert json.loads(written) == {"text": str(said), **to_json(said)}
    assert sentence_in(codec.detail_from_text(written)) == said


def test_a_line_without_its_english_is_a_sentence_too() -> None:
    said = Sentence("record.cleared", count=3)
    assert sentence_in(codec.detail_from_text(json.dumps(to_json(said)))) == said


@pytest.mark.parametrize(
    "parts",
    [
        {"code": "of.another", "params": {}},
        {"code": "record.cleared", "params": {"tasks": 3}},
        {"code": "record.cleared", "params": None},
        {},
    ],
)
def test_a_sentence_of_another_version_is_told_in_its_english(parts: dict[str, object]) -> None:
    back = codec.detail_from_text(json.dumps({"text": "3 tasks cleared", **parts}))
    assert (back, sentence_in(back)) == ("3 tasks cleared", None)


@pytest.mark.parametrize("written", ["3 task instance(s) cleared", "{not JSON", '{"code": "of.another", "params": {}}'])
def test_a_line_of_another_version_stays_as_it_is(written: str) -> None:
    assert codec.detail_from_text(written) == written


def test_a_link_keeps_the_parts_of_why() -> None:
    why = Sentence("link.undated_runs", dag="report")
    written = codec.json_value(with_parts({"why": why, "task_id": "t"}))
    assert written == {"why": str(why), "task_id": "t", "sentence": to_json(why)}
    assert with_parts({"why": "a text"}) == {"why": "a text"}
