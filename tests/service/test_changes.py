"""Whoever follows a rerun by what has changed knows what somebody sees who looks for the first time."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from airflow_rerun_downstream.domain.errors import NotFound, Refusal
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import RerunEvent
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.service import ChangesView, MemberView, RerunView
from tests.conductor.test_conductor import finish, member_id
from tests.fakes.house import ADA, House

NAMES = ["a", "b", "c", "d", "e"]
FEW = 2


@dataclass
class Follower:
    """An open page."""

    house: House
    rerun_id: int
    cursor: str | None = None
    rerun: RerunView | None = None
    members: dict[int, MemberView] = field(default_factory=dict)
    events: list[RerunEvent] = field(default_factory=list)

    def look(self) -> list[ChangesView]:
        answers = []
        while True:
            found = self.house.service.changes(ADA, self.rerun_id, since=self.cursor, limit=FEW)
            answers.append(found)
            assert len(found.members) <= FEW
            assert len(found.events) <= FEW
            if found.whole:
                self.members, self.events, self.rerun = {}, [], None
            self.cursor, self.rerun = found.cursor, found.rerun or self.rerun
            self.members |= {one.member.id: one for one in found.members}
            self.events += found.events
            if not found.more:
                return answers

    def shown(self) -> Any:
        """What the page shows, but for what Airflow says of the runs."""
        return self.rerun, stored(self.members.values()), self.events


def stored(members: Any) -> dict[int, MemberView]:
    """Members without what Airflow says of their runs at this moment: that isn't followed."""
    return {one.member.id: replace(one, live=None) for one in members}


def reloaded(house: House, rerun_id: int) -> Any:
    """What the record shows to somebody who comes now."""
    members, _ = house.service.members(ADA, rerun_id, limit=1000, offset=0)
    events, _ = house.service.events(ADA, rerun_id, limit=1000, offset=0)
    return house.service.rerun(ADA, rerun_id), stored(members), events


def submitted() -> tuple[House, int, list[RunRef]]:
    """a → b → c → d → e, and a → e; and a Dag that has nothing to do with them."""
    house = House()
    house.world.dag("elsewhere", "t")
    runs = [house.world.run(name) for name in NAMES]
    for one, two in [*itertools.pairwise(runs), (runs[0], runs[-1])]:
        house.world.consumed(one, "t", by=two, asset=f"{one} {two}")
    return house, house.service.submit(ADA, RerunRequest(PlanRequest(runs[0]))).rerun.id, runs


def happens(house: House, rerun_id: int, runs: list[RunRef], chance: random.Random) -> None:
    """Something."""
    control = house.service
    ref = chance.choice(runs)
    names = set(chance.sample([*NAMES[1:], "elsewhere"], chance.randint(0, 2)))
    number = member_id(house, rerun_id, ref.dag_id)
    running = {one.ref for one in house.store.members(rerun_id) if one.state is MemberState.RUNNING}
    what = chance.randrange(10)
    if what < 4 and running:
        finish(house, chance.choice(sorted(running)), as_=chance.choice(["success", "success", "failed"]))
    elif what == 5:
        house.permissions.unreadable = names
    elif what == 6:
        house.permissions.forbidden = names
    elif what == 7:
        call = chance.choice([control.pause, control.resume])
        refused(lambda: call(ADA, rerun_id))
    elif what == 8:
        repair = chance.choice([control.retry, control.skip])
        refused(lambda: repair(ADA, rerun_id, number))
    else:
        house.store.add_event(
            rerun_id, at=house.clock.now(), actor="x", action="pause", detail="?", dag_ids=names | {"elsewhere"}
        )
    house.tick()


def refused(call: Any) -> None:
    try:
        call()
    except Refusal:
        return


@pytest.mark.parametrize("seed", range(12))
def test_following_is_as_good_as_a_reload(seed: int) -> None:
    house, rerun_id, runs = submitted()
    chance = random.Random(seed)
    follower = Follower(house, rerun_id)
    for _ in range(60):
        follower.look()
        assert follower.shown() == reloaded(house, rerun_id)
        assert follower.look() == [ChangesView(str(follower.cursor))]
        for _ in range(chance.randint(0, 3)):
            happens(house, rerun_id, runs, chance)
    if chance.random() < 0.5:
        house.permissions.unreadable = house.permissions.forbidden = set()
        refused(lambda: house.service.terminate(ADA, rerun_id))
        house.tick()
    follower.look()
    assert follower.shown() == reloaded(house, rerun_id)


@pytest.mark.parametrize("seed", range(12))
def test_what_happens_in_the_middle_of_a_look_is_seen_by_the_next(seed: int) -> None:
    house, rerun_id, runs = submitted()
    chance = random.Random(seed)
    follower, ask = Follower(house, rerun_id), house.service.changes

    def disturbed(*args: Any, **options: Any) -> ChangesView:
        answer = ask(*args, **options)
        if chance.random() < 0.3:
            happens(house, rerun_id, runs, chance)
        return answer

    for _ in range(30):
        house.service.changes = disturbed  # type: ignore[method-assign]
        follower.look()
        house.service.changes = ask  # type: ignore[method-assign]
        follower.look()
        assert follower.shown() == reloaded(house, rerun_id)
        happens(house, rerun_id, runs, chance)


def test_what_can_be_done_with_a_member_hangs_on_its_rerun() -> None:
    """A member that has failed isn't written when the rerun is terminated, nor one that waits when it is over."""
    house, rerun_id, runs = submitted()
    house.tick()
    finish(house, runs[0], as_="failed")
    follower = Follower(house, rerun_id)
    follower.look()
    assert follower.shown()[1][member_id(house, rerun_id, "a")].allowed_actions == ("retry", "skip")
    house.service.terminate(ADA, rerun_id)
    for _ in range(3):
        follower.look()
        assert follower.shown() == reloaded(house, rerun_id)
        assert follower.shown()[1][member_id(house, rerun_id, "a")].allowed_actions == ()
        house.tick()


def test_two_who_see_different_things_have_different_cursors() -> None:
    house, rerun_id, _ = submitted()
    cursors = set()
    sights: list[tuple[set[str], set[str]]] = [(set(), set()), ({"c"}, set()), ({"d"}, set()), (set(), {"c"})]
    for unreadable, forbidden in sights:
        house.permissions.unreadable, house.permissions.forbidden = unreadable, forbidden
        follower = Follower(house, rerun_id)
        follower.look()
        assert follower.cursor not in cursors
        for other in cursors:
            assert house.service.changes(ADA, rerun_id, since=other, limit=9).whole, "it is another's"
        cursors.add(follower.cursor)


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "1.2.3", "1.2.3.4.5", "-9.0..0.s", "0.0..99999999999999999999.s", "0.0.99999999999.0.s", "0.0..é.s"),
        "½.0..0.s",
    ],
)
def test_a_cursor_that_says_nothing_gets_everything(cursor: str) -> None:
    house, rerun_id, _ = submitted()
    answer = house.service.changes(ADA, rerun_id, since=cursor, limit=100)
    assert answer.whole
    assert len(answer.members) == len(NAMES)


def test_a_revision_that_has_gone_back_counts_for_nothing() -> None:
    """The database was restored."""
    house, rerun_id, _ = submitted()
    follower = Follower(house, rerun_id)
    before = house.store.snapshot()
    house.service.pause(ADA, rerun_id)
    follower.look()
    house.store.restore(before)
    assert follower.look()[0].whole
    assert follower.shown() == reloaded(house, rerun_id)


def test_what_may_not_be_read_is_not_there() -> None:
    house, rerun_id, _ = submitted()
    follower = Follower(house, rerun_id)
    follower.look()
    house.permissions.unreadable = {"a"}
    for number in (rerun_id, rerun_id + 1):
        with pytest.raises(NotFound):
            house.service.changes(ADA, number, since=follower.cursor, limit=9)
