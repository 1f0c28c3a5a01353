"""What is decided from what was seen of one member, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from airflow_rerun_downstream.conductor.closing import proven
from airflow_rerun_downstream.conductor.follow import closed, last_upstream_end, waits
from airflow_rerun_downstream.conductor.freezing import (
    HALTED,
    asked_for,
    follow_holds,
    release_all,
    stopping,
)
from airflow_rerun_downstream.conductor.judge import is_busy, started_after
from airflow_rerun_downstream.conductor.observed import Observations
from airflow_rerun_downstream.conductor.steps import (
    Explain,
    Halt,
    MoveMember,
    NameFrozenRun,
    NoteRunState,
    Release,
    Step,
)
from airflow_rerun_downstream.conductor.stillness import AGAIN, PATIENCE, Stillness, stands
from airflow_rerun_downstream.domain.facts import Observation, TaskInstanceFacts
from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState, Role
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from tests.conductor.members import active, member
from tests.fakes.world import START

TICK = timedelta(microseconds=1)
FROZEN, RUNNING, SUCCEEDED = MemberState.FROZEN, MemberState.RUNNING, MemberState.SUCCEEDED


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def seen(one: Member, run_state: str | None, *tasks: str | None, **more: object) -> Observation:
    """A run, and the states of its mapped task ``t``."""
    found = tuple(TaskInstanceFacts("t", index, state) for index, state in enumerate(tasks))
    return Observation(one.ref, run_state, task_instances=found, **more)  # type: ignore[arg-type]


class TestFrozen:
    HELD = Hold(1, 1, "d", "1", run_state="queued")

    def test_the_first_to_be_ready_go_first_and_those_of_which_it_is_not_known_last(self) -> None:
        members = [
            member(1, state=FROZEN),
            member(2, state=FROZEN, run_after=at(9)),
            member(5, state=FROZEN, run_after=at(3)),
            member(4, state=FROZEN, run_after=at(3)),
            member(3),
        ]
        found = active(*members)
        assert [one.id for one in found.frozen] == [4, 5, 2, 1]
        assert [(one.member.id, one.reason) for one in release_all(found, limit=2, reason="x")] == [(4, "x"), (5, "x")]

    def test_those_that_a_person_wants_go_first_where_nothing_is_known(self) -> None:
        members = [member(number, state=FROZEN, release_asked=number != 2) for number in (1, 2, 3, 4)]
        steps = asked_for(active(*members), limit=2)
        assert [(one.member.id, one.reason) for one in steps] == [(1, "released_by_user"), (3, "released_by_user")]

    @pytest.mark.parametrize(
        ("hold", "more", "expected"),
        [
            (None, {}, "hold_gone"),
            (HELD, {}, None),
            (replace(HELD, run_id=None, run_state=None), {}, None),
            (replace(HELD, run_state=None), {}, "run_gone"),
            (replace(HELD, run_state="success"), {}, "marked_by_hand"),
            (replace(HELD, run_state="failed"), {}, "marked_by_hand"),
            (replace(HELD, run_id=None, run_state=None, taken_by="r"), {}, "superseded"),
            (HELD, {"release_asked": True}, "released_by_user"),
        ],
    )
    def test_why_one_is_let_go(self, hold: Hold | None, more: dict[str, object], expected: str | None) -> None:
        one = member(1, state=FROZEN, **more)
        holds = {} if hold is None else {1: hold}
        steps = list(follow_holds(active(one), holds, 9, frozen_before=None))
        assert steps == ([] if expected is None else [Release(one, expected)])
        assert not list(follow_holds(active(one), None, 9, frozen_before=None))  # nobody has looked

    @pytest.mark.parametrize(("late", "let_go"), [(-TICK, False), (timedelta(), True), (TICK, True)])
    def test_one_has_waited_too_long_from_that_moment_on(self, late: timedelta, let_go: bool) -> None:
        one = member(1, state=FROZEN)
        rerun = active(one)
        steps = list(follow_holds(rerun, {1: self.HELD}, 9, frozen_before=rerun.rerun.created_at + late))
        assert steps == ([Release(one, "frozen_too_long")] if let_go else [])

    def test_no_more_are_let_go_than_may_be_and_those_that_were_made_are_caught_all_the_same(self) -> None:
        members = [member(number, state=FROZEN) for number in (1, 2, 3)]
        made = replace(member(4, state=FROZEN), ref=RunRef("d", ""))
        hold = Hold(4, 1, "d", "new", run_after=at(1), run_state="queued", logical_date=at(0))
        steps = list(follow_holds(active(*members, made), {4: hold}, 2, frozen_before=None))
        assert steps == [
            Release(members[0], "hold_gone"),
            Release(members[1], "hold_gone"),
            NameFrozenRun(made, "new", at(1), at(0)),
        ]


@pytest.mark.parametrize(
    ("run_state", "task", "why", "expected"),
    [
        (None, None, None, MoveMember(member(1, why=None), MemberState.FAILED, "run_gone")),
        ("queued", None, None, Halt(member(1))),
        ("running", "running", None, Halt(member(1))),
        ("failed", "running", None, Explain(member(1), HALTED)),
        ("failed", "running", HALTED, None),
        ("failed", "failed", HALTED, MoveMember(member(1, why=HALTED), MemberState.PENDING, None, "failed")),
        ("success", "success", None, MoveMember(member(1), MemberState.PENDING, None, "success")),
    ],
)
def test_what_is_done_with_a_run_that_is_to_be_stopped(
    run_state: str | None, task: str | None, why: str | None, expected: Step | None
) -> None:
    one = member(1, why=why)
    assert stopping(one, seen(one, run_state, task)) == expected
    assert stopping(one, None) is None


@pytest.mark.parametrize(
    ("run_state", "tasks", "busy"),
    [
        ("running", (), True),
        ("queued", (), True),
        ("success", ("success", None), False),
        ("failed", ("success", "running"), True),
        (None, (), False),
        (None, ("running",), True),
    ],
)
def test_a_run_can_be_cleared_when_it_and_all_its_processes_have_ended(
    run_state: str | None, tasks: tuple[str | None, ...], busy: bool
) -> None:
    one = member(1)
    assert is_busy(seen(one, run_state, *tasks)) == busy


class TestStartedAfter:
    @pytest.mark.parametrize(
        ("starts", "expected"),
        [((0,), True), ((-1,), False), ((1, -1), False), ((1, 0), True), ((None,), False), ((), True)],
    )
    def test_each_task_that_ran_has_started_at_or_after_it(
        self, starts: tuple[float | None, ...], expected: bool
    ) -> None:
        one = member(1)
        tasks = tuple(
            TaskInstanceFacts("t", index, "success", start_date=None if start is None else at(start))
            for index, start in enumerate(starts)
        )
        run = Observation(one.ref, "success", task_instances=tasks)
        assert started_after(one, run, at(0)) == expected
        assert started_after(one, run, None)

    def test_what_did_not_run_is_not_asked(self) -> None:
        one = member(1)
        early = {"start_date": at(-1)}
        tasks = (
            TaskInstanceFacts("t", 0, "skipped", **early),
            TaskInstanceFacts("other", -1, "success", **early),
            TaskInstanceFacts("t", 1, "success", **early),
        )
        run = Observation(one.ref, "success", task_instances=tasks)
        assert not started_after(one, run, at(0))
        assert started_after(one, run, at(0), besides=[NotMadeAnew("t", 1, "why")])
        assert not started_after(one, run, at(0), besides=[NotMadeAnew("t", 0, "why")])
        assert not started_after(one, run, at(0), besides=[NotMadeAnew("u", 1, "why")])


@pytest.mark.parametrize(
    ("then", "now", "noted"),
    [
        ("running", "success", "success"),
        ("queued", "failed", "failed"),
        ("running", "running", None),
        ("running", None, None),
        ("success", "failed", None),
        (None, "success", None),
    ],
)
def test_the_end_of_a_run_is_noted_that_was_open_when_it_was_judged(
    then: str | None, now: str | None, noted: str | None
) -> None:
    one = member(1, state=SUCCEEDED, final_run_state=then)
    assert closed(one, seen(one, now)) == (None if noted is None else NoteRunState(one, noted))


@pytest.mark.parametrize(
    ("was", "because", "asked", "answer", "said"),
    [
        (None, None, False, None, "-"),
        (None, "dag_paused", False, None, "dag_paused"),
        ("dag_paused", "dag_paused", False, None, "-"),
        ("dag_paused", None, False, None, None),
        (None, None, True, "no_pool_slots: p", "no_pool_slots: p"),
        ("no_pool_slots: p", None, True, "no_pool_slots: p", "-"),
        ("no_pool_slots: p", None, True, None, None),
        ("no_pool_slots: p", None, False, None, "-"),  # it stands still: until it is asked again
        ("cleared_again", None, False, None, "-"),  # not this one's to take back
        (None, "dag_paused", True, "no_pool_slots: p", "dag_paused"),
    ],
)
def test_why_a_dispatched_run_waits_is_said_once_and_taken_back(
    was: str | None, because: str | None, asked: bool, answer: str | None, said: str | None
) -> None:
    one = member(1, state=RUNNING, why=was)
    run = seen(one, "running", "queued", waits_because=because)
    answers = {} if answer is None else {one.ref: answer}
    look = Observations(asked=frozenset({one.ref}) if asked else frozenset(), waits=answers)
    assert waits(one, run, look) == (None if said == "-" else Explain(one, said))
    if not asked and because is None and was is not None and was.startswith("no_pool"):
        going = seen(one, "running", "running")
        assert waits(one, going, look) == Explain(one, None)


def test_a_source_counts_from_the_begin_and_others_from_the_last_end_before_them() -> None:
    first, second = member(1, ended_at=at(5)), member(2, ended_at=at(7))
    third = member(3, waits_for=frozenset({1, 2}))
    open_one = member(4, waits_for=frozenset({1, 5}))
    rerun = active(first, second, third, open_one, member(5))
    assert last_upstream_end(first, rerun) == rerun.rerun.created_at
    assert last_upstream_end(third, rerun) == at(7)
    assert last_upstream_end(open_one, rerun) == at(5)


@pytest.mark.parametrize(
    ("made", "ends", "expected"),
    [(None, (), False), (None, (1,), False), (5, (1, 5), True), (5, (1, 6), False), (5, (None, 5), True)],
)
def test_a_proof_holds_that_was_made_after_the_last_end(
    made: float | None, ends: tuple[float | None, ...], expected: bool
) -> None:
    members = [member(number, ended_at=None if end is None else at(end)) for number, end in enumerate(ends)]
    held = replace(member(9, state=FROZEN, ended_at=at(9)), role=Role.FROZEN)
    rerun = active(*members, held)
    rerun = replace(rerun, rerun=replace(rerun.rerun, proven_at=None if made is None else at(made)))
    assert proven(rerun) == expected


class TestStillness:
    @pytest.mark.parametrize(
        ("run_state", "tasks", "expected"),
        [
            ("running", ("queued",), True),
            ("running", ("success", None), True),
            ("running", ("queued", "running"), False),
            ("running", ("restarting", None), False),
            ("running", ("success", "failed"), False),
            ("queued", ("queued",), False),
            (None, (), False),
        ],
    )
    def test_a_run_stands_when_something_is_left_and_nothing_runs(
        self, run_state: str | None, tasks: tuple[str | None, ...], expected: bool
    ) -> None:
        assert stands(seen(member(1), run_state, *tasks)) == expected
        assert not stands(None)

    @pytest.mark.parametrize(("task", "patience"), [("queued", PATIENCE), ("deferred", timedelta())])
    def test_it_is_asked_after_a_while_and_then_now_and_again(self, task: str, patience: timedelta) -> None:
        one, still = member(1, state=RUNNING), Stillness()
        runs = {one.ref: seen(one, "running", task)}
        asked = [
            bool(still.to_ask([one], runs, START + moment))
            for moment in (
                timedelta(),
                patience - TICK if patience else TICK,
                patience,
                patience + AGAIN - TICK if patience else AGAIN - TICK,
                patience + AGAIN,
                patience + AGAIN + TICK,
            )
        ]
        assert asked == [not patience, False, bool(patience), False, True, False]

    def test_one_that_moves_begins_anew(self) -> None:
        one, still = member(1, state=RUNNING), Stillness()
        stopped, going = {one.ref: seen(one, "running", "queued")}, {one.ref: seen(one, "running", "running")}
        assert not still.to_ask([one], stopped, START)
        assert not still.to_ask([one], going, START + PATIENCE)
        assert not still.to_ask([one], stopped, START + PATIENCE)
        assert still.to_ask([one], stopped, START + 2 * PATIENCE) == [one.ref]

    def test_only_dispatched_ones_are_asked_for(self) -> None:
        one = member(1)
        assert not Stillness().to_ask([one], {one.ref: seen(one, "running", "deferred")}, START)

    def test_those_that_have_waited_longest_come_first_and_no_more_than_fit(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("airflow_rerun_downstream.conductor.stillness.AT_ONCE", 2)
        members, still = [member(number, state=RUNNING) for number in (1, 2, 3)], Stillness()
        runs = {one.ref: seen(one, "running", "deferred") for one in members}
        assert still.to_ask(members, runs, START) == [members[0].ref, members[1].ref]
        assert still.to_ask(members, runs, START + TICK) == [members[2].ref]
        assert still.to_ask(members[::-1], runs, START + 2 * AGAIN) == [members[0].ref, members[1].ref]
