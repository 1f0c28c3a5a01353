"""Every pair of states, written out: what may follow what."""

from __future__ import annotations

import itertools

import pytest

from airflow_rerun_downstream.domain.states import (
    ACTIVE_RERUN_STATES,
    FINAL_RERUN_STATES,
    MEMBER_MOVES,
    RERUN_MOVES,
    ImpossibleMove,
    MemberState,
    RerunState,
    may_move,
    starts_of,
    starts_of_adoption,
)

RERUN = {
    ("proposed", "running"),
    ("proposed", "terminated"),
    ("running", "paused"),
    ("running", "failed"),
    ("running", "succeeded"),
    ("running", "terminating"),
    ("paused", "running"),
    ("paused", "terminating"),
    ("failed", "running"),
    ("failed", "terminating"),
    ("terminating", "terminated"),
}
MEMBER = {
    ("pending", "running"),
    ("pending", "failed"),
    ("pending", "terminated"),
    ("running", "succeeded"),
    ("running", "failed"),
    ("running", "terminated"),
    ("running", "pending"),
    ("succeeded", "running"),
    ("succeeded", "failed"),
    ("succeeded", "pending"),
    ("failed", "pending"),
    ("failed", "running"),
    ("failed", "succeeded"),
    ("failed", "skipped"),
    ("stopping", "pending"),
    ("stopping", "failed"),
    ("stopping", "terminated"),
    ("frozen", "released"),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(RerunState, RerunState)))
def test_a_rerun_moves_only_where_the_table_says(before: RerunState, after: RerunState) -> None:
    assert may_move(before, after) == ((before.value, after.value) in RERUN)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(MemberState, MemberState)))
def test_a_member_moves_only_where_the_table_says(before: MemberState, after: MemberState) -> None:
    assert may_move(before, after) == ((before.value, after.value) in MEMBER)


def test_every_state_is_in_its_table() -> None:
    assert set(RERUN_MOVES) == set(RerunState)
    assert set(MEMBER_MOVES) == set(MemberState)


def test_final_reruns_never_move_again() -> None:
    assert {state for state, after in RERUN_MOVES.items() if not after} == FINAL_RERUN_STATES
    assert set(RerunState) - FINAL_RERUN_STATES == ACTIVE_RERUN_STATES | {RerunState.PROPOSED}


def test_a_move_starts_where_the_table_says_or_from_fewer_states() -> None:
    assert starts_of(MemberState.FAILED) == {
        MemberState.PENDING,
        MemberState.RUNNING,
        MemberState.STOPPING,
        MemberState.SUCCEEDED,
    }
    assert starts_of(MemberState.FAILED, [MemberState.RUNNING]) == {MemberState.RUNNING}
    assert starts_of(RerunState.RUNNING, []) == frozenset()


@pytest.mark.parametrize("before", [None, [], [MemberState.PENDING]])
def test_a_state_that_nothing_leads_to_is_refused(before: list[MemberState] | None) -> None:
    with pytest.raises(ImpossibleMove):
        starts_of(MemberState.FROZEN, before)


def test_one_impossible_start_among_possible_ones_is_refused() -> None:
    with pytest.raises(ImpossibleMove, match="skipped → failed"):
        starts_of(MemberState.FAILED, [MemberState.SKIPPED])
    with pytest.raises(ImpossibleMove):
        starts_of(MemberState.FAILED, [MemberState.RUNNING, MemberState.SKIPPED])


def test_an_adoption_may_leave_the_state_as_it_is() -> None:
    assert starts_of_adoption(MemberState.PENDING, [MemberState.PENDING]) == {MemberState.PENDING}
    assert starts_of_adoption(MemberState.RUNNING, [MemberState.FAILED]) == {MemberState.FAILED}
    with pytest.raises(ImpossibleMove):
        starts_of_adoption(MemberState.RUNNING, [MemberState.TERMINATED])
