"""What every `Freezer` promises: the fake, and Airflow on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

import pytest

from airflow_rerun_downstream.domain.errors import CannotFreeze
from airflow_rerun_downstream.domain.freeze import DagSchedule, Hold
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.freezer import Freezer
from tests.airflow3.conftest import emptied
from tests.contracts.conftest import BACKENDS
from tests.fakes.freezer import FAR, FakeFreezer
from tests.fakes.world import START, World

DAY = timedelta(days=1)
LATER = datetime(2030, 1, 1, tzinfo=timezone.utc)
COMING = FutureRef("d", logical_date=START)
NEXT = FutureRef("c", next=True)


class Stage(Protocol):
    """An Airflow with the daily Dag ``d``, which has no run yet, and the Dag ``c``, which an asset starts."""

    freezer: Freezer

    def made(self, *, after: int = 0) -> RunRef:
        """The scheduler makes the next run of ``d``, with the day after the last one that it made.

        ``after``: it passes over so many days before, or goes back by so many.
        """
        ...

    def run(self, state: str = "queued", *, run_type: str = "scheduled", run_after: datetime = LATER) -> RunRef:
        """A run of ``d`` that there is."""
        ...

    def ready(self, ref: RunRef) -> datetime:
        """A run's ``run_after``."""
        ...

    def delete(self, ref: RunRef) -> None: ...

    def lose_holds(self) -> None:
        """Whatever happened to our tables: the rows of all holds are gone."""
        ...

    def by_hand(self) -> str:
        """Somebody makes a run of ``d`` for its first day; its id."""
        ...


class FakeStage:
    def __init__(self) -> None:
        self.world = World()
        self.world.schedules = {"d": DagSchedule("d"), "c": DagSchedule("c", asset_scheduled=True)}
        self.freezer = FakeFreezer(self.world)
        self.day = 0

    def made(self, *, after: int = 0) -> RunRef:
        day = self.day + after
        self.day = day + 1
        ref = self.world.run("d", day=day, state="queued")
        self.freezer.scheduler_makes(ref)
        return ref

    def run(self, state: str = "queued", *, run_type: str = "scheduled", run_after: datetime = LATER) -> RunRef:
        return self.world.run("d", day=7, state=state, run_type=run_type, run_after=run_after)

    def ready(self, ref: RunRef) -> datetime:
        return self.world.runs[ref].run_after

    def delete(self, ref: RunRef) -> None:
        self.world.delete(ref)

    def lose_holds(self) -> None:
        self.world.holds.clear()

    def by_hand(self) -> str:
        return self.world.run("d", state="running", run_type="manual").run_id


class AirflowStage:
    def __init__(self, session: Any) -> None:
        from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
        from airflow_rerun_downstream.airflow3.hooks import dag_run_insert
        from tests.airflow3 import assets, freezing, history, scene, scheduler

        days = history.dag("d", schedule="@daily", catchup=True)
        scene.save(days, history.dag("c", schedule=[assets.asset("a")]), session=session)
        freezing.members(4, session=session)
        dag_run_insert.install()
        self.history, self.scene, self.scheduler, self.session = history, scene, scheduler, session
        self.freezer = AirflowFreezer(session)

    def made(self, *, after: int = 0) -> RunRef:
        self.scheduler.pass_over("d", after * DAY, session=self.session)
        return self.scheduler.make_next("d", session=self.session)

    def run(self, state: str = "queued", *, run_type: str = "scheduled", run_after: datetime = LATER) -> RunRef:
        ref = self.scene.create_run("d", session=self.session, state=state, day=7)
        run = self.scene.run_of(ref, session=self.session)
        run.run_type, run.run_after = run_type, run_after
        self.session.commit()
        return ref

    def ready(self, ref: RunRef) -> datetime:
        found: datetime = self.scene.run_of(ref, session=self.session).run_after
        return found

    def delete(self, ref: RunRef) -> None:
        self.scene.delete_run(ref, session=self.session)

    def lose_holds(self) -> None:
        from sqlalchemy import delete

        from airflow_rerun_downstream.store.tables import hold

        self.session.execute(delete(hold))

    def by_hand(self) -> str:
        at = {"logical_date": START, "data_interval": (START, START)}
        return self.history.run("d", "by_hand", session=self.session, state="running", **at).run_id


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


def freeze(stage: Stage, target: RunRef | FutureRef, *, member_id: int = 1) -> None:
    """Member n is of rerun n, like in `freezing.members`."""
    stage.freezer.lock([target.dag_id])
    stage.freezer.freeze(member_id, target, rerun_id=member_id)


def release(stage: Stage, member_id: int = 1) -> bool:
    return stage.freezer.release(member_id, rerun_id=member_id, actor="ann")


def holds(stage: Stage, *reruns: int) -> list[Hold]:
    return sorted(stage.freezer.holds(reruns or (1,)), key=lambda one: one.member_id)


def refused(stage: Stage, target: RunRef | FutureRef) -> str:
    with pytest.raises(CannotFreeze) as caught:
        freeze(stage, target)
    assert holds(stage) == []
    return caught.value.reason


class TestRunToCome:
    def test_it_is_held_when_it_is_made(self, stage):
        freeze(stage, COMING)
        assert holds(stage) == [Hold(1, 1, "d")]
        ref = stage.made()
        assert stage.ready(ref) == FAR
        (found,) = holds(stage)
        assert (found.run_id, found.run_state, found.taken_by) == (ref.run_id, "queued", None)
        assert found.run_after is not None
        assert found.logical_date == START
        assert release(stage) is True
        assert (stage.ready(ref), holds(stage)) == (found.run_after, [])

    def test_the_runs_after_it_are_not(self, stage):
        freeze(stage, COMING)
        assert [stage.ready(stage.made()) == FAR for _ in range(3)] == [True, False, False]

    def test_the_run_that_is_made_in_its_place_is_held(self, stage):
        """Airflow has passed over its date."""
        freeze(stage, COMING)
        ref, after = stage.made(after=2), stage.made()
        assert (stage.ready(ref) == FAR, stage.ready(after) == FAR) == (True, False)
        (found,) = holds(stage)
        assert (found.run_id, found.logical_date) == (ref.run_id, START + 2 * DAY)
        assert release(stage) is True
        assert stage.ready(ref) == found.run_after

    def test_the_runs_before_it_are_not(self, stage):
        freeze(stage, FutureRef("d", logical_date=START + 2 * DAY))
        assert [stage.ready(stage.made()) == FAR for _ in range(4)] == [False, False, True, False]

    def test_one_run_in_place_of_several_is_held_for_each(self, stage):
        freeze(stage, COMING, member_id=1)
        freeze(stage, FutureRef("d", logical_date=START + DAY), member_id=2)
        freeze(stage, FutureRef("d", logical_date=START + 3 * DAY), member_id=3)
        ref = stage.made(after=2)
        assert [one.run_id for one in holds(stage, 1, 2, 3)] == [ref.run_id, ref.run_id, None]
        assert (release(stage, 2), stage.ready(ref)) == (True, FAR)
        assert release(stage, 1) is True
        assert stage.ready(ref) != FAR

    def test_it_may_be_let_go_before_it_is_made(self, stage):
        freeze(stage, COMING)
        assert release(stage) is True
        assert stage.ready(stage.made()) != FAR

    def test_the_last_rerun_lets_it_go(self, stage):
        freeze(stage, COMING, member_id=1)
        freeze(stage, COMING, member_id=2)
        ref = stage.made()
        freeze(stage, ref, member_id=3)
        true = {one.run_after for one in holds(stage, 1, 2, 3)}
        assert len(true) == 1
        assert (release(stage, 1), stage.ready(ref)) == (True, FAR)
        assert (release(stage, 3), stage.ready(ref)) == (True, FAR)
        assert (release(stage, 2), {stage.ready(ref)}) == (True, true)

    def test_one_that_was_made_meanwhile_is_held_if_another_rerun_holds_it(self, stage):
        freeze(stage, COMING, member_id=1)
        ref = stage.made()
        freeze(stage, COMING, member_id=2)
        assert [one.run_id for one in holds(stage, 1, 2)] == [ref.run_id, ref.run_id]

    def test_one_that_is_deleted_and_made_anew_is_not_the_one_that_was_held(self, stage):
        """Without catchup Airflow makes the latest run again. It has the same id."""
        freeze(stage, COMING)
        ref = stage.made()
        stage.delete(ref)
        assert stage.made(after=-1) == ref
        true = stage.ready(ref)
        (found,) = holds(stage)
        assert (found.run_id, found.run_state, true == FAR) == (ref.run_id, None, False)
        assert release(stage) is True
        assert stage.ready(ref) == true

    def test_a_date_that_somebody_took(self, stage):
        freeze(stage, COMING)
        taken = stage.by_hand()
        assert stage.ready(stage.made(after=1)) != FAR, "nothing stands in its place"
        (found,) = holds(stage)
        assert (found.run_id, found.taken_by) == (None, taken)
        assert release(stage) is True

    def test_a_date_that_somebody_had_taken(self, stage):
        stage.by_hand()
        assert refused(stage, COMING) in ("already_started", "manual_run")

    def test_a_dag_that_is_not_there(self, stage):
        assert refused(stage, FutureRef("nowhere", logical_date=START)) == "dag_gone"
        assert refused(stage, FutureRef("nowhere", next=True)) == "dag_gone"


class TestRun:
    def test_one_that_waits_for_its_time(self, stage):
        ref = stage.run()
        freeze(stage, ref)
        assert stage.ready(ref) == FAR
        assert holds(stage) == [Hold(1, 1, "d", ref.run_id, LATER, "queued", logical_date=START + 7 * DAY)]
        assert release(stage) is True
        assert stage.ready(ref) == LATER

    @pytest.mark.parametrize("state", ["running", "success", "failed"])
    def test_one_that_does_not_wait(self, stage, state):
        assert refused(stage, stage.run(state)) == "already_started"

    def test_one_that_is_due(self, stage):
        assert refused(stage, stage.run(run_after=START)) == "already_started"

    @pytest.mark.parametrize(
        ("run_type", "reason"),
        [("manual", "manual_run"), ("backfill", "backfill_run"), ("asset_triggered", "already_started")],
    )
    def test_one_that_time_did_not_start(self, stage, run_type, reason):
        ref = stage.run(run_type=run_type)
        assert refused(stage, ref) == reason
        assert stage.ready(ref) == LATER

    def test_one_that_is_gone(self, stage):
        assert refused(stage, RunRef("d", "nowhere")) == "run_gone"

    def test_one_that_goes_while_it_is_held(self, stage):
        ref = stage.run()
        freeze(stage, ref)
        stage.delete(ref)
        (found,) = holds(stage)
        assert (found.run_id, found.run_state) == (ref.run_id, None)
        assert release(stage) is True
        assert holds(stage) == []


class TestAssets:
    def test_a_hold_on_the_next_run(self, stage):
        freeze(stage, NEXT)
        assert holds(stage) == [Hold(1, 1, "c")]
        stage.freezer.sweep()
        assert release(stage) is True
        assert holds(stage) == []


class TestHolds:
    def test_those_of_the_reruns_that_are_asked(self, stage):
        freeze(stage, COMING, member_id=1)
        freeze(stage, NEXT, member_id=2)
        assert [one.dag_id for one in holds(stage, 2)] == ["c"]
        assert [one.member_id for one in holds(stage, 1, 2)] == [1, 2]

    def test_nothing_to_release(self, stage):
        assert release(stage) is False
        freeze(stage, COMING)
        assert [release(stage), release(stage)] == [True, False]


class TestLost:
    def test_what_has_a_hold_or_none_is_not_lost(self, stage):
        freeze(stage, COMING)
        held, free = stage.made(), stage.run()
        assert stage.freezer.lost() == []
        assert stage.freezer.rescue(held, actor="ann") is None
        assert stage.freezer.rescue(free, actor="ann") is None
        assert stage.freezer.rescue(RunRef("d", "nowhere"), actor="ann") is None
        assert (stage.ready(held), stage.ready(free)) == (FAR, LATER)

    def test_a_run_that_was_made_held(self, stage):
        free = stage.made()
        stage.delete(free)
        freeze(stage, COMING)
        ref = stage.made(after=-1)
        stage.lose_holds()
        assert stage.freezer.lost() == [ref]
        due = stage.freezer.rescue(ref, actor="ann")
        assert due is not None
        assert START <= due <= START + DAY
        assert (stage.ready(ref), stage.freezer.lost()) == (due, [])
        assert stage.freezer.rescue(ref, actor="ann") is None
