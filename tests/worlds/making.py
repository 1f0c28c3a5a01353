"""Makes a world from a seed."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from airflow.sdk import TaskGroup

from tests.worlds import operators
from tests.worlds.assets import ALIAS_CLEANED, ASSETS
from tests.worlds.judging import BEHIND
from tests.worlds.model import DAY, DAYS, FIRST_DAY, HOUR, Dag, Task, World
from tests.worlds.others import OTHERS
from tests.worlds.repairing import EARLIER_RERUN, choose
from tests.worlds.sensor_variants import SENSORS
from tests.worlds.sensors import ALL_RECORDED
from tests.worlds.triggers import FORGOTTEN_PARENT, TRIGGERS

if TYPE_CHECKING:
    from tests.worlds.links import Link

VARIANTS: tuple[type[Link], ...] = (*SENSORS, *TRIGGERS, *ASSETS, *OTHERS)
RECORDS = ("xcoms", "fields", "events")
HAPPENINGS = (
    *(f"{what} cleaned" for what in RECORDS),
    "late events",
    ALIAS_CLEANED,
    ALL_RECORDED,
    BEHIND,
    FORGOTTEN_PARENT,
    EARLIER_RERUN,
)
"""What may befall any link."""


def world_of(seed: str, *, without: Collection[int] = (), left_out: Collection[str] = ()) -> World:
    """The world of a seed. ``without``: links of it, by their numbers, that are left out; all else stays.

    ``left_out``: what isn't to happen in any world: variants of links by their names, and `HAPPENINGS`.
    """
    random = Random(seed)
    kept_since = {
        what: FIRST_DAY + random.randint(1, 2) * DAY
        for what in RECORDS
        if random.random() < 0.3 and f"{what} cleaned" not in left_out
    }
    made = World(seed, f"w{seed}_", random.randint(1, DAYS - 1), kept_since, left_out=frozenset(left_out))
    plan_links(made, random, [variant for variant in VARIANTS if variant.variant not in left_out])
    made.links = [link for link in made.links if link.number not in without]
    for dag in made.dags:
        base_tasks(dag)
    for link in made.links:
        link.declare()
    for dag in made.dags:
        live(made, dag, [link for link in made.links if link.down is dag])
    for write_down in made.at_last:
        write_down()
    choose_sources(made, random)
    made.repaired = choose(made)
    return made


def plan_links(world: World, random: Random, variants: list[type[Link]]) -> None:
    """The Dags, each with the links that lead to it from those before."""
    world.dags.append(dag_of(world, random, "timed"))
    for _ in range(random.randint(3, 5)):
        (chosen,) = random.choices(variants, [variant.weight for variant in variants])
        down = dag_of(world, random, chosen.form)
        fitting = [one for one in variants if one.form == down.form]
        if down.form == "asset_or_time":
            fitting = []
        more = (
            random.choices(fitting, [one.weight for one in fitting], k=random.choice([0, 0, 1, 2])) if fitting else []
        )
        for variant in [chosen, *more]:
            number = len(world.links)
            ups = [dag for dag in world.dags if dag.dated] if variant.dated_up else world.dags
            chosen_ups = [random.choice(ups), random.choice(ups)]
            world.links.append(variant(world, number, chosen_ups, down, Random(f"{world.seed}/{number}")))
        world.dags.append(down)


def dag_of(world: World, random: Random, form: str) -> Dag:
    """The next Dag."""
    name = f"{world.prefix}{'abcdefghij'[len(world.dags)]}"
    changes = random.random() < 0.5
    return Dag(name, form, random.choice([0, 0, len(world.dags)]), changes, renames=random.random() < 0.4)


def base_tasks(dag: Dag) -> None:
    """What every Dag has: three tasks in a row, of which one is in a group, and one aside."""
    empty = operators.EmptyOperator
    for version in (0, 1):
        last = dag.last(version)
        tasks = (
            Task("first", partial(empty, task_id="first")),
            Task("grp.mid", group_of_two, ("first",)),
            Task("grp.side", None, ()),
            Task(last, partial(empty, task_id=last), ("grp.mid",)),
            Task("aside", partial(empty, task_id="aside")),
        )
        for task in tasks:
            dag.add(task, (version,))


def group_of_two() -> dict[str, Any]:
    """A group with two tasks that have nothing to do with each other."""
    with TaskGroup("grp"):
        return {f"grp.{name}": operators.EmptyOperator(task_id=name) for name in ("mid", "side")}


def live(world: World, dag: Dag, links: Collection[Link]) -> None:
    """Let the runs of a Dag come and read, when those of the Dags before it have."""
    if dag.form in ("timed", "asset_or_time"):
        for day in range(DAYS):
            date = FIRST_DAY + day * DAY + dag.hour * HOUR
            world.add_run(dag, f"scheduled__{date.isoformat()}", day, logical=date, ready=date, by="scheduled")
    for link in links:
        link.start()
    for link in links:
        link.read()


def choose_sources(world: World, random: Random, count: int = 2) -> None:
    """Runs from which plans are made: with all their tasks, or from one on. Those with readers are more likely."""
    read = sorted({reading.up for reading in world.readings}) or sorted(world.runs)
    for _ in range(count):
        ref = random.choice(read if random.random() < 0.85 else sorted(world.runs))
        tasks = sorted(world.runs[ref].tasks)
        world.sources.append((ref, None if random.random() < 0.5 else (random.choice(tasks),)))
