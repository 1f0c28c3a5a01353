"""Which skipped task instances of a plan were cut off: their state alone says success where nothing was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from airflow_rerun_downstream.domain.facts import DagStructure, RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.run_accounts import RunAccount
from airflow_rerun_downstream.domain.skips import Skips, doubtful
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.ports.lineage import LineageFacts

Instances = dict[RunRef, list[TaskInstanceFacts]]


def mark_cut_offs(
    facts: LineageFacts, runs: Mapping[RunRef, RunFacts], structures: Structures, instances: Instances
) -> None:
    """Mark in ``instances`` what was cut off. Nothing is asked where no skip is in doubt."""
    unclear = [
        ref
        for ref, tasks in instances.items()
        if any(task.state == "skipped" for task in tasks) and doubtful(runs[ref].state, tasks, structures.was(ref))
    ]
    for ref, account in (facts.tasks.accounts(unclear) if unclear else {}).items():
        instances[ref] = marked(instances[ref], account, structures.was(ref))


def marked(
    tasks: list[TaskInstanceFacts], account: RunAccount, structure: DagStructure | None
) -> list[TaskInstanceFacts]:
    """Task instances of a run in which a skip is in doubt."""
    skips = Skips(tasks, account, structure)
    return [replace(task, cut_off=True) if task.state == "skipped" and not skips.own(task) else task for task in tasks]
