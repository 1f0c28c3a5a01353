"""A rerun across a run that is left out: who reads from that waits by a passage, as others do by gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.conductor.follow import last_upstream_end
from airflow_rerun_downstream.conductor.gates import overtaken
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.member import StageGate
from airflow_rerun_downstream.domain.passages import Passage
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from tests.conductor.members import active, member
from tests.fakes.house import ADA, House
from tests.fakes.world import START

ABOVE, BELOW = ("a1", "a2", "a3"), ("b1", "b2", "b3")


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def runs(house: House) -> dict[str, RunRef]:
    """src → three → hub → three."""
    names = ("src", *ABOVE, "hub", *BELOW)
    for name in names:
        house.world.dag(name, "t")
    found = {name: house.world.run(name) for name in names}
    links = [*(("src", one) for one in ABOVE), *((one, "hub") for one in ABOVE), *(("hub", one) for one in BELOW)]
    for one, two in links:
        house.world.consumed(found[one], "t", by=found[two], asset=one + two)
    return found


@pytest.fixture
def rerun(house: House, runs: dict[str, RunRef]) -> int:
    """The hub is left out."""
    chosen = tuple(MemberRequest(runs[name]) for name in (*ABOVE, *BELOW))
    request = RerunRequest(PlanRequest(runs["src"]), members=chosen)
    review = house.service.review(ADA, request)
    assert [len(wave) for wave in review.waves] == [1, 3, 3]
    return house.service.submit(ADA, request).rerun.id


def finish(house: House, *refs: RunRef) -> None:
    house.clock.advance(seconds=1)
    for ref in refs:
        house.world.finish(ref, at=house.clock.now())
    house.tick()


def states(house: House, rerun: int) -> dict[str, str]:
    return {one.ref.dag_id: one.state.value for one in house.store.members(rerun)}


def test_who_reads_from_it_waits_for_all_that_it_reads_from(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    members = {one.ref.dag_id: one for one in house.store.members(rerun)}
    above = frozenset(members[name].id for name in ABOVE)
    assert house.store.passages(rerun) == (Passage(above),)
    assert [(members[name].passage, members[name].waits_for) for name in BELOW] == [(0, frozenset())] * 3
    house.tick()
    finish(house, runs["src"])
    assert {name for name, state in states(house, rerun).items() if state == "running"} == set(ABOVE)
    finish(house, runs["a1"], runs["a3"])
    page, _ = house.service.members(ADA, rerun, limit=10, offset=0)
    waits = {one.member.ref.dag_id: one.waiting_on for one in page}
    assert [waits[name] for name in BELOW] == [(runs["a2"],)] * 3
    assert not set(house.world.dispatches) & {runs[name] for name in BELOW}
    finish(house, runs["a2"])
    assert {name for name, state in states(house, rerun).items() if state == "running"} == set(BELOW)
    finish(house, *(runs[name] for name in BELOW))
    assert set(states(house, rerun).values()) == {"succeeded"}
    assert house.store.get(rerun).state.value == "succeeded"  # type: ignore[union-attr]
    assert runs["hub"] not in house.world.dispatches


def test_it_is_looked_at_again_at_the_moment_of_the_dispatch(house: House, runs: dict[str, RunRef], rerun: int) -> None:
    house.tick()
    finish(house, runs["src"])
    house.clock.advance(seconds=1)
    for name in ABOVE:
        house.world.finish(runs[name], at=house.clock.now())
    house.world.clear_by_hand(runs["a2"])
    for name in ("a1", "a3"):
        house.tick()
        assert states(house, rerun)[name] == "succeeded"
    assert not set(house.world.dispatches) & {runs[name] for name in BELOW}
    finish(house, runs["a2"])
    assert {states(house, rerun)[name] for name in BELOW} == {"running"}


def three(**more: object) -> ActiveRerun:
    """The first two come before the third, the second by a passage behind another."""
    done = [
        member(number, state=MemberState.SUCCEEDED, attempt=1, ended_at=START + timedelta(seconds=number))
        for number in (1, 2, 4)
    ]
    last = member(3, waits_for=frozenset({4}), passage=1, **more)
    found = active(*done, last)
    return replace(found, passages=(Passage(frozenset({2})), Passage(frozenset({1}), frozenset({0}))))


def moved(rerun: ActiveRerun, number: int, state: MemberState) -> ActiveRerun:
    return replace(
        rerun, members=tuple(replace(one, state=state) if one.id == number else one for one in rerun.members)
    )


def test_a_member_is_free_when_all_are_right_for_whom_its_passage_stands() -> None:
    rerun = three()
    last = rerun.by_id[3]
    assert rerun.is_free(last)
    assert rerun.ready == (last,)
    for number in (1, 2, 4):
        still = moved(rerun, number, MemberState.RUNNING)
        assert not still.is_free(last)
        assert not still.ready
        assert still.is_free(last, besides=number)
        assert not still.is_free(last, besides=3)
        assert moved(rerun, number, MemberState.SKIPPED).is_free(last)
    both = moved(moved(rerun, 1, MemberState.RUNNING), 2, MemberState.FAILED)
    assert not both.is_free(last, besides=1)


def test_its_gates_are_told_in_the_order_of_members() -> None:
    rerun = three()
    assert rerun.gates(rerun.by_id[3]) == tuple(StageGate(0, number, None) for number in (1, 2, 4))
    assert rerun.gates(rerun.by_id[1]) == ()


def test_when_the_last_of_them_was_right_again() -> None:
    rerun = three()
    ends = {one.id: one.ended_at for one in rerun.members}
    assert rerun.passage_ends == [ends[2], ends[2]]
    assert last_upstream_end(rerun.by_id[3], rerun) == ends[4]
    later = replace(rerun.by_id[2], ended_at=START + timedelta(minutes=1))
    rerun = replace(rerun, members=tuple(later if one.id == 2 else one for one in rerun.members))
    assert last_upstream_end(rerun.by_id[3], rerun) == later.ended_at
    nobody = replace(rerun, members=tuple(replace(one, ended_at=None) for one in rerun.members))
    assert nobody.passage_ends == [None, None]
    assert last_upstream_end(nobody.by_id[3], nobody) == rerun.rerun.created_at


def test_one_that_ended_once_more_has_overtaken_it() -> None:
    rerun = three(dispatched_at=START + timedelta(seconds=1, milliseconds=500), attempt=1)
    found = overtaken(rerun.by_id[3], rerun)
    assert found is not None
    assert found.id == 2
    later = three(dispatched_at=START + timedelta(seconds=5), attempt=1)
    assert overtaken(later.by_id[3], later) is None
