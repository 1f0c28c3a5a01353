"""What is decided of members that others wait for, and of runs that tasks make anew, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.conductor.adoption import adopted, adoptions, begun, may_be_made, to_ask, unknown
from airflow_rerun_downstream.conductor.gates import (
    CLEARED_AGAIN,
    UPSTREAM_RUNS_AGAIN,
    known_to_wait,
    look_again,
    overtaken,
    stands,
    takes_evidence,
)
from airflow_rerun_downstream.conductor.steps import Adopt, MoveMember, StageBack, Step
from airflow_rerun_downstream.domain.facts import Observation, RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.lineage_records import TriggeredRun
from airflow_rerun_downstream.domain.member import Awaited, Child, Member, StageGate
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.states import MemberState
from tests.conductor.members import active, member
from tests.fakes.world import START

FAILED, PENDING, RUNNING = MemberState.FAILED, MemberState.PENDING, MemberState.RUNNING
SKIPPED, SUCCEEDED = MemberState.SKIPPED, MemberState.SUCCEEDED
STAGES = ((TaskRef("t"),), (TaskRef("u"),))


def gate(state: MemberState = SUCCEEDED, until: int | None = None, **more: object) -> Awaited:
    return Awaited(member(1, state=state, clear_number=3, **more), until)


def run(state: str | None = "success", *, number: int = 3, **tasks: str | None) -> Observation:
    found = tuple(TaskInstanceFacts(task_id, -1, task) for task_id, task in (tasks or {"t": "success"}).items())
    return Observation(member(1).ref, state, number, found)


STANDS = [
    (gate(), run(), True),
    (gate(), run(number=4), False),
    (gate(), run("running"), True),  # its tasks are all right: Airflow has only to close it
    (gate(), run(None), False),
    (gate(), run("running", t=None), False),
    (gate(), run(t="failed"), False),  # takes evidence, and there is none
    (gate(RUNNING), run(), False),
    (gate(FAILED), run(), False),
    (gate(PENDING), run(), False),
    (gate(SKIPPED), run(number=9), True),
    (gate(SKIPPED), run("failed", t="failed"), True),
    (gate(SKIPPED), run(None), True),
    (gate(SKIPPED), run("running", t=None), False),
    (gate(SKIPPED), run("running", t="success", u=None), True),  # of what isn't selected nobody reads
    (gate(SKIPPED), run("failed", t=None), True),
    (gate(SKIPPED), run("failed", t="running"), False),
    (gate(PENDING, 0, stages=STAGES, stage=1), run(t="success", u=None), True),
    (gate(PENDING, 0, stages=STAGES, stage=1), run(t="success", u=None, number=4), False),
    (gate(PENDING, 0, stages=STAGES, stage=0), run(t="success", u=None), False),
    (gate(PENDING, 1, stages=STAGES, stage=1), run(t="success", u="success"), False),
]


@pytest.mark.parametrize(("one", "now", "expected"), STANDS)
def test_who_lets_others_go_is_still_as_it_was(one: Awaited, now: Observation, expected: bool) -> None:
    assert stands(one, now) == expected


@pytest.mark.parametrize(
    ("one", "now", "expected"),
    [
        (gate(), run(), False),
        (gate(), run(t="failed"), True),
        (gate(), run(t="failed", number=4), False),
        (gate(), run(t="running"), False),
        (gate(), run(other="success"), True),  # its task is gone
        (gate(RUNNING), run(t="failed"), False),
        (gate(tasks=(TaskRef("t"), TaskRef("u"))), run(t="success", u="skipped"), True),
        (gate(PENDING, 0, stages=STAGES, stage=1, tasks=(TaskRef("t"), TaskRef("u"))), run(t="success", u=None), False),
        (gate(PENDING, 0, stages=STAGES, stage=1, tasks=(TaskRef("t"), TaskRef("u"))), run(t="skipped", u=None), True),
    ],
)
def test_what_ended_otherwise_than_in_success_takes_evidence(one: Awaited, now: Observation, expected: bool) -> None:
    assert takes_evidence(one, now) == expected


@pytest.mark.parametrize(
    ("one", "now", "expected"),
    [
        (gate(), run(), MoveMember(gate().member, RUNNING, CLEARED_AGAIN)),
        (gate(), run(None), MoveMember(gate().member, FAILED, "run_gone")),
        (gate(RUNNING), run(), None),
        (gate(FAILED), run(None), None),
        *(
            (one, run(None), MoveMember(one.member, FAILED, "run_gone"))
            for one in (gate(PENDING, 0, stages=STAGES, stage=1), gate(RUNNING, 0, stages=STAGES, stage=1))
        ),
        *(
            (one, now, StageBack(one.member, 0, CLEARED_AGAIN) if back else None)
            for one, now, back in (
                (gate(PENDING, 0, stages=STAGES, stage=1), run(), True),
                (gate(RUNNING, 0, stages=STAGES, stage=1), run(), True),
                (gate(FAILED, 0, stages=STAGES, stage=1), run(), False),
                (gate(FAILED, 0, stages=STAGES, stage=1), run(None), False),
                (gate(PENDING, 0, stages=STAGES, stage=0), run(), False),
                (gate(PENDING, 0, stages=STAGES, stage=0), run(None), False),
                (gate(PENDING, None, stages=STAGES, stage=1), run(), False),
            )
        ),
    ],
)
def test_one_that_does_not_stand_is_judged_again(one: Awaited, now: Observation, expected: Step | None) -> None:
    assert look_again(one, now) == expected


@pytest.mark.parametrize(
    ("why", "state", "now", "expected"),
    [
        (UPSTREAM_RUNS_AGAIN, SKIPPED, run("running", t=None), True),
        (UPSTREAM_RUNS_AGAIN, SKIPPED, run(), False),
        (UPSTREAM_RUNS_AGAIN, SUCCEEDED, run("running", t=None), False),
        (UPSTREAM_RUNS_AGAIN, SKIPPED, None, False),
        (None, SKIPPED, run("running", t=None), False),
    ],
)
def test_who_waits_for_a_skipped_one_that_runs_again_goes_on_waiting(
    why: str | None, state: MemberState, now: Observation | None, expected: bool
) -> None:
    first, second = member(1, state=state), member(2, why=why, waits_for=frozenset({1}))
    assert known_to_wait(second, active(first, second), {} if now is None else {first.ref: now}) == expected


@pytest.mark.parametrize(
    ("until", "ended", "ends", "expected"),
    [
        (None, 30, [], True),
        (None, 10, [30], False),
        (0, None, [30], True),
        (0, 40, [10], False),
        (0, 40, [30], True),
        (1, 40, [10], True),  # it is the last one
        (1, None, [10], True),  # it has ended that very moment
    ],
)
def test_who_has_ended_once_more_since_another_was_dispatched(
    until: int | None, ended: int | None, ends: list[int], *, expected: bool
) -> None:
    """As a whole, or the stage for which the other one waits."""
    at = {moment: START + timedelta(seconds=moment) for moment in (10, 20, 30, 40)}
    times = tuple(at[moment] for moment in ends)
    first = member(1, ended_at=ended and at[ended], stage_ends=times, stages=STAGES, attempt=1)
    waits = {"waits_for": frozenset({1})} if until is None else {"stage_gates": (StageGate(0, 1, until),)}
    second = member(2, dispatched_at=at[20], **waits)
    assert overtaken(second, active(first, second)) == (first if expected else None)
    assert overtaken(replace(second, dispatched_at=None), active(first, second)) is None
    assert overtaken(second, replace(active(first, second), children=(CHILD,))) is None


CHILD = Child(parent=1, task_id="t", map_index=-1, child=2)


def family(parent: MemberState = RUNNING, child: MemberState = PENDING, **more: object) -> tuple[Member, Member]:
    why = more.pop("why", None)
    values: dict[str, object] = {"attempt": 1, **more}
    return member(1, "parent", parent, **values), member(
        2, "child", child, why, waits_for=frozenset({1}), clear_number=0
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parent", "child", "more", "expected"),
    [
        (RUNNING, PENDING, {}, True),
        (MemberState.STOPPING, PENDING, {}, True),
        (RUNNING, RUNNING, {}, True),
        (RUNNING, SUCCEEDED, {}, True),
        (RUNNING, FAILED, {}, True),
        (RUNNING, FAILED, {"why": "in_active_rerun"}, False),
        (RUNNING, FAILED, {"why": "tasks_failed"}, True),
        (RUNNING, PENDING, {"why": "in_active_rerun"}, True),
        (RUNNING, SKIPPED, {}, False),
        (RUNNING, MemberState.TERMINATED, {}, False),
        (RUNNING, PENDING, {"attempt": 0}, False),  # it hasn't been dispatched
        (RUNNING, PENDING, {"tasks": (TaskRef("other"),)}, False),  # the task isn't rerun
        (SUCCEEDED, PENDING, {}, True),  # before the old run is dispatched
        (SUCCEEDED, RUNNING, {}, False),
        (FAILED, PENDING, {}, False),
    ],
)
def test_when_a_task_may_have_made_a_run(
    parent: MemberState, child: MemberState, more: dict[str, object], expected: bool
) -> None:
    assert may_be_made(CHILD, active(*family(parent, child, **more))) == expected


def made(run_id: str, *, dag_id: str = "child", index: int = -1, number: int = 0, task_id: str = "t") -> TriggeredRun:
    facts = RunFacts(RunRef(dag_id, run_id), "operator_triggered", "running", START, START, clear_number=number)
    return TriggeredRun(RunRef("parent", "1"), task_id, index, facts)


def parent_run(state: str | None, index: int = -1) -> dict[RunRef, Observation]:
    ref = RunRef("parent", "1")
    return {ref: Observation(ref, "running", 0, (TaskInstanceFacts("t", index, state),))}


@pytest.mark.parametrize(
    ("records", "taken"),
    [
        ([made("new")], "new"),
        ([], None),
        ([made("2")], None),  # its own, and nobody has cleared it
        ([made("2", number=1)], "2"),
        ([made("new"), made("2")], None),
        ([made("1", dag_id="parent")], None),
        ([made("new", dag_id="another")], None),
        ([made("new", index=0)], None),
        ([made("new", task_id="u")], None),
        ([made("one"), made("two")], "one"),
    ],
)
def test_which_run_is_taken_for_a_member(records: list[TriggeredRun], taken: str | None) -> None:
    parent, child = family()
    rerun = replace(active(parent, child), children=(CHILD,))
    found = adoptions(rerun, parent_run("success"), {parent.ref: records})
    expected = [] if taken is None else [next(one.child for one in records if one.child.ref.run_id == taken)]
    assert found == [Adopt(child, one, parent.ref, "t", RUNNING) for one in expected]
    now = {one.id: one for one in adopted(rerun, found).members}
    assert (now[1], now[2].state) == (parent, RUNNING if expected else PENDING)
    assert now[2].ref == (expected[0].ref if expected else child.ref)


@pytest.mark.parametrize(
    ("state", "has_begun"), [(None, False), ("queued", False), ("running", True), ("success", True)]
)
def test_only_a_task_that_has_begun_is_asked_what_it_made(state: str | None, has_begun: bool) -> None:
    parent, child = family()
    rerun, runs = replace(active(parent, child), children=(CHILD,)), parent_run(state)
    assert begun(runs[parent.ref], "t") == ({-1} if has_begun else set())
    assert not begun(runs[parent.ref], "u")
    assert not begun(None, "t")
    assert to_ask(rerun, runs) == ({parent.ref} if has_begun else set())
    assert to_ask(rerun, {}) == set()
    assert (adoptions(rerun, runs, {parent.ref: [made("new")]}) != []) == has_begun
    # As long as nobody has asked, the old run isn't dispatched.
    assert unknown(rerun, runs, {}) == ({2} if has_begun else set())
    assert unknown(rerun, {}, {}) == {2}
    assert unknown(rerun, runs, {parent.ref: []}) == set()


@pytest.mark.parametrize(("other", "after"), [(SUCCEEDED, RUNNING), (PENDING, PENDING), (RUNNING, PENDING)])
def test_a_run_that_was_made_before_its_turn_is_rerun_in_its_turn(other: MemberState, after: MemberState) -> None:
    parent, child = family()
    child = replace(child, waits_for=frozenset({1, 3}))
    rerun = replace(active(parent, child, member(3, "other", other)), children=(CHILD,))
    (step,) = adoptions(rerun, parent_run("success"), {parent.ref: [made("new")]})
    assert step.after is after
