"""A cluster policy that makes the offset of an ExternalTaskSensor readable in its serialized Dag.

Airflow serializes neither ``execution_delta`` nor whether there is an ``execution_date_fn``; an attribute that is
listed in an instance's ``template_fields`` is serialized. There is nothing in ours that rendering would change.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from airflow.policies import hookimpl

from airflow_rerun_downstream import host
from airflow_rerun_downstream.harmless import harmless

DATES = "_get_dttm_filter"
"""The sensor's method that reckons the dates; a subclass that has its own may do anything."""


@harmless("policy")
def prepared() -> ModuleType | None:
    """What the policy needs, imported while Airflow loads it; None: it will do nothing."""
    return host.room("sensors") if host.supported() else None


sensors = prepared()


@hookimpl
@harmless("policy")
def task_policy(task: Any) -> None:
    """Mark a sensor. Whatever goes wrong here is logged: no Dag fails to parse because of it."""
    if sensors is not None and "Sensor" in "".join(base.__name__ for base in type(task).__mro__):
        mark(task)


def mark(task: Any) -> None:
    """Write the offset of an ExternalTaskSensor, or of a subclass; a mapped one's arguments are serialized anyway."""
    assert sensors is not None
    base = sensors.sensor_class(type(task))
    if base is None:
        return
    dates = getattr(type(task), DATES, None)
    function = dates if dates is not getattr(base, DATES, None) else getattr(task, "execution_date_fn", None)
    name = sensors.OFFSET_ATTRIBUTE
    setattr(task, name, sensors.offset_mark(getattr(task, "execution_delta", None), function))
    if name not in task.template_fields:
        task.template_fields = [*task.template_fields, name]
