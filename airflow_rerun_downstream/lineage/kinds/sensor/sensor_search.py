"""The search for the links of sensors.

Best first, for each run and map index of the sensor: what the worker listener recorded, whatever the Dag says by now;
what the sensor's offset says, which the policy made readable; the same logical date, where the policy's mark is
missing. What can't be told so is told as unresolved: one record says nothing of another run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.facts import DagStructure, RunFacts
from airflow_rerun_downstream.domain.lineage_records import RecordedWait, SensorInstance
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, LineageContext, by_dag
from airflow_rerun_downstream.lineage.kinds.sensor.observations import (
    Records,
    SensorObservations,
    earliest,
    expected_dates,
    rendered_tasks,
)
from airflow_rerun_downstream.lineage.kinds.sensor.unresolved_sensors import (
    RENDERED_GONE,
    is_declared,
    open_edge,
    reason,
    to_do,
)
from airflow_rerun_downstream.lineage.offsets import readable_offset
from airflow_rerun_downstream.lineage.templates import may_name

Tasks = frozenset[str] | None
"""Upstream tasks that a sensor waited for; None: the whole run."""


def by_date(run: RunFacts) -> bool:
    """Whether Airflow's own sensor can wait for a run; another class may find it in another way."""
    return run.logical_date is not None


@dataclass
class Waited:
    """A sensor of a run and the upstream tasks that its instances waited for, by their offset."""

    upstream: RunFacts
    consumer: RunFacts
    sensor: SensorDefinition
    date: datetime
    tasks: Tasks = field(default_factory=frozenset)


class SensorSearch:
    """The search for one batch of upstream runs."""

    def __init__(self, runs: Sequence[RunFacts], sensors: Sequence[SensorDefinition], context: LineageContext) -> None:
        self.runs = by_dag(runs)
        self.by_ref = {run.ref: run for run in runs}
        self.sensors = sensors
        self.context = context
        since = min(earliest(run) for run in runs)
        keys = {*((sensor.dag_id, sensor.task_id) for sensor in sensors), *context.strays}
        dates = {dag_id: {r.logical_date for r in some if r.logical_date} for dag_id, some in self.runs.items()}
        self.records = Records(context.facts.tasks.recorded_waits(keys, since=since, dates=dates))
        self.open = [sensor for sensor in sensors if sensor.decides_itself or not sensor.offset_known]
        named = {sensor.external_dag_id: self.named_by(sensor.external_dag_id) for sensor in sensors}
        self.expected = expected_dates(sensors, named)
        self.named = named
        self.seen = SensorObservations(self.expected, self.open, context, since)

    def named_by(self, text: str) -> list[RunFacts]:
        """The runs of the batch whose Dag a sensor may mean by a text."""
        return [run for dag_id, runs in self.runs.items() if may_name(text, dag_id) for run in runs]

    def found(self) -> list[FoundLink]:
        """Every link of the batch."""
        recorded = list(self.recorded())
        return [*recorded, *self.derived(recorded), *self.unresolved()]

    def recorded(self) -> Iterator[FoundLink]:
        """The links that the listener's records prove: one for each sensor and run that it waited for."""
        dates = {(run.ref.dag_id, run.logical_date): run for run in self.by_ref.values()}
        hits: dict[tuple[RunRef, RunRef, str], list[tuple[RecordedWait, datetime]]] = {}
        for record in self.records.waits.values():
            for date in record.dates:
                if (upstream := dates.get((record.external_dag_id, date))) is not None:
                    key = upstream.ref, record.consumer, record.task_id
                    hits.setdefault(key, []).append((record, date))
        known = {run.ref: run for some in self.seen.at.values() for run in some}
        missing = {consumer for _, consumer, _ in hits} - set(known)
        known.update(self.context.facts.runs.among(missing) if missing else {})
        for (upstream_ref, consumer_ref, task_id), some in hits.items():
            if (consumer := known.get(consumer_ref)) is not None:
                record, date = some[0]
                via = {"task_id": task_id, **record.shown(date)}
                tasks = joined(self.tasks_of(upstream_ref, one.task_ids, one.group_id) for one, _ in some)
                yield sensor_link(self.by_ref[upstream_ref], consumer, task_id, tasks, Evidence.RECORDED, via)

    def derived(self, recorded: Sequence[FoundLink]) -> Iterator[FoundLink]:
        """The links that a sensor's offset tells, for instances without a record."""
        waits: dict[tuple[object, ...], Waited] = {}
        for sensor, upstream, date in self.expected:
            for consumer in self.seen.at.get((sensor.dag_id, date), ()):
                left = self.records.without(self.seen.waited_at(sensor, consumer.ref))
                if not left:
                    continue
                if sensor.offset_known and (doubt := self.records.doubts(left)) is not None:
                    yield open_edge(upstream, sensor, doubt, [consumer.ref], to_do=[Advice.LOOK_BY_HAND])
                tasks, unknown = self.tasks_waited_for(sensor, upstream, left)
                if unknown:
                    yield open_edge(upstream, sensor, RENDERED_GONE, [consumer.ref])
                if tasks is None or tasks:
                    key = upstream.ref, consumer.ref, sensor.task_id, sensor.offset_known, repr(sensor.offset)
                    wait = waits.setdefault(key, Waited(upstream, consumer, sensor, date))
                    wait.tasks = joined([wait.tasks, tasks])
        proven = {(one.link.upstream, one.link.downstream, one.to_task): one.from_tasks for one in recorded}
        for wait in waits.values():
            known = proven.get((wait.upstream.ref, wait.consumer.ref, wait.sensor.task_id), frozenset())
            if known is not None and (wait.tasks is None or not wait.tasks <= known):
                yield offset_link(wait)

    def tasks_waited_for(
        self, sensor: SensorDefinition, upstream: RunFacts, instances: Iterable[SensorInstance]
    ) -> tuple[Tasks, bool]:
        """The tasks of a run that instances waited for, none if it wasn't that run's Dag; and if some can't be told."""
        if not sensor.templated:
            return self.tasks_of(upstream.ref, sensor.task_ids, sensor.group_id), False
        known = [self.seen.names.of(sensor, one) for one in instances]
        mine = (rendered_tasks(each) for each in known if each and each.get("external_dag_id") == upstream.ref.dag_id)
        return joined(self.tasks_of(upstream.ref, *each) for each in mine), None in known

    def tasks_of(self, upstream: RunRef, task_ids: frozenset[str], group_id: str | None) -> Tasks:
        """The tasks of a run that are meant by names, or by a group of it."""
        return waited_tasks(task_ids, group_id, self.context.structures.was(upstream))

    def unresolved(self) -> Iterator[FoundLink]:
        """Sensors of which no offset is known, with their instances that have no record and may have waited for a run.

        An instance that is still waiting hasn't read anything: what it waits for isn't there.
        """
        left: dict[tuple[RunRef, str, str], list[tuple[SensorDefinition, list[SensorInstance]]]] = {}
        for sensor in self.open:
            for run in self.named[sensor.external_dag_id]:
                if not by_date(run) and sensor.own_class is None:
                    continue
                found = self.records.without(self.seen.waited_since(sensor, run))
                if found and not is_declared(run.ref, sensor, self.context.definitions.declared):
                    left.setdefault((run.ref, sensor.dag_id, sensor.task_id), []).append((sensor, found))
        for (ref, _, _), some in left.items():
            sensor, instances = some[0][0], [one for _, each in some for one in each]
            runs = {one.run for one in instances}
            doubt = self.records.doubts(instances)
            why = reason(sensor, doubt, len(runs))
            tasks = joined(self.tasks_named(one, ref) for one, _ in some)
            yield open_edge(self.by_ref[ref], sensor, why, runs, tasks, to_do(sensor, doubt))

    def tasks_named(self, sensor: SensorDefinition, upstream: RunRef) -> Tasks:
        """The tasks of a run that a sensor can mean, whenever it waits."""
        if sensor.own_class is not None or sensor.templated:
            return None
        return self.tasks_of(upstream, sensor.task_ids, sensor.group_id)


def joined(several: Iterable[Tasks]) -> Tasks:
    """All of several sets of tasks; None: the whole run is among them."""
    found: set[str] = set()
    for tasks in several:
        if tasks is None:
            return None
        found |= tasks
    return frozenset(found)


def offset_link(wait: Waited) -> FoundLink:
    """The link that an offset tells."""
    sensor = wait.sensor
    via = {"task_id": sensor.task_id, "delta": readable_offset(sensor.offset), "dates": [wait.date.isoformat()]}
    evidence = Evidence.DERIVED if sensor.offset_known else Evidence.ASSUMED
    return sensor_link(wait.upstream, wait.consumer, sensor.task_id, wait.tasks, evidence, via)


def sensor_link(
    upstream: RunFacts,
    consumer: RunFacts,
    task_id: str,
    tasks: Tasks,
    evidence: Evidence,
    via: Mapping[str, Any],
) -> FoundLink:
    """A link to a sensor's run."""
    via = dict(via) if tasks is None else {**via, "external_task_ids": sorted(tasks)}
    link = Link(upstream.ref, consumer.ref, LinkKind.SENSOR, evidence, via, to_task_id=task_id)
    return FoundLink(link, tasks, task_id, consumer)


def waited_tasks(task_ids: frozenset[str], group_id: str | None, structure: DagStructure | None) -> Tasks:
    """The upstream tasks that a sensor waits for; None: the whole run, or a group that no longer exists."""
    if task_ids:
        return task_ids
    if group_id is None or structure is None:
        return None
    return structure.groups.get(group_id)
