"""Holds a plan against what was really read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, Plan
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from tests.worlds.model import Doubt, Reading, World

BEHIND = "behind an unresolved link"
SURE = (Evidence.RECORDED, Evidence.DERIVED)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a plan. ``what``: ``silent``, ``invented``, ``derived wrongly`` or ``needlessly open``."""

    what: str
    about: str
    variants: frozenset[str]

    def __str__(self) -> str:
        return f"{self.what}: {self.about} [{', '.join(sorted(self.variants))}]"


@dataclass
class Truth:
    """The tasks of each run that wrong data has reached, and the readings through which it went."""

    tasks: dict[RunRef, set[str]] = field(default_factory=dict)
    through: list[Reading] = field(default_factory=list)


def truth(world: World, source: RunRef, tasks: Collection[str] | None, *, told_only: bool) -> Truth:
    """What is wrong in which run. ``told_only``: as far as anything is left that says so.

    Otherwise tasks that failed come along with polluted ones of their run, as it is with a rerun.
    """
    found = Truth()
    run = world.runs[source]
    start = set(run.tasks) if tasks is None else run.dag.followers(run.version, tasks)
    found.tasks[source] = start
    leaving: dict[RunRef, list[Reading]] = {}
    for reading in world.readings:
        if reading.told or not told_only:
            leaving.setdefault(reading.up, []).append(reading)
    waiting = [source]
    while waiting:
        ref = waiting.pop()
        for reading in leaving.get(ref, ()):
            if reading.tasks is None or not found.tasks[ref].isdisjoint(reading.tasks):
                reached = reached_by(world, reading)
                if reached:
                    found.through.append(reading)
                if not told_only and reached:
                    reached |= brought_along(world, reading.down)
                if reached - found.tasks.setdefault(reading.down, set()) if reached else False:
                    found.tasks[reading.down] |= reached
                    waiting.append(reading.down)
    return found


def reached_by(world: World, reading: Reading) -> set[str]:
    """The tasks that a reading spoils."""
    run = world.runs[reading.down]
    if reading.task is None:
        return set(run.tasks)
    after = run.dag.followers(run.version, [reading.task])
    return after - {reading.task} if reading.beyond else after


def brought_along(world: World, ref: RunRef) -> set[str]:
    """The failed tasks of a run, and what follows them."""
    run = world.runs[ref]
    failed = {task_id for (task_id, _), each in run.instances.items() if each.state == "failed"}
    return run.dag.followers(run.version, failed)


def faults(world: World, source: RunRef, tasks: Collection[str] | None, plan: Plan) -> list[Fault]:
    """All that is wrong with a plan."""
    must, may = (truth(world, source, tasks, told_only=told_only) for told_only in (True, False))
    links = [link for link in plan.links if link.downstream not in {run.ref for run in plan.upcoming}]
    return [
        *silent(world, source, plan, links, must),
        *invented(world, source, links, may),
        *untrue(world, links),
        *needless(world, links, may),
    ]


def unresolved(links: Iterable[Link]) -> list[Link]:
    """The links to Dags of which no run could be told."""
    return [link for link in links if isinstance(link.downstream, FutureRef)]


def told_dags(world: World, plan: Plan, links: Iterable[Link]) -> set[str]:
    """The Dags that a plan lists as unresolved, or as read by an offset that it doesn't know."""
    found = {link.downstream.dag_id for link in unresolved(links)}
    found |= {warning.dag_id for warning in plan.warnings if warning.code == "offset_unknown" and warning.dag_id}
    return found | behind(world, found) if BEHIND in world.left_out else found


def behind(world: World, dag_ids: Collection[str]) -> set[str]:
    """The Dags that hang on others."""
    found, waiting = set(dag_ids), list(dag_ids)
    while waiting:
        dag_id = waiting.pop()
        for reading in world.readings:
            if reading.up.dag_id == dag_id and reading.down.dag_id not in found:
                found.add(reading.down.dag_id)
                waiting.append(reading.down.dag_id)
    return found


def silent(world: World, source: RunRef, plan: Plan, links: list[Link], must: Truth) -> Iterator[Fault]:
    """Runs that read wrong data and of which the plan says nothing, each with the readings that led there first."""
    shown = {run.ref for run in plan.runs} | {source}
    told = told_dags(world, plan, links)
    for ref in must.tasks:
        if ref in shown or ref.dag_id in told:
            continue
        ways = [reading for reading in must.through if reading.down == ref]
        first = [way for way in ways if way.up in shown or way.up.dag_id in told]
        if first:  # the others are missed because of these
            yield Fault("silent", f"{ref} read {first[0].up}", frozenset(way.variant for way in first))


def invented(world: World, source: RunRef, links: list[Link], may: Truth) -> Iterator[Fault]:
    """Runs to which sure links lead from the source, and that read nothing wrong."""
    reached, waiting = {source}, [source]
    while waiting:
        ref = waiting.pop()
        for link in links:
            if link.upstream == ref and link.evidence in SURE and link.downstream not in reached:
                if link.downstream not in may.tasks:
                    yield Fault("invented", said(link), frozenset({link.kind.value}))
                if isinstance(link.downstream, RunRef):
                    reached.add(link.downstream)
                    waiting.append(link.downstream)


def untrue(world: World, links: Iterable[Link]) -> Iterator[Fault]:
    """Sure links over which nothing was read."""
    read = {(reading.up, reading.down, reading.kind, reading.task) for reading in world.readings}
    for link in links:
        if link.evidence in SURE and (link.upstream, link.downstream, link.kind, link.to_task_id) not in read:
            yield Fault(f"{link.evidence.value} wrongly", said(link), frozenset({link.kind.value}))


def needless(world: World, links: Collection[Link], may: Truth) -> Iterator[Fault]:
    """Open links where enough is left to know."""
    doubts: dict[tuple[object, ...], list[Doubt]] = {}
    for doubt in world.doubts:
        doubts.setdefault((doubt.up, doubt.dag_id, doubt.kind), []).append(doubt)
    guessed = after_guesses(links)
    hooks = {link.downstream.dag_id for link in unresolved(links) if "behind" not in link.via}
    hanging = may_hang(world, hooks)
    for link in unresolved(links):
        if not link.via.get("why") or not set(link.via.get("to_do", ())) or not link.via.get("advice"):
            yield Fault("open without a word", said(link), frozenset({link.kind.value}))
        if "behind" in link.via:
            if link.downstream.dag_id not in hanging:
                yield Fault("hangs on nothing", said(link), frozenset({link.kind.value}))
            continue
        some = doubts.get((link.upstream, link.downstream.dag_id, link.kind), [])
        wrong = None if link.upstream in guessed else may.tasks.get(link.upstream)
        if not any(doubt.tasks is None or wrong is None or not wrong.isdisjoint(doubt.tasks) for doubt in some):
            yield Fault("needlessly open", said(link), frozenset({link.kind.value}))


def after_guesses(links: Collection[Link]) -> set[RunRef]:
    """The runs to which a link leads that is only assumed, and those after them."""
    found: set[RunRef] = set()
    waiting = [link.downstream for link in links if link.evidence is Evidence.ASSUMED]
    while waiting:
        ref = waiting.pop()
        if isinstance(ref, RunRef) and ref not in found:
            found.add(ref)
            waiting += [link.downstream for link in links if link.upstream == ref]
    return found


def may_hang(world: World, dag_ids: set[str]) -> set[str]:
    """The Dags to which links of the world lead from others, whether a run of theirs has read or not."""
    found, waiting = set(dag_ids), list(dag_ids)
    while waiting:
        dag_id = waiting.pop()
        new = {name for link in world.links for name in link.leads_to(dag_id)} - found
        found |= new
        waiting += new
    return found


def said(link: Link) -> str:
    """A link as a line of a story."""
    down = link.downstream if isinstance(link.downstream, RunRef) else f"{link.downstream.dag_id} / ?"
    ends = f"{link.upstream} {link.from_task_id or ''} > {down} {link.to_task_id or ''}"
    return f"{ends}: {link.kind.value} {link.evidence.value} {dict(link.via)}"
