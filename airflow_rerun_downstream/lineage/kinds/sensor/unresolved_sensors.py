"""Sensors of which it can't be told which run they waited for: why, and what would make it known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import DeclaredLink, SensorDefinition
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, unresolved

SHOWN_RUNS = 10
"""How many of the runs that may have waited are named."""

RENDERED_GONE = Sentence("link.rendered_gone")


def cause(sensor: SensorDefinition) -> Sentence:
    """Why the sensor's definition doesn't tell which run it waits for."""
    if sensor.own_class is not None:
        return Sentence("link.class_decides", name=sensor.own_class)
    if sensor.has_date_function:
        return Sentence("link.function_decides")
    return Sentence("link.mapped_decides" if sensor.mapped else "link.parsed_without_policy")


def reason(sensor: SensorDefinition, doubt: Sentence | None, runs: int) -> Sentence:
    """Why it can't be told for some of its runs."""
    if not sensor.recordable:
        return cause(sensor)
    if doubt is not None:
        return Sentence("link.and_in_doubt", why=cause(sensor), doubt=doubt)
    return Sentence("link.nothing_recorded", why=cause(sensor), count=runs)


def to_do(sensor: SensorDefinition, doubt: Sentence | None = None) -> tuple[Advice, ...]:
    """What would make it known; of an instance whose record is in doubt, nothing does."""
    if not sensor.recordable:
        return (Advice.DECLARE,)
    if doubt is not None:
        return (Advice.LOOK_BY_HAND,)
    if sensor.decides_itself or sensor.mapped:
        return (Advice.RECORD,)
    return Advice.PARSE_AGAIN, Advice.RECORD


def open_edge(
    run: RunFacts,
    sensor: SensorDefinition,
    why: Sentence,
    consumers: Iterable[RunRef],
    tasks: frozenset[str] | None = None,
    to_do: Sequence[Advice] = (Advice.RECORD,),
) -> FoundLink:
    """A sensor that may have waited for ``tasks`` of a run, or the run as a whole, in one of ``consumers``."""
    names = sorted({ref.run_id for ref in consumers})
    via: dict[str, Any] = {"task_id": sensor.task_id}
    if sensor.unmarked and sensor.own_class is None:
        via["offset_known"] = False
    if len(names) == 1:
        via["run_id"] = names[0]
    else:
        via |= {"run_ids": names[:SHOWN_RUNS], "run_count": len(names)}
    found = unresolved(run.ref, sensor.dag_id, LinkKind.SENSOR, via, why=why, to_do=to_do, to_task_id=sensor.task_id)
    return FoundLink(found.link, tasks, found.to_task, None)


def is_declared(run: RunRef, sensor: SensorDefinition, declared: Sequence[DeclaredLink]) -> bool:
    """Whether those who run the deployment have said which runs the sensor's Dag, or the sensor, reads of a Dag."""
    return any(
        one.upstream_dag_id == run.dag_id
        and one.downstream_dag_id == sensor.dag_id
        and one.downstream_task_id in (None, sensor.task_id)
        for one in declared
    )
