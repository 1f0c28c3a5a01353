"""Tasks that make a run and wait for its end: which of them pass on what that run made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_rerun_downstream.domain.definitions import Definitions, SensorDefinition, TriggerDefinition
from airflow_rerun_downstream.lineage.templates import is_template, may_name, names_any


def read_through(triggers: Iterable[TriggerDefinition], known: Sequence[Definitions]) -> list[TriggerDefinition]:
    """Those that wait, and that something may follow; the others have waited in vain.

    That is a task of their own Dag, a sensor or a declared link that waits for them or for their Dag, somebody who
    takes an asset of theirs, or a task that waits for a run of their Dag and passes on in its turn. A template that may
    mean any Dag means none here: everything would hang on it.
    """
    waiting = [one for one in triggers if one.waits]
    every = {*waiting, *(one for each in known for one in each.triggers if one.waits)}
    outside = Outside(known)
    found = more = {one for one in every if not one.last or outside.follows(one)}
    while more:
        named = {one.trigger_dag_id for one in more if not names_any(one.trigger_dag_id)}
        more = {one for one in every - found if any(may_name(name, one.dag_id) for name in named)}
        found = found | more
    return [one for one in waiting if one in found]


class Outside:
    """What other Dags read of a task."""

    def __init__(self, known: Sequence[Definitions]) -> None:
        self.makers = {(one.dag_id, one.task_id) for each in known for one in each.outlets}
        self.declared = {(one.upstream_dag_id, one.upstream_task_id) for each in known for one in each.declared}
        self.by_name: dict[str, list[SensorDefinition]] = {}
        for each in known:
            for sensor in each.sensors:
                self.by_name.setdefault(sensor.external_dag_id, []).append(sensor)
        self.templates = [name for name in self.by_name if is_template(name) and not names_any(name)]

    def follows(self, task: TriggerDefinition) -> bool:
        """Whether anything may."""
        itself, whole_run = (task.dag_id, task.task_id), (task.dag_id, None)
        named = [task.dag_id, *(name for name in self.templates if may_name(name, task.dag_id))]
        sensors = (sensor for name in named for sensor in self.by_name.get(name, ()))
        return (
            itself in self.makers
            or bool(self.declared & {itself, whole_run})
            or any(of_task(sensor, task) for sensor in sensors)
        )


def of_task(sensor: SensorDefinition, task: TriggerDefinition) -> bool:
    """Whether a sensor that waits for a task's Dag may wait for the task too, as far as its arguments tell."""
    return not sensor.task_ids or sensor.templated or sensor.decides_itself or task.task_id in sensor.task_ids
