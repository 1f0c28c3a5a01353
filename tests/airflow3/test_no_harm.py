"""Airflow's transactions end as they would without us, whatever line of ours raises, and whatever our tables are."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_rerun_downstream import harmless
from airflow_rerun_downstream.airflow3.database import forks
from airflow_rerun_downstream.airflow3.hooks import asset_events, dag_run_insert, listener, recognition
from airflow_rerun_downstream.airflow3.web import extra_link
from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.guard import SchemaGuard
from tests.airflow3 import faults, harm, scene
from tests.airflow3.hooks.test_asset_events import Airflow

if TYPE_CHECKING:
    from tests.airflow3.database import Database

STORIES = [*harm.MANAGER, *harm.HOOK]

tried: dict[str, set[tuple[str, int]]] = {}
"""The lines that were made to raise, for each backend: a story adds its own ones."""


@pytest.fixture
def airflow(database: Database, monkeypatch: pytest.MonkeyPatch) -> Airflow:
    scene.migrate(database)
    for module in (recognition, dag_run_insert):
        monkeypatch.setattr(module, "guard", SchemaGuard())
    from airflow_rerun_downstream.asset_manager import RerunAssetManager

    return Airflow(database, RerunAssetManager(), monkeypatch)


@pytest.mark.parametrize("name", STORIES)
def test_an_error_in_each_line(airflow: Airflow, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = harm.Trial(airflow.database, harm.story(name, airflow, monkeypatch))
    assert trial.lines
    for line in trial.new_lines(tried.setdefault(airflow.database.backend, set())):
        trial.fault(line)


DAMAGES = [
    *(f"ALTER TABLE rerun_downstream_{name} RENAME TO gone" for name in ("dispatched_task", "hold", "parked", "child")),
    *(f"ALTER TABLE rerun_downstream_{name} RENAME TO gone" for name in ("member", "event", "lease", "parked_event")),
    "ALTER TABLE rerun_downstream_dispatched_task RENAME COLUMN first_try TO renamed",
    "ALTER TABLE rerun_downstream_dispatched_task RENAME COLUMN emitted_try TO renamed",
    "ALTER TABLE rerun_downstream_hold RENAME COLUMN assets TO renamed",
    "ALTER TABLE rerun_downstream_hold RENAME COLUMN held_at TO renamed",
    "ALTER TABLE rerun_downstream_parked RENAME COLUMN created_at TO renamed",
    "ALTER TABLE rerun_downstream_parked_event RENAME COLUMN created_at TO renamed",
    "UPDATE alembic_version_rerun_downstream SET version_num = '9999'",
    "ALTER TABLE alembic_version_rerun_downstream RENAME TO gone",
]


def repair(damage: str) -> str:
    """The statement that takes a damage back."""
    words = damage.split()
    if words[0] == "UPDATE":
        return f"UPDATE {words[1]} SET version_num = '{schema.HEAD}'"
    if words[4] == "TO":
        return f"ALTER TABLE gone RENAME TO {words[2]}"
    return f"ALTER TABLE {words[2]} RENAME COLUMN {words[7]} TO {words[5]}"


HARMED = ("first_try", "repeated", "emits_before_it_is_adopted", "frozen_consumer", *harm.HOOK)


@pytest.mark.parametrize("name", HARMED)
def test_tables_that_are_not_what_the_code_expects(
    airflow: Airflow, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table or a column is gone, or the version is another one: from the start, or while it counts as right."""
    trial = harm.Trial(airflow.database, harm.story(name, airflow, monkeypatch))
    for damage in DAMAGES:
        for known in (True, False):
            trial.damaged(damage, repair(damage), known=known)


def test_a_process_in_which_an_import_fails(airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = harm.Trial(airflow.database, harm.story("repeated", airflow, monkeypatch))
    harm.begin_anew()
    monkeypatch.setattr(asset_events, "_inside", None)
    monkeypatch.delattr("airflow_rerun_downstream.airflow3.hooks.recognition")
    monkeypatch.setitem(sys.modules, "airflow_rerun_downstream.airflow3.hooks.recognition", None)
    asset_events.prepare()
    assert not asset_events.working()
    assert [trouble.part for trouble in harmless.troubles()] == ["asset_manager"]
    trial.contents.restore(trial.before)
    trial.story.act()
    assert harm.airflows(trial.contents.read()) == trial.plain


class TestOutsideOfTransactions:
    """What Airflow calls in its processes: nothing is raised, whatever line of ours would."""

    def walk(self, call: Callable[[], Any]) -> None:
        harmless.forget()
        found = faults.lines(call)
        assert found
        assert harmless.troubles() == []
        for line in found:
            harmless.forget()
            with faults.raising(line) as raised:
                call()
            assert raised == [line]
            assert harmless.troubles(), f"{line}: nobody was told"

    def sensor(self) -> Any:
        from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

        return ExternalTaskSensor(task_id="wait", external_dag_id="up", execution_delta=timedelta(hours=1))

    def test_the_policy(self) -> None:
        from airflow_rerun_downstream import policy

        self.walk(lambda: policy.task_policy(self.sensor()))

    def test_a_sensor_succeeds(self, mocker: Any) -> None:
        task = self.sensor()
        task.external_dates_filter = scene.START.isoformat()
        ti = mocker.Mock(task=task, map_index=-1)
        ti.xcom_pull.return_value = None
        self.walk(lambda: listener.on_task_instance_success(None, ti))
        assert ti.xcom_push.called

    def test_a_task_is_shown(self, mocker: Any) -> None:
        link = extra_link.RerunDownstreamLink()
        self.walk(lambda: link.get_link(mocker.Mock(), ti_key=mocker.Mock(dag_id="d", run_id="r", task_id="t")))

    def test_a_process_forks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(forks, "_busy", threading.RLock())  # an error may leave it taken

        def fork() -> None:
            forks.before_fork()
            forks.after_fork()

        self.walk(fork)
