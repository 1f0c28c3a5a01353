"""Links of the kind ``sensor``: an ExternalTaskSensor waited for a run of another Dag.

Best first: what the worker listener recorded; what the sensor's offset says, which the policy made readable; the
same logical date, where the policy's mark is missing. A date function without a record can't be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from airflow_rerun_downstream.domain.facts import DagStructure, RecordedWait, RunFacts, SensorDefinition
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.found import Found, Surroundings, by_dag, unresolved


class SensorLineage:
    """A run whose sensor waited for another run read what that run made."""

    kind = LinkKind.SENSOR

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs whose sensors waited for ``runs``."""
        dated = [run for run in runs if run.logical_date is not None]
        sensors = [s for s in around.definitions.sensors if s.templated or s.external_dag_id in by_dag(dated)]
        if not dated or not sensors:
            return []
        return Waits(dated, sensors, around).found()


@dataclass(frozen=True)
class Wait:
    """A sensor's task of some run, and the upstream tasks that it waited for (None: the whole run)."""

    upstream: RunFacts
    sensor: SensorDefinition
    tasks: frozenset[str] | None
    evidence: Evidence
    via: Mapping[str, Any]


class Waits:
    """The search for one batch of upstream runs."""

    def __init__(self, runs: Sequence[RunFacts], sensors: Sequence[SensorDefinition], around: Surroundings) -> None:
        self.runs = by_dag(runs)
        self.sensors = sensors
        self.around = around
        since = min(run.run_after for run in runs)
        keys = {(sensor.dag_id, sensor.task_id) for sensor in sensors}
        records = around.facts.recorded_waits(keys, since=since)
        self.records: dict[tuple[RunRef, str], list[RecordedWait]] = {}
        for record in records:
            self.records.setdefault((record.consumer, record.task_id), []).append(record)

    def found(self) -> list[Found]:
        """Every link of the batch."""
        offsets = self.expected_dates()
        wanted: dict[str, set[datetime]] = {}
        for sensor, _, date in offsets:
            wanted.setdefault(sensor.dag_id, set()).add(date)
        at = {(run.ref.dag_id, run.logical_date): run for run in self.around.facts.runs_at(wanted)} if wanted else {}
        recorded = list(self.recorded(at))
        return [*recorded, *self.derived(offsets, at), *self.unresolved(recorded)]

    def expected_dates(self) -> list[tuple[SensorDefinition, RunFacts, datetime]]:
        """For each sensor with an offset and each run that it may wait for: the consuming run's logical date."""
        return [
            (sensor, run, date)
            for sensor in self.sensors
            if not sensor.has_date_function
            for run in self.upstreams(sensor)
            if (date := consumer_date(run.logical_date, sensor.offset)) is not None
        ]

    def upstreams(self, sensor: SensorDefinition) -> Iterator[RunFacts]:
        """The runs of the batch that a sensor may wait for."""
        for dag_id, runs in self.runs.items():
            if "{" in sensor.external_dag_id or sensor.external_dag_id == dag_id:
                yield from runs

    def recorded(self, at: Mapping[tuple[str, datetime | None], RunFacts]) -> Iterator[Found]:
        """The links that the listener's records prove."""
        dates = {(run.ref.dag_id, run.logical_date): run for runs in self.runs.values() for run in runs}
        hits = [
            (record, dates[record.external_dag_id, date])
            for records in self.records.values()
            for record in records
            for date in record.dates
            if (record.external_dag_id, date) in dates
        ]
        known = {run.ref: run for run in at.values()}
        missing = {record.consumer for record, _ in hits} - set(known)
        known.update(self.around.facts.runs(missing) if missing else {})
        for record, upstream in hits:
            if (consumer := known.get(record.consumer)) is not None:
                tasks = waited_tasks(
                    record.task_ids, record.group_id, self.around.structures.get(record.external_dag_id)
                )
                via = {"task_id": record.task_id, "dates": [date.isoformat() for date in record.dates]}
                yield sensor_link(upstream, consumer, record.task_id, tasks, Evidence.RECORDED, via)

    def derived(
        self,
        offsets: Sequence[tuple[SensorDefinition, RunFacts, datetime]],
        at: Mapping[tuple[str, datetime | None], RunFacts],
    ) -> Iterator[Found]:
        """The links that a sensor's offset tells, for runs without a record."""
        rendered = self.rendered(at)
        for sensor, upstream, date in offsets:
            consumer = at.get((sensor.dag_id, date))
            if consumer is None or (consumer.ref, sensor.task_id) in self.records:
                continue
            task_ids, group_id = sensor.task_ids, sensor.group_id
            if sensor.templated:
                fields = rendered.get((consumer.ref, sensor.task_id))
                if fields is None:
                    why = "the fields of the sensor are templates, and Airflow no longer keeps what it rendered"
                    yield open_edge(upstream, sensor, why, consumer=consumer)
                    continue
                if fields.get("external_dag_id") != upstream.ref.dag_id:
                    continue
                task_ids, group_id = rendered_tasks(fields)
            tasks = waited_tasks(task_ids, group_id, self.around.structures.get(upstream.ref.dag_id))
            evidence = Evidence.DERIVED if sensor.offset_known else Evidence.ASSUMED
            via = {
                "task_id": sensor.task_id,
                "delta": readable_offset(sensor.offset),
                "dates": [date.isoformat()],
            }
            yield sensor_link(upstream, consumer, sensor.task_id, tasks, evidence, via)

    def rendered(
        self, at: Mapping[tuple[str, datetime | None], RunFacts]
    ) -> dict[tuple[RunRef, str], Mapping[str, object]]:
        """What Airflow rendered for templated sensors in the candidate runs."""
        templated = {(sensor.dag_id, sensor.task_id) for sensor in self.sensors if sensor.templated}
        candidates = [run.ref for run in at.values() if any(run.ref.dag_id == dag_id for dag_id, _ in templated)]
        if not candidates:
            return {}
        fields = self.around.facts.rendered_fields(templated, candidates)
        return {(ref, task_id): values for (ref, task_id, _), values in fields.items()}

    def unresolved(self, recorded: Sequence[Found]) -> Iterator[Found]:
        """Sensors whose dates a function decides, where no record tells which run waited."""
        proven = {
            (found.link.upstream, found.downstream.ref.dag_id, found.to_task)
            for found in recorded
            if found.downstream is not None
        }
        for sensor in self.sensors:
            if not sensor.has_date_function:
                continue
            for run in self.upstreams(sensor):
                if (run.ref, sensor.dag_id, sensor.task_id) not in proven:
                    why = "execution_date_fn decides the dates, and no run of the sensor recorded them"
                    yield open_edge(run, sensor, why)


def open_edge(run: RunFacts, sensor: SensorDefinition, why: str, *, consumer: RunFacts | None = None) -> Found:
    """A sensor that may have waited for a run; ``consumer`` is the run in which it would have."""
    via = {"task_id": sensor.task_id, "why": why}
    if consumer is not None:
        via["run_id"] = consumer.ref.run_id
    return unresolved(run, sensor.dag_id, LinkKind.SENSOR, via, to_task_id=sensor.task_id)


def sensor_link(
    upstream: RunFacts,
    consumer: RunFacts,
    task_id: str,
    tasks: frozenset[str] | None,
    evidence: Evidence,
    via: Mapping[str, Any],
) -> Found:
    """A link to a sensor's run."""
    via = dict(via) if tasks is None else {**via, "external_task_ids": sorted(tasks)}
    link = Link(upstream.ref, consumer.ref, LinkKind.SENSOR, evidence, via, to_task_id=task_id)
    return Found(link, tasks, task_id, consumer)


def waited_tasks(
    task_ids: frozenset[str], group_id: str | None, structure: DagStructure | None
) -> frozenset[str] | None:
    """The upstream tasks that a sensor waits for; None: the whole run, or a group that no longer exists."""
    if task_ids:
        return task_ids
    if group_id is None or structure is None:
        return None
    return structure.groups.get(group_id)


def rendered_tasks(fields: Mapping[str, object]) -> tuple[frozenset[str], str | None]:
    """The task ids and the group in a sensor's rendered fields."""
    several = fields.get("external_task_ids")
    ids = set(map(str, several)) if isinstance(several, (list, tuple)) else set()
    if one := fields.get("external_task_id"):
        ids.add(str(one))
    group = fields.get("external_task_group_id")
    return frozenset(ids), str(group) if group else None


def consumer_date(logical_date: datetime | None, offset: float | Mapping[str, float]) -> datetime | None:
    """The logical date of the run whose sensor, ``offset`` later, waits for ``logical_date``."""
    if logical_date is None:
        return None
    try:
        if isinstance(offset, Mapping):
            return logical_date + relativedelta(**{unit: int(number) for unit, number in offset.items()})  # type: ignore[arg-type]
        return logical_date + timedelta(seconds=offset)
    except (OverflowError, TypeError, ValueError):
        return None


def readable_offset(offset: float | Mapping[str, float]) -> str | dict[str, float]:
    """An offset as a person reads it."""
    return dict(offset) if isinstance(offset, Mapping) else str(timedelta(seconds=offset))
