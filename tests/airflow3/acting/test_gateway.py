"""The gateway on real Airflow databases: what a dispatch does to every row that it touches."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.airflow3.acting.observing import Silence, heartbeat_timeout
from airflow_rerun_downstream.airflow3.database.audit import MAX_NOTE
from airflow_rerun_downstream.airflow3.database.clock import utc_now
from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import structures
from airflow_rerun_downstream.airflow3.task_tables import tries_begun
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS, task_state_model
from airflow_rerun_downstream.domain.errors import CannotDispatch
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.airflow3 import scene, task_rows
from tests.fakes.installation import FakeClock

DIFFERS = {"id", "task_instance_id", "dag_id", "dag_version_id", "created_dag_version_id", "context_carrier"}
MOMENTS = {"queued_at", "created_at", "updated_at"}
STATES = {
    "done": "success",
    "broken": "failed",
    "behind": "upstream_failed",
    "left": "skipped",
    "never": None,
}


@pytest.fixture(autouse=True)
def ours(database):
    scene.migrate(database)


def all_states(dag_id: str = "d") -> Any:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(dag_id, schedule="@daily", start_date=scene.START) as dag:
        for number, task_id in enumerate(STATES):
            EmptyOperator(task_id=task_id, retries=number)
    return dag


def mapped(dag_id: str = "m") -> Any:
    from airflow.sdk import DAG, task

    with DAG(dag_id, schedule="@daily", start_date=scene.START) as dag:

        @task(retries=5)
        def numbers() -> list[int]:
            return [1, 2, 3]

        @task
        def each(number: int) -> None: ...

        each.expand(number=numbers())
    return dag


def dispatch(session: Any, ref: RunRef, *tasks: TaskRef, retry: bool = False, **more: Any) -> Any:
    wanted: dict[str, Any] = {"rerun_id": 7, "actor": "ann", "run_on_latest_version": None, **more}
    return AirflowGateway(session).dispatch(ref, tasks, retry=retry, **wanted)


def whole(*task_ids: str) -> list[TaskRef]:
    return [TaskRef(task_id) for task_id in task_ids]


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = [{name: row[name] for name in row if name not in DIFFERS | MOMENTS} for row in rows]
    return sorted(kept, key=lambda row: (row.get("task_id", ""), row.get("map_index", 0)))


def test_a_dispatch_leaves_the_rows_that_airflows_own_clear_leaves(session):
    from airflow.models.taskinstance import clear_task_instances

    scene.save(all_states("ours"), all_states("theirs"), session=session)
    mine = scene.create_run("ours", session=session, state="failed", states=STATES, tries=2)
    their = scene.create_run("theirs", session=session, state="failed", states=STATES, tries=2)

    dispatch(session, mine, *whole("done", "broken", "behind", "left"))
    cleared = [ti for (task_id, _), ti in scene.instances(their, session=session).items() if task_id != "never"]
    clear_task_instances(cleared, session)
    session.commit()

    for table in ("task_instance", "dag_run"):
        found = {ref.dag_id: comparable(scene.rows(table, session=session, dag_id=ref.dag_id)) for ref in (mine, their)}
        assert found["ours"] == found["theirs"], table
    tries = [task_rows.earlier_tries(ref, session=session) for ref in (mine, their)]
    ours, theirs = (comparable([dict(row._mapping) for row in rows]) for rows in tries)
    assert ours == theirs
    assert len(ours) == 4


def test_a_cleared_run_is_queued_and_counted(session):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state="failed", states=STATES)

    done = dispatch(session, ref, *whole(*STATES))
    session.commit()

    run = scene.run_of(ref, session=session)
    assert (run.state, run.clear_number, run.start_date, run.last_scheduling_decision) == ("queued", 1, None, None)
    assert run.queued_at > scene.START
    assert (done.clear_number, done.cleared) == (1, 5)
    assert {ti.state for ti in scene.instances(ref, session=session).values()} == {None}


def test_a_task_that_never_ran_gets_no_history(session):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state="failed", states=STATES)

    dispatch(session, ref, *whole("never", "broken"))

    history = task_rows.earlier_tries(ref, session=session)
    assert [(row.task_id, row.try_number) for row in history] == [("broken", 1)]


def test_a_run_is_queued_even_if_nothing_in_it_ever_ran(session):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state="failed", states=dict.fromkeys(STATES))

    done = dispatch(session, ref, *whole("never"))

    run = scene.run_of(ref, session=session)
    assert (run.state, run.clear_number, done.clear_number) == ("queued", 1, 1)
    assert task_rows.earlier_tries(ref, session=session) == []


def keep_state(*refs: RunRef, session: Any) -> None:
    """Let each task instance of runs keep the job that it began, as one does that is deferred or dies. Since 3.3."""
    if (model := task_state_model()) is None:
        pytest.skip("tasks keep nothing before Airflow 3.3")
    for ref in refs:
        for key, ti in scene.instances(ref, session=session).items():
            where = {"dag_id": ti.dag_id, "run_id": ti.run_id, "dag_run_id": scene.run_of(ref, session=session).id}
            index = {"region_id": ti.region_id, "region_index": key[1]} if TRIES_ARE_ROWS else {"map_index": key[1]}
            session.add(model(task_id=key[0], key="job", value='"17"', **where, **index))
    session.commit()


def who_keeps_state(*, session: Any) -> list[tuple[str, str, int]]:
    index = "region_index" if TRIES_ARE_ROWS else "map_index"
    rows = scene.rows("task_state_store", session=session)
    return sorted((row["run_id"], row["task_id"], row[index]) for row in rows)


def test_what_a_task_has_kept_for_its_next_try_is_forgotten(session):
    """It would go on from there: with a job, say, that it began on the wrong data."""
    scene.save(mapped(), session=session)
    ref, other = (scene.create_run("m", session=session, day=day) for day in (1, 2))
    for each in (ref, other):
        scene.expand(each, "each", 2, session=session)
    keep_state(ref, other, session=session)
    before = who_keeps_state(session=session)

    dispatch(session, ref, TaskRef("each", 1))
    session.commit()

    assert len(before) == 6
    assert who_keeps_state(session=session) == sorted({*before} - {(ref.run_id, "each", 1)})


@pytest.mark.parametrize("way", ["adopt", "take_over"])
def test_what_comes_to_a_rerun_by_itself_forgets_what_has_not_begun(session, way):
    """A task that runs already may be at work with what it has kept; one between two tries isn't."""
    states = {"done": "success", "broken": "running", "behind": None, "left": "restarting", "never": "up_for_retry"}
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state="running", states=states)
    place = scene.create_run("d", session=session, day=2)
    keep_state(ref, session=session)

    gateway = AirflowGateway(session)
    if way == "adopt":
        gateway.adopt(ref, place=place, rerun_id=7, actor="ann")
    else:
        gateway.take_over(ref, tuple(whole("behind", "left")), rerun_id=7, actor="ann")
    session.commit()

    kept = {task_id for _, task_id, _ in who_keeps_state(session=session)}
    assert kept == {"done", "broken"}


def test_only_the_selected_tasks_are_cleared(session):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state="failed", states=STATES)

    dispatch(session, ref, *whole("broken"))

    states = {key[0]: ti.state for key, ti in scene.instances(ref, session=session).items()}
    assert states == STATES | {"broken": None}


def test_a_retry_leaves_what_succeeded(session):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state="failed", states=STATES)

    done = dispatch(session, ref, *whole(*STATES), retry=True)

    states = {key[0]: ti.state for key, ti in scene.instances(ref, session=session).items()}
    assert states == dict.fromkeys(STATES) | {"done": "success"}
    assert done.cleared == 4


def test_a_retry_of_what_succeeded_altogether_makes_all_of_it_anew(session):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session)

    done = dispatch(session, ref, *whole(*STATES), retry=True)

    run = scene.run_of(ref, session=session)
    assert (run.state, run.clear_number, done.cleared) == ("queued", 1, len(STATES))
    assert len(scene.rows("log", session=session, run_id=ref.run_id)) == 1


def test_all_indexes_of_a_mapped_task_or_one(session):
    scene.save(mapped(), session=session)
    one, other = (scene.create_run("m", session=session, day=day) for day in (1, 2))
    for ref in (one, other):
        scene.expand(ref, "each", 3, session=session)

    assert dispatch(session, one, TaskRef("each")).cleared == 3
    assert dispatch(session, other, TaskRef("each", 1)).cleared == 1
    states = {key: ti.state for key, ti in scene.instances(other, session=session).items()}
    assert states == {("numbers", -1): "success", ("each", 0): "success", ("each", 1): None, ("each", 2): "success"}


def test_a_mapped_task_that_shrank_may_grow_again(session):
    scene.save(mapped(), session=session)
    ref = scene.create_run("m", session=session)
    scene.expand(ref, "each", 3, session=session)
    scene.instance(ref, "each", 2, session=session).state = "removed"
    session.commit()

    dispatch(session, ref, TaskRef("each"))

    assert scene.instance(ref, "each", 2, session=session).state is None


@pytest.mark.parametrize("task", [TaskRef("each", 2), TaskRef("each", 9), TaskRef("gone")], ids=str)
def test_a_task_that_the_run_no_longer_has(session, task):
    scene.save(mapped(), session=session)
    ref = scene.create_run("m", session=session)
    scene.expand(ref, "each", 3, session=session)
    scene.instance(ref, "each", 2, session=session).state = "removed"
    session.commit()

    with pytest.raises(CannotDispatch) as refused:
        dispatch(session, ref, task)
    assert (refused.value.reason, refused.value.gone) == ("task_gone", True)


def test_removed_indexes_are_left_out_when_the_whole_task_is_gone(session):
    scene.save(mapped(), session=session)
    ref = scene.create_run("m", session=session)
    scene.instance(ref, "each", session=session).state = "removed"
    session.commit()

    with pytest.raises(CannotDispatch, match="task_gone"):
        dispatch(session, ref, TaskRef("each"))


def test_a_task_that_left_the_dag_is_cleared_as_airflow_does(session):
    scene.save(mapped(), session=session)
    ref = scene.create_run("m", session=session, tries=3)
    scene.save(all_states("m"), session=session)

    done = dispatch(session, ref, TaskRef("numbers"))

    ti = scene.instance(ref, "numbers", session=session)
    assert (done.cleared, ti.state, ti.max_tries) == (1, None, 3)


def test_a_run_that_is_gone(session):
    with pytest.raises(CannotDispatch) as refused:
        dispatch(session, RunRef("d", "nowhere"), TaskRef("done"))
    assert (refused.value.reason, refused.value.gone) == ("run_gone", True)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_has_not_finished(session, state):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state=state)

    with pytest.raises(CannotDispatch) as refused:
        dispatch(session, ref, TaskRef("done"))
    assert (refused.value.reason, refused.value.gone) == ("run_not_finished", False)


@pytest.mark.parametrize("state", ["running", "restarting", "queued"])
def test_a_selected_task_that_may_still_be_running(session, state):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session, state="failed", states={"broken": state})

    with pytest.raises(CannotDispatch, match="run_not_finished"):
        dispatch(session, ref, TaskRef("broken"))
    session.rollback()
    assert dispatch(session, ref, TaskRef("done")).cleared == 1


class TestVersions:
    @pytest.fixture
    def ref(self, session) -> RunRef:
        """A run of a Dag whose latest version has another task."""
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session)
        changed = all_states()
        with changed:
            from airflow.providers.standard.operators.empty import EmptyOperator

            EmptyOperator(task_id="added")
        scene.save(changed, session=session)
        return ref

    def version(self, session, ref: RunRef) -> int:
        return scene.run_of(ref, session=session).created_dag_version.version_number

    @pytest.mark.parametrize(("explicit", "number"), [(None, 1), (False, 1), (True, 2)])
    def test_a_run_stays_on_its_version_unless_told_otherwise(self, session, ref, explicit, number):
        dispatch(session, ref, TaskRef("done"), run_on_latest_version=explicit)
        session.commit()

        assert self.version(session, ref) == number
        assert (("added", -1) in scene.instances(ref, session=session)) is (number == 2)

    def test_tasks_that_never_ran_follow_their_run(self, session, ref):
        scene.instance(ref, "done", session=session).state = None
        scene.instance(ref, "done", session=session).try_number = 0
        session.commit()

        dispatch(session, ref, TaskRef("done"), TaskRef("broken"), run_on_latest_version=True)

        ti = scene.instance(ref, "done", session=session)
        assert ti.dag_version_id == scene.run_of(ref, session=session).created_dag_version_id

    def test_the_deployment_may_prefer_the_latest(self, session, ref, monkeypatch):
        from airflow.api_fastapi.common import dagbag

        if not hasattr(dagbag, "resolve_run_on_latest_version"):
            pytest.skip("this Airflow has no such option")
        monkeypatch.setenv("AIRFLOW__CORE__RERUN_WITH_LATEST_VERSION", "True")

        dispatch(session, ref, TaskRef("done"))

        assert self.version(session, ref) == 2


class TestTraces:
    @pytest.fixture
    def ref(self, session) -> RunRef:
        scene.save(all_states(), session=session)
        return scene.create_run("d", session=session)

    def write(self, session, ref: RunRef, note: str) -> None:
        run = scene.run_of(ref, session=session)
        run.note = (note, "bob")
        session.commit()

    def notes(self, session) -> list[tuple[str, str | None]]:
        return [(row["content"], row["user_id"]) for row in scene.rows("dag_run_note", session=session)]

    def test_the_run_is_noted(self, session, ref):
        dispatch(session, ref, TaskRef("done"))
        assert self.notes(session) == [("Rerun downstream #7 by ann", None)]

    def test_a_persons_note_stays(self, session, ref):
        self.write(session, ref, "mind the gap")
        dispatch(session, ref, TaskRef("done"))
        assert self.notes(session) == [("mind the gap\nRerun downstream #7 by ann", "bob")]

    def test_a_rerun_is_noted_once(self, session, ref):
        for rerun_id in (7, 77, 7):
            dispatch(session, ref, TaskRef("done"), rerun_id=rerun_id)
            scene.run_of(ref, session=session).state = "failed"
            session.commit()
        assert self.notes(session) == [("Rerun downstream #7 by ann\nRerun downstream #77 by ann", None)]

    @pytest.mark.parametrize(
        ("room", "added"), [(27, "\nRerun downstream #7 by ann"), (26, "\nRerun downstream #7"), (19, "")]
    )
    def test_a_long_note_is_never_cut(self, session, ref, room, added):
        long = "x" * (MAX_NOTE - room)
        self.write(session, ref, long)
        dispatch(session, ref, TaskRef("done"))
        assert self.notes(session) == [(long + added, "bob")]

    def test_the_audit_log_names_the_rerun(self, session, ref):
        dispatch(session, ref, TaskRef("done"))
        AirflowGateway(session).record(ref, rerun_id=7, actor="ann", event="x" * 90)
        session.commit()

        from airflow.models.log import Log
        from sqlalchemy import select

        first, second = session.scalars(select(Log).where(Log.dag_id == "d").order_by(Log.id))
        assert (first.event, first.owner, first.run_id) == ("rerun_downstream.dispatch", "ann", ref.run_id)
        assert first.logical_date == scene.START
        assert first.task_id is None
        assert json.loads(first.extra) == {"rerun_id": 7}
        assert second.event == ("rerun_downstream." + "x" * 90)[:60]
        assert second.logical_date == scene.START

    def test_a_run_that_is_gone_can_be_recorded(self, session):
        AirflowGateway(session).record(RunRef("d", "nowhere"), rerun_id=7, actor="ann", event="skip")
        assert [row["event"] for row in scene.rows("log", session=session)] == ["rerun_downstream.skip"]


class TestRemembered:
    def rows(self, session) -> set[tuple[str, int, int, int | None]]:
        found = scene.rows("rerun_downstream_dispatched_task", session=session)
        return {(row["task_id"], row["map_index"], row["first_try"], row["emitted_try"]) for row in found}

    def test_the_first_try_of_a_dispatch_is_the_next_one(self, session):
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session, state="failed", states=STATES, tries=2)

        dispatch(session, ref, *whole("done", "never", "left"))

        assert self.rows(session) == {("done", -1, 3, None), ("never", -1, 1, None), ("left", -1, 1, None)}

    def test_indexes_that_do_not_exist_yet(self, session):
        scene.save(mapped(), session=session)
        ref = scene.create_run("m", session=session)
        scene.expand(ref, "each", 2, session=session)

        dispatch(session, ref, TaskRef("each"))

        assert self.rows(session) == {("each", 0, 2, None), ("each", 1, 2, None), ("each", -1, 1, None)}

    def test_one_index_says_nothing_of_the_others(self, session):
        scene.save(mapped(), session=session)
        ref = scene.create_run("m", session=session)
        scene.expand(ref, "each", 2, session=session)

        dispatch(session, ref, TaskRef("each", 1))

        assert self.rows(session) == {("each", 1, 2, None)}

    def test_a_retry_keeps_what_is_known_of_the_tasks_that_succeeded(self, session):
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session)
        dispatch(session, ref, *whole("done", "broken"))
        done, broken = (scene.instance(ref, task_id, session=session) for task_id in ("done", "broken"))
        scene.put(done, "success", tries=2), scene.put(broken, "failed", tries=2)
        scene.run_of(ref, session=session).state = "failed"
        session.commit()

        dispatch(session, ref, *whole("done", "broken"), retry=True)

        assert self.rows(session) == {("done", -1, 2, None), ("broken", -1, 3, None)}


class TestStop:
    def stop(self, session, ref: RunRef) -> bool:
        return AirflowGateway(session).stop(ref, rerun_id=7, actor="ann")

    def test_a_running_run_is_failed_as_in_the_ui(self, session):
        states = {"done": "success", "broken": "running", "behind": "scheduled", "left": "deferred", "never": None}
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session, state="running", states=states)

        assert self.stop(session, ref)
        session.commit()

        run = scene.run_of(ref, session=session)
        found = {key[0]: ti.state for key, ti in scene.instances(ref, session=session).items()}
        assert run.state == "failed"
        assert run.end_date is not None
        expected = {"done": "success", "broken": "failed", "behind": "skipped", "left": "failed", "never": "skipped"}
        assert found == expected
        assert [row["event"] for row in scene.rows("log", session=session)] == ["rerun_downstream.stop"]

    def test_all_of_it_is_one_transaction(self, session):
        """Also on SQLite, where a second connection waits for what the first one has written."""
        before = {"done": "success", "broken": "running", "behind": "scheduled", "left": "up_for_retry", "never": None}
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session, state="running", states=before)
        scene.run_of(ref, session=session).conf = {"a": "write"}
        session.flush()

        assert self.stop(session, ref)
        after = {key[0]: ti.state for key, ti in scene.instances(ref, session=session).items()}
        assert after == {"done": "success", "broken": "failed", **dict.fromkeys(("behind", "left", "never"), "skipped")}
        session.rollback()
        assert {key[0]: ti.state for key, ti in scene.instances(ref, session=session).items()} == before

    @pytest.mark.parametrize("state", ["success", "failed"])
    def test_a_run_that_had_finished_stays_as_it_is(self, session, state):
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session, state=state)

        assert not self.stop(session, ref)
        assert scene.run_of(ref, session=session).state == state
        assert scene.rows("log", session=session) == []

    def test_a_run_that_is_gone(self, session):
        assert not self.stop(session, RunRef("d", "nowhere"))

    def test_a_teardown_may_do_its_work(self, session):
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.sdk import DAG

        with DAG("d", schedule="@daily", start_date=scene.START) as dag:
            up = EmptyOperator(task_id="up")
            up >> EmptyOperator(task_id="work") >> EmptyOperator(task_id="down").as_teardown(setups=up)
        scene.save(dag, session=session)
        ref = scene.create_run("d", session=session, state="running", states={"down": None})

        assert self.stop(session, ref)
        assert scene.instance(ref, "work", session=session).state == "failed"
        assert scene.instance(ref, "down", session=session).state is None
        assert scene.run_of(ref, session=session).state == "running"

    def test_tasks_that_left_the_dag_end_too(self, session):
        states = {"done": "success", "broken": "running"}
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session, state="running", states=dict.fromkeys(STATES) | states)
        scene.save(mapped("d"), session=session)

        assert self.stop(session, ref)
        found = {key[0]: ti.state for key, ti in scene.instances(ref, session=session).items()}
        assert found == dict.fromkeys(STATES, "skipped") | {"done": "success", "broken": "failed"}
        assert scene.run_of(ref, session=session).state == "failed"

    def test_a_run_whose_dag_cannot_be_loaded_ends_too(self, session):
        from airflow.models.serialized_dag import SerializedDagModel
        from sqlalchemy import delete

        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session, state="running")
        session.execute(delete(SerializedDagModel))
        session.commit()
        session.expire_all()

        assert self.stop(session, ref)
        assert scene.run_of(ref, session=session).state == "failed"
        assert {ti.state for ti in scene.instances(ref, session=session).values()} == {"failed"}

    def test_listeners_are_told_and_cannot_harm(self, session, mocker):
        from airflow_rerun_downstream.airflow3.acting import clearing

        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session, state="running", states={"never": None})
        hook = mocker.patch.object(clearing, "get_listener_manager").return_value.hook
        hook.on_dag_run_failed.side_effect = RuntimeError("theirs")

        assert self.stop(session, ref)
        told = hook.on_dag_run_failed.call_args.kwargs
        assert told["dag_run"].run_id == ref.run_id
        assert "rerun #7" in told["msg"]


def waiting(dag_id: str = "w") -> Any:
    """A Dag whose tasks have two retries and are named after the states that a run of it has."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(dag_id, schedule="@daily", start_date=scene.START) as dag:
        for state in WAITING:
            EmptyOperator(task_id=state, retries=2)
    return dag


WAITING = ("success", "running", "queued", "scheduled", "deferred", "up_for_reschedule", "up_for_retry", "none")


class TestHalt:
    @pytest.fixture
    def ref(self, session) -> RunRef:
        """A running run; each of its tasks is in its first try, with two left."""
        scene.save(waiting(), session=session)
        states = {state: None if state == "none" else state for state in WAITING}
        ref = scene.create_run("w", session=session, state="running", states=states)
        for ti in scene.instances(ref, session=session).values():
            ti.max_tries, ti.last_heartbeat_at = 2, utc_now()
        session.commit()
        return ref

    def halt(self, session: Any, ref: RunRef) -> bool:
        halted = AirflowGateway(session).halt(ref, rerun_id=7, actor="ann")
        session.commit()
        return halted

    def tries(self, session: Any, ref: RunRef) -> dict[str, tuple[int, int]]:
        found = scene.instances(ref, session=session)
        return {task_id: (tries_begun(ti), ti.max_tries) for (task_id, _), ti in found.items()}

    def test_nothing_runs_on_and_nothing_starts(self, session, ref):
        before = {name: ti.id for (name, _), ti in scene.instances(ref, session=session).items()}
        assert self.halt(session, ref) is True
        after = scene.instances(ref, session=session)
        assert {name: ti.state for (name, _), ti in after.items() if ti.state} == {
            "success": "success",
            "running": "restarting",
        }
        same = {name for (name, _), ti in after.items() if ti.id == before[name]}
        # A process that has another id can't start, or is killed; so is one that runs and is to be restarted.
        assert same == {"success", "none"} | ({"running", "up_for_retry"} if TRIES_ARE_ROWS else set())
        run = scene.run_of(ref, session=session)
        assert (run.state, run.clear_number, run.run_after) == ("failed", 0, scene.START)
        assert run.end_date is not None

    def test_the_retries_left_are_what_they_were(self, session, ref):
        self.halt(session, ref)
        left = dict.fromkeys(WAITING, (1, 3)) | {"success": (1, 2), "up_for_retry": (1, 2), "none": (0, 2)}
        assert self.tries(session, ref) == left

    def test_nobody_is_told_of_a_failure(self, session, ref, mocker):
        told = mocker.patch("airflow_rerun_downstream.airflow3.acting.clearing.get_listener_manager")
        self.halt(session, ref)
        assert not told.called
        assert scene.run_of(ref, session=session).note.startswith("Rerun downstream #7")

    def test_what_isnt_selected_runs_on_with_a_dispatch(self, session, ref):
        self.halt(session, ref)
        running = scene.instance(ref, "running", session=session)
        if TRIES_ARE_ROWS:  # its executor has reported its end
            running.complete_restart(session=session)
        else:
            running.state = None
        session.commit()
        assert dispatch(session, ref, *whole("success")).cleared == 1
        session.commit()
        assert {ti.state for ti in scene.instances(ref, session=session).values()} == {None}
        assert self.tries(session, ref)["running"] == (1, 3)

    def test_a_process_may_live_until_its_heartbeats_are_too_old(self, session, ref):
        self.halt(session, ref)
        with pytest.raises(CannotDispatch, match="run_not_finished"):
            dispatch(session, ref, *whole("running"))
        times = [0.0]
        gateway = AirflowGateway(session, silence=Silence(lambda: times[-1]))
        assert "restarting" in seen_states(gateway, ref)
        times.append(330)
        assert "restarting" in seen_states(gateway, ref)
        times.append(331)
        assert "restarting" not in seen_states(gateway, ref)

    def test_a_heartbeat_begins_the_silence_anew(self, session, ref):
        self.halt(session, ref)
        times = [0.0]
        gateway = AirflowGateway(session, silence=Silence(lambda: times[-1]))
        assert "restarting" in seen_states(gateway, ref)
        times.append(300)
        scene.instance(ref, "running", session=session).last_heartbeat_at = utc_now() - timedelta(days=1)
        session.commit()
        assert "restarting" in seen_states(gateway, ref)
        times.append(630)
        assert "restarting" in seen_states(gateway, ref)
        times.append(631)
        assert "restarting" not in seen_states(gateway, ref)

    @pytest.mark.parametrize("hours", [-1, 1])
    def test_no_clock_is_compared_with_another_one(self, session, ref, hours):
        """Neither this process's nor that of the api-server that took the heartbeat may be right."""
        self.halt(session, ref)
        scene.instance(ref, "running", session=session).last_heartbeat_at = utc_now() - timedelta(hours=hours)
        session.commit()
        clock = FakeClock(utc_now() + timedelta(hours=hours))
        gateway = AirflowGateway(session, clock=clock, silence=Silence(lambda: 0.0))
        for _ in range(2):
            assert "restarting" in seen_states(gateway, ref)
        with pytest.raises(CannotDispatch, match="run_not_finished"):
            gateway.dispatch(ref, whole("running"), rerun_id=7, actor="", retry=False, run_on_latest_version=None)

    @pytest.mark.parametrize("selected", ["running", "success"])
    def test_what_a_dead_scheduler_left_runs_again(self, session, ref, selected):
        self.halt(session, ref)
        times = [0.0]
        gateway = AirflowGateway(session, silence=Silence(lambda: times[-1]))
        seen_states(gateway, ref)
        times.append(3600)
        chosen = whole(selected)
        more = {"rerun_id": 7, "actor": "ann", "retry": False, "run_on_latest_version": None}
        assert gateway.dispatch(ref, chosen, **more).cleared == 1
        session.commit()
        assert scene.instance(ref, "running", session=session).state is None
        assert self.tries(session, ref)["running"] == (1, 3)

    def test_the_bound_follows_the_configuration(self, monkeypatch):
        monkeypatch.setenv("AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS", "3")
        monkeypatch.setenv("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "10")
        assert heartbeat_timeout() == timedelta(seconds=15)  # three heartbeats, five seconds apart
        monkeypatch.setenv("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "60")
        assert heartbeat_timeout() == timedelta(seconds=60)


def seen_states(gateway: AirflowGateway, ref: RunRef) -> set[str | None]:
    return {ti.state for ti in gateway.observe([ref])[ref].task_instances}


class TestObserve:
    def test_every_run_is_answered_in_one_statement(self, database, session):
        scene.save(mapped(), all_states(), session=session)
        refs = [scene.create_run("m", session=session, day=day) for day in range(3)]
        refs.append(scene.create_run("d", session=session, state="failed", states=STATES, tries=4))
        scene.expand(refs[0], "each", 2, session=session)
        gone = RunRef("d", "nowhere")

        with database.counted() as statements:
            found = AirflowGateway(session).observe([*refs, gone])

        assert len(statements) == 1
        assert set(found) == {*refs, gone}
        assert found[gone].run_state is None
        first = {(ti.task_id, ti.map_index): ti for ti in found[refs[0]].task_instances}
        assert set(first) == {("numbers", -1), ("each", 0), ("each", 1)}
        broken = next(ti for ti in found[refs[3]].task_instances if ti.task_id == "broken")
        assert (broken.state, broken.try_number, broken.operator) == ("failed", 4, "EmptyOperator")
        assert (broken.start_date, found[refs[3]].run_state) == (scene.START, "failed")

    def test_two_thousand_runs_are_one_statement_too(self, database, session):
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session)
        many = [RunRef(f"dag_{number}", "r") for number in range(2000)]

        with database.counted() as statements:
            found = AirflowGateway(session).observe([ref, *many])

        assert (len(statements), len(found)) == (1, 2001)
        assert found[ref].run_state == "success"

    def test_nothing_asked_is_nothing_read(self, database, session):
        with database.counted() as statements:
            assert AirflowGateway(session).observe([]) == {}
        assert len(statements) == 0

    def test_a_dispatch_is_seen_at_once(self, session):
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session)
        gateway = AirflowGateway(session)
        gateway.observe([ref])

        dispatch(session, ref, TaskRef("done"))

        seen = gateway.observe([ref])[ref]
        assert (seen.run_state, seen.clear_number) == ("queued", 1)


def test_a_dispatch_keeps_no_rows_in_the_session(session):
    scene.save(all_states(), session=session)
    ref = scene.create_run("d", session=session)
    session.expunge_all()

    dispatch(session, ref, *whole(*STATES))

    from airflow.models.dagrun import DagRun
    from airflow.models.taskinstance import TaskInstance

    assert [kept for kept in session if isinstance(kept, (DagRun, TaskInstance))] == []


class TestTransaction:
    def test_nothing_is_committed(self, database, session):
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session)
        dispatch(session, ref, *whole(*STATES))
        session.rollback()

        assert scene.run_of(ref, session=session).state == "success"
        assert task_rows.earlier_tries(ref, session=session) == []
        for table in ("dag_run_note", "log", "rerun_downstream_dispatched_task"):
            assert scene.rows(table, session=session) == []

    def test_the_scheduler_passes_over_a_run_that_is_being_dispatched(self, database, session):
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        if database.backend == "sqlite":
            pytest.skip("SQLite has no row locks")
        scene.save(all_states(), session=session)
        ref = scene.create_run("d", session=session)
        dispatch(session, ref, TaskRef("done"))

        free = select(DagRun.id).with_for_update(skip_locked=True)
        with database.session() as scheduler:
            assert scheduler.scalars(free).all() == []
        session.commit()
        with database.session() as scheduler:
            assert len(scheduler.scalars(free).all()) == 1

    def test_a_run_costs_little_more_than_airflows_own_clear(self, database, session):
        from airflow.models.taskinstance import clear_task_instances

        scene.save(all_states(), session=session)
        mine, theirs = (scene.create_run("d", session=session, day=day) for day in (1, 2))
        found = list(scene.instances(theirs, session=session).values())
        session.commit()
        with database.counted() as clear:
            clear_task_instances(found, session)
        session.rollback()
        session.expunge_all()
        structures(session, ["d"])  # a Dag's version is read once in a process
        with database.counted() as ours:
            dispatch(session, mine, *whole(*STATES))

        assert len(ours) <= len(clear) + (21 if TRIES_ARE_ROWS else 15)
