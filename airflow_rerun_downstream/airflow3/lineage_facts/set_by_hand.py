"""What people set by hand, by Airflow's audit log: states of runs and of task instances."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from airflow_rerun_downstream.airflow3.database.key_lists import one_in
from airflow_rerun_downstream.airflow3.lineage_facts.stopped import ANY_DAG, BULK, LOG, OURS, PATCH, began, in_time
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

TASK, TASKS, GROUP = "patch_task_instance", "bulk_task_instances", "patch_task_group_instances"
"""What the UI and the REST API write when somebody sets the state of one task instance, of several, of a group."""

FAILED = "failed"
"""What the execution API writes when a try fails."""


@dataclass(frozen=True)
class Mark:
    """Somebody set a state: of a run (no task), of a task (no index), or of one index."""

    at: datetime
    by: str | None
    state: str
    task_id: str | None = None
    map_index: int | None = None

    def means(self, task_id: str, map_index: int) -> bool:
        """Whether it was set for a task instance, or for its run."""
        return self.task_id in (None, task_id) and self.map_index in (None, map_index)


@dataclass
class Marks:
    """What was set by hand in a run's last attempt. ``failed``: the tries that failed by themselves."""

    found: list[Mark] = field(default_factory=list)
    terminated: bool = False
    failed: set[tuple[str, int, int]] = field(default_factory=set)

    def says(self, task_id: str, map_index: int, *states: str) -> bool:
        """Whether a task instance, or its run, was set to one of the states."""
        return any(mark.state in states and mark.means(task_id, map_index) for mark in self.found)

    def times(self, task_id: str, map_index: int, state: str) -> list[datetime]:
        """When a task instance, or its run, was set to a state."""
        return [mark.at for mark in self.found if mark.state == state and mark.means(task_id, map_index)]

    def who(self, task_id: str, map_index: int) -> str | None:
        """Who set a task instance's state last; one line may set tasks that it doesn't name as well."""
        for meant in (lambda mark: mark.means(task_id, map_index), lambda mark: mark.task_id is not None):
            for mark in reversed(self.found):
                if mark.state != "failed" and meant(mark):
                    return mark.by
        return None


def marks(session: Session, runs: Mapping[RunRef, Any]) -> dict[RunRef, Marks]:
    """What was set by hand in each run's last attempt. One statement.

    The rows have ``run_start_date``, ``queued_at`` and ``run_end_date``.
    """
    found = {ref: Marks() for ref in runs}
    if not runs:
        return found
    begun = [began(row) for row in runs.values()]
    wanted = (
        select(
            LOG.dttm, LOG.event, LOG.dag_id, LOG.run_id, LOG.task_id, LOG.map_index,
            LOG.try_number, LOG.owner, LOG.extra,
        )
        .where(
            LOG.event.in_((PATCH, BULK, TASK, TASKS, GROUP, FAILED, *OURS)),
            one_in(session, LOG.dag_id, [*sorted({ref.dag_id for ref in runs}), ANY_DAG]),
        )
        .order_by(LOG.id)
    )  # fmt: skip
    if None not in begun:
        wanted = wanted.where(LOG.dttm >= min(moment for moment in begun if moment))
    for line in session.execute(wanted):
        for ref, mark in marks_of(line):
            if ref in runs and (began(runs[ref]) or line.dttm) <= line.dttm:
                take(found[ref], mark, line, runs[ref])
    return found


def take(into: Marks, mark: Mark, line: Any, run: Any) -> None:
    """Sort one line in."""
    if line.event == FAILED:
        into.failed.add((line.task_id, -1 if line.map_index is None else line.map_index, line.try_number))
    elif mark.task_id is None and mark.state == "failed":
        into.terminated |= in_time(line.dttm, run)
    else:
        into.found.append(mark)


def marks_of(line: Any) -> Iterator[tuple[RunRef, Mark]]:
    """What a line of the audit log says was set."""
    ref = RunRef(line.dag_id or "", line.run_id or "")
    if line.event == FAILED:
        yield ref, Mark(line.dttm, None, "failed", line.task_id, line.map_index)
        return
    if line.event in OURS:
        yield ref, Mark(line.dttm, line.owner, "failed")
        return
    try:
        extra = json.loads(line.extra or "{}")
        if line.event in (BULK, TASKS):
            yield from in_bulk(line, extra)
        else:
            state = extra.get("state") if line.event == PATCH else extra.get("new_state")
            index = extra.get("map_index")
            if state:
                # A group is named by a pattern of its own: any task of the run may be meant.
                task_id = line.task_id if line.event == TASK else None
                map_index = int(index) if line.event == TASK and index is not None else None
                yield ref, Mark(line.dttm, line.owner, str(state), task_id, map_index)
    except (ValueError, AttributeError, KeyError, TypeError):
        log.warning("A line of Airflow's audit log can't be read: %s %s", line.event, line.extra)


def in_bulk(line: Any, extra: Mapping[str, Any]) -> Iterator[tuple[RunRef, Mark]]:
    """What a bulk request says was set."""
    for action in extra["actions"]:
        for entity in action["entities"] if action["action"] == "update" else ():
            dag_id = entity.get("dag_id") or line.dag_id
            state = entity.get("state") if line.event == BULK else entity.get("new_state")
            run_id = entity.get("dag_run_id") or line.run_id
            if state and dag_id and run_id:
                task_id, index = entity.get("task_id"), entity.get("map_index")
                yield RunRef(dag_id, run_id), Mark(line.dttm, line.owner, str(state), task_id, index)
