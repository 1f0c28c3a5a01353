"""Asset events that are gone: `airflow db clean` takes them, and with them Airflow's record of who consumed them.

That there was one is told by the Dag: a task that succeeds leaves an event for each asset among its outlets.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import Definitions, OutletDefinition
from airflow_rerun_downstream.domain.facts import RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.proof import TaskTries
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.explored import Explored, Instances
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, LineageContext, unresolved

CLEANED = Sentence("link.event_cleaned")
READ_UNSEEN = Sentence("link.event_cleaned_unread")


@dataclass(frozen=True)
class Taker:
    """A Dag that an asset schedules, or a task that reads one."""

    dag_id: str
    task_id: str | None = None


class Takers:
    """Who takes what tasks make, or has taken it in an earlier version, or before their Dag was gone."""

    def __init__(self, now: Definitions, earlier: Definitions, kinds: Collection[LinkKind]) -> None:
        self.by_asset: dict[int, dict[Taker, None]] = {}
        self.by_alias: dict[str, dict[Taker, None]] = {}
        gone = [one for one in now.gone_schedules if one.dag_id in earlier.changed or not earlier.complete]
        for schedule in (*now.asset_schedules, *gone) if LinkKind.ASSET in kinds else ():
            if schedule.alias is None:
                self.by_asset.setdefault(schedule.asset_id, {})[Taker(schedule.dag_id)] = None
            else:
                self.by_alias.setdefault(schedule.alias, {})[Taker(schedule.dag_id)] = None
        for inlet in (*now.inlets, *earlier.inlets) if LinkKind.INLET in kinds else ():
            self.by_asset.setdefault(inlet.asset_id, {})[Taker(inlet.dag_id, inlet.task_id)] = None

    def of(self, outlets: Iterable[OutletDefinition]) -> list[Taker]:
        """Those who take what a task makes; of a Dag that it starts no tasks."""
        found: dict[Taker, None] = {}
        for outlet in outlets:
            found |= self.by_asset.get(outlet.asset_id, {})
            found |= self.by_alias.get(outlet.alias or "", {})
        started = {taker.dag_id for taker in found if taker.task_id is None}
        return [taker for taker in found if taker.task_id is None or taker.dag_id not in started]


@dataclass(frozen=True)
class Making:
    """A task of a run that has left an event of one of its outlets: there are several where they came by an alias."""

    run: RunFacts
    task_id: str
    outlets: tuple[OutletDefinition, ...]
    takers: tuple[Taker, ...]

    @property
    def events(self) -> set[tuple[RunRef, str, int]]:
        """The events that it may have left: run, task and asset."""
        return {(self.run.ref, self.task_id, outlet.asset_id) for outlet in self.outlets}


def lost_events(
    explored: Explored, instances: Instances, context: LineageContext, kinds: Collection[LinkKind]
) -> Iterator[FoundLink]:
    """An open edge for each polluted task that has made an asset of which the first event isn't kept, and each of its
    takers.

    Who took it has read the task's first success, whatever later ones have left: what they emit, after a rerun or a
    person's clear, is new to everybody.
    """
    takers = Takers(context.definitions, context.earlier, kinds)
    known = {
        (found.link.upstream, found.link.from_task_id, found.link.via.get("asset"))
        for found in explored.found
        if found.link.kind in (LinkKind.ASSET, LinkKind.INLET)
    }
    once, again = list[Making](), list[Making]()
    for ref, run in explored.runs.items():
        for making in makings(run, context, takers):
            if not explored.pollution[ref].carries(frozenset({making.task_id})):
                continue
            if tried_again(instances[ref], making.task_id):
                again.append(making)
            elif succeeded(instances[ref], making.task_id) and not any(
                (ref, making.task_id, outlet.asset) in known for outlet in making.outlets
            ):
                once.append(making)
    if not once and not again:
        return
    firsts = Firsts(context, again)
    doubtful = [*once, *(making for making in again if firsts.succeeded(making))]
    runs = list(dict.fromkeys(making.run.ref for making in doubtful))
    asset_ids = {outlet.asset_id for making in doubtful for outlet in making.outlets}
    kept: dict[tuple[RunRef, str, int], datetime] = {}
    for event in context.facts.assets.emissions(runs, asset_ids) if runs else ():
        key = event.producer, event.task_id, event.asset_id
        kept[key] = min(event.at, kept.get(key, event.at))
    for making in doubtful:
        moments = [kept[event] for event in making.events if event in kept]
        until = firsts.until(making)
        if not any(until is None or moment < until for moment in moments):
            yield from open_edges(making, later=bool(moments))


class Firsts:
    """The first success of tasks that were tried more than once: what they made then is what others have taken."""

    def __init__(self, context: LineageContext, makings: Collection[Making]) -> None:
        refs = {making.run.ref for making in makings}
        self.tries: dict[tuple[RunRef, str], list[TaskTries]] = {}
        for ref, run in (context.facts.tasks.tries(refs) if refs else {}).items():
            for task in run.tasks:
                self.tries.setdefault((ref, task.task_id), []).append(task)

    def succeeded(self, making: Making) -> bool:
        """Whether an index of the task has ever succeeded."""
        return any(
            task.state == "success" or any(one.state == "success" for one in task.tries)
            for task in self.tries.get((making.run.ref, making.task_id), ())
        )

    def until(self, making: Making) -> datetime | None:
        """When the try after the first success began; None: there is none, so that any event is the first one's."""
        found = []
        for task in self.tries.get((making.run.ref, making.task_id), ()):
            number = next((number for number, one in enumerate(task.tries) if one.state == "success"), len(task.tries))
            later = [one.start for one in task.tries[number + 1 :] if one.start is not None]
            if not later:
                return None
            found.append(later[0])
        return max(found, default=None)


def makings(run: RunFacts, context: LineageContext, takers: Takers) -> Iterator[Making]:
    """What the tasks of a run make, by its own version of the Dag, as far as others take it."""
    own = context.structures.own.get(run.ref)
    groups: dict[tuple[str, object], list[OutletDefinition]] = {}
    for outlet in context.outlets.get(run.ref.dag_id, ()) if own is None else own.definitions.outlets:
        groups.setdefault((outlet.task_id, outlet.alias or outlet.asset_id), []).append(outlet)
    for (task_id, _), outlets in groups.items():
        if found := [taker for taker in takers.of(outlets) if taker.dag_id != run.ref.dag_id]:
            yield Making(run, task_id, tuple(outlets), tuple(found))


def tried_again(instances: Iterable[TaskInstanceFacts], task_id: str) -> bool:
    """Whether an index of a task has had a try before the one by which it is what it is, or may have had one."""
    mine = [task for task in instances if task.task_id == task_id]
    return any(task.try_number > 1 or (task.try_number > 0 and task.state != "success") for task in mine)


def succeeded(instances: Iterable[TaskInstanceFacts], task_id: str) -> bool:
    """Whether a task has succeeded, any index of it."""
    return any(task.task_id == task_id and task.state == "success" for task in instances)


def open_edges(making: Making, *, later: bool) -> Iterator[FoundLink]:
    """The edges to those who may have taken what a task made; ``later``: an event is kept of a later try."""
    first = making.outlets[0]
    via = {"alias": first.alias} if first.alias else {"asset": first.asset}
    via["task_id"] = making.task_id
    if later:
        via["later_event"] = "kept"
    for taker in making.takers:
        reads = taker.task_id is not None
        yield unresolved(
            making.run.ref,
            taker.dag_id,
            LinkKind.INLET if reads else LinkKind.ASSET,
            via,
            why=READ_UNSEEN if reads else CLEANED,
            to_do=[Advice.KEEP_ASSET_EVENTS],
            from_task_id=making.task_id,
            to_task_id=taker.task_id,
        )
