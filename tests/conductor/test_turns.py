"""A tick takes a step of each rerun in turn, and ends when it has lasted long enough."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.conductor.test_conductor import finish, states, submit
from tests.fakes.house import ADA, House

MANY = 12


@pytest.fixture
def house() -> House:
    return House()


class Slow:
    """A performer whose steps take a second each; remembers whose they were."""

    def __init__(self, house: House) -> None:
        self.house, self.original, self.steps = house, house.conductor.performer.attempt, list[int]()
        house.conductor.performer.attempt = self

    def __call__(self, rerun: Any, step: Any, lease: int) -> bool:
        self.house.clock.advance(seconds=1)
        self.steps.append(rerun.id)
        return self.original(rerun, step, lease)


def large(house: House) -> tuple[int, RunRef]:
    """A rerun with many runs in flight below its source."""
    source = house.world.run("large")
    below = [house.world.run(f"below_{number}") for number in range(MANY)]
    for one in below:
        house.world.consumed(source, "t", by=one, asset="a")
    rerun = submit(house, source, below)
    house.tick()
    finish(house, source)
    house.tick()
    house.tick()
    assert list(states(house, rerun).values()).count("running") == MANY
    return rerun, source


def test_a_large_rerun_that_is_terminated_delays_no_other(house: House) -> None:
    rerun, _ = large(house)
    small = submit(house, house.world.run("small"))
    house.service.terminate(ADA, rerun)
    slow = Slow(house)
    house.conductor.tick()
    assert slow.steps == [rerun, small], "each had its turn, and then the tick had lasted long enough"
    assert states(house, small) == {"small": "running"}
    for _ in range(MANY + 1):
        house.conductor.tick()
    assert house.service.rerun(ADA, rerun).rerun.state is RerunState.TERMINATED


def test_what_was_seen_of_members_is_followed_however_long_it_takes(house: House) -> None:
    """A failure pauses the rerun in the look that has seen it: the next one wouldn't know that it is new."""
    rerun, _ = large(house)
    for member in house.store.members(rerun)[1:]:
        house.world.finish(member.ref, at=house.clock.now())
    slow = Slow(house)
    house.conductor.tick()
    assert slow.steps.count(rerun) >= MANY
    assert {one.state for one in house.store.members(rerun)} == {MemberState.SUCCEEDED}
