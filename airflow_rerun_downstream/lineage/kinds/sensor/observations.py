"""What is known of the sensors that may have waited for some runs, all of it read at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, RecordedWait, SensorInstance
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import LineageContext, OwnDefinitions
from airflow_rerun_downstream.lineage.offsets import consumer_dates
from airflow_rerun_downstream.lineage.spelling import can_be_reckoned
from airflow_rerun_downstream.lineage.templates import reckoned

InstanceKey = tuple[RunRef, str, int]
"""A task instance by its run, task and map index."""

Candidates = Mapping[tuple[str, datetime], Sequence[RunFacts]]
"""Runs by their Dag and the date from which their sensors count: the logical date or, without one, ``run_after``."""

Expected = tuple[SensorDefinition, RunFacts, datetime]
"""A sensor, a run that it may have waited for, and the date of the runs in which it would have."""


class Records:
    """What the listener recorded, by task instance. One record says nothing of another instance."""

    def __init__(self, found: Iterable[RecordedWait | DoubtfulRecord]) -> None:
        self.waits: dict[InstanceKey, RecordedWait] = {}
        self.doubtful: dict[InstanceKey, DoubtfulRecord] = {}
        for record in found:
            if isinstance(record, RecordedWait):
                self.waits[record.consumer, record.task_id, record.map_index] = record
            else:
                self.doubtful[record.run, record.task_id, record.map_index] = record

    def without(self, instances: Iterable[SensorInstance]) -> list[SensorInstance]:
        """The instances of which nothing was recorded that can be read."""
        return [one for one in instances if place(one) not in self.waits]

    def doubts(self, instances: Iterable[SensorInstance]) -> Sentence | None:
        """What is wrong with the record of one of the instances."""
        return next((self.doubtful[place(one)].why for one in instances if place(one) in self.doubtful), None)


class SensorObservations:
    """What is known of sensors and of a batch of runs that they may have waited for."""

    def __init__(
        self,
        expected: Sequence[Expected],
        open_sensors: Sequence[SensorDefinition],
        context: LineageContext,
        since: datetime,
    ) -> None:
        facts = context.facts
        self.at = runs_at(expected, context)
        consumers = {run.ref: run for some in self.at.values() for run in some}
        pairs = {(sensor.dag_id, sensor.task_id) for sensor, _, _ in expected}
        found = facts.tasks.sensor_instances(pairs, refs=list(consumers)) if consumers else []
        self.instances: dict[tuple[RunRef, str], list[SensorInstance]] = {}
        for one in found:
            self.instances.setdefault((one.run, one.task_id), []).append(one)
        pairs = {(sensor.dag_id, sensor.task_id) for sensor in open_sensors}
        late = [one for one in facts.tasks.sensor_instances(pairs, since=since) if one.ended] if pairs else []
        self.late: dict[tuple[str, str], list[SensorInstance]] = {}
        for one in late:
            self.late.setdefault((one.run.dag_id, one.task_id), []).append(one)
        self.own = OwnDefinitions(context, {*consumers, *(one.run for one in late)})
        sensors = [*open_sensors, *(sensor for sensor, _, _ in expected)]
        self.names = Names(sensors, [*found, *late], consumers, context)

    def waited_at(self, sensor: SensorDefinition, consumer: RunRef) -> list[SensorInstance]:
        """The instances of a sensor in a run that have waited, or are to."""
        if not self.own.has(consumer, sensor):
            return []
        found = self.instances.get((consumer, sensor.task_id), ())
        return [one for one in found if one.counts and sensor.is_of(one.map_index)]

    def waited_since(self, sensor: SensorDefinition, run: RunFacts) -> list[SensorInstance]:
        """The instances of a sensor that have waited to an end since a run may have been there, and may mean it."""
        since = earliest(run)
        return [
            one
            for one in self.late.get((sensor.dag_id, sensor.task_id), ())
            if one.run != run.ref
            and (one.end_date is None or one.end_date >= since)
            and sensor.is_of(one.map_index)
            and self.own.has(one.run, sensor)
            and self.may_mean(sensor, one, run.ref.dag_id)
        ]

    def may_mean(self, sensor: SensorDefinition, instance: SensorInstance, dag_id: str) -> bool:
        """Whether an instance may have waited for a Dag, by what was rendered for it."""
        fields = self.names.of(sensor, instance)
        return fields is None or fields.get("external_dag_id") in (None, dag_id)


class Names:
    """What sensors with templates in their ids named: what Airflow keeps of that or, without it, what is reckoned."""

    def __init__(
        self,
        sensors: Iterable[SensorDefinition],
        instances: Iterable[SensorInstance],
        runs: Mapping[RunRef, RunFacts],
        context: LineageContext,
    ) -> None:
        facts = context.facts
        templated: dict[tuple[str, str], list[SensorDefinition]] = {}
        for sensor in sensors:
            if sensor.templated:
                templated.setdefault((sensor.dag_id, sensor.task_id), []).append(sensor)
        mine = [one for one in instances if (one.run.dag_id, one.task_id) in templated]
        self.kept = facts.tasks.rendered_fields(set(templated), {one.run for one in mine}) if mine else {}
        left = {
            one.run
            for one in mine
            if place(one) not in self.kept and any(map(is_reckonable, templated[one.run.dag_id, one.task_id]))
        }
        unknown = left - runs.keys()
        self.runs = {**runs, **(facts.runs.among(unknown) if unknown else {})}
        self.confs = facts.runs.confs(left) if left else {}
        self.known: dict[tuple[int, RunRef], Mapping[str, object] | None] = {}

    def of(self, sensor: SensorDefinition, instance: SensorInstance) -> Mapping[str, object] | None:
        """The fields of an instance by their names; None: they can't be told.

        The sensor is one that the run's own version has.
        """
        if (kept := self.kept.get(place(instance))) is not None:
            return kept
        key = id(sensor), instance.run
        if key not in self.known:
            self.known[key] = self.reckoned(sensor, instance.run)
        return self.known[key]

    def reckoned(self, sensor: SensorDefinition, ref: RunRef) -> Mapping[str, object] | None:
        """What a sensor named in a run, by its Dag's text and the run's configuration."""
        run, conf = self.runs.get(ref), self.confs.get(ref)
        if run is None or conf is None or not is_reckonable(sensor):
            return None
        group = [] if sensor.group_id is None else [sensor.group_id]
        found = reckoned([sensor.external_dag_id, *group, *sorted(sensor.task_ids)], run, sensor.params, conf)
        if found is None:
            return None
        dag_id, *names = found
        return {
            "external_dag_id": dag_id,
            "external_task_group_id": names[0] if group else None,
            "external_task_ids": names[len(group) :],
        }


def is_reckonable(sensor: SensorDefinition) -> bool:
    """Whether all names in a sensor's templates may be known of a run that nobody watched."""
    return sensor.templated and can_be_reckoned(sensor, sensor.external_dag_id, sensor.group_id or "", *sensor.task_ids)


def place(instance: SensorInstance) -> InstanceKey:
    """Where an instance stands."""
    return instance.run, instance.task_id, instance.map_index


def earliest(run: RunFacts) -> datetime:
    """A moment before anybody can have waited for a run; a hold puts ``run_after`` into the future."""
    return min(run.run_after, run.logical_date or run.run_after)


def expected_dates(sensors: Iterable[SensorDefinition], runs: Mapping[str, Collection[RunFacts]]) -> list[Expected]:
    """For sensors with an offset and runs that they name: the dates of the runs in which they would have waited."""
    return [
        (sensor, run, date)
        for sensor in sensors
        if not sensor.decides_itself
        for run in runs.get(sensor.external_dag_id, ())
        for date in consumer_dates(run.logical_date, sensor.offset)
    ]


def runs_at(expected: Iterable[Expected], context: LineageContext) -> Candidates:
    """The runs at those dates."""
    wanted: dict[str, set[datetime]] = {}
    for sensor, _, date in expected:
        wanted.setdefault(sensor.dag_id, set()).add(date)
    found: dict[tuple[str, datetime], list[RunFacts]] = {}
    for run in context.facts.runs.at(wanted, undated=True) if wanted else ():
        found.setdefault((run.ref.dag_id, run.logical_date or run.run_after), []).append(run)
    return found


def rendered_tasks(fields: Mapping[str, object]) -> tuple[frozenset[str], str | None]:
    """The task ids and the group in a sensor's rendered fields."""
    several = fields.get("external_task_ids")
    ids = set(map(str, several)) if isinstance(several, (list, tuple)) else set()
    if one := fields.get("external_task_id"):
        ids.add(str(one))
    group = fields.get("external_task_group_id")
    return frozenset(ids), str(group) if group else None
