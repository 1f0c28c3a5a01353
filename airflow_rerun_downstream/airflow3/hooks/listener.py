"""What looks on while Airflow works, in workers and in schedulers. Nothing here raises.

In a worker, the dates that a sensor waited for are recorded when it has succeeded. They can't be told afterwards: a
function of the Dag's author may have made them, and its Dag may have changed. A scheduler gets the hook of freeze mode.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.listeners import hookimpl

from airflow_rerun_downstream.airflow3.database.sensor_marks import (
    WAITED_KEY,
    is_waited_value,
    sensor_class,
    waited_value,
)
from airflow_rerun_downstream.harmless import harmless


@hookimpl
@harmless("listener")
def on_task_instance_success(previous_state: Any, task_instance: Any) -> None:
    """Record what an ExternalTaskSensor waited for. The task has succeeded whatever happens here."""
    # A person who marks a sensor as successful does so in the api-server, where nothing was waited for.
    task = getattr(task_instance, "task", None)
    if sensor_class(type(task)) and hasattr(task_instance, "get_template_context"):
        record(task, task_instance)


@hookimpl
@harmless("freeze_hook")
def on_starting(component: Any) -> None:
    """Prepare a job, which may be a scheduler's. A task's process is none, and imports nothing for it."""
    if is_job(component):
        from airflow_rerun_downstream.airflow3.hooks import scheduler_watch

        scheduler_watch.on_starting(component)


@hookimpl
@harmless("freeze_hook")
def before_stopping(component: Any) -> None:
    """A job ends."""
    if is_job(component):
        from airflow_rerun_downstream.airflow3.hooks import scheduler_watch

        scheduler_watch.on_stopping(component)


def is_job(component: Any) -> bool:
    """Whether it is a job of Airflow's, with a row in its table of jobs."""
    return bool(type(component).__module__ == "airflow.jobs.job")


def record(task: Any, task_instance: Any) -> None:
    """Write the XCom, unless the author of the task has written one of that name."""
    dates = waited_dates(task, task_instance)
    if of_the_author(task_instance):
        return
    task_ids = task.external_task_ids or ([task.external_task_id] if task.external_task_id else [])
    task_instance.xcom_push(
        key=WAITED_KEY, value=waited_value(task.external_dag_id, task_ids, task.external_task_group_id, dates)
    )


def of_the_author(task_instance: Any) -> bool:
    """Whether the author of the task has written an XCom of our name.

    All map indexes are asked for at once: an index that has none is an error in Airflow's logs, a task that has none
    isn't. Those of a mapped sensor that have succeeded before have a record of ours.
    """
    found = task_instance.xcom_pull(task_ids=task_instance.task_id, key=WAITED_KEY)
    if task_instance.map_index is None or task_instance.map_index < 0:
        return found is not None
    values = found if isinstance(found, list) else [found]
    return any(value is not None and not is_waited_value(value) for value in values)


def waited_dates(task: Any, task_instance: Any) -> list[datetime]:
    """The logical dates: what the sensor itself says of its last poke, else what it computes again."""
    said = getattr(task, "external_dates_filter", None)
    if said:
        return [datetime.fromisoformat(text) for text in said.split(",")]
    return list(task._get_dttm_filter(task_instance.get_template_context()))
