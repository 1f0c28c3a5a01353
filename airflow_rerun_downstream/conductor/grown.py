"""Members with what newer versions of their Dags have added to their runs since the submit.

When a run is cleared, Airflow adds the tasks that are new in its Dag, and runs them once, with whatever there is to
read. Nobody could select them. They belong to what they follow: they are made anew with that, and told of like that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from airflow_rerun_downstream.conductor.evidence import structures_of
from airflow_rerun_downstream.domain.added import added_to
from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, DagStructure, TaskInstanceFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import TaskRef, Tasks, covers, normalised
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.run_accounts import RunAccount
from airflow_rerun_downstream.domain.verdict import SLACK
from airflow_rerun_downstream.ports.work import Work


def grown(work: Work, rerun: Rerun, members: Collection[Member]) -> list[Member]:
    """Members of a rerun, each with the tasks that belong to it by now, in its stages, too.

    One statement; some more where a run has tasks that may be new.
    """
    runs = work.gateway.observe([member.ref for member in members])
    here = {member.id: runs[member.ref].task_instances for member in members}
    late = [one.ref for one in members if any(may_be_new(task, one, rerun.created_at) for task in here[one.id])]
    if not late:
        return [*members]
    accounts = work.facts.tasks.accounts(late, since=dict.fromkeys(late, rerun.created_at))
    structures = structures_of(work, late)
    return [
        with_added(one, here[one.id], accounts[one.ref], structures.either(one.ref)) if one.ref in accounts else one
        for one in members
    ]


def may_be_new(task: TaskInstanceFacts, member: Member, since: datetime) -> bool:
    """Whether a task instance that isn't selected may have been made since a moment, by what is known already."""
    late = task.start_date is None or task.start_date >= since - SLACK
    return task.state != REMOVED_TASK_STATE and late and not covers(member.tasks, task.task_id, task.map_index)


def with_added(
    member: Member, instances: Sequence[TaskInstanceFacts], account: RunAccount, structure: DagStructure | None
) -> Member:
    """A member with what has been added to its tasks, and to those of each of its stages; what has a stage keeps it."""
    older = {task.task_id for task in instances if not account.of(task).added}
    named = {task.task_id for task in member.tasks} - older

    def more(tasks: Tasks) -> Tasks:
        added = [one for one in added_to(tasks, instances, account, structure) if one.task_id not in named]
        refs = (TaskRef(task.task_id, task.map_index if task.task_id in older else None) for task in added)
        return normalised([*tasks, *refs])

    return replace(member, tasks=more(member.tasks), stages=tuple(map(more, member.stages)))
