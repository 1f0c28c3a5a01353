"""Scheduler and api-server are killed at every step of freezing and releasing.

At any time every hold is one that a record knows, and every held run one that a hold knows; at the end each run has
its own times back, and none is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.acceptance.freezing import Frozen
from tests.acceptance.story import moment
from tests.live.harness import StartAirflow

pytestmark = pytest.mark.acceptance

DAGS = ("quick", "quick_too", "quick_three")
# Airflow finds out within seconds that a scheduler, and the tasks that it ran, are no more.
SOON = {
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "12",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_DETECTION_INTERVAL": "3",
    "AIRFLOW__RERUN_DOWNSTREAM__RELEASE_BATCH": "1",
    "TASK_RETRIES": "20",
    "QUICK_CATCHUP": "yes",
}


@pytest.fixture(scope="module")
def frozen(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    return Frozen(start_airflow, tmp_path_factory.mktemp("freeze"), *DAGS, database="postgresql", env=SOON)


def submitted(frozen: Frozen, rerun: int) -> None:
    """Nothing has happened since the submit."""


def made(frozen: Frozen, rerun: int) -> None:
    frozen.wait_held(rerun, *DAGS)


def repaired(frozen: Frozen, rerun: int) -> None:
    made(frozen, rerun)
    frozen.go_on()
    frozen.wait_members(rerun, lambda found: found["wrong"]["state"] == "succeeded", "the source's success")


def one_let_go(frozen: Frozen, rerun: int) -> None:
    made(frozen, rerun)
    frozen.go_on()
    frozen.wait_members(rerun, lambda found: any(one["state"] == "released" for one in found.values()), "a release")


def asked_for(frozen: Frozen, rerun: int) -> None:
    made(frozen, rerun)
    frozen.call("POST", f"/reruns/{rerun}/release")


def terminated(frozen: Frozen, rerun: int) -> None:
    frozen.call("POST", f"/reruns/{rerun}/terminate")


STEPS: dict[str, Callable[[Frozen, int], None]] = {
    "the submit": submitted,
    "the runs are made, held": made,
    "the source has succeeded": repaired,
    "one of them was let go": one_let_go,
    "a person asked for the release": asked_for,
    "the termination": terminated,
}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_after_any_step_loses_nothing(frozen: Frozen, step: str) -> None:
    rerun, upcoming = frozen.freeze(*DAGS)
    STEPS[step](frozen, rerun)
    frozen.airflow.kill9("scheduler")
    frozen.airflow.kill9("api-server")
    every_hold_is_known(frozen)
    frozen.airflow.start("api-server", "scheduler")
    every_hold_is_known(frozen)
    frozen.go_on()
    frozen.wait_state(rerun, "succeeded", "terminated", timeout=180)
    for dag_id, run in upcoming.items():
        assert moment(frozen.wait_natural(dag_id, run)["logical_date"]) == moment(run["logical_date"])
        assert frozen.no_gap(dag_id, timedelta(seconds=15))
    assert (frozen.holds(), frozen.held_runs()) == ([], [])


FROZEN = (
    "select m.dag_id, m.id from rerun_downstream_member m join rerun_downstream_rerun r on r.id = m.rerun_id "
    "where m.state = 'frozen' and r.state not in ('succeeded', 'terminated') order by 1, 2"
)
HOLDS = "select dag_id, member_id, run_id from rerun_downstream_hold order by 1, 2"
HELD = "select dag_id, run_id from dag_run where run_after > '2037-01-01'"


def every_hold_is_known(frozen: Frozen) -> None:
    """What is held is what frozen members of active reruns name, and nothing else. All of it at one moment."""
    with frozen.airflow.db().connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        members, holds, held = (connection.execute(text(one)).all() for one in (FROZEN, HOLDS, HELD))
    assert [(dag_id, member_id) for dag_id, member_id, _ in holds] == [tuple(row) for row in members]
    known = {(dag_id, run_id) for dag_id, _, run_id in holds}
    assert {tuple(row) for row in held} <= known, "a run is held that no record knows"
