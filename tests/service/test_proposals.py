"""A rerun that somebody proposes who may only read, and what others make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.errors import (
    ActionNotAllowed,
    Forbidden,
    NotFound,
    NotSelectable,
    Refusal,
    RunInActiveRerun,
    StalePlan,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun
from airflow_rerun_downstream.domain.plan import FutureRef, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import (
    Actor,
    MemberRequest,
    Notification,
    RerunRequest,
    RerunSettings,
)
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.domain.token import Change
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from tests.fakes.house import ADA, House

RITA, BOB = Actor("2", "rita"), Actor("3", "bob")
SOURCE = RunRef("a", "r")
DATE = House().clock.now() + timedelta(hours=1)
DAILY = FutureRef("daily", logical_date=DATE)


def run(dag_id: str) -> RunRef:
    return RunRef(dag_id, "r")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """a → b → c, a → d, and a run of ``daily`` that is made in an hour and waits for a. Rita may read, ada and bob may
    rerun."""
    house = House()
    world = house.world
    for dag_id in "abcd":
        world.run(dag_id, day=39, run_id="r")
    for producer, consumer in ("ab", "bc", "ad"):
        world.consumed(run(producer), "t", by=run(consumer), asset=producer + consumer)
    world.dag("daily")
    ago = DATE - (world.runs[SOURCE].logical_date or DATE)
    world.sensors.append(SensorDefinition("daily", "t", "a", offset=ago.total_seconds(), offset_known=True))
    upcoming = (UpcomingRun("daily", "scheduled__later", DATE, DATE, DATE, DATE),)
    world.schedules["daily"] = DagSchedule("daily", upcoming=upcoming)
    real = house.permissions.may_rerun
    monkeypatch.setattr(
        house.permissions,
        "may_rerun",
        lambda actor, dag_ids: frozenset() if actor == RITA else real(actor, dag_ids),
    )
    return house


def asked(*members: str, **more: object) -> RerunRequest:
    chosen = tuple(MemberRequest(run(dag_id)) for dag_id in members) if members else None
    return RerunRequest(PlanRequest(SOURCE), chosen, propose=True, **more)  # type: ignore[arg-type]


def propose(house: House, *members: str, by: Actor = RITA, **more: object) -> int:
    return house.service.submit(by, asked(*members, **more)).rerun.id


def actions(house: House, number: int, by: Actor) -> tuple[str, ...]:
    return house.service.rerun(by, number).allowed_actions


def lines(house: House, number: int) -> list[tuple[str, str, str | None]]:
    return [(one.actor, one.action, one.detail) for one in house.service.events(ADA, number, limit=50, offset=0)[0]]


class TestPropose:
    def test_who_may_only_read_may_propose_and_nothing_is_touched(self, house: House) -> None:
        before = dict(house.world.runs), dict(house.world.tasks)
        with pytest.raises(Forbidden):
            house.service.submit(RITA, replace(asked(), propose=False))
        view = house.service.submit(RITA, asked(name="fix", reason="wrong rate"))
        rerun = view.rerun
        assert (rerun.state, rerun.created_by, rerun.name, rerun.reason) == (
            RerunState.PROPOSED, "rita", "fix", "wrong rate",
        )  # fmt: skip
        assert (rerun.proposed_by, rerun.proposed_at) == ("rita", house.clock.now())
        assert rerun.expires_at == house.clock.now() + timedelta(days=7)
        assert view.allowed_actions == ("reject",)
        assert house.store.all_active_runs() == {}
        assert (house.world.runs, house.world.tasks) == before
        assert lines(house, rerun.id) == [("rita", "propose", "4 members")]
        assert [(ref, event, actor) for ref, event, actor, _ in house.world.log] == [(SOURCE, "propose", "rita")]

    def test_the_conductor_does_nothing_with_it(self, house: House) -> None:
        number = propose(house)
        before = house.store.snapshot()
        for _ in range(3):
            assert house.tick() == 0
        assert house.store.snapshot() == before
        assert house.conductor.tick().active == 0
        assert house.service.rerun(ADA, number).rerun.state is RerunState.PROPOSED

    def test_other_reruns_of_the_same_runs_go_on(self, house: House) -> None:
        number = propose(house)
        running = house.service.submit(ADA, RerunRequest(PlanRequest(SOURCE))).rerun.id
        assert set(house.store.all_active_runs().values()) == {running}
        with pytest.raises(RunInActiveRerun) as refused:
            house.service.approve(BOB, number)
        assert refused.value.extra["rerun_id"] == running

    def test_what_a_submit_refuses_is_refused_but_for_the_right(self, house: House) -> None:
        house.world.set_run(run("b"), state="running")
        with pytest.raises(NotSelectable):
            propose(house, "b")
        house.permissions.unreadable = {"a"}
        with pytest.raises(NotFound):
            propose(house)

    def test_a_review_of_it_needs_no_more(self, house: House) -> None:
        assert house.service.review(RITA, asked()).waves == ((SOURCE,), (run("b"), run("d")), (run("c"),))

    def test_runs_that_would_be_stopped_or_held_wait_like_the_others(self, house: House) -> None:
        house.world.set_run(run("b"), state="running")
        number = propose(house, "b", freeze_mode=True, frozen=(DAILY,))
        members = house.store.members(number)
        assert {(one.ref.dag_id, one.role, one.state) for one in members} == {
            ("a", Role.SOURCE, MemberState.PENDING),
            ("b", Role.DOWNSTREAM, MemberState.PENDING),
            ("daily", Role.FROZEN, MemberState.PENDING),
        }
        assert house.unit_of_work.freezer.holds([number]) == []

    def test_what_may_not_be_read_stays_hidden(self, house: House) -> None:
        house.permissions.unreadable = {"b"}
        number = propose(house)
        assert "b" not in {one.ref.dag_id for one in house.store.members(number)}

    def test_the_list_finds_it(self, house: House) -> None:
        number = propose(house)
        for states, found in (({RerunState.PROPOSED}, [number]), ({RerunState.RUNNING}, [])):
            views, total = house.service.reruns(ADA, RerunFilter(states=frozenset(states)))
            assert ([one.rerun.id for one in views], total) == (found, len(found))


class TestApprove:
    def test_it_is_what_a_submit_by_the_approver_would_have_made(self, house: House) -> None:
        told = (Notification("data-team", ("succeeded",)),)
        more = {"settings": RerunSettings(max_active_members=2, on_failure="pause"), "notifications": told}
        number = propose(house, "c", "b", name="fix", **more)
        house.clock.advance(hours=1)
        view = house.service.approve(BOB, number)
        twin = house_with(house)
        like = twin.service.submit(BOB, replace(asked("c", "b", name="fix", **more), propose=False))
        assert view.rerun == replace(
            like.rerun, id=number, proposed_by="rita", proposed_at=view.rerun.proposed_at, created_at=house.clock.now(),
            started_at=house.clock.now(),
        )  # fmt: skip
        assert (view.rerun.created_by, view.rerun.approved_by, view.rerun.expires_at) == ("bob", "bob", None)
        assert view.allowed_actions == like.allowed_actions == ("pause", "terminate")
        mine, others = house.store.members(number), twin.store.members(like.rerun.id)
        assert [(one.ref, one.tasks, one.depth, one.state) for one in mine] == [
            (one.ref, one.tasks, one.depth, one.state) for one in others
        ]
        assert house.store.links(number) == twin.store.links(like.rerun.id)
        assert lines(house, number)[-1] == ("bob", "approve", "3 members")
        assert house.world.log[-1][:3] == (SOURCE, "approve", "bob")
        assert set(house.store.all_active_runs()) == {SOURCE, run("b"), run("c")}

    def test_it_runs_to_its_end(self, house: House) -> None:
        number = propose(house)
        house.service.approve(BOB, number)
        for _ in range(30):
            house.tick()
            for ref in house.world.runs:
                if house.world.runs[ref].state in ("queued", "running"):
                    house.world.finish(ref, at=house.clock.now())
        assert house.service.rerun(RITA, number).rerun.state is RerunState.SUCCEEDED

    def test_runs_are_held_and_stopped_only_then(self, house: House) -> None:
        house.world.set_run(run("b"), state="running")
        number = propose(house, "b", freeze_mode=True, frozen=(DAILY,))
        house.service.approve(ADA, number)
        states = {one.ref.dag_id: one.state for one in house.store.members(number)}
        assert (states["b"], states["daily"]) == (MemberState.STOPPING, MemberState.FROZEN)
        assert len(house.unit_of_work.freezer.holds([number])) == 1

    def test_it_takes_the_right_on_every_dag(self, house: House) -> None:
        number = propose(house)
        before = house.store.snapshot()
        with pytest.raises(Forbidden):
            house.service.approve(RITA, number)
        house.permissions.forbidden = {"c"}
        assert actions(house, number, BOB) == ()
        with pytest.raises(Forbidden) as refused:
            house.service.approve(BOB, number)
        assert refused.value.extra["dag_ids"] == ["c"]
        house.permissions.forbidden, house.permissions.unreadable = set(), {"c"}
        with pytest.raises(Forbidden) as refused:
            house.service.approve(BOB, number)
        assert "1 Dag that you may not read" in refused.value.detail
        assert house.store.snapshot() == before

    def test_a_repeat_changes_nothing(self, house: House) -> None:
        number = propose(house)
        first = house.service.approve(BOB, number)
        before = house.store.snapshot()
        assert house.service.approve(ADA, number) == first
        assert house.store.snapshot() == before

    @pytest.mark.parametrize("members", [(), ("b", "c")])
    def test_what_has_changed_refuses_it_until_that_is_accepted(self, house: House, members: tuple[str, ...]) -> None:
        number = propose(house, *members)
        house.world.set_run(run("b"), clear_number=1)
        with pytest.raises(StalePlan) as refused:
            house.service.approve(BOB, number)
        assert refused.value.extra["changes"] == [{"dag_id": "b", "run_id": "r", "change": "changed"}]
        assert house.service.rerun(ADA, number).rerun.state is RerunState.PROPOSED
        token = house.service.proposal_review(BOB, number).plan_token
        house.world.set_run(run("c"), clear_number=1)
        with pytest.raises(StalePlan) as refused:
            house.service.approve(BOB, number, token)
        assert [one["dag_id"] for one in refused.value.extra["changes"]] == ["c"]
        token = house.service.plan(BOB, PlanRequest(SOURCE)).token
        assert house.service.approve(BOB, number, token).rerun.state is RerunState.RUNNING

    def test_a_run_that_was_proposed_and_is_not_selected_any_more_is_a_change(self, house: House) -> None:
        """The default selection leaves out what is running: nobody would learn of it."""
        number = propose(house)
        house.world.set_run(run("d"), state="running")
        with pytest.raises(StalePlan) as refused:
            house.service.approve(BOB, number)
        assert [one["dag_id"] for one in refused.value.extra["changes"]] == ["d"]
        token = house.service.plan(BOB, PlanRequest(SOURCE)).token
        house.service.approve(BOB, number, token)
        assert {one.ref.dag_id for one in house.store.members(number)} == set("abc")

    @pytest.mark.parametrize("gone", [False, True])
    def test_nor_may_one_be_left_out_that_the_approver_has_seen(self, house: House, gone: bool) -> None:
        """Whether it is running now or isn't there any more, whatever was accepted before."""
        number = propose(house)
        house.world.set_run(run("b"), clear_number=1)
        token = house.service.proposal_review(BOB, number).plan_token
        if gone:
            del house.world.runs[run("d")]
        else:
            house.world.set_run(run("d"), state="running")
        with pytest.raises(StalePlan) as refused:
            house.service.approve(BOB, number, token)
        named = [] if gone else [{"dag_id": "d", "run_id": "r", "change": "changed"}]
        assert refused.value.extra["changes"] == named
        assert refused.value.detail.startswith("1 run changed")
        with pytest.raises(StalePlan):
            house.service.submit(ADA, RerunRequest(PlanRequest(SOURCE), plan_token=token))
        only = (MemberRequest(run("c")),)  # who chooses the runs has left it out
        house.service.submit(ADA, RerunRequest(PlanRequest(SOURCE), only, plan_token=token))

    def test_a_run_that_has_come_since_is_a_change(self, house: House) -> None:
        number = propose(house)
        house.world.run("e", day=39, run_id="r")
        house.world.consumed(SOURCE, "t", by=run("e"), asset="ae")
        with pytest.raises(StalePlan) as refused:
            house.service.approve(BOB, number)
        assert refused.value.extra["changes"] == [{"dag_id": "e", "run_id": "r", "change": "added"}]

    def test_the_ready_window_is_looked_at_anew(self, house: House) -> None:
        house = house_with(house, source_ready_since="P2D")
        number = propose(house)
        house.clock.advance(days=3)
        with pytest.raises(Refusal) as refused:
            house.service.approve(BOB, number)
        assert (refused.value.reason, refused.value.extra["why"]) == ("source_not_eligible", "before_ready_window")

    def test_after_its_time_it_cannot_be_approved(self, house: House) -> None:
        number = propose(house)
        house.clock.advance(days=7)
        with pytest.raises(ActionNotAllowed, match="its time is over"):
            house.service.approve(BOB, number)
        review = house.service.proposal_review(BOB, number)
        assert (review.refusal and review.refusal.detail, review.review, review.stale) == (
            f"Rerun {number} can't be approved any more: its time is over.", None, False,
        )  # fmt: skip

    def test_what_was_never_proposed_cannot_be_approved(self, house: House) -> None:
        number = house.service.submit(ADA, replace(asked(), propose=False)).rerun.id
        for decide in (house.service.approve, house.service.reject, house.service.proposal_review):
            with pytest.raises(ActionNotAllowed, match="it is running"):
                decide(ADA, number)  # type: ignore[operator]


class TestReject:
    @pytest.mark.parametrize("by", [ADA, BOB, RITA], ids=str)
    def test_who_may_approve_it_may_and_its_proposer(self, house: House, by: Actor) -> None:
        number = propose(house)
        view = house.service.reject(by, number, "the feed is still wrong")
        assert (view.rerun.state, view.rerun.state_reason) == (RerunState.TERMINATED, "proposal_rejected")
        assert (view.allowed_actions, view.rerun.final, view.rerun.approved_by) == ((), True, None)
        assert {one.state for one in house.store.members(number)} == {MemberState.TERMINATED}
        assert lines(house, number)[-1] == (by.name, "reject", "the feed is still wrong")
        assert house.world.log[-1][:3] == (SOURCE, "reject", by.name)

    def test_only_its_proposer_withdraws_it_also_one_who_may_approve_it(self, house: House) -> None:
        number = propose(house, by=ADA)
        found = {by.name: house.service.rerun(by, number) for by in (ADA, BOB, RITA)}
        assert {name: view.may_withdraw for name, view in found.items()} == {"ada": True, "bob": False, "rita": False}
        assert found["ada"].allowed_actions == ("approve", "reject")
        assert not house.service.reject(ADA, number).may_withdraw

    def test_nobody_else_may(self, house: House) -> None:
        number = propose(house, by=ADA)
        with pytest.raises(Forbidden):
            house.service.reject(RITA, number)
        house.permissions.unreadable = {"a"}
        with pytest.raises(NotFound):
            house.service.reject(RITA, number)

    def test_a_repeat_changes_nothing(self, house: House) -> None:
        number = propose(house)
        first = house.service.reject(BOB, number)
        before = house.store.snapshot()
        assert house.service.reject(ADA, number, "again") == first
        assert house.store.snapshot() == before
        with pytest.raises(ActionNotAllowed, match="it is terminated"):
            house.service.approve(BOB, number)

    def test_an_approved_one_is_not_rejected(self, house: House) -> None:
        number = propose(house)
        house.service.approve(BOB, number)
        for by in (BOB, RITA):
            with pytest.raises((ActionNotAllowed, Forbidden)):
                house.service.reject(by, number)
        assert house.service.rerun(BOB, number).rerun.state is RerunState.RUNNING


@pytest.mark.parametrize("action", ["pause", "resume", "terminate", "release"])
def test_nothing_else_can_be_done_with_it(house: House, action: str) -> None:
    number = propose(house, "b", freeze_mode=True, frozen=(DAILY,))
    before = house.store.snapshot()
    with pytest.raises(ActionNotAllowed):
        getattr(house.service, action)(ADA, number)
    members = house.service.members(ADA, number, limit=50, offset=0)[0]
    assert [one.allowed_actions for one in members] == [()] * 3
    for one in members:
        for repair in (house.service.retry, house.service.skip, house.service.release_member):
            with pytest.raises(ActionNotAllowed):
                repair(ADA, number, one.member.id)
    assert house.store.snapshot() == before


class TestReview:
    def test_it_says_what_an_approval_would_do_to_whoever_reads(self, house: House) -> None:
        number = propose(house, "b", "c")
        before = house.world.snapshot(), house.store.snapshot()
        for by in (RITA, ADA):
            found = house.service.proposal_review(by, number)
            assert (found.stale, found.changes, found.refusal) == (False, (), None)
            assert found.review is not None
            assert found.review.waves == ((SOURCE,), (run("b"),), (run("c"),))
            assert found.plan_token == house.service.plan(ADA, PlanRequest(SOURCE)).token
        assert (house.world.snapshot(), house.store.snapshot()) == before

    def test_it_says_what_has_changed(self, house: House) -> None:
        number = propose(house)
        house.world.set_run(run("d"), clear_number=1)
        house.world.run("e", day=39, run_id="r")
        house.world.consumed(SOURCE, "t", by=run("e"), asset="ae")
        found = house.service.proposal_review(RITA, number)
        assert found.stale is True
        assert set(found.changes) == {Change(run("d"), "changed"), Change(run("e"), "added")}

    @pytest.mark.parametrize(
        ("meanwhile", "reason"),
        [
            (lambda house: house.world.set_run(run("b"), state="running"), "not_selectable"),
            (lambda house: house.world.set_run(SOURCE, state="running"), "source_not_eligible"),
            (lambda house: house.world.runs.pop(run("b")), "not_found"),
            (lambda house: setattr(house.health, "asset_manager", False), "asset_manager_inactive"),
        ],
    )
    def test_it_says_what_would_refuse_it(
        self, house: House, meanwhile: Callable[[House], object], reason: str
    ) -> None:
        number = propose(house, "b")
        meanwhile(house)
        found = house.service.proposal_review(RITA, number)
        assert found.refusal is not None
        assert (found.refusal.reason, found.review) == (reason, None)
        assert found.stale is (reason != "asset_manager_inactive")
        with pytest.raises(Refusal) as refused:
            house.service.approve(BOB, number, found.plan_token)
        assert refused.value.reason == reason

    def test_a_source_that_is_gone_leaves_no_plan(self, house: House) -> None:
        number = propose(house, "b")
        del house.world.runs[SOURCE]
        found = house.service.proposal_review(RITA, number)
        assert (found.plan_token, found.stale, found.review) == (None, None, None)
        assert found.refusal is not None
        assert found.refusal.reason == "not_found"

    def test_what_may_not_be_read_is_not_named(self, house: House) -> None:
        house.world.set_run(run("b"), state="running")
        number = propose(house, "b", "d", by=ADA, freeze_mode=True, frozen=(DAILY,))
        house.world.set_run(run("b"), clear_number=1)
        house.permissions.unreadable = {"b", "daily"}
        found = house.service.proposal_review(RITA, number)
        assert (found.stale, found.changes, found.refusal) == (None, (), None)
        assert found.review is not None
        assert (found.review.waves, found.review.frozen) == (((SOURCE,), (run("d"),)), ())

    def test_who_may_not_read_the_record_may_not_ask(self, house: House) -> None:
        number = propose(house)
        house.permissions.unreadable = {"a"}
        with pytest.raises(NotFound):
            house.service.proposal_review(ADA, number)


def test_an_estimate_promises_nothing_of_it(house: House) -> None:
    number = propose(house)
    assert house.service.estimate(ADA, number).estimate.outlook.value == "open"


def test_who_follows_it_is_given_everything_anew_once_it_is_approved(house: House) -> None:
    number = propose(house)
    cursor = house.service.changes(ADA, number, since=None, limit=50).cursor
    assert house.service.changes(ADA, number, since=cursor, limit=50).rerun is None
    house.clock.advance(seconds=5)
    house.service.approve(BOB, number)
    found = house.service.changes(ADA, number, since=cursor, limit=50)
    assert found.whole
    assert found.rerun is not None
    assert found.rerun.rerun.state is RerunState.RUNNING
    assert {one.member.id for one in found.members} == {one.id for one in house.store.members(number)}
    assert [one.action for one in found.events] == ["propose", "approve"]


def house_with(of: House, **settings: object) -> House:
    """Another house on the same world as it is now, without the first one's reruns."""
    other = House(settings=replace(of.settings, **settings))  # type: ignore[arg-type]
    other.world.restore(of.world.snapshot())
    other.clock.advance(seconds=(of.clock.now() - other.clock.now()).total_seconds())
    return other
