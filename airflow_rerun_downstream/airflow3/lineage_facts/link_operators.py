"""The tasks of a Dag that reach into other runs: sensors, markers and triggers of other Dags, ``depends_on_past``.

Airflow's own list of a Dag's dependencies has no markers, and no mapped tasks that are expanded over Dags.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from airflow_rerun_downstream.airflow3.database.sensor_marks import (
    NAMES_DAGS,
    OFFSET_ATTRIBUTE,
    RESET_ARGUMENT,
    RESET_ATTRIBUTE,
    STANDARD_SENSOR,
    Offset,
    OwnCode,
    mapped_offset,
    read_offset,
    read_own_code,
)
from airflow_rerun_downstream.airflow3.lineage_facts.serialized_task import MAX_VALUES, UNKNOWN, Task, texts_of
from airflow_rerun_downstream.domain.definitions import (
    MarkerDefinition,
    PastDependency,
    SensorDefinition,
    TriggerDefinition,
)
from airflow_rerun_downstream.lineage.templates import is_template

THIS_DATE = "{{ logical_date.isoformat() }}"
"""The date of an ExternalTaskMarker whose author gave none."""


@dataclass(frozen=True)
class Operator:
    """An operator, by its name or, for a subclass, by the template fields that only it has."""

    name: str
    fields: frozenset[str]

    def matches(self, task: Task) -> bool:
        """Whether a task is of this operator."""
        return task.operator == self.name or self.fields <= task.template_fields


SENSOR = Operator("ExternalTaskSensor", frozenset({"external_dag_id", "external_task_ids", "external_task_group_id"}))
MARKER = Operator("ExternalTaskMarker", frozenset({"external_dag_id", "external_task_id", "logical_date"}))
TRIGGER = Operator("TriggerDagRunOperator", frozenset({"trigger_dag_id", "trigger_run_id"}))


def sensors_of(dag_id: str, task: Task, *, known: bool = False) -> Iterator[SensorDefinition]:
    """What a sensor waits for: of a mapped one as each index has it, as far as the Dag's text tells.

    One definition for each Dag that it names; `UNKNOWN` where the Dag isn't written down. ``known``: Airflow itself
    says that it is made from its own class.
    """
    code = read_own_code(task.get(OFFSET_ATTRIBUTE))
    if code is None and not known and not SENSOR.matches(task):
        code = OwnCode(task.operator)
    if code is not None:
        yield from of_own_code(dag_id, task, code)
        return
    several = task.by_index() if task.mapped else None
    if several is None:
        given = {name: task.values(name) for name in WHAT}
        yield from with_arguments(dag_id, task, given, offset_of(task))
        return
    indexes: dict[str, tuple[SensorDefinition, set[int]]] = {}
    for index, arguments in enumerate(several):
        given = {name: [arguments.get(name)] for name in WHAT}
        offset = offset_given(task, arguments.get("execution_delta"), arguments.get("execution_date_fn"))
        for one in with_arguments(dag_id, task, given, offset):
            indexes.setdefault(repr(one), (one, set()))[1].add(index)
    yield from (replace(one, map_indexes=frozenset(some)) for one, some in indexes.values())


WHAT = ("external_dag_id", "external_task_ids", "external_task_id", "external_task_group_id")
"""The arguments that name what a sensor waits for."""


def with_arguments(
    dag_id: str, task: Task, given: Mapping[str, list[Any]], offset: Offset
) -> Iterator[SensorDefinition]:
    """One definition for each Dag that arguments name."""
    texts = {name: texts_of(values) for name, values in given.items()}
    groups = texts["external_task_group_id"]
    for external_dag_id in texts["external_dag_id"] or [UNKNOWN]:
        found = SensorDefinition(
            dag_id,
            task.task_id,
            external_dag_id=external_dag_id,
            task_ids=frozenset([*texts["external_task_ids"], *texts["external_task_id"]]),
            group_id=groups[0] if len(groups) == 1 else (UNKNOWN if groups else None),
            offset=offset.offset,
            offset_known=offset.known,
            has_date_function=offset.by_function,
            mapped=task.mapped,
        )
        yield replace(found, params=task.params) if found.templated else found


def offset_of(task: Task) -> Offset:
    """How far back a sensor looks, all its map indexes. A mapped one's arguments are serialized: it needs no mark."""
    if not task.mapped:
        return read_offset(task.get(OFFSET_ATTRIBUTE))
    if task.varies("execution_delta") or task.varies("execution_date_fn"):
        return Offset(by_function=True, known=True)
    return offset_given(task, task.get("execution_delta"), task.get("execution_date_fn"))


def offset_given(task: Task, delta: Any, function: Any) -> Offset:
    """How far back a mapped sensor looks by its arguments. A class of somebody's own may set others."""
    return mapped_offset(delta, function) if is_standard(task) else Offset()


def is_own_sensor(task: Task) -> bool:
    """Whether a sensor that isn't Airflow's names a Dag."""
    if read_own_code(task.get(OFFSET_ATTRIBUTE)) is not None:
        return True
    return bool(task.data.get("_is_sensor")) and any(task.texts(name) for name in NAMES_DAGS if task.has(name))


def of_own_code(dag_id: str, task: Task, code: OwnCode) -> Iterator[SensorDefinition]:
    """One definition for each Dag that a sensor names, in whatever way."""
    named = [text for name in NAMES_DAGS if task.has(name) for text in task.texts(name)]
    for external_dag_id in dict.fromkeys([*code.dag_ids, *named, *([UNKNOWN] if code.more else [])]) or [UNKNOWN]:
        yield SensorDefinition(
            dag_id,
            task.task_id,
            external_dag_id,
            offset_known=task.mapped or task.get(OFFSET_ATTRIBUTE) is not None,
            mapped=task.mapped,
            own_class=code.name,
            recordable=code.recorded,
        )


def is_standard(task: Task) -> bool:
    """Whether a task is of Airflow's own sensor, not of a subclass."""
    return (str(task.data.get("_task_module")), task.operator) == STANDARD_SENSOR


def markers_of(dag_id: str, task: Task) -> Iterator[MarkerDefinition]:
    """One definition for each Dag and task that a marker names."""
    dates = task.texts("logical_date") or [THIS_DATE]
    dag_ids, task_ids = task.texts("external_dag_id") or [UNKNOWN], task.texts("external_task_id") or [UNKNOWN]
    if len(dag_ids) * len(task_ids) > MAX_VALUES:
        task_ids = [UNKNOWN]
    for external_dag_id in dag_ids:
        for external_task_id in task_ids:
            yield MarkerDefinition(
                dag_id,
                task.task_id,
                external_dag_id,
                external_task_id,
                dates[0] if len(dates) == 1 else UNKNOWN,
                task.mapped,
            )


def triggers_of(dag_id: str, task: Task) -> Iterator[TriggerDefinition]:
    """One definition for each Dag that a task triggers."""
    waits, last = waits_for_run(task), not any(task.followers)
    for trigger_dag_id in task.texts("trigger_dag_id") or [UNKNOWN]:
        params = task.params if is_template(trigger_dag_id) else ()
        yield TriggerDefinition(dag_id, task.task_id, trigger_dag_id, task.mapped, waits, last, params)


NOT_GIVEN = re.compile(r"NOTSET|<[\w.]+\.ArgNotSet object at 0x[0-9a-f]+>")
"""How Airflow serializes a logical date that the author didn't give; the first releases of 3.1 and 3.2 have no word."""


def waits_for_run(task: Task) -> bool:
    """Whether a TriggerDagRun task waits, or may wait where a template decides, until its run has ended."""
    return any(value not in (False, "False") for value in task.values("wait_for_completion"))


def makes_one_run(task: Task) -> bool:
    """Whether a TriggerDagRun task can't make a second run in the same run of its own.

    A template for the run's id or date counts as fixed: whether it differs the next time can't be told. Without the
    policy's mark it can't be told either whether the task resets the run that exists; then it counts as if it didn't.
    """
    dates = [date for date in task.values("logical_date") if not NOT_GIVEN.fullmatch(str(date))]
    resets = task.get(RESET_ATTRIBUTE) if not task.mapped else all(task.values(RESET_ARGUMENT) or [False])
    return bool(task.values("trigger_run_id") or dates) and resets is not True


def past_dependency_of(dag_id: str, task: Task, *, catchup: bool) -> PastDependency:
    """What a task with ``depends_on_past`` waits for; ``wait_for_downstream`` implies it."""
    after = task.followers if task.get("wait_for_downstream") else ()
    return PastDependency(dag_id, task.task_id, frozenset({task.task_id, *after}), scheduled_only=catchup)
