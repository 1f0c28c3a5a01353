"""Which runs the TriggerDagRun tasks of others made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from airflow.models.dagrun import DagRun
from sqlalchemy import or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, one_in, pair_in
from airflow_rerun_downstream.airflow3.database.untrusted_values import (
    AT_ONCE,
    LINK_KEY,
    TRIGGER_KEY,
    linked_run,
    read_id,
    text_of,
)
from airflow_rerun_downstream.airflow3.lineage_facts.online import XCOM, made_by_task, parents
from airflow_rerun_downstream.airflow3.lineage_facts.run_versions import is_open, triggers_of
from airflow_rerun_downstream.airflow3.lineage_facts.runs import RUN, RUN_COLUMNS, complete, confs, runs
from airflow_rerun_downstream.airflow3.lineage_facts.task_records import rendered_fields
from airflow_rerun_downstream.domain.definitions import TriggerDefinition
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, TriggeredRun
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.trigger import can_be_reckoned, target_of
from airflow_rerun_downstream.lineage.templates import may_name

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

Instance = tuple[RunRef, str, int]
Declared = Mapping[RunRef, Mapping[str, Sequence[TriggerDefinition]]]
"""What runs' own versions of their Dags declare, by run and task."""


@dataclass(frozen=True)
class Recorded:
    """What a task instance left of the run that it made: its id, and the Dag and the run that the UI's link names."""

    run_id: str | None
    linked_dag: str | None = None
    linked_run: str | None = None

    def children(self, dag_id: str) -> list[RunRef]:
        """The runs that may be meant, the surer first: a backend may keep the XCom's value elsewhere."""
        ids = dict.fromkeys((self.run_id, self.linked_run if dag_id == self.linked_dag else None))
        return [RunRef(dag_id, run_id) for run_id in ids if run_id is not None]


def triggered_runs(session: Session, parents: Collection[RunRef]) -> list[TriggeredRun | DoubtfulRecord]:
    """Which runs the TriggerDagRun tasks of ``parents`` made, and the records that can't be true."""
    recorded = records(session, parents)
    if not recorded:
        return []
    declared = triggers_of(session, {parent for parent, _, _ in recorded})
    targets = target_dags(session, recorded, declared)
    wanted = {ref for instance, dag_id in targets.items() for ref in recorded[instance].children(dag_id)}
    known = runs(session, wanted) if wanted else {}
    forgotten = {
        instance: recorded[instance].run_id or ""
        for instance in recorded
        if instance not in targets and recorded[instance].run_id and of_task(declared, instance)
    }
    alike = runs_of_ids(session, set(forgotten.values())) if forgotten else {}
    found: list[TriggeredRun | DoubtfulRecord] = []
    for instance, record in recorded.items():
        triggers = of_task(declared, instance)
        if instance in targets:
            found.append(told_by(instance, record.children(targets[instance]), known, triggers, targets[instance]))
        elif triggers:  # without any it is an XCom of that key, and nothing says of which Dag: somebody else's
            found += by_run_id(instance, alike.get(forgotten.get(instance, ""), ()), triggers)
    return found


def told_by(
    instance: Instance,
    children: Sequence[RunRef],
    known: Mapping[RunRef, RunFacts],
    triggers: Collection[TriggerDefinition],
    dag_id: str,
) -> TriggeredRun | DoubtfulRecord:
    """The run that a record names, or why it can't be true."""
    doubts = []
    for child in children:
        why = doubt(child, known, triggers)
        if why is None:
            return TriggeredRun(*instance, known[child])
        doubts.append(why)
    return DoubtfulRecord(*instance, doubts[0] if doubts else UNREADABLE, dag_id)


def by_run_id(
    instance: Instance, alike: Collection[RunFacts], triggers: Collection[TriggerDefinition]
) -> list[TriggeredRun | DoubtfulRecord]:
    """The run of the recorded id, if only one of the Dags that a task may name has one; else a doubt for each."""
    possible = [
        run
        for run in alike
        if (run.made_by_task or run.clear_number)
        and any(may_name(each.trigger_dag_id, run.ref.dag_id) for each in triggers)
    ]
    if len(possible) == 1:
        return [TriggeredRun(*instance, possible[0], by_run_id=True)]
    names = [run.ref.dag_id for run in possible] or sorted({each.trigger_dag_id for each in triggers})
    return [DoubtfulRecord(*instance, FORGOTTEN, dag_id) for dag_id in names]


def runs_of_ids(session: Session, run_ids: Collection[str]) -> dict[str, list[RunFacts]]:
    """The runs of any Dag that have one of the ids."""
    rows = [
        row
        for some in chunks(sorted(run_ids))
        for row in session.execute(select(*RUN_COLUMNS).where(one_in(session, RUN.run_id, some)))
    ]
    found: dict[str, list[RunFacts]] = {}
    for run in complete(session, rows).values() if rows else ():
        found.setdefault(run.ref.run_id, []).append(run)
    return {run_id: sorted(some, key=attrgetter("ref")) for run_id, some in found.items()}


def of_task(declared: Declared, instance: Instance) -> Sequence[TriggerDefinition]:
    """What a task declares."""
    return declared.get(instance[0], {}).get(instance[1], ())


UNREADABLE = Sentence("link.no_run_recorded")
FORGOTTEN = Sentence("link.dag_forgotten")


def doubt(child: RunRef, known: Mapping[RunRef, RunFacts], triggers: Collection[TriggerDefinition]) -> Sentence | None:
    """Why a record can't be true; None: it may be. Without a declaration it is believed."""
    if child not in known:
        return Sentence("link.recorded_run_gone", run=f"{child}")
    named = {trigger.trigger_dag_id for trigger in triggers}
    if named and not is_open(triggers) and child.dag_id not in named:
        return Sentence("link.recorded_run_of_another_dag", run=f"{child}")
    # With reset_dag_run a task clears a run that is there. A serialized Dag doesn't tell of that argument.
    if not known[child].made_by_task and not known[child].clear_number:
        return Sentence("link.recorded_run_not_made", run=f"{child}")
    return None


def orphaned_dags(session: Session, since: datetime) -> frozenset[str]:
    """The Dags with a run that a task has made since a moment, and of which nothing tells any more which task.

    Runs of two Dags may have one id: a record counts for the run of the Dag that its task triggers.
    """
    made = select(RUN.dag_id, RUN.run_id).where(made_by_task(), or_(RUN.queued_at.is_(None), RUN.queued_at >= since))
    every = {RunRef(*row) for row in session.execute(made)}
    known = {one.child.ref for one in triggering_runs(session, every)}
    return frozenset(ref.dag_id for ref in every if ref not in known)


def triggering_runs(session: Session, children: Collection[RunRef]) -> list[TriggeredRun]:
    """Which tasks made ``children``; records that can't be true are left out."""
    wanted = frozenset(children)
    makers = {parent for some in parents(session, wanted).values() for parent in some} if wanted else ()
    every = triggered_runs(session, makers) if makers else ()
    return [made for made in every if isinstance(made, TriggeredRun) and made.child.ref in wanted]


def records(session: Session, parents: Collection[RunRef]) -> dict[Instance, Recorded]:
    """What task instances recorded of the runs that they triggered."""
    found: dict[Instance, Recorded] = {}
    for some in chunks(parents):
        wanted = (
            select(RUN.dag_id, RUN.run_id, XCOM.task_id, XCOM.map_index, XCOM.key, text_of(XCOM.value))
            .select_from(DagRun.__table__.join(task_tables.XCOM, XCOM.dag_run_id == RUN.id))
            .where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)), XCOM.key.in_((TRIGGER_KEY, LINK_KEY)))
            .order_by(RUN.id, XCOM.task_id, XCOM.map_index)
        )
        for row in session.execute(wanted, execution_options=AT_ONCE):
            instance = (RunRef(row.dag_id, row.run_id), row.task_id, row.map_index)
            known = found.get(instance, Recorded(None))
            if row.key == TRIGGER_KEY:
                found[instance] = replace(known, run_id=read_id(row.value))
            else:
                dag_id, run_id = linked_run(row.value) or (None, None)
                found[instance] = replace(known, linked_dag=dag_id, linked_run=run_id)
    return found


def target_dags(session: Session, recorded: Mapping[Instance, Recorded], declared: Declared) -> dict[Instance, str]:
    """The Dags that were triggered: what the task linked to, what its Dag declares, what was rendered for it."""
    found = {instance: record.linked_dag for instance, record in recorded.items() if record.linked_dag is not None}
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
    left = [each for each in unclear if each not in found]
    found.update(reckoned_targets(session, {each: of_task(declared, each) for each in left}))
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


def reckoned_targets(session: Session, triggers: Mapping[Instance, Sequence[TriggerDefinition]]) -> dict[Instance, str]:
    """The Dags that templated tasks triggered of which Airflow has kept nothing, by their runs' params."""
    left = {instance: some for instance, some in triggers.items() if can_be_reckoned(some)}
    if not left:
        return {}
    refs = {ref for ref, _, _ in left}
    known, given = runs(session, refs), confs(session, refs)
    named = {each: target_of(some, known[each[0]], given.get(each[0])) for each, some in left.items()}
    return {instance: name for instance, name in named.items() if name is not None}
