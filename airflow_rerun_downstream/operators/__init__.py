"""For Dag authors: an operator, a sensor, a function, a notifier and their hook. They speak REST and nothing else."""

from airflow_rerun_downstream.operators.function import rerun_downstream
from airflow_rerun_downstream.operators.hook import RerunDownstreamHook
from airflow_rerun_downstream.operators.operator import RerunDownstreamOperator
from airflow_rerun_downstream.operators.propose_notifier import ProposeRerunNotifier
from airflow_rerun_downstream.operators.sensor import RerunDownstreamSensor

__all__ = [
    "ProposeRerunNotifier",
    "RerunDownstreamHook",
    "RerunDownstreamOperator",
    "RerunDownstreamSensor",
    "rerun_downstream",
]
