"""Who can be a source, who can be selected, and the words for states."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.eligibility import (
    downstream_refusal,
    freezing,
    run_status,
    source_refusal,
    task_status,
)
from airflow_rerun_downstream.domain.facts import RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.plan import FreezeAction, RunStatus
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.world import START

NOW = START + timedelta(days=1)
RUN = RunFacts(RunRef("d", "r"), "scheduled", "success", START, START)


@pytest.mark.parametrize(
    ("state", "more", "status"),
    [
        ("success", {}, RunStatus.SUCCESS),
        ("failed", {}, RunStatus.FAILED),
        ("failed", {"terminated": True}, RunStatus.TERMINATED),
        ("running", {}, RunStatus.RUNNING),
        ("queued", {}, RunStatus.READY),
        ("queued", {"run_after": NOW + timedelta(hours=1)}, RunStatus.NOT_READY),
    ],
)
def test_a_runs_status(state: str, more: dict, status: RunStatus) -> None:
    assert run_status(replace(RUN, state=state, **more), NOW) is status


@pytest.mark.parametrize(
    ("run_state", "terminated", "state", "tries", "status"),
    [
        ("success", False, "success", 1, RunStatus.SUCCESS),
        ("success", False, "skipped", 0, RunStatus.SUCCESS),
        ("failed", True, "skipped", 0, RunStatus.SUCCESS),
        ("failed", False, "failed", 1, RunStatus.FAILED),
        ("failed", True, "failed", 1, RunStatus.TERMINATED),
        ("failed", False, "upstream_failed", 0, RunStatus.FAILED),
        ("failed", False, None, 0, RunStatus.REVOKED),
        ("running", False, None, 0, RunStatus.NOT_READY),
        ("running", False, "queued", 0, RunStatus.READY),
        ("running", False, "deferred", 1, RunStatus.RUNNING),
    ],
)
def test_a_tasks_status(run_state: str, terminated: bool, state: str | None, tries: int, status: RunStatus) -> None:
    run = replace(RUN, state=run_state, terminated=terminated)
    assert task_status(TaskInstanceFacts("t", -1, state, None, tries), run) is status


def test_what_was_cut_off_is_no_success() -> None:
    task = TaskInstanceFacts("t", -1, "skipped", cut_off=True)
    assert task_status(task, replace(RUN, state="failed")) is RunStatus.REVOKED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"state": "failed"}, None),
        ({"state": "failed", "terminated": True}, None),
        ({"state": "running"}, "run_is_running"),
        ({"state": "queued"}, "run_is_queued"),
        ({"online": False, "run_type": "manual"}, "manual_run"),
        ({"online": False, "run_type": "backfill", "backfill": True}, "backfill_run"),
        ({"dag_gone": True}, "dag_gone"),
        ({"run_after": NOW + timedelta(seconds=1)}, "after_now"),
        ({"run_after": START - timedelta(seconds=1)}, "before_ready_window"),
    ],
)
def test_a_source_is_an_online_finished_run_of_the_window(change: dict, reason: str | None) -> None:
    assert source_refusal(replace(RUN, **change), NOW, START, in_active_rerun=False) == reason


def test_a_source_that_is_already_right_must_have_succeeded() -> None:
    failed = replace(RUN, state="failed")
    assert source_refusal(failed, NOW, None, in_active_rerun=False, rerun_source=False) == "source_not_success"


def test_a_source_that_is_not_rerun_needs_no_dag() -> None:
    gone = replace(RUN, dag_gone=True)
    assert source_refusal(gone, NOW, None, in_active_rerun=False, rerun_source=False) is None
    assert source_refusal(gone, NOW, None, in_active_rerun=True, rerun_source=False) == "in_active_rerun"


def test_nothing_of_a_dag_that_is_gone_is_selected() -> None:
    assert downstream_refusal(replace(RUN, dag_gone=True), NOW, in_active_rerun=False) == "dag_gone"
    assert downstream_refusal(replace(RUN, dag_gone=True), NOW, in_active_rerun=True) == "in_active_rerun"


def test_a_run_takes_part_in_one_active_rerun() -> None:
    assert downstream_refusal(RUN, NOW, in_active_rerun=True) == "in_active_rerun"
    assert source_refusal(RUN, NOW, None, in_active_rerun=True) == "in_active_rerun"


WAITING = {"state": "queued", "run_after": NOW + timedelta(hours=1)}


@pytest.mark.parametrize(
    ("change", "taken", "expected"),
    [
        ({"state": "success"}, True, (None, None)),
        ({"state": "failed", "online": False}, False, (None, None)),
        ({"state": "queued"}, False, (FreezeAction.STOP, None)),
        ({"state": "running"}, False, (FreezeAction.STOP, None)),
        ({"state": "running", "run_type": "asset_triggered"}, False, (FreezeAction.STOP, None)),
        ({"state": "running", "run_type": "manual"}, False, (FreezeAction.STOP, None)),  # made by a task
        ({"state": "running", "online": False}, False, (None, "manual_run")),
        ({"state": "queued", "online": False, "backfill": True}, False, (None, "backfill_run")),
        ({"state": "running"}, True, (None, "in_active_rerun")),
        ({"state": "running", "dag_gone": True}, False, (None, "dag_gone")),
        (WAITING, False, (FreezeAction.HOLD, None)),
        ({**WAITING, "online": False}, False, (None, "manual_run")),
        ({**WAITING, "run_type": "manual"}, False, (None, "timetable_uses_run_after")),
        ({**WAITING, "run_type": "asset_triggered"}, False, (None, "timetable_uses_run_after")),
    ],
)
def test_what_freeze_mode_does_with_a_run(change: dict, taken: bool, expected: tuple) -> None:
    assert freezing(replace(RUN, **change), NOW, DagSchedule("d"), in_active_rerun=taken) == expected


def test_a_run_that_waits_is_held_only_where_its_dag_allows() -> None:
    waiting = replace(RUN, **WAITING)
    refused = DagSchedule("d", cannot_hold="timetable_uses_run_after", cannot_park="asset_watcher")
    assert freezing(waiting, NOW, refused, in_active_rerun=False) == (None, "timetable_uses_run_after")
    assert freezing(waiting, NOW, None, in_active_rerun=False) == (None, "dag_gone")
    assert freezing(replace(RUN, state="running"), NOW, refused, in_active_rerun=False) == (FreezeAction.STOP, None)
