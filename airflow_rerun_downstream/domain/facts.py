"""Runs, their tasks and their Dags, as Airflow has them: plain values. Ports return these; the inside reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.values import Value

FINISHED_RUN_STATES = frozenset({"success", "failed"})

UNFINISHED_TASK_STATES = frozenset(
    {
        None,
        "scheduled",
        "queued",
        "running",
        "restarting",
        "up_for_retry",
        "up_for_reschedule",
        "deferred",
        "awaiting_input",
    }
)

LIVE_TASK_STATES = frozenset({"queued", "running", "restarting"})
"""States in which a task of a run that has ended may still have a process: nothing else of such a run is started."""

BEGUN_TASK_STATES = frozenset(
    {
        "running",
        "deferred",
        "awaiting_input",
        "up_for_reschedule",
        "up_for_retry",
        "restarting",
        "success",
        "failed",
    }
)
"""States of a task whose last try, or the one before it, has begun: what it recorded isn't from before a clear."""

FAILED_TASK_STATES = frozenset({"failed", "upstream_failed"})

REMOVED_TASK_STATE = "removed"


@dataclass(frozen=True, slots=True)
class DagOwnership:
    """What a Dag's file says of who owns it, and its tags; each in the order of the letters."""

    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One Dag run as Airflow's database has it. Times are aware and in UTC.

    ``online`` says whether Airflow's scheduler made the run (scheduled or asset-triggered), or a task of such
    a run did. ``terminated`` says that a person or a rerun stopped it, as opposed to a failure of its own.
    ``dag_gone``: Airflow no longer finds the Dag, so that nothing of the run can run.
    ``pinned``: its bundle has versions, so that Airflow leaves the run on its own unless it is asked to move it.
    ``made_by_task``: a TriggerDagRun task made it, whatever that task's own run was. ``maker_untold``: nothing tells
    any more which run's task made it, or one above it; it counts as online then.
    """

    ref: RunRef
    run_type: str
    state: str
    logical_date: datetime | None
    run_after: datetime
    clear_number: int = 0
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    partition_key: str | None = None
    start_date: datetime | None = None
    online: bool = True
    terminated: bool = False
    backfill: bool = False
    dag_gone: bool = False
    made_by_task: bool = False
    pinned: bool = False
    maker_untold: bool = False


@dataclass(frozen=True, slots=True)
class RunConf:
    """The configuration with which a run was made; ``values`` is None where it is too long to be read.

    ``overrides_params``: whether it takes the place of params of the same names, as the deployment has it.
    """

    values: Mapping[str, Value] | None
    overrides_params: bool = True


@dataclass(frozen=True, slots=True)
class RunNow:
    """Where a Dag run stands at this moment."""

    state: str
    run_after: datetime


@dataclass(frozen=True, slots=True)
class TaskInstanceFacts:
    """One task instance. ``map_index`` is -1 for a task that isn't mapped, or isn't expanded yet.

    ``cut_off``: it was skipped by force, not by its Dag, as far as somebody has looked. ``display_name``: what people
    are shown in place of its id, where somebody has looked and it is something else.
    """

    task_id: str
    map_index: int
    state: str | None
    operator: str | None = None
    try_number: int = 0
    start_date: datetime | None = None
    end_date: datetime | None = None
    cut_off: bool = False
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class TaskNode:
    """A task in one version of its Dag.

    ``followers`` are the ids of the directly downstream tasks, ``leaders`` of the directly upstream ones.
    ``fails_run``: a teardown whose failure is the run's (``on_failure_fail_dagrun``). ``makes_data`` is False for
    one that only waits, chooses, prepares or does nothing: a sensor, a branch, LatestOnly, a setup, an empty task. Of a
    TriggerDagRun task: ``waits_for_run`` says that it ends when the run that it makes has ended, ``makes_one_run`` that
    it can't make a second one (its run id or logical date is fixed, and it doesn't reset the run that exists).
    """

    task_id: str
    operator: str
    followers: frozenset[str] = frozenset()
    leaders: frozenset[str] = frozenset()
    is_setup: bool = False
    is_teardown: bool = False
    triggers_dag_run: bool = False
    trigger_rule: str = "all_success"
    fails_run: bool = False
    makes_data: bool = True
    mapped: bool = False
    waits_for_run: bool = False
    makes_one_run: bool = False


@dataclass(frozen=True)
class DagStructure:
    """The tasks of a Dag and its task groups (group id → the ids of all tasks in it, nested ones too).

    ``mapped_groups``: the groups that are mapped themselves, or a loop, so that each index (or round) of one task
    follows its like.
    """

    dag_id: str
    tasks: Mapping[str, TaskNode]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_paused: bool = False
    max_active_runs: int | None = None
    mapped_groups: frozenset[str] = frozenset()
    fail_fast: bool = False
    timeout: float | None = None
    """The Dag's ``dagrun_timeout``, in seconds."""

    version: int = 1
    """The number of the latest version: with 1, no run is of another."""

    loops: tuple[frozenset[str], ...] = ()
    """The tasks of each loop that is in no other one: Airflow runs them in rounds."""

    mixes_loops: bool = False
    """Whether a loop has mapped tasks or another loop in it, or is in a mapped group: no index tells such tasks'
    instances apart."""

    reruns_on_latest: bool | None = None
    """Whether Airflow moves a cleared run of a versioned bundle to the latest version without being asked to."""

    @cached_property
    def followers(self) -> Mapping[str, frozenset[str]]:
        """The tasks right after each."""
        return {task_id: node.followers for task_id, node in self.tasks.items()}

    @cached_property
    def leaders(self) -> Mapping[str, frozenset[str]]:
        """The tasks right before each."""
        return {task_id: node.leaders for task_id, node in self.tasks.items()}

    def group_of(self, task_id: str) -> str | None:
        """The innermost group that a task is in."""
        # Of two groups with the same tasks one is in the other, whose id usually begins the longer one.
        around = [(len(ids), -len(name), name) for name, ids in self.groups.items() if task_id in ids]
        return min(around)[2] if around else None


def node_of(structure: DagStructure | None, task_id: str | None) -> TaskNode | None:
    """A task of a Dag, as far as both are known."""
    return None if structure is None or task_id is None else structure.tasks.get(task_id)


@dataclass(frozen=True, slots=True)
class UndatedRun:
    """A run without a logical date, and those values of its configuration that are texts or numbers, as texts."""

    run: RunFacts
    conf: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """What the conductor sees of one member's run: its state, its attempt and its task instances.

    ``run_state`` is None when the run no longer exists. ``waits_because`` is a word of `REASONS`: why a queued run
    isn't started.
    """

    ref: RunRef
    run_state: str | None
    clear_number: int = 0
    task_instances: tuple[TaskInstanceFacts, ...] = ()
    waits_because: str | None = None
