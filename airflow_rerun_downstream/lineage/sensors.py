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

from airflow_rerun_downstream.domain.facts import (
    DagStructure,
    DoubtfulRecord,
    RecordedWait,
    RunFacts,
    SensorDefinition,
)
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.found import Found, OwnDefinitions, Surroundings, by_dag, unresolved
from airflow_rerun_downstream.lineage.templates import may_name


class SensorLineage:
    """A run whose sensor waited for another run read what that run made."""

    kind = LinkKind.SENSOR

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs whose sensors waited for ``runs``."""
        dated = [run for run in runs if run.logical_date is not None]
        mine, every = by_dag(dated), (*around.definitions.sensors, *around.earlier.sensors)
        sensors = [sensor for sensor in every if sensor.templated or sensor.external_dag_id in mine]
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


Candidates = Mapping[tuple[str, datetime], Sequence[RunFacts]]
"""Runs by their Dag and the date from which their sensors count: the logical date or, without one, ``run_after``."""


class Waits:
    """The search for one batch of upstream runs."""

    def __init__(self, runs: Sequence[RunFacts], sensors: Sequence[SensorDefinition], around: Surroundings) -> None:
        self.runs = by_dag(runs)
        self.sensors = sensors
        self.around = around
        self.own = OwnDefinitions(around, ())
        since = min(earliest(run) for run in runs)
        keys = {(sensor.dag_id, sensor.task_id) for sensor in sensors}
        dates = {dag_id: {r.logical_date for r in some if r.logical_date} for dag_id, some in self.runs.items()}
        self.records: dict[tuple[RunRef, str], list[RecordedWait]] = {}
        self.doubtful: dict[tuple[RunRef, str], DoubtfulRecord] = {}
        for record in around.facts.recorded_waits(keys, since=since, dates=dates):
            if isinstance(record, RecordedWait):
                self.records.setdefault((record.consumer, record.task_id), []).append(record)
            else:
                self.doubtful.setdefault((record.run, record.task_id), record)

    def found(self) -> list[Found]:
        """Every link of the batch."""
        offsets = self.expected_dates()
        wanted: dict[str, set[datetime]] = {}
        for sensor, _, date in offsets:
            wanted.setdefault(sensor.dag_id, set()).add(date)
        at: dict[tuple[str, datetime], list[RunFacts]] = {}
        for run in self.around.facts.runs_at(wanted, undated=True) if wanted else ():
            at.setdefault((run.ref.dag_id, run.logical_date or run.run_after), []).append(run)
        self.own = OwnDefinitions(self.around, (run for some in at.values() for run in some))
        recorded = list(self.recorded(at))
        return [*recorded, *self.derived(offsets, at), *self.unresolved(recorded)]

    def expected_dates(self) -> list[tuple[SensorDefinition, RunFacts, datetime]]:
        """For each sensor with an offset and each run that it may wait for: the dates of runs that would."""
        return [
            (sensor, run, date)
            for sensor in self.sensors
            if not sensor.has_date_function
            for run in self.upstreams(sensor)
            for date in consumer_dates(run.logical_date, sensor.offset)
        ]

    def upstreams(self, sensor: SensorDefinition) -> Iterator[RunFacts]:
        """The runs of the batch that a sensor may wait for."""
        for dag_id, runs in self.runs.items():
            if may_name(sensor.external_dag_id, dag_id):
                yield from runs

    def recorded(self, at: Candidates) -> Iterator[Found]:
        """The links that the listener's records prove: one for each sensor and run that it waited for."""
        dates = {(run.ref.dag_id, run.logical_date): run for runs in self.runs.values() for run in runs}
        hits: dict[tuple[RunRef, RunRef, str], list[tuple[RecordedWait, datetime]]] = {}
        for records in self.records.values():
            for record in records:
                for date in record.dates:
                    if (upstream := dates.get((record.external_dag_id, date))) is not None:
                        key = upstream.ref, record.consumer, record.task_id
                        hits.setdefault(key, []).append((record, date))
        known = {run.ref: run for some in at.values() for run in some}
        missing = {consumer for _, consumer, _ in hits} - set(known)
        known.update(self.around.facts.runs(missing) if missing else {})
        upstreams = {run.ref: run for runs in self.runs.values() for run in runs}
        for (upstream_ref, consumer_ref, task_id), some in hits.items():
            if (consumer := known.get(consumer_ref)) is not None:
                record, date = some[0]
                via = {"task_id": task_id, **record.shown(date)}
                tasks = self.waited_by(upstream_ref, [record for record, _ in some])
                yield sensor_link(upstreams[upstream_ref], consumer, task_id, tasks, Evidence.RECORDED, via)

    def waited_by(self, upstream: RunRef, records: Iterable[RecordedWait]) -> frozenset[str] | None:
        """The upstream tasks that any map index of a sensor waited for; None: the whole run."""
        found: set[str] = set()
        for record in records:
            tasks = waited_tasks(record.task_ids, record.group_id, self.around.structures.was(upstream))
            if tasks is None:
                return None
            found |= tasks
        return frozenset(found)

    def derived(
        self, offsets: Sequence[tuple[SensorDefinition, RunFacts, datetime]], at: Candidates
    ) -> Iterator[Found]:
        """The links that a sensor's offset tells, for runs without a record."""
        rendered = self.rendered(at)
        for sensor, upstream, date in offsets:
            for consumer in at.get((sensor.dag_id, date), ()):
                if (consumer.ref, sensor.task_id) in self.records or not self.own.has(consumer.ref, sensor):
                    continue
                if (doubtful := self.doubtful.get((consumer.ref, sensor.task_id))) is not None:
                    yield open_edge(upstream, sensor, doubtful.why, consumer=consumer)
                if sensor.templated:
                    yield from self.by_template(
                        sensor, upstream, consumer, date, rendered.get((consumer.ref, sensor.task_id))
                    )
                else:
                    yield self.by_offset(sensor, upstream, consumer, date, sensor.task_ids, sensor.group_id)

    def by_template(
        self,
        sensor: SensorDefinition,
        upstream: RunFacts,
        consumer: RunFacts,
        date: datetime,
        rendered: Sequence[Mapping[str, object]] | None,
    ) -> Iterator[Found]:
        """The link of a sensor whose fields are templates, if one of its instances waited for that Dag."""
        if rendered is None:
            why = "the fields of the sensor are templates, and Airflow no longer keeps what it rendered"
            yield open_edge(upstream, sensor, why, consumer=consumer)
            return
        waits = [rendered_tasks(fields) for fields in rendered if fields.get("external_dag_id") == upstream.ref.dag_id]
        for task_ids, group_id in dict.fromkeys(waits):
            yield self.by_offset(sensor, upstream, consumer, date, task_ids, group_id)

    def by_offset(
        self,
        sensor: SensorDefinition,
        upstream: RunFacts,
        consumer: RunFacts,
        date: datetime,
        task_ids: frozenset[str],
        group_id: str | None,
    ) -> Found:
        """The link that an offset tells."""
        tasks = waited_tasks(task_ids, group_id, self.around.structures.was(upstream.ref))
        evidence = Evidence.DERIVED if sensor.offset_known else Evidence.ASSUMED
        via = {
            "task_id": sensor.task_id,
            "delta": readable_offset(sensor.offset),
            "dates": [date.isoformat()],
        }
        return sensor_link(upstream, consumer, sensor.task_id, tasks, evidence, via)

    def rendered(self, at: Candidates) -> dict[tuple[RunRef, str], list[Mapping[str, object]]]:
        """What Airflow rendered for templated sensors in the candidate runs, for each map index."""
        templated = {(sensor.dag_id, sensor.task_id) for sensor in self.sensors if sensor.templated}
        dag_ids = {dag_id for dag_id, _ in templated}
        candidates = [run.ref for some in at.values() for run in some if run.ref.dag_id in dag_ids]
        found: dict[tuple[RunRef, str], list[Mapping[str, object]]] = {}
        if candidates:
            fields = self.around.facts.rendered_fields(templated, candidates)
            for (ref, task_id, _), values in sorted(fields.items(), key=lambda item: item[0]):
                found.setdefault((ref, task_id), []).append(values)
        return found

    def unresolved(self, recorded: Sequence[Found]) -> Iterator[Found]:
        """Sensors whose dates a function decides, where no record tells which run waited."""
        proven = {
            (found.link.upstream, found.downstream.ref.dag_id, found.to_task)
            for found in recorded
            if found.downstream is not None
        }
        doubtful = {(ref.dag_id, task_id): record.why for (ref, task_id), record in self.doubtful.items()}
        told: set[tuple[RunRef, str, str]] = set()  # an earlier version may have had the same function
        for sensor in self.sensors:
            if not sensor.has_date_function:
                continue
            why = doubtful.get((sensor.dag_id, sensor.task_id), "no run of the sensor recorded them")
            for run in self.upstreams(sensor):
                key = run.ref, sensor.dag_id, sensor.task_id
                if key not in proven and key not in told:
                    told.add(key)
                    yield open_edge(run, sensor, f"execution_date_fn decides the dates, and {why}")


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


def earliest(run: RunFacts) -> datetime:
    """A moment before anybody can have waited for a run; a hold puts ``run_after`` into the future."""
    return min(run.run_after, run.logical_date or run.run_after)


def consumer_date(logical_date: datetime | None, offset: float | Mapping[str, float]) -> datetime | None:
    """The date that is ``offset`` after a logical date; None where the calendar has none."""
    if logical_date is None:
        return None
    try:
        return logical_date + duration(offset)
    except (OverflowError, TypeError, ValueError):
        return None


CALENDAR = ("years", "months")
LONGEST_MONTH, SHORTEST_MONTH = 31, 28


def consumer_dates(logical_date: datetime | None, offset: float | Mapping[str, float]) -> list[datetime]:
    """The dates from which a sensor that looks ``offset`` back finds ``logical_date``.

    A month before the 28th, 29th, 30th and 31st of March is the 28th of February; no date is a month after the
    31st of January. Looking back moves the calendar first and then the clock, so the clock is turned here first.
    """
    if not isinstance(offset, Mapping):
        date = consumer_date(logical_date, offset)
        return [] if date is None else [date]
    clock = {unit: number for unit, number in offset.items() if unit not in CALENDAR}
    calendar = {unit: number for unit, number in offset.items() if unit in CALENDAR}
    first = consumer_date(consumer_date(logical_date, clock), calendar)
    if first is None:
        return []
    days = [consumer_date(first, days * 86_400.0) for days in range(LONGEST_MONTH - SHORTEST_MONTH + 1)]
    back = {unit: -number for unit, number in offset.items()}
    return [date for date in days if date is not None and consumer_date(date, back) == logical_date]


def duration(offset: float | Mapping[str, float]) -> timedelta | relativedelta:
    """An offset as dates can be moved by it."""
    if not isinstance(offset, Mapping):
        return timedelta(seconds=offset)
    whole = {unit: int(number) if unit in CALENDAR else number for unit, number in offset.items()}
    return relativedelta(**whole)  # type: ignore[arg-type]


def readable_offset(offset: float | Mapping[str, float]) -> str | dict[str, float]:
    """An offset as a person reads it."""
    return dict(offset) if isinstance(offset, Mapping) else str(timedelta(seconds=offset))
