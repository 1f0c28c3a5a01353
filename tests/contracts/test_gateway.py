"""What every `Gateway` promises: the fake, and Airflow on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Protocol

import pytest

from airflow_rerun_downstream.domain.errors import CannotDispatch
from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.room import DagRoom
from airflow_rerun_downstream.ports.gateway import Dispatched, Gateway
from tests.airflow3.conftest import emptied
from tests.contracts.conftest import BACKENDS
from tests.fakes.gateway import FakeGateway
from tests.fakes.world import World

GONE = RunRef("d", "nowhere")
ALIVE = ("running", "restarting", "queued")
WAITING = ("deferred", "scheduled", "up_for_retry", "up_for_reschedule")


class Stage(Protocol):
    """An Airflow with one Dag, ``d``: task ``one``, then task ``two``; one running run at a time."""

    gateway: Gateway

    def run(self, state: str, day: int = 0, *, one: str | None, two: str | None) -> RunRef:
        """A run in a state, with its tasks in theirs."""
        ...

    def moved(self) -> RunRef:
        """A failed run of another Dag, ``e``: ``one`` stands between the setup ``up`` and the teardown ``down``, and
        ``two`` by itself; in a newer version, to which the run moves, ``new`` stands between them, too.
        """
        ...

    def delete(self, ref: RunRef) -> None: ...

    def pause(self) -> None: ...

    def log(self) -> list[tuple[str, str, str, int]]:
        """Run id, event, actor and rerun of what the audit log has."""
        ...


class FakeStage:
    def __init__(self) -> None:
        self.world = World()
        self.world.dag("d", "one >> two")
        self.world.structures["d"] = replace(self.world.structures["d"], max_active_runs=1)
        self.gateway = FakeGateway(self.world, of_nothing=True)

    def run(self, state: str, day: int = 0, **states: str | None) -> RunRef:
        return self.world.run("d", state=state, day=day, task_states=states)

    def moved(self) -> RunRef:
        self.world.dag("e", "up >> one >> down; up >> down; two", setup="up", teardown="down")
        states = dict.fromkeys(("up", "one", "down"), "success")
        ref = self.world.run("e", state="failed", task_states={**states, "two": "failed"})
        order = "up >> one >> down; up >> new >> down; up >> down; two"
        self.world.dag("e", order, setup="up", teardown="down")
        return ref

    def delete(self, ref: RunRef) -> None:
        self.world.delete(ref)

    def pause(self) -> None:
        self.world.structures["d"] = replace(self.world.structures["d"], is_paused=True)

    def log(self) -> list[tuple[str, str, str, int]]:
        return [(ref.run_id, event, actor, rerun_id) for ref, event, actor, rerun_id in self.world.log]


class AirflowStage:
    def __init__(self, session: Any) -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.sdk import DAG

        from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
        from tests.airflow3 import scene

        with DAG("d", schedule="@daily", start_date=scene.START, max_active_runs=1) as dag:
            EmptyOperator(task_id="one") >> EmptyOperator(task_id="two")
        scene.save(dag, session=session)
        self.scene, self.session = scene, session
        self.gateway = AirflowGateway(session)

    def run(self, state: str, day: int = 0, **states: str | None) -> RunRef:
        return self.scene.create_run("d", session=self.session, state=state, day=day, states=states)

    def moved(self) -> RunRef:
        self._save_cluster("one")
        states = {**dict.fromkeys(("up", "one", "down"), "success"), "two": "failed"}
        ref = self.scene.create_run("e", session=self.session, state="failed", states=states)
        self._save_cluster("one", "new")
        return ref

    def _save_cluster(self, *inside: str) -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.sdk import DAG

        with DAG("e", schedule="@daily", start_date=self.scene.START) as dag:
            up, down = (EmptyOperator(task_id=task_id) for task_id in ("up", "down"))
            for task_id in inside:
                up.as_setup() >> EmptyOperator(task_id=task_id) >> down
            down.as_teardown(setups=up)
            EmptyOperator(task_id="two")
        self.scene.save(dag, session=self.session)

    def delete(self, ref: RunRef) -> None:
        self.scene.delete_run(ref, session=self.session)

    def pause(self) -> None:
        from airflow.models.dag import DagModel

        self.session.get(DagModel, "d").is_paused = True
        self.session.flush()

    def log(self) -> list[tuple[str, str, str, int]]:
        rows = sorted(self.scene.rows("log", session=self.session, dag_id="d"), key=lambda row: row["id"])
        return [
            (
                row["run_id"],
                row["event"].removeprefix("rerun_downstream."),
                row["owner"],
                json.loads(row["extra"])["rerun_id"],
            )
            for row in rows
        ]


@pytest.fixture(params=["fake", *BACKENDS])
def stage(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        yield FakeStage()
        return
    database = emptied(request.param)
    from tests.airflow3 import scene

    scene.migrate(database)
    with database.session() as session:
        yield AirflowStage(session)


def dispatch(stage: Stage, ref: RunRef, *tasks: str, retry: bool = False) -> Dispatched:
    wanted = tuple(TaskRef(task_id) for task_id in tasks)
    return stage.gateway.dispatch(ref, wanted, rerun_id=3, actor="ann", retry=retry, run_on_latest_version=None)


def seen(stage: Stage, ref: RunRef) -> Observation:
    return stage.gateway.observe([ref])[ref]


def states(stage: Stage, ref: RunRef) -> dict[str, str | None]:
    return {found.task_id: found.state for found in seen(stage, ref).task_instances}


class TestObserve:
    def test_a_run_with_its_task_instances(self, stage):
        ref = stage.run("failed", one="success", two="failed")
        found = seen(stage, ref)
        assert (found.ref, found.run_state, found.clear_number) == (ref, "failed", 0)
        assert [(ti.task_id, ti.map_index) for ti in found.task_instances] == [("one", -1), ("two", -1)]
        assert states(stage, ref) == {"one": "success", "two": "failed"}
        assert all(ti.start_date is not None and ti.try_number == 1 for ti in found.task_instances)

    def test_a_run_that_vanished_is_answered(self, stage):
        ref = stage.run("success", one="success", two="success")
        stage.delete(ref)
        assert stage.gateway.observe([ref, GONE]) == {ref: Observation(ref, None), GONE: Observation(GONE, None)}

    def test_how_often_runs_were_cleared(self, stage):
        ref, other = (stage.run("success", day=day, one="success", two="success") for day in (0, 1))
        assert stage.gateway.clear_numbers([ref, other, GONE]) == {ref: 0, other: 0}
        dispatch(stage, ref, "one")
        assert stage.gateway.clear_numbers([ref]) == {ref: 1}
        assert stage.gateway.clear_numbers([]) == {}

    def test_nothing(self, stage):
        assert stage.gateway.observe([]) == {}

    def test_why_a_queued_run_waits(self, stage):
        ref = stage.run("queued", one=None, two=None)
        assert seen(stage, ref).waits_because is None
        other = stage.run("running", day=1, one="running", two=None)
        assert seen(stage, ref).waits_because == "at_max_active_runs"
        assert seen(stage, other).waits_because is None
        stage.pause()
        assert seen(stage, ref).waits_because == "dag_paused"


class TestRooms:
    """Days long ago: a queued run that isn't due yet takes no room."""

    def test_a_dag_is_free_until_its_limit(self, stage):
        assert stage.gateway.rooms(["d"]) == {"d": DagRoom(None, 1, 0, 0)}
        stage.run("queued", -900, one=None, two=None)
        assert stage.gateway.rooms(["d"]) == {"d": DagRoom(None, 1, 0, 1)}
        stage.run("running", -901, one="running", two=None)
        stage.run("success", -902, one="success", two="success")
        assert stage.gateway.rooms(["d"]) == {"d": DagRoom(None, 1, 1, 1)}
        assert stage.gateway.rooms(["d"])["d"].refusal == "at_max_active_runs"

    def test_a_dag_that_starts_nothing(self, stage):
        stage.pause()
        assert stage.gateway.rooms(["d", "nowhere"]) == {"d": DagRoom("dag_paused", 1), "nowhere": DagRoom("dag_gone")}

    def test_nothing(self, stage):
        assert stage.gateway.rooms([]) == {}
        assert stage.gateway.why_waiting([]) == {}


class TestDispatch:
    def test_the_selected_tasks_are_cleared_and_the_run_is_queued(self, stage):
        ref = stage.run("failed", one="success", two="failed")
        assert dispatch(stage, ref, "two") == Dispatched(clear_number=1, cleared=1)
        assert (seen(stage, ref).run_state, seen(stage, ref).clear_number) == ("queued", 1)
        assert states(stage, ref) == {"one": "success", "two": None}

    @pytest.mark.parametrize("retry", [False, True])
    def test_what_a_newer_version_adds_runs_with_its_setup(self, stage, retry):
        ref = stage.moved()
        assert dispatch(stage, ref, "two", retry=retry).cleared == 3
        found = {task_id: state for task_id, state in states(stage, ref).items() if task_id != "new"}
        assert found == {"up": None, "one": "success", "down": None, "two": None}

    def test_a_retry_leaves_what_succeeded(self, stage):
        ref = stage.run("failed", one="success", two="upstream_failed")
        assert dispatch(stage, ref, "one", "two", retry=True).cleared == 1
        assert states(stage, ref) == {"one": "success", "two": None}

    def test_a_retry_takes_what_follows_whatever_its_state(self, stage):
        ref = stage.run("failed", one="failed", two="success")
        assert dispatch(stage, ref, "one", "two", retry=True).cleared == 2
        assert states(stage, ref) == {"one": None, "two": None}

    def test_a_retry_of_what_is_right_makes_all_of_it_anew(self, stage):
        ref = stage.run("success", one="success", two="success")
        assert dispatch(stage, ref, "one", retry=True) == Dispatched(clear_number=1, cleared=1)
        assert states(stage, ref) == {"one": None, "two": "success"}

    def test_what_was_skipped_has_not_succeeded(self, stage):
        ref = stage.run("failed", one="failed", two="skipped")
        assert dispatch(stage, ref, "one", "two", retry=True).cleared == 2

    def test_tasks_that_never_ran_are_queued_with_their_run(self, stage):
        ref = stage.run("failed", one=None, two=None)
        assert dispatch(stage, ref, "one", "two") == Dispatched(clear_number=1, cleared=2)
        assert seen(stage, ref).run_state == "queued"

    def test_it_is_recorded(self, stage):
        ref = stage.run("success", one="success", two="success")
        dispatch(stage, ref, "one")
        assert stage.log() == [(ref.run_id, "dispatch", "ann", 3)]

    def test_a_run_that_is_gone(self, stage):
        assert refused(stage, GONE, "one") == ("run_gone", True)

    def test_a_task_that_is_gone(self, stage):
        ref = stage.run("success", one="success", two="removed")
        assert refused(stage, ref, "two") == ("task_gone", True)
        assert refused(stage, ref, "nothing") == ("task_gone", True)

    def test_one_of_two_tasks_is_gone(self, stage):
        ref = stage.run("success", one="success", two="removed")
        assert dispatch(stage, ref, "one", "two").cleared == 1
        assert states(stage, ref) == {"one": None, "two": "removed"}

    @pytest.mark.parametrize("state", ["queued", "running"])
    def test_a_run_that_has_not_finished(self, stage, state):
        ref = stage.run(state, one="success", two=None)
        assert refused(stage, ref, "one") == ("run_not_finished", False)

    @pytest.mark.parametrize("state", ALIVE)
    def test_a_task_that_may_be_alive(self, stage, state):
        ref = stage.run("failed", one="success", two=state)
        assert refused(stage, ref, "one", "two") == ("run_not_finished", False)

    @pytest.mark.parametrize("state", WAITING)
    def test_a_task_that_waits_in_a_run_that_has_ended_has_no_process(self, stage, state):
        ref = stage.run("failed", one="success", two=state)
        assert dispatch(stage, ref, "two").cleared == 1
        assert states(stage, ref) == {"one": "success", "two": None}

    def test_a_refusal_changes_nothing(self, stage):
        ref = stage.run("failed", one="success", two="running")
        refused(stage, ref, "one", "two")
        assert states(stage, ref) == {"one": "success", "two": "running"}
        assert (seen(stage, ref).run_state, seen(stage, ref).clear_number) == ("failed", 0)
        assert stage.log() == []


def refused(stage: Stage, ref: RunRef, *tasks: str) -> tuple[str, bool]:
    with pytest.raises(CannotDispatch) as caught:
        dispatch(stage, ref, *tasks)
    return caught.value.reason, caught.value.gone


class TestStop:
    def test_a_running_run_fails(self, stage):
        ref = stage.run("running", one="running", two=None)
        assert stage.gateway.stop(ref, rerun_id=3, actor="ann") is True
        assert seen(stage, ref).run_state == "failed"
        assert states(stage, ref) == {"one": "failed", "two": "skipped"}
        assert stage.log() == [(ref.run_id, "stop", "ann", 3)]

    def test_a_queued_run_fails(self, stage):
        ref = stage.run("queued", one="success", two=None)
        assert stage.gateway.stop(ref, rerun_id=3, actor="ann") is True
        assert states(stage, ref) == {"one": "success", "two": "skipped"}

    @pytest.mark.parametrize("state", ["success", "failed"])
    def test_a_finished_run_stays(self, stage, state):
        ref = stage.run(state, one=state, two=state)
        assert stage.gateway.stop(ref, rerun_id=3, actor="ann") is False
        assert (seen(stage, ref).run_state, stage.log()) == (state, [])

    def test_a_run_that_is_gone(self, stage):
        assert stage.gateway.stop(GONE, rerun_id=3, actor="ann") is False


class TestTakeOver:
    def test_it_changes_nothing_but_the_record(self, stage):
        ref = stage.run("running", one="running", two=None)
        before = seen(stage, ref)
        stage.gateway.take_over(ref, (TaskRef("one"), TaskRef("two")), rerun_id=3, actor="ann")
        assert (seen(stage, ref), stage.log()) == (before, [(ref.run_id, "take_over", "ann", 3)])

    def test_a_run_that_is_gone(self, stage):
        stage.gateway.take_over(GONE, (TaskRef("one"),), rerun_id=3, actor="ann")
        assert stage.log() == []


class TestHalt:
    def test_a_running_task_ends_first(self, stage):
        ref = stage.run("running", one="running", two=None)
        assert stage.gateway.halt(ref, rerun_id=3, actor="ann") is True
        assert (seen(stage, ref).run_state, states(stage, ref)) == ("failed", {"one": "restarting", "two": None})
        assert refused(stage, ref, "one", "two") == ("run_not_finished", False)
        assert stage.log() == [(ref.run_id, "halt", "ann", 3)]

    @pytest.mark.parametrize("state", [None, "queued", *WAITING])
    def test_a_task_that_waits_is_withdrawn_at_once(self, stage, state):
        ref = stage.run("running", one="success", two=state)
        assert stage.gateway.halt(ref, rerun_id=3, actor="ann") is True
        assert states(stage, ref) == {"one": "success", "two": None}
        assert seen(stage, ref).clear_number == 0

    def test_it_can_be_dispatched_afterwards(self, stage):
        ref = stage.run("queued", one="failed", two="scheduled")
        stage.gateway.halt(ref, rerun_id=3, actor="ann")
        assert dispatch(stage, ref, "one") == Dispatched(clear_number=1, cleared=1)
        assert (seen(stage, ref).run_state, states(stage, ref)) == ("queued", {"one": None, "two": None})

    @pytest.mark.parametrize("state", ["success", "failed"])
    def test_a_finished_run_stays(self, stage, state):
        ref = stage.run(state, one=state, two=state)
        assert stage.gateway.halt(ref, rerun_id=3, actor="ann") is False
        assert (seen(stage, ref).run_state, stage.log()) == (state, [])

    def test_a_run_that_is_gone(self, stage):
        assert stage.gateway.halt(GONE, rerun_id=3, actor="ann") is False


def test_an_event_is_recorded(stage):
    ref = stage.run("success", one="success", two="success")
    stage.gateway.record(ref, rerun_id=3, actor="ann", event="skip")
    assert stage.log() == [(ref.run_id, "skip", "ann", 3)]
