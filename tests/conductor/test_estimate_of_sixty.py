"""How far an estimate of a rerun of sixty members is off while it goes on: with a past of their own, times that differ
from run to run, and a limit of members in flight. ``pytest -s`` prints the errors."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import fmean

import pytest

from airflow_rerun_downstream.domain.estimate import Outlook
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.fakes.house import ADA, House
from tests.fakes.world import START

MEMBERS = 60
PAST = 10
NOISE = 0.3
"""How much times differ: the standard deviation of their logarithm."""
PARTS = (0.25, 0.5, 0.75)
SEEDS = range(4)
ASKED = 4
"""It is asked after each so many members that have ended."""


@dataclass
class Night:
    """A rerun of sixty Dags, of which each reads one to three before it."""

    seed: int
    places: int
    house: House = field(default_factory=House)
    ends: dict[RunRef, datetime] = field(default_factory=dict)
    told: list[tuple[datetime, datetime, datetime | None]] = field(default_factory=list)
    bounds: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        world, chance = self.house.world, self.chance
        self.usual = {f"d{number:02}": chance.uniform(120, 1200) for number in range(MEMBERS)}
        for dag_id in self.usual:
            world.dag(dag_id)
            for day in range(-PAST, 1):
                ref, began = world.run(dag_id, day=day), START + timedelta(days=day)
                end = began + timedelta(seconds=self.lasts(dag_id))
                world.tasks[ref] = [replace(one, start_date=began, end_date=end) for one in world.tasks[ref]]
        refs = [RunRef(dag_id, f"scheduled__{START.isoformat()}") for dag_id in self.usual]
        for number, ref in enumerate(refs[1:], 1):
            for other in chance.sample(refs[max(0, number - 12) : number], min(number, chance.randint(1, 3))):
                world.consumed(other, "t", by=ref, asset=f"asset://{other.dag_id}")
        settings = RerunSettings(max_active_members=self.places)
        self.rerun_id = self.house.service.submit(ADA, RerunRequest(PlanRequest(refs[0]), settings=settings)).rerun.id
        self.began = self.house.clock.now()

    def lasts(self, dag_id: str) -> float:
        """Seconds that a run takes this time."""
        return self.usual[dag_id] * self.chance.lognormvariate(0, NOISE)

    def play(self) -> None:
        """Until its end; now and then it is asked when that will be."""
        clock, world = self.house.clock, self.house.world
        while True:
            while self.house.tick():
                self.start()
            self.start()
            stored = self.house.store.get(self.rerun_id)
            assert stored is not None
            if not stored.active:
                assert stored.state is RerunState.SUCCEEDED
                return
            if stored.counts.get(MemberState.SUCCEEDED, 0) % ASKED == 0:
                self.ask()
            if self.ends:
                ref = min(self.ends, key=lambda one: self.ends[one])
                clock.moment = max(clock.moment, self.ends.pop(ref))
                world.set_tasks(ref, "success", at=clock.now())
                world.set_run(ref, state="success")

    def ask(self) -> None:
        """When will it be done?"""
        found = self.house.service.estimate(ADA, self.rerun_id).estimate
        assert found.ends_at is not None
        self.bounds += found.outlook is not Outlook.EXPECTED
        self.told.append((self.house.clock.now(), found.ends_at, found.ends_late))

    def start(self) -> None:
        """Airflow starts what is queued, some seconds later."""
        world, now = self.house.world, self.house.clock.now()
        for ref, run in world.runs.items():
            if run.state == "queued":
                begins = now + timedelta(seconds=self.chance.uniform(2, 8))
                world.set_run(ref, state="running", start_date=begins)
                world.set_tasks(ref, "running", at=begins)
                self.ends[ref] = begins + timedelta(seconds=self.lasts(ref.dag_id))

    def errors(self) -> tuple[list[float], list[bool]]:
        """At each of `PARTS` of the time that it took: how far the end that was told was off, as a part of all that
        time; and whether it had ended by the late end."""
        ended = self.house.store.get(self.rerun_id)
        assert ended is not None
        assert ended.ended_at is not None
        lasted = ended.ended_at - self.began
        off, kept = [], []
        for part in PARTS:
            _, ends_at, late = max(one for one in self.told if one[0] <= self.began + part * lasted)
            off.append((ends_at - ended.ended_at) / lasted)
            kept.append(late is not None and ended.ended_at <= late)
        return off, kept


@pytest.mark.parametrize("places", [5, 60])
def test_how_far_it_is_off(places: int) -> None:
    nights = [Night(seed, places) for seed in SEEDS]
    every, kept = list[list[float]](), list[bool]()
    for night in nights:
        night.play()
        off, held = night.errors()
        assert len(night.house.store.members(night.rerun_id)) == MEMBERS
        every.append(off)
        kept += held
        told = ", ".join(f"{part:.0%}: {one:+.1%}" for part, one in zip(PARTS, off, strict=True))
        print(f"\n{places} at once, seed {night.seed}: {told}; bounds: {night.bounds} of {len(night.told)}", end="")
    print(f"\n{places} at once: ended by the late end in {sum(kept)} of {len(kept)} cases")
    for place in range(len(PARTS)):
        assert fmean(abs(off[place]) for off in every) <= 0.08
        assert max(abs(off[place]) for off in every) <= 0.2
    assert sum(kept) / len(kept) >= 0.6
