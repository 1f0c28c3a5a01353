"""Which runs the TriggerDagRun tasks of others made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.facts.origins import XCOM, parents
from airflow_rerun_downstream.airflow3.facts.records import AT_ONCE, rendered_fields
from airflow_rerun_downstream.airflow3.facts.runs import RUN, runs
from airflow_rerun_downstream.airflow3.facts.versions import is_open, triggers_of
from airflow_rerun_downstream.airflow3.pairs import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.stored import LINK_KEY, TRIGGER_KEY, linked_dag, read_id, text_of
from airflow_rerun_downstream.domain.facts import DoubtfulRecord, RunFacts, TriggerDefinition, TriggeredRun
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Instance = tuple[RunRef, str, int]
Declared = Mapping[RunRef, Mapping[str, Collection[TriggerDefinition]]]
"""What runs' own versions of their Dags declare, by run and task."""


def triggered_runs(session: Session, parents: Collection[RunRef]) -> list[TriggeredRun | DoubtfulRecord]:
    """Which runs the TriggerDagRun tasks of ``parents`` made, and the records that can't be true."""
    recorded = records(session, parents)
    if not recorded:
        return []
    declared = triggers_of(session, {parent for parent, _, _ in recorded})
    targets = target_dags(session, recorded, declared)
    children = {
        instance: RunRef(targets[instance], run_id)
        for instance, (run_id, _) in recorded.items()
        if instance in targets and run_id is not None
    }
    known = runs(session, set(children.values())) if children else {}
    found: list[TriggeredRun | DoubtfulRecord] = []
    for instance in recorded:
        child, triggers = children.get(instance), of_task(declared, instance)
        if instance not in targets and not triggers:
            continue  # an XCom of that key, and nothing that says of which Dag: somebody else's
        why = doubt(child, known, triggers) if instance in targets else FORGOTTEN
        if child is None or why is not None:
            dag_id = targets.get(instance) or min((each.trigger_dag_id for each in triggers), default=None)
            found.append(DoubtfulRecord(*instance, why or UNREADABLE, dag_id))
        else:
            found.append(TriggeredRun(*instance, known[child]))
    return found


def of_task(declared: Declared, instance: Instance) -> Collection[TriggerDefinition]:
    """What a task declares."""
    return declared.get(instance[0], {}).get(instance[1], ())


UNREADABLE = "what it recorded names no run"
FORGOTTEN = "Airflow no longer keeps of which Dag the run is that it recorded"


def doubt(
    child: RunRef | None, known: Mapping[RunRef, RunFacts], triggers: Collection[TriggerDefinition]
) -> str | None:
    """Why a record can't be true; None: it may be. Without a declaration it is believed."""
    if child is None:
        return UNREADABLE
    if child not in known:
        return f"it recorded the run {child}, which isn't there"
    named = {trigger.trigger_dag_id for trigger in triggers}
    if named and not is_open(triggers) and child.dag_id not in named:
        return f"it recorded the run {child}, which isn't of the Dag that it triggers"
    # With reset_dag_run a task clears a run that is there. A serialized Dag doesn't tell of that argument.
    if not known[child].made_by_task and not known[child].clear_number:
        return f"it recorded the run {child}, which no task has made"
    return None


def triggering_runs(session: Session, children: Collection[RunRef]) -> list[TriggeredRun]:
    """Which tasks made ``children``; records that can't be true are left out."""
    wanted = frozenset(children)
    makers = {parent for some in parents(session, wanted).values() for parent in some} if wanted else ()
    every = triggered_runs(session, makers) if makers else ()
    return [made for made in every if isinstance(made, TriggeredRun) and made.child.ref in wanted]


def records(session: Session, parents: Collection[RunRef]) -> dict[Instance, tuple[str | None, str | None]]:
    """What task instances recorded of the run that they triggered: its id, and the Dag that their link names."""
    found: dict[Instance, dict[str, Any]] = {}
    for some in chunks(parents):
        wanted = (
            select(RUN.dag_id, RUN.run_id, XCOM.task_id, XCOM.map_index, XCOM.key, text_of(XCOM.value))
            .select_from(DagRun.__table__.join(XComModel.__table__, XCOM.dag_run_id == RUN.id))
            .where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)), XCOM.key.in_((TRIGGER_KEY, LINK_KEY)))
            .order_by(RUN.id, XCOM.task_id, XCOM.map_index)
        )
        for row in session.execute(wanted, execution_options=AT_ONCE):
            instance = (RunRef(row.dag_id, row.run_id), row.task_id, row.map_index)
            read = read_id if row.key == TRIGGER_KEY else linked_dag
            found.setdefault(instance, {})[row.key] = read(row.value)
    return {
        instance: (values[TRIGGER_KEY], values.get(LINK_KEY))
        for instance, values in found.items()
        if TRIGGER_KEY in values
    }


def target_dags(
    session: Session, recorded: Mapping[Instance, tuple[str | None, str | None]], declared: Declared
) -> dict[Instance, str]:
    """The Dags that were triggered: what the task linked to, what its Dag declares, what was rendered for it."""
    found = {instance: dag_id for instance, (_, dag_id) in recorded.items() if dag_id is not None}
    unclear: list[Instance] = []
    for instance in recorded:
        triggers = of_task(declared, instance)
        if instance in found or not triggers:
            continue
        if len(triggers) == 1 and not is_open(triggers):
            found[instance] = next(iter(triggers)).trigger_dag_id
        else:
            unclear.append(instance)
    found.update(rendered_targets(session, unclear))
    return found


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
