"""Makes worlds in batches, and plans of them; collects what is wrong, and finds the smallest world that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_rerun_downstream.airflow3.lineage_facts.four_readers import readers
from airflow_rerun_downstream.domain.plan import Plan, PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.lineage.declarations import parse
from airflow_rerun_downstream.lineage.planner import Planner
from tests.worlds.judging import Fault, faults
from tests.worlds.left_out import LEFT_OUT
from tests.worlds.making import VARIANTS, world_of
from tests.worlds.model import NOW, World
from tests.worlds.story import story
from tests.worlds.writing import Writer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.airflow3.database import Database

AT_ONCE = 20
"""How many worlds stand side by side in the database: writing Dags costs the same for one as for many."""

Source = tuple[RunRef, tuple[str, ...] | None]


@dataclass
class Sweep:
    """What came of many worlds. ``wrong``: the story of each world of which a plan is wrong, by its seed."""

    worlds: int = 0
    plans: int = 0
    readings: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[tuple[Source, list[Fault]]]] = field(default_factory=dict)

    def table(self) -> str:
        """How many readings of each variant there were."""
        every = sum(self.readings.values())
        lines = [f"{count:7} {count / every:6.1%}  {variant}" for variant, count in self.readings.most_common()]
        return "\n".join([f"{self.worlds} worlds, {self.plans} plans, {every} readings:", *lines])

    def rare(self, share: float) -> list[str]:
        """The variants that make up less than a share."""
        every = sum(self.readings.values())
        names = [variant.variant for variant in VARIANTS if variant.variant not in LEFT_OUT]
        return [name for name in names if self.readings[name] < share * every]


def batches(seeds: Iterable[int], left_out: Collection[str]) -> Iterator[list[World]]:
    """The worlds of seeds, in groups that are written at once."""
    every = list(seeds)
    for start in range(0, len(every), AT_ONCE):
        yield [world_of(str(seed), left_out=left_out) for seed in every[start : start + AT_ONCE]]


def write(database: Database, worlds: Sequence[World]) -> None:
    """Let the database hold these worlds, and nothing else."""
    database.empty()
    with database.session() as session:
        Writer(session).write(worlds)


def plan(session: Session, world: World, source: Source) -> Plan:
    """The plan that a person gets who may read everything."""
    declared = parse("\n".join(["links:", *world.declared]) if world.declared else "links: []", "links.yaml")
    assert not declared.problems, declared.problems
    planner = Planner(
        readers(session),
        readable=frozenset,
        in_active_rerun=lambda refs: (),
        now=NOW,
        window_start=None,
        max_runs=10_000,
        declarations=declared,
    )
    ref, tasks = source
    chosen = None if tasks is None else tuple(map(TaskRef, tasks))
    return planner.plan(PlanRequest(ref, chosen, options=PlanOptions(include_manual=True)))


def judged(session: Session, world: World) -> list[tuple[Source, list[Fault]]]:
    """What is wrong with the plans of a world, by their sources."""
    every = [(source, faults(world, *source, plan(session, world, source))) for source in world.sources]
    return [(source, found) for source, found in every if found]


def sweep(database: Database, seeds: Iterable[int], *, stop_at: int = 5) -> Sweep:
    """Make and judge plans of many worlds; so many wrong ones are enough."""
    found = Sweep()
    for worlds in batches(seeds, LEFT_OUT):
        write(database, worlds)
        with database.session() as session:
            for world in worlds:
                found.worlds += 1
                found.plans += len(world.sources)
                found.readings.update(reading.variant for reading in world.readings)
                if wrong := judged(session, world):
                    found.wrong[world.seed] = wrong
        if len(found.wrong) >= stop_at:
            break
    return found


def smallest(database: Database, seed: str, what: str) -> str:
    """The story of the smallest world that still shows a fault: links are left out one by one."""
    without: set[int] = set()
    world = world_of(seed, left_out=LEFT_OUT)
    for link in list(world.links):
        if shows(database, seed, {*without, link.number}, what):
            without.add(link.number)
    world = world_of(seed, without=without, left_out=LEFT_OUT)
    write(database, [world])
    with database.session() as session:
        return "\n".join(story(world, *source, found) for source, found in judged(session, world))


def said_of(world: World, wrong: Mapping[Source, Sequence[Fault]]) -> str:
    """The stories of a world, one for each source, also of those of which the plan is right."""
    return "\n\n".join(story(world, *source, wrong.get(source, ())) for source in world.sources)


def shows(database: Database, seed: str, without: Collection[int], what: str) -> bool:
    """Whether a world without some links still has a fault of a sort."""
    world = world_of(seed, without=without, left_out=LEFT_OUT)
    write(database, [world])
    with database.session() as session:
        return any(fault.what == what for _, found in judged(session, world) for fault in found)
