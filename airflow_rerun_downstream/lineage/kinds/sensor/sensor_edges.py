"""The edges that sensors make: the Dag that each waits for, and how the run is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.lineage_records import SHOWN_DATES, DoubtfulRecord, RecordedWait
from airflow_rerun_downstream.domain.plan import Evidence, LinkKind
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.sensor.unresolved_sensors import to_do
from airflow_rerun_downstream.lineage.offsets import readable_offset
from airflow_rerun_downstream.lineage.templates import is_template

BY_OFFSET = Sentence("link.by_offset")
BY_SAME_DATE = Sentence("link.by_same_date")
BY_MAPPED_CLASS = Sentence("link.by_mapped_class")
BY_FUNCTION = Sentence("link.by_function")
BY_TEMPLATE = Sentence("link.by_sensors_run")

WITHOUT_RECORD = {
    Evidence.UNRESOLVED: Sentence("link.by_record_unresolved"),
    Evidence.ASSUMED: Sentence("link.by_record_assumed"),
    Evidence.DERIVED: Sentence("link.by_record_derived"),
}
"""How an edge is known of which some runs have a record: what is done with the others."""


def edges_of_sensors(
    sensors: Iterable[SensorDefinition], waits: Iterable[RecordedWait | DoubtfulRecord]
) -> Iterator[DagEdge]:
    """One edge for each Dag that a sensor names or was recorded to wait for; a record in doubt tells nothing."""
    records: dict[tuple[str, str], list[RecordedWait]] = {}
    for wait in waits:
        if isinstance(wait, RecordedWait):
            records.setdefault((wait.consumer.dag_id, wait.task_id), []).append(wait)
    for sensor in of_all_indexes(sensors):
        by_dag: dict[str, list[RecordedWait]] = {}
        for wait in records.get((sensor.dag_id, sensor.task_id), []):
            by_dag.setdefault(wait.external_dag_id, []).append(wait)
        mine = by_dag.pop(sensor.external_dag_id, [])
        if not sensor.tells_its_dag:
            yield from (recorded(sensor, some) for _, some in sorted(by_dag.items()))
        if is_template(sensor.external_dag_id):
            yield edge(sensor, Evidence.UNRESOLVED, BY_TEMPLATE, [Advice.ASK_A_PLAN])
        else:
            yield recorded(sensor, mine) if mine else defined(sensor)


def of_all_indexes(sensors: Iterable[SensorDefinition]) -> list[SensorDefinition]:
    """The definitions, those of a mapped sensor's indexes in one if they differ in no more than the tasks."""
    found: dict[str, SensorDefinition] = {}
    for sensor in sensors:
        alike = replace(sensor, task_ids=frozenset(), map_indexes=None)
        key = repr((alike, bool(sensor.task_ids)))
        known = found.setdefault(key, replace(alike, task_ids=sensor.task_ids))
        found[key] = replace(known, task_ids=known.task_ids | sensor.task_ids)
    return list(found.values())


def defined(sensor: SensorDefinition) -> DagEdge:
    """The edge of a sensor without a record."""
    if sensor.own_class is not None:
        return edge(sensor, Evidence.UNRESOLVED, Sentence("link.by_class", name=sensor.own_class), to_do(sensor))
    if sensor.has_date_function:
        return edge(sensor, Evidence.UNRESOLVED, BY_FUNCTION, [Advice.RECORD])
    if not sensor.offset_known:
        return edge(
            sensor, Evidence.ASSUMED, BY_MAPPED_CLASS if sensor.mapped else BY_SAME_DATE, without_offset(sensor)
        )
    return edge(sensor, Evidence.DERIVED, BY_OFFSET, delta=readable_offset(sensor.offset))


def without_offset(sensor: SensorDefinition) -> tuple[Advice, ...]:
    """What makes an offset known: a mapped sensor's class isn't serialized, however it is parsed."""
    return (Advice.RECORD if sensor.mapped else Advice.PARSE_AGAIN,)


def recorded(sensor: SensorDefinition, waits: Sequence[RecordedWait]) -> DagEdge:
    """The edge of a sensor whose waits for a Dag were recorded; what was seen is the newest record."""
    without = defined(sensor)
    dates = sorted({date.isoformat() for wait in waits for date in wait.dates})
    more = {"date_count": count} if (count := date_count(waits, dates)) > SHOWN_DATES else {}
    return replace(
        without,
        upstream_dag_id=waits[0].external_dag_id,
        evidence=Evidence.RECORDED,
        why=WITHOUT_RECORD[without.evidence],
        via={**without.via, "run_id": waits[0].consumer.run_id, "dates": dates[:SHOWN_DATES], **more},
    )


def date_count(waits: Iterable[RecordedWait], dates: Sequence[str]) -> int:
    """How many dates were waited for, as far as that is known of several records."""
    return max(len(dates), *(wait.date_count or 0 for wait in waits))


def edge(
    sensor: SensorDefinition, evidence: Evidence, why: str, to_do: Sequence[Advice] = (), **more: object
) -> DagEdge:
    """An edge with what the sensor's definition says."""
    via: dict[str, object] = {"task_id": sensor.task_id, "external_dag_id": sensor.external_dag_id}
    if sensor.task_ids:
        via["external_task_ids"] = sorted(sensor.task_ids)
    if sensor.group_id:
        via["external_task_group_id"] = sensor.group_id
    one = [task_id for task_id in sensor.task_ids if not is_template(task_id)]
    return DagEdge(
        sensor.external_dag_id,
        sensor.dag_id,
        LinkKind.SENSOR,
        evidence,
        why,
        tuple(to_do),
        {**via, **more},
        from_task_id=one[0] if len(one) == len(sensor.task_ids) == 1 else None,
        to_task_id=sensor.task_id,
    )
