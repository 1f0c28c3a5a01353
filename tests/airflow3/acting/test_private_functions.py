"""What is relied on of Airflow's private functions, in each supported version: how they are called, what they do.

When Airflow changes one of them, the failure is here, and says which.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from datetime import timedelta
from importlib import metadata
from typing import Any

import pytest
from packaging.version import Version

from airflow_rerun_downstream.airflow3.task_tables import tries_begun
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import scene, task_rows


def version() -> str:
    from airflow import __version__

    return ".".join(__version__.split(".")[:2])


def resolve(path: str) -> Any:
    module, _, names = path.partition(":")
    found = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return found


def same(*names: str) -> dict[str, list[str]]:
    return {each: list(names) for each in ("3.1", "3.2", "3.3", "3.4")}


CALLED = {
    "airflow.models.taskinstance:clear_task_instances": {
        "3.1": ["tis", "session", "dag_run_state", "run_on_latest_version"],
        "3.2": ["tis", "session", "dag_run_state", "run_on_latest_version", "prevent_running_task"],
        "3.3": ["tis", "session", "dag_run_state", "run_on_latest_version", "prevent_running_task"],
        "3.4": [
            *("tis", "session", "dag_run_state", "run_on_latest_version", "prevent_running_task"),
            *("whole_task_keys", "superseded_ti_ids"),
        ],
    },
    "airflow.models.taskinstance:TaskInstance.complete_restart": {"3.4": ["self", "session", "terminal_outcome"]},
    "airflow.api.common.mark_tasks:set_dag_run_state_to_failed": same("dag", "run_id", "commit", "session"),
    "airflow.models.dagbag:DBDagBag.get_dag_for_run": same("self", "dag_run", "session"),
    "airflow.models.taskinstance:TaskInstance.next_retry_datetime": same("self"),
    "airflow.models.taskinstance:TaskInstance.set_state": same("self", "state", "session"),
    "airflow.api_fastapi.common.dagbag:resolve_run_on_latest_version": {
        each: ["explicit_value", "dag_id", "session", "fallback"] for each in ("3.3", "3.4")
    },
    "airflow.listeners.spec.dagrun:on_dag_run_failed": same("dag_run", "msg"),
    "airflow.assets.manager:AssetManager._queue_dagruns": {
        "3.1": ["asset_id", "dags_to_queue", "session"],
        "3.2": ["asset_id", "dags_to_queue", "partition_key", "event", "task_instance", "session"],
        **{
            each: ["asset_id", "dags_to_queue", "partition_key", "partition_date", "event", "task_instance", "session"]
            for each in ("3.3", "3.4")
        },
    },
}


@pytest.mark.parametrize("path", CALLED)
def test_the_parameters_are_the_known_ones(path):
    known = CALLED[path].get(version())
    if known is None:
        with pytest.raises(AttributeError):
            resolve(path)
        return
    assert list(inspect.signature(resolve(path)).parameters) == known


@pytest.mark.parametrize("name", ["register_asset_change", "_queue_dagruns"])
def test_the_asset_managers_methods_are_class_methods(name):
    from airflow.assets.manager import AssetManager

    assert isinstance(inspect.getattr_static(AssetManager, name), classmethod)


def test_an_event_is_registered_by_keywords():
    from airflow.assets.manager import AssetManager

    parameters = inspect.signature(AssetManager.register_asset_change).parameters
    assert {"task_instance", "asset", "session", "source_alias_names"} <= set(parameters)
    assert ("partition_key" in parameters) is (version() != "3.1")
    assert parameters["task_instance"].kind is inspect.Parameter.KEYWORD_ONLY


def test_listeners_of_a_failed_task_are_called_by_keywords():
    name = "airflow.listeners.spec.taskinstance"
    try:
        specification = resolve(f"{name}:on_task_instance_failed")
    except ModuleNotFoundError:
        specification = resolve("airflow.sdk._shared.listeners.spec.taskinstance:on_task_instance_failed")
    assert list(inspect.signature(specification).parameters) == ["previous_state", "task_instance", "error"]


@pytest.fixture
def ref(session) -> RunRef:
    """A run of a task and of a mapped one whose upstream pushed three items."""
    from airflow.sdk import DAG, task

    with DAG("d", schedule="@daily", start_date=scene.START) as dag:

        @task
        def numbers() -> list[int]:
            return [1, 2, 3]

        @task(retries=4)
        def each(number: int) -> None: ...

        each.expand(number=numbers())
    scene.save(dag, session=session)
    ref = scene.create_run("d", session=session, tries=2)
    scene.expand(ref, "each", 3, session=session)
    task_rows.set_map_length(numbers_of(ref), 3, session=session)
    session.commit()
    return ref


def numbers_of(ref: RunRef) -> dict[str, Any]:
    return {"dag_id": "d", "run_id": ref.run_id, "task_id": "numbers", "map_index": -1}


def clear(session: Any, ref: RunRef, which: Callable[[Any], bool]) -> None:
    from airflow.models.taskinstance import clear_task_instances

    chosen = [ti for ti in scene.instances(ref, session=session).values() if which(ti)]
    clear_task_instances(chosen, session, dag_run_state="queued", run_on_latest_version=False)
    session.commit()


def test_a_try_has_its_number_from_scheduling_on_or_since_34_from_clearing_on(session, ref):
    clear(session, ref, lambda ti: ti.task_id == "numbers")
    ti = scene.instance(ref, "numbers", session=session)
    assert (ti.try_number, tries_begun(ti)) == (3 if TRIES_ARE_ROWS else 2, 2)

    run = scene.run_of(ref, session=session)
    run.dag = scene.latest("d", session=session)
    ti.task = run.dag.get_task("numbers")
    run.schedule_tis([ti], session=session)
    session.commit()

    ti = scene.instance(ref, "numbers", session=session)
    assert (ti.try_number, tries_begun(ti)) == (3, 3)


def test_clearing_restores_the_retries(session, ref):
    clear(session, ref, lambda ti: ti.map_index == 1)
    ti = scene.instance(ref, "each", 1, session=session)
    assert (tries_begun(ti), ti.max_tries) == (1, 5)


def test_a_running_task_is_cleared_without_its_retries_and_without_its_run(session, ref):
    from airflow.models.taskinstance import clear_task_instances

    ti, run = scene.instance(ref, "each", 1, session=session), scene.run_of(ref, session=session)
    ti.state = run.state = "running"
    session.commit()
    known = ti.id

    clear_task_instances([ti], session, dag_run_state=False)
    session.commit()

    ti, run = scene.instance(ref, "each", 1, session=session), scene.run_of(ref, session=session)
    assert (ti.state, ti.try_number, ti.max_tries, run.state, run.clear_number) == ("restarting", 1, 0, "running", 0)
    assert (ti.id == known) is TRIES_ARE_ROWS  # there its next try comes when the process has ended


def test_what_restarts_gets_its_next_try_when_it_has_ended_since_34(session, ref):
    if not TRIES_ARE_ROWS:
        pytest.skip("up to 3.3 the scheduler takes its state away")
    ti = scene.instance(ref, "each", 1, session=session)
    ti.state = "restarting"
    session.commit()
    clear(session, ref, lambda ti: ti.state == "restarting")
    assert scene.instance(ref, "each", 1, session=session).state == "restarting"  # a clear leaves it so

    scene.instance(ref, "each", 1, session=session).complete_restart(session=session)
    session.commit()

    ti = scene.instance(ref, "each", 1, session=session)
    assert (ti.state, ti.try_number, tries_begun(ti)) == (None, 2, 1)
    (before,) = task_rows.earlier_tries(ref, session=session)
    assert (before.task_id, before.map_index, before.try_number, before.state) == ("each", 1, 1, "failed")
    assert before.start_date == ti.start_date  # by which `task_tables` knows that it hasn't begun


def test_clearing_what_never_ran_leaves_a_try_that_never_was(session, ref):
    ti = scene.instance(ref, "numbers", session=session)
    ti.state, ti.try_number = None, 0
    session.commit()

    clear(session, ref, lambda ti: ti.task_id == "numbers")

    tries = [(row.try_number, row.state) for row in task_rows.earlier_tries(ref, session=session)]
    assert tries == ([] if TRIES_ARE_ROWS else [(0, "failed")])


def test_airflow_never_revives_a_removed_index_by_itself(session, ref):
    scene.instance(ref, "each", 2, session=session).state = "removed"
    session.commit()

    assert revised(session, ref) == []
    assert scene.instance(ref, "each", 2, session=session).state == "removed"


def test_airflow_removes_an_index_that_is_superfluous(session, ref):
    task_rows.set_map_length(numbers_of(ref), 2, session=session)
    scene.instance(ref, "each", 2, session=session).state = None
    session.commit()

    assert revised(session, ref) == []
    assert scene.instance(ref, "each", 2, session=session).state == "removed"


def revised(session: Any, ref: RunRef) -> list[Any]:
    """What the scheduler adds to a mapped task before it runs."""
    run = scene.run_of(ref, session=session)
    run.dag = scene.latest("d", session=session)
    task = run.dag.get_task("each")
    if TRIES_ARE_ROWS:
        first = scene.instance(ref, "each", 0, session=session)
        first.task = task
        found = list(run._revise_map_indexes_if_mapped(first, session=session))
    else:
        version_id = run.created_dag_version_id
        found = list(run._revise_map_indexes_if_mapped(task, dag_version_id=version_id, session=session))
    session.commit()
    return found


def test_a_dag_knows_between_which_dates_it_runs(session, ref):
    restriction = scene.latest("d", session=session)._time_restriction
    assert (restriction.earliest, restriction.latest, restriction.catchup) == (scene.START, None, False)


def test_failing_a_run_answers_the_killed_ones_after_330(session, ref):
    from airflow.api.common.mark_tasks import set_dag_run_state_to_failed

    scene.run_of(ref, session=session).state = "running"
    scene.instance(ref, "each", 0, session=session).state = "running"
    session.commit()

    dag = scene.latest("d", session=session)
    answer = set_dag_run_state_to_failed(dag=dag, run_id=ref.run_id, commit=True, session=session)

    assert isinstance(answer, tuple) is (Version(metadata.version("apache-airflow-core")) > Version("3.3.0"))
    assert scene.run_of(ref, session=session).state == "failed"
    assert scene.instance(ref, "each", 0, session=session).state == "failed"


def test_every_dag_run_of_an_event_goes_through_one_function(session, mocker):
    from airflow.assets.manager import AssetManager
    from airflow.sdk import DAG, Asset

    asset = Asset(name="a", uri="test://assets/a")
    with DAG("consumer", schedule=[asset], start_date=scene.START) as dag:
        pass
    scene.save(dag, session=session)
    asked = mocker.patch.object(AssetManager, "_queue_dagruns")

    assert AssetManager().register_asset_change(asset=asset, session=session) is not None
    session.commit()

    assert asked.call_count == 1
    assert len(scene.rows("asset_event", session=session)) == 1
    assert scene.rows("asset_dag_run_queue", session=session) == []


def test_a_queued_asset_locks_its_dag_by_a_foreign_key_and_a_pending_partition_does_not():
    from airflow.models import asset

    (key,) = asset.AssetDagRunQueue.__table__.c.target_dag_id.foreign_keys
    assert key.target_fullname == "dag.dag_id"
    if version() != "3.1":
        assert not asset.AssetPartitionDagRun.__table__.c.target_dag_id.foreign_keys


def test_a_job_says_that_it_starts_before_it_says_which_one_it_is():
    from airflow.jobs.job import Job
    from airflow.listeners.listener import get_listener_manager

    kinds: list[Any] = []

    class Listener:
        @importlib.import_module("airflow.listeners").hookimpl
        def on_starting(self, component: Any) -> None:
            kinds.append(vars(component).get("job_type"))

    listening = Listener()
    get_listener_manager().pm.register(listening)
    try:
        Job(job_type="SchedulerJob")
    finally:
        get_listener_manager().pm.unregister(listening)
    assert kinds == [None]


@pytest.mark.parametrize("bundle_version", [None, "1"])
@pytest.mark.parametrize("latest", [False, True])
def test_the_version_that_a_run_runs_on_is_the_one_that_airflow_loads(session, bundle_version, latest):
    """What a retry clears follows it; a run of a bundle without versions runs on the latest in any case."""
    from airflow.models.dagbag import DBDagBag
    from airflow.models.taskinstance import clear_task_instances
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import structure_of_run

    def save(version, *task_ids):
        with DAG("d", schedule="@daily", start_date=scene.START) as dag:
            for task_id in task_ids:
                EmptyOperator(task_id=task_id)
        scene.save(dag, session=session, bundle_version=version)

    save(bundle_version, "old")
    run = scene.run_of(scene.create_run("d", session=session), session=session)
    save(None if bundle_version is None else "2", "new")
    found = structure_of_run(session, run, on_latest_version=latest)
    tis = list(scene.instances(RunRef("d", run.run_id), session=session).values())
    clear_task_instances(tis, session, dag_run_state="queued", run_on_latest_version=latest)
    session.flush()
    loaded = DBDagBag(load_op_links=False).get_dag_for_run(dag_run=run, session=session)
    assert found is not None
    assert set(found.tasks) == set(loaded.task_dict) == ({"old"} if bundle_version and not latest else {"new"})


def test_the_time_of_a_retry_follows_its_end_and_its_tasks_delay(session):
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG

    with DAG("d", schedule="@daily", start_date=scene.START) as dag:
        PythonOperator(task_id="t", python_callable=print, retries=1, retry_delay=timedelta(minutes=7))
    scene.save(dag, session=session)
    ref = scene.create_run("d", session=session, state="running", states={"t": "up_for_retry"})
    assert tries_begun(scene.instance(ref, "t", session=session)) == 1
    ti = scene.instance(ref, "t", session=session)
    ti.task = scene.latest("d", session=session).get_task("t")
    assert ti not in session.dirty
    assert ti.next_retry_datetime() == ti.end_date + timedelta(minutes=7)
