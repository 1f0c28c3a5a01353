"""Who gets a place: no more than a Dag can start and the rerun may have in flight."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.conductor.places import Places, explained, places, to_look_at
from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.room import DagRoom, word_of
from airflow_rerun_downstream.domain.states import MemberState
from tests.conductor.members import active, member


def given_out(found: Places, waiting: list[Member]) -> list[bool]:
    """Whether each got its place in the Dag's line, of those that got one."""
    return [found.take(one).in_line for one in waiting if found.left > 0 and found.refusal(one) is None]


@pytest.mark.parametrize(
    ("room", "free", "refusal"),
    [
        (DagRoom(), None, None),
        (DagRoom(running=9, queued=9), None, None),
        (DagRoom(limit=3, running=1), 2, None),
        (DagRoom(limit=3, running=1, queued=1), 1, None),
        (DagRoom(limit=3, running=1, queued=2), 0, "at_max_active_runs"),
        (DagRoom(limit=3, running=4, queued=1), 0, "at_max_active_runs"),
        (DagRoom("dag_paused", limit=3), 0, "dag_paused"),
        (DagRoom("dag_gone"), 0, "dag_gone"),
    ],
)
def test_a_dag_has_room_for_what_neither_runs_nor_waits_in_its_queue(
    room: DagRoom, free: int | None, refusal: str | None
) -> None:
    assert (room.free, room.refusal) == (free, refusal)


@pytest.mark.parametrize(
    ("room", "in_flight", "expected"),
    [
        (None, 0, [False, False, False]),
        (DagRoom(), 1, [False, False, False]),
        (DagRoom(limit=2), 0, [False, False]),
        (DagRoom(limit=4, running=3), 0, [False]),
        (DagRoom(limit=4, running=3, queued=1), 0, [True]),  # others wait in the queue: one gets in line
        (DagRoom(limit=4, running=4), 0, []),  # none does: its turn comes when a run ends
        (DagRoom(limit=4, running=3, queued=1), 1, []),  # one is in line already
        (DagRoom(limit=4, running=2, queued=1), 0, [False]),
        (DagRoom("dag_paused", limit=4, queued=1), 0, []),
    ],
)
def test_no_more_are_dispatched_than_the_dag_can_start(
    room: DagRoom | None, in_flight: int, expected: list[bool]
) -> None:
    flying = [member(number, state=MemberState.RUNNING) for number in range(in_flight)]
    rooms = {} if room is None else {"d": room}
    found = Places(active(*flying), rooms, left=9)
    assert given_out(found, [member(number) for number in (7, 8, 9)]) == expected
    assert found.left == 9 - len(expected)


@settings(deadline=None)
@given(st.lists(st.sampled_from("de"), max_size=6), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3))
def test_neither_limit_is_ever_passed(dags: list[str], left: int, one: int, two: int) -> None:
    rooms = {"d": DagRoom(limit=one), "e": DagRoom(limit=two)}
    found = Places(active(), rooms, left)
    waiting = [member(number, dag_id) for number, dag_id in enumerate(dags)]
    given_out(found, waiting)
    assert found.left >= 0
    for dag_id, limit in (("d", one), ("e", two)):
        assert found.taken.get(dag_id, 0) <= limit
        kept = dags.count(dag_id) > found.taken.get(dag_id, 0)
        assert not kept or found.left == 0 or found.taken.get(dag_id, 0) == limit


@pytest.mark.parametrize(("waits_because", "left"), [(None, 1), ("no_pool_slots", 1), ("dag_paused", 2)])
def test_a_run_that_its_dag_does_not_start_takes_no_place(waits_because: str | None, left: int) -> None:
    """One in flight runs, one waits in Airflow's queue, and one isn't dispatched yet."""
    members = [
        member(1, state=MemberState.RUNNING),
        member(2, state=MemberState.RUNNING),
        member(3),
    ]
    runs = {members[1].ref: Observation(members[1].ref, "queued", waits_because=waits_because)}
    assert places(active(*members), runs, {}, limit=3).left == left


def test_those_that_may_get_a_place_are_looked_at() -> None:
    waiting = [
        member(1, why="upstream_runs_again"),
        member(2, why="dag_paused"),
        member(3),
        member(4),
        member(5, "closed"),
    ]
    rooms = {"d": DagRoom(limit=9), "closed": DagRoom("dag_paused")}
    found = to_look_at(waiting, Places(active(), rooms, left=2))
    assert [one.id for one in found] == [2, 3]


@pytest.mark.parametrize(
    ("was", "is_", "told"),
    [
        (None, "dag_paused", True),
        ("dag_paused", "dag_paused", False),
        ("dag_paused", "at_max_active_runs", True),
        ("dag_paused", None, True),
        (None, None, False),
        ("upstream_runs_again", None, False),  # not this module's to take back
        ("upstream_runs_again", "dag_paused", True),
    ],
)
def test_only_what_is_new_is_told(was: str | None, is_: str | None, told: bool) -> None:
    one = member(1, why=was)
    assert [(step.members, step.reason) for step in explained([(one, is_)])] == ([((one,), is_)] if told else [])


def test_one_step_tells_all_that_wait_for_one_reason() -> None:
    one, two, three = member(1), member(2), member(3)
    steps = list(explained([(one, "dag_paused"), (two, "dag_gone"), (three, "dag_paused")]))
    assert [(step.members, step.reason) for step in steps] == [((one, three), "dag_paused"), ((two,), "dag_gone")]


@pytest.mark.parametrize(
    ("reason", "word"), [(None, ""), ("up_for_retry", "up_for_retry"), ("pool_gone: a: b", "pool_gone")]
)
def test_the_word_of_a_reason_stands_before_its_first_colon(reason: str | None, word: str) -> None:
    assert word_of(reason) == word
