"""Links of the kind ``sensor``: a sensor waited for a run of another Dag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.lineage.kinds.base import EdgeContext, FoundLink, LineageContext, by_dag
from airflow_rerun_downstream.lineage.kinds.sensor.sensor_edges import edges_of_sensors
from airflow_rerun_downstream.lineage.kinds.sensor.sensor_search import SensorSearch, by_date
from airflow_rerun_downstream.lineage.templates import may_name


class SensorLinks:
    """A run whose sensor waited for another run read what that run made."""

    kind = LinkKind.SENSOR
    foresees = True

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """The runs whose sensors waited for ``runs``."""
        mine, every = by_dag(runs), (*context.definitions.sensors, *context.earlier.sensors)
        naming = (sensor for sensor in every if sensor.templated or sensor.external_dag_id in mine)
        sensors = list({repr(sensor): sensor for sensor in naming}.values())  # an earlier version may have had the same
        if not any(map(by_date, runs)):
            sensors = [sensor for sensor in sensors if sensor.own_class is not None]
        if not sensors and not (context.strays and any(map(by_date, runs))):
            return []
        return SensorSearch(runs, sensors, context).found()

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """From the Dags that a sensor waits for, or was recorded to wait for, to its own."""
        dag_id = context.dag_id
        sensors = [
            each
            for each in context.definitions.sensors
            if each.dag_id == dag_id or may_name(each.external_dag_id, dag_id) or not each.tells_its_dag
        ]
        waits = context.facts.tasks.last_waits({(s.dag_id, s.task_id) for s in sensors}) if sensors else []
        return edges_of_sensors(sensors, waits)
