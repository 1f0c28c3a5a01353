"""Which runs the TriggerDagRun tasks of others made."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.facts import serialized
from airflow_rerun_downstream.airflow3.facts.origins import TRIGGER_KEY, XCOM, declared_targets, read_json
from airflow_rerun_downstream.airflow3.facts.records import rendered_fields
from airflow_rerun_downstream.airflow3.facts.runs import RUN, runs
from airflow_rerun_downstream.airflow3.pairs import chunks, names, pair_in
from airflow_rerun_downstream.domain.facts import TriggeredRun
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LINK_KEY = "_link_TriggerDagRunLink"
"""The XCom behind the operator's link in the UI: an address that names the Dag which was triggered."""

LINKED_DAG = re.compile(r"/dags/([^/]+)/runs/")

Instance = tuple[RunRef, str, int]


def triggered_runs(session: Session, parents: Collection[RunRef]) -> list[TriggeredRun]:
    """Which runs the TriggerDagRun tasks of ``parents`` made; those that are gone are left out."""
    recorded = records(session, parents)
    targets = target_dags(session, recorded)
    children = {
        instance: RunRef(targets[instance], str(read_json(values[TRIGGER_KEY])))
        for instance, values in recorded.items()
        if instance in targets
    }
    found = runs(session, set(children.values())) if children else {}
    return [
        TriggeredRun(parent, task_id, map_index, found[child])
        for (parent, task_id, map_index), child in children.items()
        if child in found
    ]


def records(session: Session, parents: Collection[RunRef]) -> dict[Instance, dict[str, Any]]:
    """The XComs of task instances that triggered a run, by their keys."""
    found: dict[Instance, dict[str, Any]] = {}
    for some in chunks(parents):
        wanted = (
            select(RUN.dag_id, RUN.run_id, XCOM.task_id, XCOM.map_index, XCOM.key, XCOM.value)
            .select_from(DagRun.__table__.join(XComModel.__table__, XCOM.dag_run_id == RUN.id))
            .where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)), XCOM.key.in_((TRIGGER_KEY, LINK_KEY)))
            .order_by(RUN.id, XCOM.task_id, XCOM.map_index)
        )
        for row in session.execute(wanted):
            instance = (RunRef(row.dag_id, row.run_id), row.task_id, row.map_index)
            found.setdefault(instance, {})[row.key] = row.value
    return {instance: values for instance, values in found.items() if TRIGGER_KEY in values}


def target_dags(session: Session, recorded: Mapping[Instance, Mapping[str, Any]]) -> dict[Instance, str]:
    """The Dags that were triggered: what the task linked to, what its Dag declares, what was rendered for it.

    An XCom of that key whose task does none of these is somebody else's.
    """
    linked = {instance: linked_dag(values.get(LINK_KEY)) for instance, values in recorded.items()}
    found = {instance: dag_id for instance, dag_id in linked.items() if dag_id is not None}
    rest = [instance for instance in recorded if instance not in found]
    if not rest:
        return found
    declared = declared_targets(session)
    triggers = {(trigger.dag_id, trigger.task_id) for trigger in serialized.definitions(session).triggers}
    unclear: list[Instance] = []
    for instance in rest:
        task = (instance[0].dag_id, instance[1])
        if len(declared.get(task, ())) == 1:
            found[instance] = next(iter(declared[task]))
        elif task in triggers:
            unclear.append(instance)
    found.update(rendered_targets(session, unclear))
    return found


def linked_dag(value: Any) -> str | None:
    """The Dag that a link's address names."""
    match = LINKED_DAG.search(str(value or ""))
    return unquote(match.group(1)) if match else None


def rendered_targets(session: Session, instances: Collection[Instance]) -> dict[Instance, str]:
    """The Dags that templated tasks, or those expanded over Dags, triggered; Airflow keeps the last runs' only."""
    if not instances:
        return {}
    tasks = {(ref.dag_id, task_id) for ref, task_id, _ in instances}
    fields = rendered_fields(session, tasks, {ref for ref, _, _ in instances})
    return {
        instance: str(fields[instance]["trigger_dag_id"])
        for instance in instances
        if fields.get(instance, {}).get("trigger_dag_id")
    }
