"""What Airflow's records of a `World` say of its runs: who made them, and which of that can't be true."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.definitions import TriggerDefinition
from airflow_rerun_downstream.domain.facts import RunConf, RunFacts
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, TriggeredRun
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.trigger import target_of
from airflow_rerun_downstream.lineage.templates import may_name

if TYPE_CHECKING:
    from tests.fakes.world import World


@dataclass(frozen=True)
class Record:
    """The run id that a task recorded, and the Dag that its link in the UI names, if it left one."""

    parent: RunRef
    task_id: str
    map_index: int
    run_id: str
    linked: str | None = None


def records(world: World) -> Iterator[Record]:
    """All there are; they go with the run whose task wrote them."""
    for parent, task_id, child in world.triggered:
        if parent in world.runs:
            yield Record(parent, task_id, -1, child.run_id, child.dag_id)
    yield from (record for record in world.recorded if record.parent in world.runs)


def declared(world: World, run: RunRef, task_id: str) -> list[TriggerDefinition]:
    """What a task triggers, as the version has it that its run is of."""
    own = world.versions.get(run)
    every = world.triggers if own is None else own.definitions.triggers
    return [one for one in every if (one.dag_id, one.task_id) == (run.dag_id, task_id)]


def is_fixed(triggers: Collection[TriggerDefinition]) -> bool:
    """Whether the Dag itself says what a task triggers."""
    return bool(triggers) and not any("{" in one.trigger_dag_id for one in triggers)


def target(world: World, record: Record) -> str | None:
    """The Dag that a task triggered, as far as Airflow still knows it."""
    if record.linked is not None:
        return record.linked
    triggers = declared(world, record.parent, record.task_id)
    if len(triggers) == 1 and is_fixed(triggers):
        return triggers[0].trigger_dag_id
    fields = world.rendered.get((record.parent, record.task_id, record.map_index), {})
    if triggers and "trigger_dag_id" in fields:
        return str(fields["trigger_dag_id"])
    conf = RunConf(world.confs.get(record.parent, {}), world.conf_overrides)
    return target_of(triggers, world.runs[record.parent], conf)


def triggered(world: World, parents: Collection[RunRef]) -> Iterator[TriggeredRun | DoubtfulRecord]:
    """What the records of runs say."""
    for record in records(world):
        if record.parent not in parents:
            continue
        where = record.parent, record.task_id, record.map_index
        triggers = declared(world, record.parent, record.task_id)
        names = {one.trigger_dag_id for one in triggers}
        dag_id = target(world, record)
        if dag_id is None:
            possible = [
                run for run in alike(world, record.run_id) if any(may_name(name, run.ref.dag_id) for name in names)
            ]
            if len(possible) == 1:
                yield TriggeredRun(*where, told(world, possible[0]), by_run_id=True)
            elif triggers:
                for name in [run.ref.dag_id for run in possible] or sorted(names):
                    yield DoubtfulRecord(*where, Sentence("link.dag_forgotten"), name)
            continue
        child = RunRef(dag_id, record.run_id)
        run = world.runs.get(child)
        if run is None:
            yield DoubtfulRecord(*where, Sentence("link.recorded_run_gone", run=f"{child}"), dag_id)
        elif is_fixed(triggers) and dag_id not in names:
            yield DoubtfulRecord(*where, Sentence("link.recorded_run_of_another_dag", run=f"{child}"), dag_id)
        elif not run.made_by_task and not run.clear_number:
            yield DoubtfulRecord(*where, Sentence("link.recorded_run_not_made", run=f"{child}"), dag_id)
        else:
            yield TriggeredRun(*where, told(world, run))


def alike(world: World, run_id: str) -> list[RunFacts]:
    """The runs of any Dag that have an id and that tasks may have made."""
    found = [run for run in world.runs.values() if run.ref.run_id == run_id and (run.made_by_task or run.clear_number)]
    return sorted(found, key=lambda run: run.ref)


def makers(world: World, child: RunRef) -> set[RunRef]:
    """The runs whose tasks may have made a run: they recorded its id, and trigger its Dag, or nobody knows which."""
    found = set()
    for record in records(world):
        triggers = declared(world, record.parent, record.task_id)
        named = {one.trigger_dag_id for one in triggers} if is_fixed(triggers) else {child.dag_id}
        if record.run_id == child.run_id and child.dag_id in named:
            found.add(record.parent)
    return found


def told(world: World, run: RunFacts) -> RunFacts:
    """A run's facts, with those that other rows tell."""
    online = is_online(world, run.ref)
    return replace(
        run,
        online=online is not False,
        maker_untold=online is None,
        terminated=run.terminated and run.state == "failed",
        dag_gone=run.ref.dag_id in world.gone,
    )


def is_online(world: World, ref: RunRef) -> bool | None:
    """Whether the scheduler made a run, or a task of such a run did; None: nothing tells whose task it was."""
    seen, waiting, by_hand, untold = {ref}, [ref], False, False
    while waiting:
        run = world.runs[waiting.pop()]
        if run.online:
            return True
        above = makers(world, run.ref) if run.made_by_task else set()
        by_hand |= not run.made_by_task
        untold |= run.made_by_task and not above
        waiting.extend(above - seen)
        seen |= above
    return None if untold or not by_hand else False
