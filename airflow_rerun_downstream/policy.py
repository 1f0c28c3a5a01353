"""A cluster policy that makes readable in a serialized Dag what Airflow leaves out of it.

Of an ExternalTaskSensor it serializes neither ``execution_delta`` nor whether there is an ``execution_date_fn``, of a
TriggerDagRunOperator not ``reset_dag_run``. An attribute that is listed in an instance's ``template_fields`` is
serialized. There is nothing in ours that rendering would change.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from airflow.policies import hookimpl

from airflow_rerun_downstream import host
from airflow_rerun_downstream.harmless import harmless


@harmless("policy")
def prepared() -> ModuleType | None:
    """What the policy needs, imported while Airflow loads it; None: it will do nothing."""
    return host.room("database.sensor_marks") if host.supported() else None


sensors = prepared()


@hookimpl
@harmless("policy")
def task_policy(task: Any) -> None:
    """Mark a sensor or trigger. Whatever goes wrong here is logged: no Dag fails to parse because of it."""
    names = "" if sensors is None else "".join(base.__name__ for base in type(task).__mro__)
    if "Sensor" in names:
        mark(task)
    elif "TriggerDagRun" in names:
        mark_trigger(task)


def mark(task: Any) -> None:
    """Write the offset of an ExternalTaskSensor, or whose code decides; a mapped one's arguments are serialized anyway.

    Of a sensor that isn't one: the Dags that it names, if it names any.
    """
    assert sensors is not None
    base = sensors.sensor_class(type(task))
    if base is None:
        if (code := sensors.named_dags(task)) is not None:
            serialize(task, sensors.OFFSET_ATTRIBUTE, code.mark)
    elif sensors.own_code(task, base):
        serialize(task, sensors.OFFSET_ATTRIBUTE, sensors.OwnCode(sensors.class_name(task), recorded=True).mark)
    else:
        delta, function = getattr(task, "execution_delta", None), sensors.dates_by(task, base)
        serialize(task, sensors.OFFSET_ATTRIBUTE, sensors.offset_mark(delta, function))


def mark_trigger(task: Any) -> None:
    """Write down whether a TriggerDagRunOperator, or a subclass, resets a run that exists."""
    assert sensors is not None
    if sensors.standard_base(type(task), sensors.STANDARD_TRIGGER) is not None:
        serialize(task, sensors.RESET_ATTRIBUTE, bool(getattr(task, sensors.RESET_ARGUMENT, False)))


def serialize(task: Any, name: str, value: Any) -> None:
    """Give a task an attribute that is serialized with its Dag."""
    setattr(task, name, value)
    if name not in task.template_fields:
        task.template_fields = [*task.template_fields, name]
