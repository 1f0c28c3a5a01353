"""The tries of a `World`'s task instances, as the proof of a rerun reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.proof import RunTries, TaskTries, Try
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.run_accounts import RunAccount

if TYPE_CHECKING:
    from tests.fakes.world import World

ENDED = ("success", "failed", "skipped", "upstream_failed", "removed")

WORKER = "w"
"""The host of every worker, but for those of `World.hosts`."""


def run_tries(world: World, ref: RunRef, account: RunAccount) -> RunTries:
    """The tries of one run."""
    tasks = sorted(world.tasks[ref], key=lambda task: (task.task_id, task.map_index))
    return RunTries(world.runs[ref].clear_number, tuple(task_tries(world, ref, task, account) for task in tasks))


def task_tries(world: World, ref: RunRef, task: TaskInstanceFacts, account: RunAccount) -> TaskTries:
    """The tries of one task instance."""
    key, told = (ref, task.task_id, task.map_index), account.of(task)
    earlier = world.tries.get(key, ())
    started = [*earlier, *([task] if told.started else [])]
    return TaskTries(
        task.task_id,
        task.map_index,
        task.state,
        tuple(one_try(world, ref, one) for one in started),
        present=told.started,
        by_hand=told.by_hand,
        held=told.succeeded_before,
        added=told.added,
    )


def one_try(world: World, ref: RunRef, task: TaskInstanceFacts) -> Try:
    """A try that was started."""
    own = (ref, task.task_id, task.map_index, task.try_number)
    host = world.try_hosts[own] if own in world.try_hosts else world.hosts.get((ref, task.task_id), WORKER)
    return Try(task.state, task.start_date, task.end_date if task.state in ENDED else None, host)
