"""Judged by what was selected and by how it came about: what the record says, and who may go on."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.fakes.house import ADA, House


class Scene:
    """``mid`` (wait >> load >> publish; load >> other) makes what ``leaf`` reads, and has read what ``source`` made."""

    def __init__(self, order: str = "wait >> load >> publish; load >> other") -> None:
        self.house = House()
        self.world = self.house.world
        self.world.dag("mid", order)
        self.source, self.mid, self.leaf = (self.world.run(name) for name in ("source", "mid", "leaf"))
        self.world.consumed(self.source, "t", by=self.mid, asset="a")
        self.reads("publish", self.leaf)

    def reads(self, task_id: str, reader: RunRef) -> None:
        self.world.consumed(self.mid, task_id, by=reader, asset=f"{task_id} {reader}")

    def begin(self, *tasks: str) -> None:
        """Submit, with these tasks of ``mid`` or all; the source ends."""
        chosen = tuple(map(TaskRef, tasks)) or None
        members = (MemberRequest(self.mid, chosen), MemberRequest(self.leaf))
        request = RerunRequest(PlanRequest(self.source), members=members)
        self.rerun = self.house.service.submit(ADA, request).rerun.id
        self.tick()
        self.finish(self.source)

    def tick(self) -> None:
        self.house.tick()

    def finish(self, ref: RunRef, state: str = "success") -> None:
        self.house.clock.advance(seconds=1)
        self.world.finish(ref, state, at=self.house.clock.now())
        self.tick()

    def ran(self, *task_ids: str, state: str = "success") -> None:
        """Tasks of ``mid`` end."""
        self.world.set_tasks(self.mid, state, only=task_ids, at=self.house.clock.now())

    def close(self, state: str) -> None:
        self.world.set_run(self.mid, state=state)
        self.tick()

    def member(self, ref: RunRef | None = None) -> Member:
        return next(one for one in self.house.store.members(self.rerun) if one.ref == (ref or self.mid))

    def stands(self, ref: RunRef | None = None) -> tuple[str, str | None]:
        found = self.member(ref)
        return found.state.value, found.state_reason

    @property
    def ended(self) -> str:
        found = self.house.store.get(self.rerun)
        assert found is not None
        return found.state.value

    def named(self) -> list[tuple[str, str, str | None]]:
        found = self.house.store.not_made_anew(self.rerun)
        return [(one.task_id, one.reason, one.by) for member, one in found if member.id == self.member().id]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_member_is_judged_by_its_selected_tasks_alone(scene: Scene) -> None:
    """What wasn't selected may be red from before, or unfinished for good: it neither fails nor holds up the member."""
    scene.world.set_tasks(scene.mid, "failed", only={"other"})
    scene.begin("wait", "load", "publish")
    scene.ran("wait", "load", "publish")
    scene.close("failed")
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("succeeded", None), "running")


def test_a_member_is_right_as_soon_as_its_selected_tasks_are(scene: Scene) -> None:
    scene.begin("wait", "load", "publish")
    scene.ran("wait", "load", "publish")
    scene.world.set_tasks(scene.mid, "running", only={"other"})
    scene.close("running")
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("succeeded", None), "running")


def test_a_time_out_fails_the_member_and_its_readers_wait(scene: Scene) -> None:
    structure = scene.world.structures["mid"]
    scene.world.structures["mid"] = type(structure)("mid", structure.tasks, timeout=3600.0)
    scene.begin()
    scene.ran("wait")
    scene.ran("load", state="running")
    scene.world.time_out(scene.mid)
    scene.tick()
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("failed", "run_timed_out"), "pending")
    scene.tick()
    assert scene.ended == "failed"
    scene.house.service.resume(ADA, scene.rerun)
    scene.tick()
    scene.finish(scene.mid)
    scene.finish(scene.leaf)
    scene.tick()
    assert (scene.stands(), scene.ended) == (("succeeded", None), "succeeded")


def test_what_fail_fast_cut_off_is_no_success() -> None:
    scene = Scene("load >> publish; bad")
    structure = scene.world.structures["mid"]
    scene.world.structures["mid"] = type(structure)("mid", structure.tasks, fail_fast=True)
    scene.begin("load", "publish")
    scene.ran("load")
    scene.world.fail_fast(scene.mid, "bad", at=scene.house.clock.now())
    scene.tick()
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("failed", "cut_off"), "pending")


def test_a_run_that_somebody_stopped_is_no_success(scene: Scene) -> None:
    scene.begin()
    scene.ran("wait", "load", "other")
    scene.house.unit_of_work.gateway.stop(scene.mid, rerun_id=0, actor="ada")
    scene.tick()
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("failed", "run_terminated"), "pending")


def test_a_reader_of_what_was_skipped_this_time_waits_until_a_person_goes_on(scene: Scene) -> None:
    scene.begin()
    scene.ran("wait", "load", "other")
    scene.world.skip_itself(scene.mid, "publish", at=scene.house.clock.now())
    scene.close("success")
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("failed", "nothing_made_anew"), "pending")
    assert scene.named() == [("publish", "tasks_skipped", None)]
    scene.tick()
    scene.house.service.skip(ADA, scene.rerun, scene.member().id)
    scene.tick()
    scene.finish(scene.leaf)
    assert (scene.stands(), scene.ended) == (("skipped", "skipped_by_user"), "succeeded")
    assert scene.named() == [("publish", "skipped_by_user", "ada")]


def test_a_member_whose_readers_have_something_new_to_read_goes_on_and_says_what_was_skipped(scene: Scene) -> None:
    scene.reads("load", scene.leaf)
    scene.begin()
    scene.world.choose(scene.mid, "load", {"other"}, at=scene.house.clock.now())
    scene.ran("wait", "other")
    scene.close("success")
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("succeeded", "tasks_skipped"), "running")
    assert scene.named() == [("publish", "tasks_skipped", None)]


def test_what_had_not_succeeded_before_may_be_skipped_again_without_a_word(scene: Scene) -> None:
    scene.world.set_tasks(scene.mid, "skipped", only={"other"})
    scene.begin()
    scene.ran("wait", "load", "publish")
    scene.world.skip_itself(scene.mid, "other", at=scene.house.clock.now())
    scene.close("success")
    assert (scene.stands(), scene.named()) == (("succeeded", None), [])


def test_a_failed_teardown_is_tolerated_and_named() -> None:
    scene = Scene()
    scene.world.dag("mid", "load >> publish >> close", teardown="close")
    scene.mid = scene.world.run("mid")
    scene.begin()
    scene.ran("load", "publish")
    scene.ran("close", state="failed")
    scene.close("success")
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("succeeded", "tolerated"), "running")
    assert scene.named() == [("close", "tolerated", None)]


def test_a_repair_by_marking_is_accepted_and_named(scene: Scene) -> None:
    scene.begin()
    scene.ran("wait", "load", "other")
    scene.ran("publish", state="failed")
    scene.close("failed")
    assert scene.stands() == ("failed", "tasks_failed")
    scene.world.mark_tasks(scene.mid, "success", only={"publish"}, by="bob")
    scene.tick()
    assert (scene.stands(), scene.stands(scene.leaf)[0]) == (("succeeded", "marked_success"), "running")
    assert scene.named() == [("publish", "marked_success", "bob")]


def test_a_retry_forgets_what_was_named(scene: Scene) -> None:
    scene.begin()
    scene.ran("wait", "load", "other")
    scene.world.skip_itself(scene.mid, "publish", at=scene.house.clock.now())
    scene.close("success")
    scene.house.service.retry(ADA, scene.rerun, scene.member().id)
    scene.tick()
    scene.finish(scene.mid)
    assert (scene.stands(), scene.named()) == (("succeeded", None), [])


def test_of_a_member_that_a_person_skips_only_what_was_not_made_anew_is_named(scene: Scene) -> None:
    scene.begin()
    scene.ran("wait", "load")
    scene.ran("publish", "other", state="failed")
    scene.close("failed")
    scene.house.service.skip(ADA, scene.rerun, scene.member().id)
    assert scene.named() == [("publish", "skipped_by_user", "ada"), ("other", "skipped_by_user", "ada")]


def test_of_one_that_was_never_dispatched_everything_is_named(scene: Scene) -> None:
    scene.begin()
    scene.world.delete(scene.mid)
    scene.tick()
    scene.house.service.skip(ADA, scene.rerun, scene.member().id)
    assert [one[0] for one in scene.named()] == ["load", "other", "publish", "wait"]


class TestFinalRunState:
    """R19: the record says how the run ended, also where the member was right before that."""

    def begun(self, scene: Scene) -> None:
        scene.begin()
        scene.ran("wait", "load", "publish", "other")
        scene.world.set_run(scene.mid, state="running")
        scene.tick()
        assert scene.stands() == ("succeeded", None)

    @pytest.mark.parametrize("state", ["success", "failed"])
    def test_it_is_taken_when_airflow_closes_the_run(self, scene: Scene, state: str) -> None:
        self.begun(scene)
        scene.close(state)
        assert scene.member().final_run_state == state
        assert scene.stands(scene.leaf)[0] == "running", "nothing waits for it"

    def test_the_end_of_the_rerun_waits_for_it(self, scene: Scene) -> None:
        self.begun(scene)
        scene.finish(scene.leaf)
        assert scene.ended == "running"
        scene.close("success")
        scene.tick()
        assert (scene.ended, scene.member().final_run_state) == ("succeeded", "success")

    def test_but_not_for_good(self, scene: Scene) -> None:
        self.begun(scene)
        scene.finish(scene.leaf)
        scene.house.clock.advance(seconds=30)
        scene.tick()
        assert (scene.ended, scene.member().final_run_state) == ("succeeded", "running")

    def test_one_that_somebody_runs_again_is_not_closed(self, scene: Scene) -> None:
        self.begun(scene)
        scene.world.clear_by_hand(scene.mid)
        scene.tick()
        assert scene.member().final_run_state == "running"

    def test_a_member_that_moved_meanwhile_keeps_its_own(self, scene: Scene) -> None:
        self.begun(scene)
        member = scene.member()
        store = scene.house.store
        assert not store.set_final_run_state(member.id, state=MemberState.FAILED, run_state="failed")
        assert scene.member().final_run_state == "running"

    def test_of_a_failed_member_too(self, scene: Scene) -> None:
        scene.begin()
        scene.ran("wait", "load", "publish")
        scene.ran("other", state="failed")
        scene.world.set_run(scene.mid, state="running")
        scene.tick()
        assert (scene.stands()[0], scene.member().final_run_state) == ("failed", "running")
        scene.close("failed")
        assert scene.member().final_run_state == "failed"


class TestCost:
    """What the states alone tell costs nothing more, and nobody is judged twice by the same evidence."""

    def asked(self, scene: Scene) -> int:
        before = scene.house.unit_of_work.facts.statements
        scene.tick()
        return scene.house.unit_of_work.facts.statements - before

    def test_nothing_is_asked_while_tasks_run(self, scene: Scene) -> None:
        scene.begin()
        scene.ran("wait")
        assert self.asked(scene) == 0

    def test_a_failed_member_is_looked_into_once(self, scene: Scene) -> None:
        scene.begin()
        scene.ran("wait", "load", "other")
        scene.world.skip_itself(scene.mid, "publish", at=scene.house.clock.now())
        scene.close("success")
        assert scene.stands()[0] == "failed"
        assert self.asked(scene) > 0, "once as a failed one"
        assert [self.asked(scene) for _ in range(3)] == [0, 0, 0]

    def test_all_members_of_a_tick_are_asked_for_at_once(self) -> None:
        house = House()
        sources = [house.world.run("a", day=day) for day in range(5)]
        reruns = [house.service.submit(ADA, RerunRequest(PlanRequest(source))).rerun.id for source in sources]
        house.tick()
        house.clock.advance(seconds=1)
        for source, rerun in zip(sources, reruns, strict=True):
            house.world.finish(source, at=house.clock.now())
            house.service.pause(ADA, rerun)  # so that it doesn't end, and isn't proven
        before = house.unit_of_work.facts.statements
        house.tick()
        assert house.unit_of_work.facts.statements - before == 2


def test_a_member_is_judged_again_if_its_move_was_lost(scene: Scene, mocker) -> None:  # type: ignore[no-untyped-def]
    """What a tick remembers must not outlive a move that never reached the database."""
    scene.begin()
    scene.ran("wait", "load", "publish", "other")
    scene.world.set_run(scene.mid, state="success")
    perform = mocker.patch.object(scene.house.conductor.performer, "perform", side_effect=RuntimeError("away"))
    scene.tick()
    assert (perform.called, scene.stands()[0]) == (True, "running")
    mocker.stopall()
    scene.tick()
    assert scene.stands() == ("succeeded", None)
