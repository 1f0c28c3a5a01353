"""The operators of random Dags: Airflow's own, and what deployments make of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.python import BranchPythonOperator, PythonOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from airflow.sdk import BaseSensorOperator

__all__ = [
    "BranchPythonOperator", "DagSensor", "EmptyOperator", "ExternalTaskMarker", "ExternalTaskSensor",
    "OwnDatesSensor", "OwnTargetSensor", "PythonOperator", "TriggerDagRunOperator", "nothing", "some_date",
]  # fmt: skip


def nothing(**_: Any) -> None:
    """What a Python task does: its past is written by hand."""


def some_date(logical_date: datetime) -> datetime:
    """An ``execution_date_fn``: only a running task knows what it gives."""
    return logical_date


class DagSensor(BaseSensorOperator):
    """A sensor that only shares an argument's name with Airflow's."""

    template_fields = ("external_dag_id",)

    def __init__(self, external_dag_id: str, **more: Any) -> None:
        super().__init__(**more)
        self.external_dag_id = external_dag_id

    def poke(self, context: Any) -> bool:
        """It looks at whatever run it likes."""
        return True


class OwnDatesSensor(ExternalTaskSensor):
    """One that reckons its dates itself."""

    def _get_dttm_filter(self, context: Any) -> list[datetime]:
        return [context["logical_date"]]


class OwnTargetSensor(ExternalTaskSensor):
    """One that chooses what to wait for when it runs."""

    def execute(self, context: Any) -> Any:
        """It may wait for anything."""
        self.external_dag_id = str(context["params"].get("another", self.external_dag_id))
        return super().execute(context)
