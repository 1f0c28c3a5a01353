"""A rerun whose proof shows a violation: who read wrong data fails, and a person has a way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.conductor import perform
from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.new_rerun import NewFrozen
from airflow_rerun_downstream.domain.plan import FutureRef, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.conductor.scheduler import Scheduler
from tests.fakes.house import ADA, House

NAMES = ("src", "mid", "leaf", "end")


def frozen(house: House, rerun: int) -> int:
    """A run that is to come and that the rerun holds."""
    house.world.dag("later")
    house.world.schedules["later"] = DagSchedule("later")
    due = house.clock.now() + timedelta(days=10)
    with house.unit_of_work() as work:
        number = work.store.add_frozen(rerun, NewFrozen("later", None, due, due))
        work.freezer.freeze(number, FutureRef("later", due), rerun_id=rerun)
    return number


class Stage:
    """src → mid → leaf → end, and src → leaf. The leaf reads while somebody has src made anew: the gate is off."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, freeze: bool = False) -> None:
        self.house = House()
        world = self.house.world
        for name in NAMES:
            world.dag(name, "t >> skipped; t >> u")
        self.runs = {name: world.run(name, task_states={"skipped": "skipped"}) for name in NAMES}
        for one, two in (("src", "mid"), ("src", "leaf"), ("mid", "leaf"), ("leaf", "end")):
            world.consumed(self.runs[one], "t", by=self.runs[two], asset=one + two)
        self.rerun = self.house.service.submit(ADA, RerunRequest(PlanRequest(self.runs["src"]))).rerun.id
        self.frozen = frozen(self.house, self.rerun) if freeze else 0
        with monkeypatch.context() as off:
            off.setattr(perform.Performer, "moved_gates", lambda self, work, rerun, member: ([], {}))
            self.house.tick()
            self.run("src")
            self.begin("mid")
            world.clear_by_hand(self.runs["src"])
            self.begin("src")
            self.run("mid")
            self.run("leaf")
            self.run("src")
            self.run("end")

    def begin(self, name: str) -> None:
        """A task of a run begins."""
        self.house.clock.advance(seconds=1)
        self.house.world.set_run(self.runs[name], state="running")
        self.house.world.set_tasks(self.runs[name], "running", only={"t"}, at=self.house.clock.now())

    def run(self, name: str) -> None:
        """A run goes through: its branch leaves one of its tasks out, as before."""
        ref, world = self.runs[name], self.house.world
        for task_id in ("t", "u"):
            if any(task.task_id == task_id and task.state in (None, "running") for task in world.tasks[ref]):
                self.house.clock.advance(seconds=1)
                world.set_tasks(ref, "running", only={task_id}, at=self.house.clock.now())
                self.house.clock.advance(seconds=1)
                world.set_tasks(ref, "success", only={task_id}, at=self.house.clock.now())
        world.set_tasks(ref, "skipped", only={"skipped"})
        world.set_run(ref, state="success")
        for _ in range(3):
            self.house.tick()

    def member(self, name: str) -> Member:
        return next(one for one in self.house.store.members(self.rerun) if one.ref == self.runs[name])

    def states(self) -> dict[str, tuple[str, str | None]]:
        return {name: (self.member(name).state.value, self.member(name).state_reason) for name in NAMES}

    @property
    def state(self) -> str:
        found = self.house.store.get(self.rerun)
        assert found is not None
        return found.state.value

    def play(self) -> None:
        """Whatever is dispatched goes through."""
        for _ in range(20):
            self.house.tick()
            for name in NAMES:
                if self.house.world.runs[self.runs[name]].state == "queued":
                    self.run(name)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


RIGHT = ("succeeded", None)
WRONG = ("failed", "not_proven")


def test_who_read_wrong_data_fails_and_so_does_who_read_that(stage: Stage) -> None:
    assert stage.states() == {"src": RIGHT, "mid": RIGHT, "leaf": WRONG, "end": WRONG}
    assert stage.state == "failed"
    lines = {
        event.member_id: event.detail
        for event in stage.house.store.events(stage.rerun)
        if event.action == "member_failed"
    }
    leaf, src = stage.runs["leaf"], stage.runs["src"]
    assert lines[stage.member("leaf").id] == f"not_proven: read_too_early: {leaf} from t of {src}"
    assert lines[stage.member("end").id] == f"not_proven: rests_on_unproven: {stage.runs['end']} from {leaf}"


def test_nothing_mends_itself(stage: Stage) -> None:
    """Everything of it is green; only somebody who does something about it changes that."""
    before = stage.house.world.dispatches[:]
    stage.play()
    assert (stage.states()["leaf"], stage.state, stage.house.world.dispatches) == (WRONG, "failed", before)


def test_a_later_look_tells_the_same(stage: Stage) -> None:
    found = stage.house.service.proof(ADA, stage.rerun).proof
    assert [one.reason for one in found.violations] == ["rests_on_unproven", "read_too_early"]


def test_resume_makes_the_whole_selections_anew_in_order(stage: Stage) -> None:
    before = len(stage.house.world.dispatches)
    stage.house.service.resume(ADA, stage.rerun)
    stage.play()
    assert stage.house.world.dispatches[before:] == [stage.runs["leaf"], stage.runs["end"]]
    tries = [len(stage.house.world.tries[stage.runs["leaf"], task_id, -1]) for task_id in ("t", "u")]
    assert tries == [2, 2], "all of it, not only what hadn't succeeded"
    assert stage.state == "succeeded"
    assert stage.states()["leaf"] == RIGHT


def test_retry_of_each(stage: Stage) -> None:
    for name in ("end", "leaf"):
        stage.house.service.retry(ADA, stage.rerun, stage.member(name).id)
    stage.play()
    assert stage.state == "succeeded"


def test_skip_accepts_it_by_name(stage: Stage) -> None:
    for name in ("leaf", "end"):
        stage.house.service.skip(ADA, stage.rerun, stage.member(name).id)
    stage.play()
    assert stage.state == "succeeded"
    left = {
        (member.ref.dag_id, what.task_id, what.reason, what.by)
        for member, what in stage.house.store.not_made_anew(stage.rerun)
    }
    assert {("leaf", "t", "skipped_by_user", "ada"), ("end", "u", "skipped_by_user", "ada")} <= left
    proof = stage.house.service.proof(ADA, stage.rerun).proof
    assert [(one.outcome.value, one.reader.ref.dag_id, one.by) for one in proof.findings] == [
        ("accepted", "leaf", "ada")
    ]


def test_terminate_ends_it(stage: Stage) -> None:
    stage.house.service.terminate(ADA, stage.rerun)
    stage.play()
    assert stage.state == "terminated"


def test_somebody_clears_it_in_airflow(stage: Stage) -> None:
    for name in ("leaf", "end"):
        stage.house.world.clear_by_hand(stage.runs[name])
        stage.house.tick()
        assert stage.member(name).state is MemberState.RUNNING
        stage.run(name)
    stage.play()
    assert stage.state == "succeeded"


class TestFrozen:
    """Frozen runs are let go only after the proof; and there is a way out for them."""

    @pytest.fixture
    def stage(self, monkeypatch: pytest.MonkeyPatch) -> Stage:
        return Stage(monkeypatch, freeze=True)

    def frozen_state(self, stage: Stage) -> str:
        found = stage.house.store.member(stage.rerun, stage.frozen)
        assert found is not None
        return found.state.value

    def test_it_stays_until_the_rerun_is_proven(self, stage: Stage) -> None:
        assert (stage.state, self.frozen_state(stage)) == ("failed", "frozen")
        stage.house.service.resume(ADA, stage.rerun)
        stage.play()
        assert (stage.state, self.frozen_state(stage)) == ("succeeded", "released")

    @pytest.mark.parametrize("action", ["release", "terminate"])
    def test_a_person_lets_it_go(self, stage: Stage, action: str) -> None:
        getattr(stage.house.service, action)(ADA, stage.rerun)
        stage.play()
        assert self.frozen_state(stage) == "released"


class TestTheRecordKeepsIt:
    def play(self, house: House) -> int:
        one, two = house.world.run("a"), house.world.run("b")
        house.world.consumed(one, "t", by=two)
        rerun = house.service.submit(ADA, RerunRequest(PlanRequest(one))).rerun.id
        Scheduler(house).play([0])
        return rerun

    def test_how_much_was_checked_and_when(self) -> None:
        house = House()
        found = house.store.get(self.play(house))
        assert found is not None
        assert found.state is RerunState.SUCCEEDED
        assert found.proof is not None
        assert (found.proof.links, found.proof.tasks, found.proof.proven, found.proof.violations) == (1, 2, 3, 0)
        assert found.proven_at == found.ended_at

    def test_one_that_cannot_be_computed_proves_nothing_and_stops_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: object) -> object:
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(perform, "prove", broken)
        house = House()
        found = house.store.get(self.play(house))
        assert found is not None
        assert found.state is RerunState.SUCCEEDED
        assert found.proof is not None
        assert (found.proof.proven, found.proof.not_provable) == (0, 1)
        assert "proof_not_computed" in [event.action for event in house.store.events(found.id)]

    def test_one_that_cannot_be_read_is_tried_five_times(self) -> None:
        house = House()
        real, reads = house.unit_of_work.facts.tasks.tries, []

        def broken(*args: object, **more: object) -> object:
            reads.append(args)
            raise RuntimeError("the database says no")

        house.unit_of_work.facts.tasks.tries = broken  # type: ignore[assignment, method-assign]
        one = house.world.run("a")
        rerun = house.service.submit(ADA, RerunRequest(PlanRequest(one))).rerun.id
        house.tick()
        house.world.finish(one, at=house.clock.now())
        for _ in range(4):
            house.tick()
        assert house.store.get(rerun).state is RerunState.RUNNING  # type: ignore[union-attr]
        house.unit_of_work.facts.tasks.tries = real  # type: ignore[method-assign]
        house.tick()
        assert house.store.get(rerun).proof.proven == 1  # type: ignore[union-attr]
        assert len(reads) == 4

    @pytest.mark.parametrize(("seconds", "ticks", "proven"), [(10, 1, 1), (20, 2, 1), (100, 4, 1), (300, 6, 0)])
    def test_one_that_outlasts_the_lease(self, seconds: int, ticks: int, proven: int) -> None:
        """Each time it has twice the time. One that no time is enough for is given up: else the rerun never ended."""
        house = House()
        real = house.unit_of_work.facts.tasks.tries

        one = house.world.run("a")
        rerun = house.service.submit(ADA, RerunRequest(PlanRequest(one))).rerun.id
        house.tick()
        house.world.finish(one, at=house.clock.now())

        def taken(*args: object, **more: object) -> object:
            house.clock.advance(seconds=seconds)
            house.unit_of_work.lease.acquire(owner="other", lasts=timedelta(seconds=1))
            return real(*args, **more)  # type: ignore[arg-type]

        house.unit_of_work.facts.tasks.tries = taken  # type: ignore[assignment, method-assign]
        for _ in range(ticks - 1):
            house.tick()
            assert house.store.get(rerun).state is RerunState.RUNNING  # type: ignore[union-attr]
            house.clock.advance(seconds=5)
        house.tick()
        found = house.store.get(rerun)
        assert found is not None
        assert found.state is RerunState.SUCCEEDED
        assert (found.proof.proven, found.proof.not_provable) == (proven, 1 - proven)  # type: ignore[union-attr]

    def test_after_that_nothing_is_proven(self) -> None:
        house = House()

        def broken(*args: object, **more: object) -> object:
            raise RuntimeError("the database says no")

        house.unit_of_work.facts.tasks.tries = broken  # type: ignore[assignment, method-assign]
        one = house.world.run("a")
        rerun = house.service.submit(ADA, RerunRequest(PlanRequest(one))).rerun.id
        house.tick()
        house.world.finish(one, at=house.clock.now())
        for _ in range(8):
            house.tick()
        found = house.store.get(rerun)
        assert found is not None
        assert found.state is RerunState.SUCCEEDED
        assert (found.proof.proven, found.proof.not_provable) == (0, 1)  # type: ignore[union-attr]


def test_a_member_in_stages_begins_with_its_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is made anew, stage by stage."""
    house = House()
    world = house.world
    world.dag("parent", "prepare >> fire >> report")
    parent = world.run("parent")
    world.trigger_task("parent", "fire", "child", one_run=True, waits=True)
    child: RunRef = world.run("child", run_type="operator_triggered", online=True)
    world.made(parent, "fire", child)
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(parent))).rerun.id
    began = {(child, "t"): -40}
    real = world.ran

    def ran(ref: RunRef, task: object, state: str | None, at: object) -> object:
        """A child whose last try ends after what follows has begun: its clock is that of the others."""
        made = real(ref, task, state, at)  # type: ignore[arg-type]
        late = (ref, made.task_id) in began and state == "success" and at is not None and len(world.dispatches) == 2
        return replace(made, end_date=made.end_date.replace(minute=59)) if late else made  # type: ignore[union-attr]

    world.ran = ran  # type: ignore[assignment, method-assign]
    Scheduler(house).play([0])
    failed = next(one for one in house.store.members(rerun) if one.ref == parent)
    assert (failed.state.value, failed.state_reason, failed.stage) == ("failed", "not_proven", 0)
    world.ran = real  # type: ignore[method-assign]
    before = len(world.dispatches)
    house.service.resume(ADA, rerun)
    scheduler = Scheduler(house)
    scheduler.play([0])
    again = [f"{dag_id}.{task_id}" for what, dag_id, task_id in scheduler.story if what == "began"]
    assert [one for one in again if one.startswith("parent")] == ["parent.prepare", "parent.report"]
    assert world.dispatches[before:].count(parent) == 2


def test_of_runs_that_are_all_gone_nothing_is_read() -> None:
    house = House()
    ref = house.world.run("a")
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(ref))).rerun.id
    house.tick()
    house.world.delete(ref)
    house.tick()
    house.service.skip(ADA, rerun, house.store.members(rerun)[0].id)
    house.tick()
    assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"
