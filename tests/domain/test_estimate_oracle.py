"""Hundreds of random reruns, with the usual times: the same ends and the same critical path as the slow way finds."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from statistics import fmean

import pytest

from airflow_rerun_downstream.domain.estimate import Decisive, Estimate, Outlook
from airflow_rerun_downstream.domain.estimating import estimate
from airflow_rerun_downstream.domain.simulation import WaitedFor
from tests.domain.reckoned import NOW, Oracle, Piece, Story

AT_ONCE = 100
SEEDS = 1_000


def both(seed: int, *, plain: bool = False) -> tuple[Estimate, Oracle]:
    """An estimate, and the slow way to it."""
    standing = Story(random.Random(seed), plain).standing()
    return estimate(standing, NOW, plays=0), Oracle(standing)


def seconds(moment: object) -> float | None:
    """So far from now."""
    return None if moment is None else (moment - NOW).total_seconds()  # type: ignore[operator]


def path_of(found: Estimate) -> list[Piece]:
    return [(step.member_id, step.stage) for step in found.path]


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_every_member_starts_and_ends_as_the_slow_way_says(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        found, oracle = both(seed)
        played = oracle.played()
        for one in found.members:
            mine = [piece for piece in oracle.waits if piece[0] == one.member_id]
            ends = played.get(max(mine))
            starts = played.get(min(mine))
            assert seconds(one.starts_at) == pytest.approx(starts and starts[0], abs=1e-5), seed
            assert seconds(one.ends_at) == pytest.approx(ends and ends[1], abs=1e-5), seed
        end = max((end for _, end in played.values()), default=0.0)
        assert seconds(found.ends_at) == pytest.approx(end, abs=1e-5), seed
        known = not oracle.unknown and len(played) == len(oracle.waits)
        assert (found.outlook is Outlook.EXPECTED) == known, seed


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_the_critical_path_is_the_longest_one_or_one_through_places(first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        found, oracle = both(seed)
        longest, chain = oracle.longest()
        end = seconds(found.ends_at)
        assert end is not None
        assert (found.decided_by is Decisive.PATH) == (bool(chain) and end == pytest.approx(longest, abs=1e-5)), seed
        if found.decided_by is Decisive.PATH and not oracle.unknown:
            assert path_of(found) == chain, seed
        check_chain(found, oracle, seed)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_a_limit_that_alone_holds_the_end_up_is_the_one_that_is_told(first: int) -> None:
    seen = Counter[str]()
    for seed in range(first, first + AT_ONCE):
        found, oracle = both(seed)
        if found.decided_by in (None, Decisive.PATH):
            continue
        standing, end = oracle.standing, oracle.end()
        closed = {dag_id: room for dag_id, room in standing.rooms.items() if room.closed is not None}
        helps = {
            Decisive.PLACES: Oracle(replace(standing, places=10**6)).end() < end - 1e-5,
            Decisive.DAG_LIMIT: Oracle(replace(standing, rooms=closed)).end() < end - 1e-5,
        }
        seen[f"{sum(helps.values())} help"] += 1
        if any(helps.values()):
            assert helps[found.decided_by], seed
        else:
            causes = {WaitedFor.PLACE: Decisive.PLACES, WaitedFor.DAG_LIMIT: Decisive.DAG_LIMIT}
            told = [causes[step.cause] for step in found.path if step.cause in causes]
            assert told[-1] is found.decided_by, seed
    assert seen["1 help"]


def check_chain(found: Estimate, oracle: Oracle, seed: int) -> None:
    """Each part waits for the one before it, for the reason that is told, from now until the end."""
    played, path = oracle.played(), path_of(found)
    for before, (step, piece) in zip([None, *path], zip(found.path, path, strict=True), strict=False):
        assert (seconds(step.starts_at), seconds(step.ends_at)) == pytest.approx(played[piece], abs=1e-5), seed
        if before is None:
            assert step.cause is WaitedFor.NOTHING
            assert seconds(step.starts_at) == 0
            continue
        assert played[before][1] == played[piece][0], seed
        if step.cause is WaitedFor.UPSTREAM:
            assert before in oracle.waits[piece], seed
        if step.cause is WaitedFor.DAG_LIMIT:
            assert oracle.known[before[0]].ref.dag_id == oracle.known[piece[0]].ref.dag_id, seed
    if path:
        assert found.path[-1].ends_at == found.ends_at


def test_where_all_is_known_a_bound_is_said_of_nobody() -> None:
    for seed in range(200):
        found, _ = both(seed, plain=True)
        doubts = [one for one in found.members if one.doubt == "much_longer_than_before"]
        assert doubts or not any(one.at_least for one in found.members)


def test_who_waits_for_what_is_not_known_ends_at_that_moment_or_later() -> None:
    for seed in range(300):
        found, oracle = both(seed)
        behind = set(oracle.unknown)
        for _ in oracle.waits:
            behind |= {piece for piece, waits in oracle.waits.items() if waits & behind and not oracle.begun(piece)}
        told = {one.member_id for one in found.members if one.at_least}
        there = {member_id for member_id, _ in behind & oracle.played().keys()}
        assert there <= told, seed


def test_the_random_reruns_have_all_that_there_is() -> None:
    """Otherwise the tests above would show little."""
    seen = Counter[str]()
    for seed in range(SEEDS):
        found, oracle = both(seed)
        seen[f"decided by {found.decided_by and found.decided_by.value}"] += 1
        seen[found.outlook.value] += 1
        seen.update({f"step by {step.cause.value}" for step in found.path})
        members = oracle.standing.active.members
        seen["passages"] += any(one.passage is not None for one in members)
        seen["stages"] += any(stage for _, stage in path_of(found))
        seen.update({f"doubt {one.doubt}" for one in found.members if one.doubt})
        seen["long"] += len(found.path) > 5
        seen["overdue"] += bool(found.overdue)
    wanted = [
        *("decided by path", "decided by max_active_members", "decided by max_active_runs", "expected", "at_least"),
        *("step by upstream", "step by place", "step by dag_limit", "passages", "stages", "long", "overdue"),
        *("doubt no_past_runs", "doubt dag_paused", "doubt member_failed", "doubt much_longer_than_before"),
        "doubt run_not_finished",
    ]
    assert {name: seen[name] for name in wanted if seen[name] < 10} == {}


def test_a_thousand_behind_a_thousand_cost_no_pairs() -> None:
    found = estimate(Story.crowd(5_000), NOW)
    assert [len(found.path), found.outlook] == [2, Outlook.EXPECTED]
    assert len(list(itertools.islice(found.members, 10_001))) == 10_000


def test_with_times_that_differ_nine_of_ten_end_by_the_late_end_and_half_by_the_other() -> None:
    """Forty reruns of thirty members, whose times are drawn from what their past was drawn from."""
    off, kept = list[float](), 0
    for seed in range(40):
        standing, truth = Story.night(random.Random(seed))
        found = estimate(standing, NOW)
        assert found.ends_at is not None
        assert found.ends_late is not None
        off.append((found.ends_at - NOW).total_seconds() / truth - 1)
        kept += (found.ends_late - NOW).total_seconds() >= truth
    assert abs(fmean(off)) < 0.04
    assert 0.35 < fmean(one > 0 for one in off) < 0.65
    assert kept / len(off) >= 0.8
