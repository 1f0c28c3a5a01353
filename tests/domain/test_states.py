"""Every pair of states, written out: what may follow what."""

from __future__ import annotations

import itertools

import pytest

from airflow_rerun_downstream.domain.states import (
    ACTIVE_RERUN_STATES,
    FINAL_RERUN_STATES,
    MEMBER_MOVES,
    RERUN_MOVES,
    MemberState,
    RerunState,
    may_move,
)

RERUN = {
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
    assert set(RerunState) - FINAL_RERUN_STATES == ACTIVE_RERUN_STATES
