"""What a user can do, and every refusal, over fakes. A refusal changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, ClassVar

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.errors import (
    ActionNotAllowed,
    AssetManagerInactive,
    EmptySelection,
    Forbidden,
    Invalid,
    NotFound,
    NotSelectable,
    OffsetUnknown,
    PlanTooLarge,
    RunInActiveRerun,
    SchemaMismatch,
    SourceNotEligible,
    StalePlan,
    UnknownTarget,
)
from airflow_rerun_downstream.domain.plan import PlanOptions, PlanRequest, PlanWarning
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, Notification, RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.lineage.declarations import parse
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.ports.lineage import RunFilter
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.service import TargetView
from airflow_rerun_downstream.service.status import ASK
from airflow_rerun_downstream.settings import Settings
from tests.fakes.freezer import FAR
from tests.fakes.house import ADA, House
from tests.fakes.world import START


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def chain(house: House) -> tuple[RunRef, RunRef, RunRef]:
    """a → b → c, joined by assets."""
    world = house.world
    world.dag("b", "in >> out")
    one, two, three = world.run("a"), world.run("b"), world.run("c")
    world.consumed(one, "t", by=two, asset="1")
    world.consumed(two, "out", by=three, asset="2")
    return one, two, three


def request(source: RunRef, members: list[RunRef] | None = None, **more: object) -> RerunRequest:
    plan = PlanRequest(source, rerun_source=bool(more.pop("rerun_source", True)))
    chosen = None if members is None else tuple(MemberRequest(ref) for ref in members)
    return RerunRequest(plan, members=chosen, **more)  # type: ignore[arg-type]


@pytest.fixture
def nothing_changes(house: House) -> Iterator[None]:
    """Whatever the test does must leave every row as it was."""
    before = house.world.snapshot(), house.store.snapshot()
    yield
    assert (house.world.snapshot(), house.store.snapshot()) == before


class TestSubmit:
    def test_the_plans_default_is_taken(self, house: House, chain: tuple[RunRef, ...]) -> None:
        view = house.service.submit(ADA, request(chain[0], name="fix", reason="wrong rate"))
        members = house.store.members(view.rerun.id)
        assert [(m.ref.dag_id, m.depth, m.role.value, [str(t) for t in m.tasks]) for m in members] == [
            ("a", 0, "source", ["t"]),
            ("b", 1, "downstream", ["in", "out"]),
            ("c", 2, "downstream", ["t"]),
        ]
        assert (view.rerun.name, view.rerun.reason, view.rerun.created_by) == ("fix", "wrong rate", "ada")
        assert view.allowed_actions == ("pause", "terminate")
        assert [(ref, event) for ref, event, _, _ in house.world.log] == [(chain[0], "submit")]

    def test_the_source_alone_can_be_rerun(self, house: House, chain: tuple[RunRef, ...]) -> None:
        view = house.service.submit(ADA, request(chain[0], []))
        assert len(house.store.members(view.rerun.id)) == 1
        assert [(w.code, w.dag_id) for w in view.rerun.warnings] == [("stays_polluted", "b"), ("stays_polluted", "c")]

    def test_a_run_whose_dag_is_gone_cannot_be_taken(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.world.lose("b")
        plan = house.service.plan(ADA, PlanRequest(chain[0]))
        gone = plan.by_ref[chain[1]]
        assert (gone.selectable, gone.reason, gone.selected) == (False, "dag_gone", False)
        assert ("stays_polluted", "b") in {(w.code, w.dag_id) for w in plan.warnings}
        with pytest.raises(NotSelectable):
            house.service.submit(ADA, request(chain[0], [chain[1]]))
        view = house.service.submit(ADA, request(chain[0]))
        assert [m.ref.dag_id for m in house.store.members(view.rerun.id)] == ["a", "c"]

    def test_a_source_whose_dag_is_gone_is_refused_if_it_would_be_rerun(
        self, house: House, chain: tuple[RunRef, ...]
    ) -> None:
        house.world.lose("a")
        with pytest.raises(SourceNotEligible) as refusal:
            house.service.submit(ADA, request(chain[0]))
        assert refusal.value.extra["why"] == "dag_gone"
        right = RerunRequest(PlanRequest(chain[0], rerun_source=False))
        assert [m.state.value for m in house.store.members(house.service.submit(ADA, right).rerun.id)] == [
            "skipped",
            "pending",
            "pending",
        ]

    def test_a_task_that_will_not_run_is_warned_of(self, house: House, chain: tuple[RunRef, ...]) -> None:
        """Only where it is selected, where the cause doesn't pass by itself, and isn't put right by the rerun."""
        why = ("no_pool_slots", Sentence("part.pool_gone", pool="p"))
        before = house.world.run("b", day=-1)
        house.world.obstacles += [
            Obstacle(chain[1], "in", *why),
            Obstacle(chain[1], "out", *why, lasting=False),
            Obstacle(chain[2], "t", "depends_on_past", "x", before),
        ]
        plan = house.service.plan(ADA, PlanRequest(chain[0]))
        found = [(w.dag_id, w.task_id) for w in plan.warnings if w.code == "will_not_run"]
        assert found == [("b", "in"), ("c", "t")]
        view = house.service.submit(ADA, RerunRequest(PlanRequest(chain[0]), members=(MemberRequest(chain[2]),)))
        assert [(w.dag_id, w.task_id) for w in view.rerun.warnings if w.code == "will_not_run"] == [("c", "t")]

    def test_a_past_that_the_rerun_makes_right_is_not_warned_of(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.world.obstacles.append(Obstacle(chain[2], "t", "depends_on_past", "x", chain[0]))
        plan = house.service.plan(ADA, PlanRequest(chain[0]))
        assert "will_not_run" not in {w.code for w in plan.warnings}

    def test_one_warning_stands_for_all_runs_of_a_dag(self, house: House, chain: tuple[RunRef, ...]) -> None:
        more = [house.world.run("b", day=day) for day in (5, 6)]
        for ref in more:
            house.world.consumed(chain[0], "t", by=ref, asset=str(ref))
        house.world.obstacles += [
            Obstacle(ref, "in", "pool_gone", Sentence("part.pool_gone", pool="p")) for ref in (chain[1], *more)
        ]
        (found,) = [w for w in house.service.plan(ADA, PlanRequest(chain[0])).warnings if w.code == "will_not_run"]
        assert (found.dag_id, found.run_id, found.task_id) == ("b", None, "in")
        assert found.detail.endswith("won't run as things are: its pool p doesn't exist, and likewise in 2 more runs.")

    def test_what_is_left_out_in_the_middle_is_said(self, house: House, chain: tuple[RunRef, ...]) -> None:
        view = house.service.submit(ADA, request(chain[0], [chain[2]]))
        assert [(w.code, w.dag_id) for w in view.rerun.warnings] == [
            ("stays_polluted", "b"),
            ("rebuilt_on_polluted", "c"),
        ]
        assert "will read it again" in view.rerun.warnings[0].detail

    def test_tasks_can_be_named(self, house: House, chain: tuple[RunRef, ...]) -> None:
        member = MemberRequest(chain[1], (TaskRef("out"),))
        view = house.service.submit(ADA, RerunRequest(PlanRequest(chain[0]), members=(member,)))
        assert [str(t) for t in house.store.members(view.rerun.id)[1].tasks] == ["out"]

    def test_a_failed_task_before_the_named_ones_is_warned_of(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.world.set_tasks(chain[1], "failed", only={"in"})
        member = MemberRequest(chain[1], (TaskRef("out"),))
        view = house.service.submit(ADA, RerunRequest(PlanRequest(chain[0]), members=(member,)))
        assert [(w.code, w.task_id) for w in view.rerun.warnings if w.code == "failed_upstream"] == [
            ("failed_upstream", "in")
        ]

    def test_a_shown_manual_run_can_be_taken_on_purpose(self, house: House, chain: tuple[RunRef, ...]) -> None:
        manual = house.world.run("m", run_type="manual")
        house.world.consumed(chain[0], "t", by=manual, asset="m")
        plan = PlanRequest(chain[0], options=PlanOptions(include_manual=True))
        view = house.service.submit(ADA, RerunRequest(plan, members=(MemberRequest(manual),)))
        assert [str(t) for t in house.store.members(view.rerun.id)[1].tasks] == ["t"]

    def test_unknown_targets_are_refused(self, house: House, chain: tuple[RunRef, ...]) -> None:
        with pytest.raises(UnknownTarget):
            house.service.submit(ADA, request(chain[0], notifications=(Notification("nobody", ("succeeded",)),)))
        view = house.service.submit(ADA, request(chain[0], notifications=(Notification("data-team", ("succeeded",)),)))
        assert view.rerun.notifications == (Notification("data-team", ("succeeded",)),)

    def test_nothing_to_rerun_is_refused(self, house: House, chain: tuple[RunRef, ...]) -> None:
        with pytest.raises(EmptySelection):
            house.service.submit(ADA, request(chain[0], [], rerun_source=False))
        with pytest.raises(EmptySelection):
            house.service.submit(ADA, request(chain[2], rerun_source=False))
        member = MemberRequest(chain[1], ())
        with pytest.raises(EmptySelection):
            house.service.submit(ADA, RerunRequest(PlanRequest(chain[0]), members=(member,)))

    def test_a_run_named_twice_is_refused(self, house: House, chain: tuple[RunRef, ...]) -> None:
        for members in ([chain[1], chain[1]], [chain[0]]):
            with pytest.raises(Invalid, match="more than once"):
                house.service.submit(ADA, request(chain[0], members))

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"state": "running"}, "run_is_running"),
            ({"online": False}, "manual_run"),
            ({"run_after": START + timedelta(days=400)}, "after_now"),
        ],
    )
    def test_a_source_must_be_eligible(self, house: House, chain: tuple[RunRef, ...], change: dict, why: str) -> None:
        house.world.set_run(chain[0], **change)
        with pytest.raises(SourceNotEligible) as refusal:
            house.service.submit(ADA, request(chain[0]))
        assert refusal.value.extra["why"] == why

    def test_the_window_is_the_deployments(self) -> None:
        house = House(settings=Settings(source_ready_since="P2D"))
        old = house.world.run("a", day=37)
        with pytest.raises(SourceNotEligible) as refusal:
            house.service.submit(ADA, request(old))
        began = house.clock.now() - timedelta(days=2)
        assert refusal.value.extra["source_ready_since"] == began
        since = began.isoformat(sep=" ", timespec="minutes")
        assert f"at {since} (see [rerun_downstream] source_ready_since)" in refusal.value.detail
        assert house.service.submit(ADA, request(house.world.run("a", day=39))).rerun.id

    def test_unselectable_runs_are_refused_with_the_reason(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.world.set_run(chain[1], state="running")
        with pytest.raises(NotSelectable) as refusal:
            house.service.submit(ADA, request(chain[0], [chain[1]]))
        assert refusal.value.extra["runs"] == [{"dag_id": "b", "run_id": chain[1].run_id, "reason": "run_is_running"}]

    def test_runs_that_are_not_downstream_are_refused(self, house: House, chain: tuple[RunRef, ...]) -> None:
        with pytest.raises(NotSelectable, match="not downstream"):
            house.service.submit(ADA, request(chain[0], [house.world.run("c", day=5)]))
        for unknown in (RunRef("c", "nope"), RunRef("nope", "nope"), house.world.run("elsewhere")):
            with pytest.raises(NotFound):
                house.service.submit(ADA, request(chain[0], [unknown]))

    def test_every_dag_must_be_allowed_and_is_named(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.permissions.forbidden.add("c")
        before = house.store.snapshot()
        with pytest.raises(Forbidden) as refusal:
            house.service.submit(ADA, request(chain[0]))
        assert refusal.value.extra == {"dag_ids": ["c"]}
        warnings = house.service.plan(ADA, PlanRequest(chain[0])).warnings
        assert [(one.code, one.detail, one.dag_id) for one in warnings] == [
            ("forbidden_dag", "You may not rerun c.", "c")
        ]
        assert house.store.snapshot() == before
        assert house.service.submit(ADA, request(chain[0], [chain[1]])).rerun.id

    def test_a_hidden_dag_is_never_named(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.permissions.unreadable.add("c")
        with pytest.raises(NotFound) as refusal:
            house.service.submit(ADA, request(chain[0], [chain[2]]))
        known = str(refusal.value)
        house.world.delete(chain[2])
        with pytest.raises(NotFound) as refusal:
            house.service.submit(ADA, request(chain[0], [chain[2]]))
        assert str(refusal.value) == known

    def test_a_run_is_in_one_active_rerun(self, house: House, chain: tuple[RunRef, ...]) -> None:
        first = house.service.submit(ADA, request(chain[0])).rerun.id
        for again in (request(chain[0]), request(chain[1])):
            with pytest.raises(RunInActiveRerun) as refusal:
                house.service.submit(ADA, again)
            assert refusal.value.extra["rerun_id"] == first
        assert not house.service.plan(ADA, PlanRequest(chain[0])).source.can_be_source

    def test_the_holder_is_named_only_to_who_may_read_it(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.service.submit(ADA, request(chain[0]))
        house.permissions.unreadable.add("a")
        with pytest.raises(RunInActiveRerun) as refusal:
            house.service.submit(ADA, request(chain[1]))
        assert "rerun_id" not in refusal.value.extra

    def test_a_race_is_lost_to_the_constraint(self, house: House, chain: tuple[RunRef, ...], mocker) -> None:  # type: ignore[no-untyped-def]
        first = house.service.submit(ADA, request(chain[0])).rerun.id
        real = house.store.active_runs
        answers = iter([{}])
        mocker.patch.object(house.store, "active_runs", side_effect=lambda refs: next(answers, None) or real(refs))
        with pytest.raises(RunInActiveRerun) as refusal:
            house.service.submit(ADA, request(chain[0]))
        assert refusal.value.extra["rerun_id"] == first

    def test_repeated_asset_events_need_the_asset_manager(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.health.asset_manager = False
        with pytest.raises(AssetManagerInactive):
            house.service.submit(ADA, request(chain[0]))
        assert "asset_manager_inactive" in [w.code for w in house.service.plan(ADA, PlanRequest(chain[0])).warnings]

    def test_a_run_that_is_not_selected_repeats_no_asset_event(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.health.asset_manager = False
        for ref in chain[1:]:
            house.world.set_run(ref, state="running")
        plan = house.service.plan(ADA, PlanRequest(chain[0], rerun_source=False))
        assert "asset_manager_inactive" not in [w.code for w in plan.warnings]
        knowingly = request(chain[0], settings=RerunSettings(accept_duplicate_runs=True))
        assert house.service.submit(ADA, knowingly).rerun.id

    def test_sensors_of_which_no_offset_is_known_are_accepted_knowingly(self, house: House) -> None:
        """The Dag processor runs without the package: runs may be missing, and whoever submits says yes to that."""
        source = house.world.run("up")
        for day in range(2):
            house.world.run("down", day=day)
        house.world.sensors.append(SensorDefinition("down", "t", "up"))
        with pytest.raises(OffsetUnknown) as refusal:
            house.service.submit(ADA, request(source))
        assert refusal.value.extra["sensors"] == [{"dag_id": "down", "task_id": "t"}]
        assert "down.t" in refusal.value.detail
        assert "offset_unknown" in [w.code for w in house.service.plan(ADA, PlanRequest(source)).warnings]
        knowingly = request(source, settings=RerunSettings(accept_unknown_offsets=True))
        stored = house.service.submit(ADA, knowingly).rerun
        assert "unresolved_link" in [warning.code for warning in stored.warnings]

    @pytest.mark.parametrize(
        ("count", "named"),
        [
            (2, "d0.t, d1.t"),
            (5, "d0.t, d1.t, d2.t, d3.t, d4.t"),
            (7, "d0.t, d1.t, d2.t, d3.t, d4.t and 2 more"),
        ],
    )
    def test_of_many_such_sensors_a_few_are_named_in_the_sentence(self, house: House, count: int, named: str) -> None:
        source = house.world.run("up")
        dag_ids = [f"d{number}" for number in range(count)]
        for dag_id in dag_ids:
            house.world.run(dag_id)
            house.world.sensors.append(SensorDefinition(dag_id, "t", "up"))
        with pytest.raises(OffsetUnknown) as refusal:
            house.service.submit(ADA, request(source))
        assert refusal.value.detail == (
            f"The offset of these sensors isn't known, so runs that read wrong data may be missing: {named}. They were "
            "parsed without this package: restart the Dag processor with it and run `airflow dags reserialize`, or "
            "accept_unknown_offsets."
        )
        assert refusal.value.extra["sensors"] == [{"dag_id": dag_id, "task_id": "t"} for dag_id in dag_ids]

    @pytest.mark.parametrize("known", [{"offset_known": True}, {"mapped": True}, {"own_class": "Own"}])
    def test_other_sensors_need_no_such_yes(self, house: House, known: dict[str, Any]) -> None:
        source = house.world.run("up")
        house.world.run("down")
        house.world.sensors.append(SensorDefinition("down", "t", "up", **known))
        assert house.service.submit(ADA, request(source)).rerun.id

    def test_a_rerun_that_repeats_no_asset_event_needs_nothing(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.health.asset_manager = False
        assert house.service.submit(ADA, request(chain[2])).rerun.id


class TestToken:
    def submit(self, house: House, source: RunRef, token: str, members: list[RunRef] | None = None) -> None:
        house.service.submit(ADA, request(source, members, plan_token=token))

    @pytest.fixture
    def token(self, house: House, chain: tuple[RunRef, ...]) -> str:
        return house.service.plan(ADA, PlanRequest(chain[0])).token

    def test_an_unchanged_plan_is_taken(self, house: House, chain: tuple[RunRef, ...], token: str) -> None:
        self.submit(house, chain[0], token)

    def test_a_changed_run_is_named(self, house: House, chain: tuple[RunRef, ...], token: str) -> None:
        house.world.set_run(chain[1], clear_number=1)
        with pytest.raises(StalePlan) as refusal:
            self.submit(house, chain[0], token)
        assert refusal.value.extra["changes"] == [{"dag_id": "b", "run_id": chain[1].run_id, "change": "changed"}]

    def test_a_new_run_is_named(self, house: House, chain: tuple[RunRef, ...], token: str) -> None:
        new = house.world.run("new")
        house.world.consumed(chain[0], "t", by=new, asset="new")
        with pytest.raises(StalePlan) as refusal:
            self.submit(house, chain[0], token)
        assert refusal.value.extra["changes"] == [{"dag_id": "new", "run_id": new.run_id, "change": "added"}]

    def test_other_runs_do_not_matter(self, house: House, chain: tuple[RunRef, ...], token: str) -> None:
        house.world.set_run(chain[2], clear_number=1)
        self.submit(house, chain[0], token, [chain[1]])

    @pytest.mark.parametrize("token", ["", "x", "!!!", "AAAA", "é"])
    def test_nonsense_is_refused(self, house: House, chain: tuple[RunRef, ...], token: str) -> None:
        with pytest.raises(Invalid):
            self.submit(house, chain[0], token)


class TestControl:
    @pytest.fixture
    def rerun(self, house: House, chain: tuple[RunRef, ...]) -> int:
        return house.service.submit(ADA, request(chain[0])).rerun.id

    @pytest.mark.parametrize("action", ["retry", "skip"])
    def test_a_repair_does_not_resume_what_is_paused(
        self, house: House, chain: tuple[RunRef, ...], rerun: int, action: str
    ) -> None:
        house.tick()
        house.service.pause(ADA, rerun)
        house.world.finish(chain[0], "failed", at=house.clock.now())
        house.tick()
        (failed,) = [one.id for one in house.store.members(rerun) if one.state is MemberState.FAILED]
        getattr(house.service, action)(ADA, rerun, failed)
        assert house.service.rerun(ADA, rerun).rerun.state is RerunState.PAUSED

    def test_only_a_frozen_member_is_released(self, house: House, rerun: int) -> None:
        (first, *_) = house.store.members(rerun)
        with pytest.raises(ActionNotAllowed, match=f"^Rerun {rerun} can't release: the member is pending.$"):
            house.service.release_member(ADA, rerun, first.id)

    @pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("terminate", "terminating")])
    def test_a_repeat_changes_nothing(self, house: House, rerun: int, action: str, state: str) -> None:
        assert getattr(house.service, action)(ADA, rerun).rerun.state.value == state
        before = house.store.snapshot()
        assert getattr(house.service, action)(ADA, rerun).rerun.state.value == state
        assert house.store.snapshot() == before

    def test_pause_and_resume_are_recorded(self, house: House, chain: tuple[RunRef, ...], rerun: int) -> None:
        house.service.pause(ADA, rerun)
        house.service.resume(ADA, rerun)
        house.service.resume(ADA, rerun)
        assert [(e.actor, e.action) for e in house.store.events(rerun)][1:] == [("ada", "pause"), ("ada", "resume")]
        assert [event for _, event, _, _ in house.world.log] == ["submit", "pause", "resume"]

    @pytest.mark.parametrize(
        ("state", "action"),
        [
            (RerunState.FAILED, "pause"),
            (RerunState.SUCCEEDED, "pause"),
            (RerunState.SUCCEEDED, "resume"),
            (RerunState.SUCCEEDED, "terminate"),
            (RerunState.TERMINATING, "pause"),
            (RerunState.TERMINATING, "resume"),
            (RerunState.TERMINATED, "resume"),
            (RerunState.RUNNING, "release"),
        ],
    )
    def test_other_states_refuse(self, house: House, rerun: int, state: RerunState, action: str) -> None:
        if state is RerunState.TERMINATED:
            house.store.move_rerun(rerun, after=RerunState.TERMINATING, reason=None, now=START)
        if state is not RerunState.RUNNING:
            assert house.store.move_rerun(rerun, after=state, reason=None, now=START)
        before = house.store.snapshot()
        with pytest.raises(ActionNotAllowed) as refusal:
            getattr(house.service, action)(ADA, rerun)
        assert refusal.value.extra["state"] == state.value
        assert house.store.snapshot() == before

    @pytest.mark.parametrize("action", ["retry", "skip"])
    def test_what_has_moved_since_it_was_looked_at_is_not_repaired(
        self, house: House, rerun: int, action: str, mocker: MockerFixture
    ) -> None:
        member = house.store.members(rerun)[0]
        house.store.move_member(member.id, after=MemberState.FAILED, reason=None, now=START)
        mocker.patch.object(house.store, "hold_rerun", return_value=False)
        with pytest.raises(ActionNotAllowed, match="something changed in the meantime; reload and try again"):
            getattr(house.service, action)(ADA, rerun, member.id)
        assert house.store.members(rerun)[0].state is MemberState.FAILED

    @pytest.mark.parametrize("action", ["retry", "skip"])
    def test_only_failed_members_are_repaired(self, house: House, rerun: int, action: str) -> None:
        member = house.store.members(rerun)[0]
        with pytest.raises(ActionNotAllowed):
            getattr(house.service, action)(ADA, rerun, member.id)
        house.store.move_member(member.id, after=MemberState.FAILED, reason=None, now=START)
        view = getattr(house.service, action)(ADA, rerun, member.id)
        assert view.member.state.value == {"retry": "pending", "skip": "skipped"}[action]

    @pytest.mark.parametrize("action", ["pause", "resume", "terminate", "release"])
    def test_control_needs_every_dag(self, house: House, rerun: int, action: str) -> None:
        house.permissions.forbidden.add("c")
        house.permissions.unreadable.add("b")
        with pytest.raises(Forbidden) as refusal:
            getattr(house.service, action)(ADA, rerun)
        assert refusal.value.extra == {"dag_ids": ["c"]}
        assert "1 Dag that you may not read" in refusal.value.detail

    @pytest.mark.parametrize("action", ["rerun", "pause", "resume", "terminate", "release"])
    def test_an_unreadable_rerun_is_unknown(self, house: House, rerun: int, action: str) -> None:
        house.permissions.unreadable.add("a")
        for rerun_id in (rerun, 99):
            with pytest.raises(NotFound):
                getattr(house.service, action)(ADA, rerun_id)

    def test_unknown_members_are_unknown(self, house: House, rerun: int) -> None:
        for action in (house.service.retry, house.service.skip):
            with pytest.raises(NotFound):
                action(ADA, rerun, 99)


class TestReading:
    @pytest.fixture
    def rerun(self, house: House, chain: tuple[RunRef, ...]) -> int:
        return house.service.submit(ADA, request(chain[0])).rerun.id

    def test_hidden_members_are_counted(self, house: House, rerun: int) -> None:
        house.permissions.unreadable.add("b")
        assert house.service.rerun(ADA, rerun).hidden_members == 1
        members, total = house.service.members(ADA, rerun, limit=10, offset=0)
        assert ([m.member.ref.dag_id for m in members], total) == (["a", "c"], 2)
        assert members[1].waiting_on == ()
        assert house.service.links(ADA, rerun, limit=10, offset=0) == ([], 0)

    def test_members_say_what_they_wait_for_and_what_is_live(
        self, house: House, chain: tuple[RunRef, ...], rerun: int
    ) -> None:
        members, _ = house.service.members(ADA, rerun, limit=1, offset=1)
        assert members[0].waiting_on == (chain[0],)
        assert members[0].live.state == "success"
        house.world.delete(chain[1])
        assert house.service.members(ADA, rerun, limit=1, offset=1)[0][0].live.state is None

    def test_pages_are_cut(self, house: House, rerun: int) -> None:
        assert [len(house.service.members(ADA, rerun, limit=2, offset=o)[0]) for o in (0, 2, 4)] == [2, 1, 0]
        assert house.service.links(ADA, rerun, limit=1, offset=1)[1] == 2
        assert house.service.events(ADA, rerun, limit=1, offset=0)[0][0].action == "submit"

    def test_reruns_are_listed(self, house: House, rerun: int) -> None:
        views, total = house.service.reruns(ADA, RerunFilter(dag_id="c"))
        assert ([view.rerun.id for view in views], total) == ([rerun], 1)

    def test_possible_sources_are_listed(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.world.run("m", run_type="manual")
        found = house.service.dag_runs(ADA, RunFilter(), can_be_source=False)
        assert ([(run.ref.dag_id, run.source_reason) for run in found.runs], found.total) == ([("m", "manual_run")], 1)
        house.service.submit(ADA, request(chain[0], []))
        assert house.service.dag_runs(ADA, RunFilter(), can_be_source=True).total == 2
        house.permissions.unreadable.add("m")
        assert house.service.dag_runs(ADA, RunFilter(dag_ids=frozenset({"m"}))).total == 0

    def test_the_window_of_a_source_is_told(self, house: House) -> None:
        assert house.service.dag_runs(ADA, RunFilter()).source_ready_since is None
        seoul = Settings(source_ready_since="yesterday", timezone=timezone(timedelta(hours=9)))
        since = House(settings=seoul).service.dag_runs(ADA, RunFilter()).source_ready_since
        assert since is not None
        assert (since.isoformat(), START.isoformat()) == ("2026-12-09T15:00:00+00:00", "2026-11-01T00:00:00+00:00")

    def test_a_run_before_the_window_is_no_possible_source(self) -> None:
        house = House(settings=Settings(source_ready_since="yesterday"))
        late, today = house.world.run("a"), house.world.run("a", day=40)
        for possible, expected in ((True, [today]), (False, [late])):
            found = house.service.dag_runs(ADA, RunFilter(), can_be_source=possible)
            assert ([run.ref for run in found.runs], found.total) == (expected, 1)
        assert [run.ref for run in house.service.dag_runs(ADA, RunFilter()).runs] == [today, late]

    @pytest.mark.parametrize(
        ("run", "expected"),
        [
            ({}, ("success", True, None, True, None)),
            ({"state": "failed"}, ("failed", True, None, True, None)),
            ({"state": "running"}, ("running", False, "run_is_running", False, "run_is_running")),
            ({"run_type": "manual"}, ("success", True, None, False, "manual_run")),
        ],
    )
    def test_each_run_in_a_list_says_what_it_can_be(
        self, house: House, run: dict[str, Any], expected: tuple[object, ...]
    ) -> None:
        house.world.run("a", **run)
        (found,) = house.service.dag_runs(ADA, RunFilter()).runs
        said = (found.status, found.selectable, found.reason, found.can_be_source, found.source_reason)
        assert (said, found.selected, found.tasks) == (expected, False, ())

    def test_a_run_in_an_active_rerun_can_be_neither(self, house: House, chain: tuple[RunRef, ...]) -> None:
        house.service.submit(ADA, request(chain[0], []))
        found = {run.ref: run for run in house.service.dag_runs(ADA, RunFilter()).runs}
        assert {ref: (run.reason, run.source_reason) for ref, run in found.items()} == {
            chain[0]: ("in_active_rerun", "in_active_rerun"),
            chain[1]: (None, None),
            chain[2]: (None, None),
        }

    def test_a_task_whose_run_is_known_is_not_preselected(self, house: House) -> None:
        house.world.dag("x", "a >> go")
        run = house.world.run("x")
        house.world.made(run, "go", house.world.run("child", run_type="operator_triggered"))
        found = house.service.task_instances(ADA, run)
        assert [(t.task_id, t.selected, t.reason) for t in found.task_instances] == [
            ("a", True, "whole_run"),
            ("go", False, "makes_a_new_run"),
        ]

    @pytest.mark.parametrize("ref", [RunRef("secret", "r"), RunRef("a", "gone")])
    def test_tasks_of_a_run_that_may_not_be_read_or_is_not_there(self, house: House, ref: RunRef) -> None:
        house.world.run("a")
        house.world.run("secret", run_id="r")
        house.permissions.unreadable.add("secret")
        with pytest.raises(NotFound, match=f"^There is no Dag run '{ref.run_id}' of Dag '{ref.dag_id}'.$"):
            house.service.task_instances(ADA, ref)

    def test_a_runs_tasks_are_preselected_with_reasons(self, house: House) -> None:
        house.world.dag("x", "a >> b")
        run = house.world.run("x", state="failed", task_states={"a": "success", "b": "failed"})
        found = house.service.task_instances(ADA, run)
        assert [(t.task_id, t.selected, t.reason) for t in found.task_instances] == [
            ("a", False, "succeeded"),
            ("b", True, "failed"),
        ]
        assert found.structure is house.world.structures["x"]
        del house.world.structures["x"]
        assert house.service.task_instances(ADA, run).structure is None

    def test_targets_are_listed_for_who_may_read_a_dag(self, house: House) -> None:
        house.world.dag("a")
        assert house.service.notification_targets(ADA) == [TargetView("data-team", "email", "the data team", True)]
        house.permissions.unreadable.add("a")
        assert house.service.notification_targets(ADA) == []

    def test_the_warnings_of_others_are_read_with_ones_own_eyes(self, house: House, chain: tuple[RunRef, ...]) -> None:
        rerun = house.service.submit(ADA, request(chain[0], [])).rerun.id
        house.permissions.unreadable.add("c")
        for view in (house.service.rerun(ADA, rerun), house.service.reruns(ADA, RerunFilter())[0][0]):
            assert [(w.code, w.dag_id) for w in view.warnings] == [("stays_polluted", "b"), ("hidden_warnings", None)]
            assert view.warnings[1].detail.startswith("1 more")

    def test_plan_review_and_record_tell_the_same_to_the_same_eyes(
        self, house: House, chain: tuple[RunRef, ...], mocker: MockerFixture
    ) -> None:
        found = PlanWarning("order_lost", "in of b goes before t of secret.", "b", dag_ids=frozenset({"secret"}))
        mocker.patch("airflow_rerun_downstream.service.submit.submit_warnings", return_value=(found,))
        mocker.patch("airflow_rerun_downstream.lineage.planner.plan_warnings", return_value=(found,))
        told = [
            house.service.plan(ADA, PlanRequest(chain[0])).warnings,
            house.service.review(ADA, request(chain[0])).warnings,
            house.service.submit(ADA, request(chain[0])).warnings,
        ]
        assert [[warning.code for warning in each] for each in told] == [["hidden_warnings"]] * 3
        house.world.dag("secret")
        assert house.service.reruns(ADA, RerunFilter())[0][0].warnings == (found,)

    def test_a_link_through_a_run_that_may_not_be_read_names_none(self, house: House) -> None:
        one, two, three = house.world.run("a"), house.world.run("b", run_type="manual"), house.world.run("c")
        house.world.consumed(one, "t", by=two, asset="1")
        house.world.consumed(two, "t", by=three, asset="2")
        rerun = house.service.submit(ADA, request(one)).rerun.id
        through = {"through": [{"dag_id": "b", "run_id": two.run_id}]}
        for hidden, via in ((set[str](), through), ({"b"}, {"hidden": True})):
            house.permissions.unreadable |= hidden
            assert [link.via for link in house.service.plan(ADA, PlanRequest(one)).links] == [via]
            assert [link.via for link in house.service.links(ADA, rerun, limit=9, offset=0)[0]] == [via]

    def test_a_limit_of_ones_own_counts_what_one_may_read(self, house: House, chain: tuple[RunRef, ...]) -> None:
        wanted = PlanRequest(chain[0], options=PlanOptions(max_runs=1))
        with pytest.raises(PlanTooLarge) as refusal:
            house.service.plan(ADA, wanted)
        assert refusal.value.extra == {"found": 2, "limit": 1}
        house.permissions.unreadable |= {"b", "c"}
        assert house.service.plan(ADA, wanted).runs == ()

    def test_actions_are_those_that_the_user_may_take(self, house: House, rerun: int) -> None:
        failed = house.store.members(rerun)[0]
        moved = {"reason": None, "now": START}
        house.store.move_member(failed.id, before=[MemberState.PENDING], after=MemberState.FAILED, **moved)
        house.store.move_rerun(rerun, before=[RerunState.RUNNING], after=RerunState.FAILED, **moved)

        def allowed() -> tuple[tuple[str, ...], tuple[str, ...]]:
            members, _ = house.service.members(ADA, rerun, limit=9, offset=0)
            (listed,) = house.service.reruns(ADA, RerunFilter())[0]
            assert listed.allowed_actions == house.service.rerun(ADA, rerun).allowed_actions
            return listed.allowed_actions, members[0].allowed_actions

        assert allowed() == (("resume", "terminate"), ("retry", "skip"))
        house.permissions.forbidden.add("c")
        assert allowed() == ((), ()), "one Dag without permission is enough, as for a submit"
        house.permissions.unreadable.add("c")
        assert allowed() == ((), ())

    @pytest.mark.parametrize("state", RerunState)
    def test_a_rerun_is_final_whoever_looks(self, house: House, rerun: int, state: RerunState) -> None:
        found = replace(house.store.rows.reruns[rerun], state=state)
        assert found.final == (state in (RerunState.SUCCEEDED, RerunState.TERMINATED))
        assert not replace(found, counts={MemberState.FROZEN: 1}).final


class TestHealth:
    BROKEN: ClassVar = {
        "conductor": ComponentHealth("unhealthy", "vm:1 leads."),
        "policy": ComponentHealth("degraded", "2 sensors.", tasks=(("a", "wait"), ("b", "wait"))),
        "database": ComponentHealth("healthy", "On vm."),
    }

    def said(self, house: House) -> dict[str, tuple[str, str]]:
        house.health.found = self.BROKEN
        house.world.dag("a")
        house.world.dag("b")
        house.permissions.unreadable.add("b")
        return {name: (each.status, each.detail) for name, each in house.service.health(ADA).items()}

    def test_tasks_are_named_to_who_may_read_them(self, house: House) -> None:
        assert self.said(house) == {
            "conductor": ("unhealthy", "vm:1 leads."),
            "policy": ("degraded", "2 sensors. For example: a.wait"),
            "database": ("healthy", "On vm."),
        }

    @pytest.mark.parametrize(("count", "more"), [(4, ""), (5, ""), (6, ", …")])
    def test_no_more_than_five_tasks_are_named(self, house: House, count: int, more: str) -> None:
        tasks = tuple(("a", f"t{number}") for number in range(count))
        house.world.dag("a")
        house.health.found = {"policy": ComponentHealth("degraded", "Some.", tasks=tasks)}
        named = ", ".join(f"a.t{number}" for number in range(min(count, 5)))
        assert house.service.health(ADA)["policy"].detail == f"Some. For example: {named}{more}"

    def test_others_are_told_since_when_nobody_conducts(self, house: House) -> None:
        house.sees_installation = False
        house.health.found = {"conductor": ComponentHealth("unhealthy", "vm:1 leads.", since=START)}
        assert [each.since for each in house.service.health(ADA, ["conductor"]).values()] == [START]

    def test_others_are_told_the_status_alone(self, house: House) -> None:
        house.sees_installation = False
        said = self.said(house)
        assert {name: status for name, (status, _) in said.items()} == {
            "conductor": "unhealthy",
            "policy": "degraded",
            "database": "healthy",
        }
        assert {detail for _, detail in said.values()} == {ASK, ""}

    def test_it_answers_while_nobody_can_be_asked(self, house: House, mocker: MockerFixture) -> None:
        mocker.patch.object(house.health, "read")
        mocker.patch.object(house.service, "unit_of_work", side_effect=SchemaMismatch("Run it."))
        assert self.said(house)["policy"] == ("degraded", "2 sensors.")


class TestEdges:
    @pytest.fixture(autouse=True)
    def edges(self, house: House) -> None:
        """a → b → c, and b waits for a Dag that isn't there."""
        house.world.dag("a", "go")
        house.world.dag("b", "go; wait")
        house.world.dag("c")
        house.world.trigger_task("a", "go", "b")
        house.world.trigger_task("b", "go", "c")
        house.world.sensors.append(SensorDefinition("b", "wait", "typo"))

    def test_both_directions(self, house: House) -> None:
        found = house.service.edges(ADA, "b")
        assert [(edge.upstream_dag_id, edge.downstream_dag_id) for edge in found.edges] == [
            ("a", "b"),
            ("typo", "b"),
            ("b", "c"),
        ]
        assert (found.dag_id, found.hidden_dags, found.warnings) == ("b", 0, ())

    def test_dags_that_may_not_be_read_are_counted(self, house: House) -> None:
        house.permissions.unreadable |= {"a"}
        found = house.service.edges(ADA, "b")
        assert [edge.upstream_dag_id for edge in found.edges] == ["typo", "b"]
        assert found.hidden_dags == 1

    def test_what_its_own_tasks_name_is_no_secret_and_tells_none(self, house: House) -> None:
        house.permissions.unreadable.add("c")
        hidden = house.service.edges(ADA, "b")
        del house.world.structures["c"]
        house.permissions.unreadable.clear()
        assert house.service.edges(ADA, "b") == hidden
        assert [(edge.downstream_dag_id, edge.evidence.value) for edge in hidden.edges[2:]] == [("c", "unresolved")]
        assert hidden.hidden_dags == 0

    @pytest.mark.parametrize("dag_id", ["gone", "typo", "secret"])
    def test_an_unknown_dag_is_refused_like_an_unreadable_one(self, house: House, dag_id: str) -> None:
        house.world.dag("secret")
        house.permissions.unreadable.add("secret")
        with pytest.raises(NotFound, match=f"^There is no Dag '{dag_id}'.$"):
            house.service.edges(ADA, dag_id)

    def test_what_was_declared_counts_and_what_is_wrong_with_it_is_said(self, house: House) -> None:
        text = "links:\n  - {upstream: {dag_id: c}, downstream: {dag_id: a}}\n  - {upstream: {dag_id: c}}\n"
        house.service.declarations = parse(text, "links.yaml")
        found = house.service.edges(ADA, "c")
        assert [edge.kind.value for edge in found.edges] == ["trigger", "declared"]
        assert [warning.code for warning in found.warnings] == ["declared_links_invalid"]

    def test_a_declared_dag_that_is_not_there_stays_secret(self, house: House) -> None:
        house.service.declarations = parse(
            "links:\n  - {upstream: {dag_id: c}, downstream: {dag_id: hush}}\n", "links.yaml"
        )
        house.permissions.unreadable.add("hush")
        found = house.service.edges(ADA, "c")
        assert [edge.kind.value for edge in found.edges] == ["trigger"]
        assert found.hidden_dags == 1


class TestLostHolds:
    """Held runs that no record names, as after a restored database."""

    @pytest.fixture
    def lost(self, house: House) -> list[RunRef]:
        return [
            house.world.run(dag_id, day=50, state="queued", run_after=FAR) for dag_id in ("hidden", "known", "locked")
        ]

    def test_those_that_the_user_may_rerun_are_let_go(self, house: House, lost: list[RunRef]) -> None:
        house.permissions.unreadable.add("hidden")
        house.permissions.forbidden.add("locked")
        assert house.service.release_lost(ADA) == [(lost[1], START + timedelta(days=50))]
        assert [house.world.runs[ref].run_after for ref in lost] == [FAR, START + timedelta(days=50), FAR]
        assert house.service.release_lost(ADA) == []

    def test_one_that_somebody_else_lets_go_meanwhile_is_not_told(
        self, house: House, lost: list[RunRef], mocker: MockerFixture
    ) -> None:
        rescue = mocker.patch.object(house.unit_of_work.freezer, "rescue", side_effect=[None, START, None])
        assert house.service.release_lost(ADA) == [(lost[1], START)]
        assert [call.args[0] for call in rescue.call_args_list] == lost
        assert {call.kwargs["actor"] for call in rescue.call_args_list} == {"ada"}

    def test_where_there_are_none_nobody_is_asked_for_leave(self, house: House, mocker: MockerFixture) -> None:
        asked = mocker.spy(house.permissions, "may_rerun")
        assert house.service.release_lost(ADA) == []
        assert asked.call_count == 0
