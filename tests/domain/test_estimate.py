"""What is said of the end of a rerun, and of what delays it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.durations import Past
from airflow_rerun_downstream.domain.estimate import Decisive, Delay, Estimate, Outlook, WaitedFor
from airflow_rerun_downstream.domain.estimate_jobs import Standing, kinds_left
from airflow_rerun_downstream.domain.estimating import estimate
from airflow_rerun_downstream.domain.member import Child, Member, StageGate
from airflow_rerun_downstream.domain.refs import TaskRef
from airflow_rerun_downstream.domain.room import DagRoom
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.domain.reckoned import NOW, a_member, a_rerun, ago

MINUTE = Past((60.0, 60.0, 60.0))
RUNNING, DONE, FAILED = MemberState.RUNNING, MemberState.SUCCEEDED, MemberState.FAILED


def of(
    *members: Member,
    state: RerunState = RerunState.RUNNING,
    past: Past | dict[str, Past] | None = MINUTE,
    rooms: dict[str, DagRoom] | None = None,
    places: int = 9,
    children: tuple[Child, ...] = (),
    **more: object,
) -> Estimate:
    """The estimate of a rerun of members; ``past``: of all Dags, or by Dag."""
    active = ActiveRerun(a_rerun(state, **more), members, children)
    every = {kind: past.get(kind[0]) if isinstance(past, dict) else past for kind in kinds_left(active)}
    known = {kind: one for kind, one in every.items() if one is not None}
    return estimate(Standing(active, known, rooms or {}, places), NOW)


def behind(number: int, *others: int, **more: object) -> Member:
    return a_member(number, waits_for=frozenset(others), **more)  # type: ignore[arg-type]


def running(number: int, seconds: float, **more: object) -> Member:
    """A member that was dispatched so many seconds ago."""
    return a_member(number, state=RUNNING, dispatched_at=ago(seconds), attempt=1, **more)  # type: ignore[arg-type]


def ended(number: int, lasted: float, **more: object) -> Member:
    """A member that ended a minute ago."""
    times = {"dispatched_at": ago(60 + lasted), "ended_at": ago(60)}
    return a_member(number, state=DONE, attempt=1, **times, **more)  # type: ignore[arg-type]


def until(found: Estimate) -> float | None:
    """In how many seconds it ends."""
    return None if found.ends_at is None else (found.ends_at - NOW).total_seconds()


class TestTheEnd:
    def test_a_chain_takes_as_long_as_its_members(self):
        found = of(running(1, 20), behind(2, 1), behind(3, 2), behind(4))
        assert (until(found), found.outlook) == (40 + 60 + 60, Outlook.EXPECTED)
        assert [step.member_id for step in found.path] == [1, 2, 3]
        assert found.decided_by is Decisive.PATH

    def test_with_one_place_they_go_one_by_one(self):
        found = of(behind(1), behind(2), behind(3), places=1)
        assert (until(found), found.decided_by) == (180, Decisive.PLACES)
        assert [step.cause for step in found.path] == [WaitedFor.NOTHING, WaitedFor.PLACE, WaitedFor.PLACE]

    def test_a_dag_that_runs_one_at_a_time(self):
        found = of(behind(1), behind(2), rooms={"d": DagRoom(limit=1)})
        assert (until(found), found.decided_by) == (120, Decisive.DAG_LIMIT)

    @pytest.mark.parametrize(
        ("places", "limit", "decided_by"),
        [(1, 1, Decisive.PLACES), (2, 1, Decisive.DAG_LIMIT), (1, 2, Decisive.PLACES), (3, 4, Decisive.PLACES)],
    )
    def test_of_two_limits_the_one_that_holds_the_end_up(self, places, limit, decided_by):
        """Or, where neither alone does, the one for which the last of them waits."""
        found = of(*(behind(number) for number in range(1, 5)), places=places, rooms={"d": DagRoom(limit=limit)})
        assert found.decided_by is decided_by

    def test_what_else_runs_there_takes_room(self):
        rooms = {"d": DagRoom(limit=3, running=2, queued=1)}
        assert until(of(running(1, 0), behind(2), behind(3), rooms=rooms)) == 180

    def test_a_member_that_is_being_stopped_takes_its_room_once(self):
        stopping = a_member(1, state=MemberState.STOPPING, dispatched_at=ago(5), attempt=1)
        rooms = {"d": DagRoom(limit=2, running=1)}
        assert until(of(stopping, *(behind(number) for number in (2, 3, 4, 5)), rooms=rooms)) == 180

    def test_all_stages_of_a_member_count(self):
        stages = (TaskRef("t"),), (TaskRef("u"),)
        staged = a_member(2, tasks=stages[0] + stages[1], stages=stages, stage_gates=(StageGate(1, 3, None),))
        found = of(behind(1), staged, a_member(3, waits_for=frozenset({1})))
        assert until(found) == 180
        assert [(step.member_id, step.stage) for step in found.path] == [(1, 0), (3, 0), (2, 1)]

    def test_times_that_differ_make_a_late_end(self):
        found = of(behind(1), behind(2, 1), past=Past((50.0, 60.0, 70.0)))
        assert found.ends_late is not None
        assert found.ends_at is not None
        assert 110 < until(found) < 130
        assert found.ends_at < found.ends_late < NOW + timedelta(seconds=170)

    def test_the_later_of_two_is_later_than_each_of_them(self):
        past = Past((20.0, 60.0, 100.0))
        one, both = of(behind(1), past=past), of(*(behind(number) for number in range(1, 9)), past=past)
        assert until(both) > until(one) + 10

    def test_what_is_told_does_not_change_by_itself(self):
        past = Past((20.0, 60.0, 100.0))
        assert of(behind(1), past=past) == of(behind(1), past=past)

    def test_of_two_times_no_late_end_is_told(self):
        assert of(behind(1), past=Past((50.0, 60.0))).ends_late is None

    def test_who_might_end_after_all_others_must_be_known_well_enough_for_a_late_end(self):
        """Also who isn't on the critical path."""
        hour, three = Past(tuple(3600.0 + number for number in range(10))), Past((5.0, 6.0, 7.0))
        of_b = {"sometimes": Past((3590.0,)), "soon": Past((60.0,)), "well": Past((3580.0, 3590.0, 3600.0))}
        told = {
            name: of(a_member(1, "a"), a_member(2, "b"), past={"a": hour, "b": past}).ends_late is not None
            for name, past in of_b.items()
        }
        assert told == {"sometimes": False, "soon": True, "well": True}
        behind_it = of(a_member(1, "a"), a_member(2, "b"), behind(3, 2), past={"a": hour, "b": MINUTE, "d": three})
        assert behind_it.ends_late is not None
        a_while = Past((990.0, 1000.0, 1010.0))
        late = of(a_member(1, "a"), running(2, 3700, dag_id="b"), past={"a": a_while, "b": of_b["well"]})
        assert [step.member_id for step in late.path] == [1]
        assert (late.outlook, late.overdue, late.ends_late) == (Outlook.EXPECTED, 1, None)

    def test_what_members_took_besides_their_tasks_is_added(self):
        found = of(ended(1, 75, dag_id="e"), behind(2))
        assert until(found) == 60 + 15

    def test_nothing_is_taken_off_where_they_took_less(self):
        assert until(of(ended(1, 35, dag_id="e"), behind(2))) == 60

    def test_what_this_rerun_has_seen_three_times_counts_alone(self):
        found = of(*(ended(number, 600) for number in (1, 2, 3)), behind(4))
        assert until(found) == 600

    def test_what_is_known_from_this_rerun_alone_counts_too(self):
        assert until(of(ended(1, 600), behind(2), past=None)) == 600

    def test_a_run_that_a_task_makes_needs_no_place(self):
        child = behind(2, 1)
        found = of(behind(1), child, behind(3), behind(4), places=1, children=(Child(1, "t", -1, 2),))
        first = next(one for one in found.members if one.member_id == 2)
        assert first.starts_at == NOW + timedelta(minutes=1)

    def test_a_rerun_that_has_ended(self):
        found = of(ended(1, 5), state=RerunState.SUCCEEDED, ended_at=ago(3))
        assert (found.outlook, found.ends_at, found.path, found.delay) == (Outlook.ENDED, ago(3), (), None)

    def test_one_with_nothing_left_ends_now(self):
        found = of(ended(1, 5))
        assert (found.outlook, found.ends_at, found.delay) == (Outlook.EXPECTED, NOW, None)


class TestWhatIsNotKnown:
    def test_without_a_past_the_end_is_a_bound(self):
        found = of(a_member(1, "e"), a_member(2, "d", waits_for=frozenset({1})), past={"d": MINUTE})
        assert (found.outlook, until(found), found.unknown, found.ends_late) == (Outlook.AT_LEAST, 60, 1, None)
        assert {one.member_id: (one.doubt, one.at_least) for one in found.members} == {
            1: ("no_past_runs", True),
            2: (None, True),
        }

    def test_a_bound_is_a_moment_before_which_it_never_ended(self):
        """Not the one by which it ends as often as not."""
        past = {"d": Past((20.0, 60.0, 100.0))}
        known, bound = of(behind(1), past=past), of(behind(1), a_member(2, "e"), past=past)
        assert bound.outlook is Outlook.AT_LEAST
        assert until(bound) < 25 < until(known)

    def test_a_paused_dag_is_a_bound(self):
        found = of(a_member(1, "e"), behind(2), rooms={"e": DagRoom("dag_paused")})
        assert (found.outlook, found.held_up) == (Outlook.AT_LEAST, 1)
        assert found.delay == Delay(1, "dag_paused", True)

    def test_who_waits_behind_a_failed_member_does_not_end(self):
        found = of(a_member(1, state=FAILED, state_reason="tasks_failed"), behind(2, 1), behind(3))
        assert (found.outlook, until(found), found.failed) == (Outlook.AT_LEAST, 60, 1)
        assert {one.member_id: one.ends_at is None for one in found.members} == {1: True, 2: True, 3: False}
        assert found.delay == Delay(1, "tasks_failed", False)

    @pytest.mark.parametrize("state", [RerunState.PAUSED, RerunState.FAILED, RerunState.TERMINATING])
    def test_a_rerun_that_does_not_go_on_has_no_end(self, state):
        found = of(running(1, 20), behind(2, 1), state=state)
        assert (found.outlook, found.ends_at, found.path, found.decided_by) == (Outlook.OPEN, None, (), None)
        assert [one.ends_at for one in found.members] == [NOW + timedelta(seconds=40), None]

    def test_one_that_lasts_longer_than_ever_is_named(self):
        found = of(running(1, 100))
        assert (found.outlook, found.overdue, found.ends_late) == (Outlook.EXPECTED, 1, None)
        assert 0 < until(found) < 60

    def test_one_that_lasts_much_longer_makes_a_bound(self):
        found = of(running(1, 200), behind(2, 1))
        assert (found.outlook, until(found)) == (Outlook.AT_LEAST, 60)
        assert found.delay == Delay(1, "much_longer_than_before", True)

    def test_who_gets_a_place_after_one_that_is_not_known_may_be_later(self):
        found = of(a_member(1, "c"), behind(2), places=1, past={"d": MINUTE})
        assert [one.at_least for one in found.members] == [True, True]


class TestTheDelay:
    def test_the_first_on_the_critical_path(self):
        assert of(running(1, 20), behind(2, 1)).delay == Delay(1, None, True)
        assert of(behind(1), behind(2, 1)).delay == Delay(1, None, True)

    def test_with_the_reason_for_which_it_stands_still(self):
        waits = running(1, 20, state_reason="no_pool_slots:of the pool p")
        assert of(waits, behind(2, 1)).delay == Delay(1, "no_pool_slots:of the pool p", True)

    def test_a_run_that_its_dag_does_not_start_begins_anew(self):
        found = of(running(1, 50, state_reason="at_max_active_runs"), behind(2, 1))
        assert (until(found), found.delay) == (120, Delay(1, "at_max_active_runs", True))

    def test_of_those_that_stand_still_the_one_on_which_most_hangs(self):
        stuck = [running(number, 20, state_reason="waits_for_approval") for number in (1, 2)]
        found = of(*stuck, behind(3, 1), behind(4, 2), behind(5, 4), behind(6))
        assert found.delay == Delay(2, "waits_for_approval", True)

    def test_a_paused_rerun_is_delayed_by_who_has_failed(self):
        found = of(a_member(1, state=FAILED, state_reason="tasks_failed"), behind(2, 1), state=RerunState.PAUSED)
        assert found.delay == Delay(1, "tasks_failed", False)

    def test_or_by_nobody_in_it(self):
        assert of(running(1, 20), behind(2, 1), state=RerunState.PAUSED).delay is None
