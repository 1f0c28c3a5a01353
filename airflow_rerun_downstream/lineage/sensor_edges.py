"""The edges that sensors make: the Dag that each waits for, and how the run is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import SHOWN_DATES, DoubtfulRecord, RecordedWait, SensorDefinition
from airflow_rerun_downstream.domain.plan import Evidence, LinkKind
from airflow_rerun_downstream.lineage.sensors import readable_offset
from airflow_rerun_downstream.lineage.templates import is_template

BY_RECORD = "The listener recorded for which dates the sensor waited."
BY_OFFSET = "The sensor's offset tells for which date it waits; where the listener recorded the dates, these count."
BY_SAME_DATE = "Parsed without this package's policy; it is assumed that the sensor waits for the same logical date."
BY_FUNCTION = "A function in the Dag decides for which dates the sensor waits, and no run of it has recorded them."
BY_TEMPLATE = "Which Dag it waits for is decided in each run: its external_dag_id is a template, or mapped."

WITHOUT_RECORD = {
    Evidence.UNRESOLVED: "Runs without a record can't be told: a function in the Dag decides.",
    Evidence.ASSUMED: "For runs without a record the same logical date is assumed.",
    Evidence.DERIVED: "Runs without a record go by the sensor's offset.",
}

PARSE_AGAIN = "Install the package where Dags are parsed, and parse them again with `airflow dags reserialize`."
RECORD = (
    "Install the package on the workers: its listener records the dates of the next runs. "
    "For those before, declare the link in declared_links_file."
)
ASK_A_PLAN = "Make a plan from an upstream run: it goes by what each run recorded, or Airflow rendered."


def edges_of_sensors(
    sensors: Iterable[SensorDefinition], waits: Iterable[RecordedWait | DoubtfulRecord]
) -> Iterator[DagEdge]:
    """One edge for each Dag that a sensor names or was recorded to wait for; a record in doubt tells nothing."""
    records: dict[tuple[str, str], list[RecordedWait]] = {}
    for wait in waits:
        if isinstance(wait, RecordedWait):
            records.setdefault((wait.consumer.dag_id, wait.task_id), []).append(wait)
    for sensor in sensors:
        of_sensor = records.get((sensor.dag_id, sensor.task_id), [])
        if is_template(sensor.external_dag_id):
            for dag_id in sorted({wait.external_dag_id for wait in of_sensor}):
                yield recorded(sensor, [wait for wait in of_sensor if wait.external_dag_id == dag_id])
            yield edge(sensor, Evidence.UNRESOLVED, BY_TEMPLATE, ASK_A_PLAN)
        elif mine := [wait for wait in of_sensor if wait.external_dag_id == sensor.external_dag_id]:
            yield recorded(sensor, mine)
        else:
            yield defined(sensor)


def defined(sensor: SensorDefinition) -> DagEdge:
    """The edge of a sensor without a record."""
    if sensor.has_date_function:
        return edge(sensor, Evidence.UNRESOLVED, BY_FUNCTION, RECORD)
    if not sensor.offset_known:
        return edge(sensor, Evidence.ASSUMED, BY_SAME_DATE, PARSE_AGAIN)
    return edge(sensor, Evidence.DERIVED, BY_OFFSET, delta=readable_offset(sensor.offset))


def recorded(sensor: SensorDefinition, waits: Sequence[RecordedWait]) -> DagEdge:
    """The edge of a sensor whose waits for a Dag were recorded; what was seen is the newest record."""
    without = defined(sensor)
    dates = sorted({date.isoformat() for wait in waits for date in wait.dates})
    more = {"date_count": count} if (count := date_count(waits, dates)) > SHOWN_DATES else {}
    return replace(
        without,
        upstream_dag_id=waits[0].external_dag_id,
        evidence=Evidence.RECORDED,
        why=f"{BY_RECORD} {WITHOUT_RECORD[without.evidence]}",
        advice=PARSE_AGAIN if without.evidence is Evidence.ASSUMED else None,
        via={**without.via, "run_id": waits[0].consumer.run_id, "dates": dates[:SHOWN_DATES], **more},
    )


def date_count(waits: Iterable[RecordedWait], dates: Sequence[str]) -> int:
    """How many dates were waited for, as far as that is known of several records."""
    return max(len(dates), *(wait.date_count or 0 for wait in waits))


def edge(sensor: SensorDefinition, evidence: Evidence, why: str, advice: str | None = None, **more: object) -> DagEdge:
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
        advice,
        {**via, **more},
        from_task_id=one[0] if len(one) == len(sensor.task_ids) == 1 else None,
        to_task_id=sensor.task_id,
    )
