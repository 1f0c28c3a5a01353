"""What a run's task instances say about its part in a rerun: the verdict, and what wasn't made anew.

Judged by the selected task instances, never by the run's state alone. Of several verdicts that apply, the worst.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from functools import cached_property

from airflow_rerun_downstream.domain.added import added_to
from airflow_rerun_downstream.domain.facts import (
    FAILED_TASK_STATES,
    FINISHED_RUN_STATES,
    REMOVED_TASK_STATE,
    UNFINISHED_TASK_STATES,
    DagStructure,
    Observation,
    TaskInstanceFacts,
)
from airflow_rerun_downstream.domain.plan import Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.run_accounts import RunAccount
from airflow_rerun_downstream.domain.selection import downstream_tasks, gone, selected_instances
from airflow_rerun_downstream.domain.skips import Skips, doubtful

SLACK = timedelta(seconds=30)
"""How far the clocks of two workers may be apart."""

EAGER_RULES = frozenset({"one_success", "one_failed", "one_done", "always"})
"""Trigger rules by which a task doesn't wait for all that comes before it."""


class Verdict(Enum):
    """How the selected tasks of a run stand. The value of a failure is the member's reason."""

    UNFINISHED = None
    SUCCEEDED = "succeeded"
    FAILED = "tasks_failed"
    STOPPED = "run_terminated"
    TIMED_OUT = "run_timed_out"
    CUT_OFF = "cut_off"
    NOTHING_MADE_ANEW = "nothing_made_anew"
    NEVER_STARTED = "never_started"
    TASKS_GONE = "task_gone"
    RUN_GONE = "run_gone"


@dataclass(frozen=True, slots=True)
class NotMadeAnew:
    """A task instance that a member counts without having made it anew. ``by``: who accepted it, if anybody did.

    ``map_index`` None: all indexes of the task. ``because_of``: the run that stays polluted, and on top of which
    this was made anew.
    """

    task_id: str
    map_index: int | None
    reason: str
    by: str | None = None
    because_of: RunRef | None = None


@dataclass(frozen=True)
class Evidence:
    """What a verdict rests on beside the states.

    ``read``: the tasks that a link leaves, each with the runs that read from it. ``read_by``: the members that read
    from the run, each with the tasks that it reads; None among them: the run as a whole.
    """

    account: RunAccount
    structure: DagStructure | None = None
    linked: frozenset[str] = frozenset()
    read_by: Mapping[RunRef, frozenset[str | None]] = field(default_factory=dict)


def evidence(
    account: RunAccount, structure: DagStructure | None, links: Collection[Link], runs: Collection[RunRef], ref: RunRef
) -> Evidence:
    """The evidence about a member. ``links``: those that leave its run; ``runs``: those of them that members have;
    ``ref``: the member's. All as they were at submit.
    """
    read_by: dict[RunRef, frozenset[str | None]] = {}
    for link in links:
        if isinstance(link.downstream, RunRef) and link.downstream in runs and link.downstream != ref:
            read = what_is_read(link, structure)
            read_by[link.downstream] = read_by.get(link.downstream, frozenset()) | read
    linked = frozenset(link.from_task_id for link in links if link.from_task_id is not None)
    return Evidence(account, structure, linked, {reader: read for reader, read in read_by.items() if read})


def what_is_read(link: Link, structure: DagStructure | None) -> frozenset[str | None]:
    """The tasks that a link's reader reads. A triggered run reads what comes before the task that starts it."""
    if link.kind is LinkKind.TRIGGER and link.from_task_id is not None:
        node = structure.tasks.get(link.from_task_id) if structure else None
        return frozenset(node.leaders) if node else frozenset()
    return frozenset({link.from_task_id})


@dataclass(frozen=True)
class Judgement:
    """The verdict on a member, and what it counts without having made it anew."""

    verdict: Verdict
    not_made_anew: tuple[NotMadeAnew, ...] = ()

    @property
    def reason(self) -> str | None:
        """The member's reason: why it failed, or the gravest of what wasn't made anew; None: there is nothing."""
        if self.verdict is not Verdict.SUCCEEDED:
            why: str | None = self.verdict.value
            return why
        found = {one.reason for one in self.not_made_anew}
        return next((reason for reason in GRAVEST_FIRST if reason in found), None)


GONE = "task_gone_in_latest"

GRAVEST_FIRST = ("tasks_skipped", "marked_success", GONE, "tolerated")


def made_anew(task: TaskInstanceFacts, account: RunAccount) -> bool:
    """Whether a task instance's present try was started, and has succeeded by itself."""
    told = account.of(task)
    return task.state == "success" and told.started and not told.by_hand


def had_data(account: RunAccount, task_id: str, map_index: int) -> bool:
    """Whether a task instance had made data before: left as it is, that stays wrong.

    Where a mapped task has no indexes this time, those that it had count.
    """
    every = account.tasks
    here = every.get((task_id, map_index))
    if map_index >= 0 or (here is not None and here.succeeded_before):
        return here is not None and here.succeeded_before
    return any(each.succeeded_before for (one, _), each in every.items() if one == task_id)


def come_and_gone(
    tasks: Tasks, instances: Sequence[TaskInstanceFacts], account: RunAccount, structure: DagStructure | None
) -> set[str]:
    """What a newer version had added, and what holds something although a still newer one doesn't have it."""
    every = added_to(tasks, instances, account, structure, removed=True)
    return {
        task.task_id for task in every if account.of(task).started or had_data(account, task.task_id, task.map_index)
    }


def by_states(tasks: Tasks, seen: Observation) -> Verdict | None:
    """The verdict where the states alone tell it; None: it takes evidence."""
    if seen.run_state is None:
        return Verdict.RUN_GONE
    chosen = selected_instances(tasks, seen.task_instances)
    if not chosen:
        # Tasks of a newer version may have taken their place.
        left = any(task.state != REMOVED_TASK_STATE for task in seen.task_instances)
        return None if left else Verdict.TASKS_GONE
    if any(task.state in UNFINISHED_TASK_STATES for task in chosen):
        return Verdict.NEVER_STARTED if seen.run_state in FINISHED_RUN_STATES else Verdict.UNFINISHED
    return None


def judge(tasks: Tasks, seen: Observation, found: Evidence) -> Judgement:
    """Judge a run of which the states alone don't tell."""
    return Judging(tasks, seen, found).judgement()


class Judging:
    """One run, all of whose selected task instances have ended."""

    def __init__(self, tasks: Tasks, seen: Observation, found: Evidence) -> None:
        self.seen = seen
        self.found = found
        self.nodes = found.structure.tasks if found.structure else {}
        self.skips = Skips(seen.task_instances, found.account, found.structure)
        passed = come_and_gone(tasks, seen.task_instances, found.account, found.structure)
        lost = {*gone(tasks, seen.task_instances), *passed}
        self.gone = [NotMadeAnew(task_id, None, GONE) for task_id in sorted(lost)]
        self.tasks = [*selected_instances(tasks, seen.task_instances), *self._added(tasks)]

    def judgement(self) -> Judgement:
        """The worst that applies."""
        if not self.tasks:
            return Judgement(Verdict.TASKS_GONE, tuple(self.gone))
        if any(task.state in UNFINISHED_TASK_STATES for task in self.tasks):
            ended = self.seen.run_state in FINISHED_RUN_STATES
            return Judgement(Verdict.NEVER_STARTED if ended else Verdict.UNFINISHED)
        failed = [task for task in self.tasks if task.state in FAILED_TASK_STATES]
        if not all(self.tolerated(task) for task in failed):
            return Judgement(Verdict.FAILED)
        skipped = [task for task in self.tasks if task.state == "skipped" and not self.passed_by_hand(task)]
        if any(self.cut_off(task) for task in skipped):
            return Judgement(self._how_it_was_cut_off())
        lost = [task for task in skipped if self.had_data(task)]
        listed = (*self._marked(), *self.gone, *self._named(failed, "tolerated"))
        if not lost:
            return Judgement(Verdict.SUCCEEDED, listed)
        verdict = Verdict.SUCCEEDED if self._enough_is_new() else Verdict.NOTHING_MADE_ANEW
        return Judgement(verdict, (*self._named(lost, "tasks_skipped"), *listed))

    def _added(self, tasks: Tasks) -> list[TaskInstanceFacts]:
        """What a newer version of the Dag has added and belongs to the member."""
        return added_to(tasks, self.seen.task_instances, self.found.account, self.found.structure)

    def made_anew(self, task: TaskInstanceFacts) -> bool:
        """Whether a task instance of this run was made anew."""
        return made_anew(task, self.found.account)

    def had_data(self, task: TaskInstanceFacts) -> bool:
        """See `had_data`."""
        return had_data(self.found.account, task.task_id, task.map_index)

    def passed_by_hand(self, task: TaskInstanceFacts) -> bool:
        """Whether somebody marked the run a success: Airflow 3.3 skips then what hadn't begun."""
        return task.state == "skipped" and self.found.account.of(task).by_hand and not self.skips.own(task)

    def tolerated(self, task: TaskInstanceFacts) -> bool:
        """Whether a failure is none of the run's: a teardown's, or that of a corner on which nothing depends."""
        node = self.nodes.get(task.task_id)
        if node is None:
            return False
        if node.is_teardown and not node.fails_run:
            return True
        if self.had_data(task) or task.task_id in self.found.linked:
            return False
        after = downstream_tasks(self.found.structure, [task.task_id]) - {task.task_id}
        behind = [one for one in self.seen.task_instances if one.task_id in after and one.state != REMOVED_TASK_STATE]
        # A teardown runs whatever happens: that it did says nothing of the failure.
        works_on = any(not self.nodes[one.task_id].is_teardown for one in behind)
        return works_on and all(self._ran_after(one, task) for one in behind)

    def _ran_after(self, follower: TaskInstanceFacts, failed: TaskInstanceFacts) -> bool:
        """Whether a follower of a failed task ran again after it, and is right or tolerated itself."""
        node = self.nodes[follower.task_id]
        if follower not in self.tasks:
            return False
        if follower.state in FAILED_TASK_STATES:
            return self.tolerated(follower)
        if not self.made_anew(follower) or node.trigger_rule in EAGER_RULES:
            return False
        begin, end = follower.start_date, failed.end_date
        return begin is None or end is None or begin >= end - SLACK

    def cut_off(self, task: TaskInstanceFacts) -> bool:
        """Whether a skip was Airflow's or a person's, by force. A run that went well is only doubted if the log says
        that somebody stopped it.
        """
        doubt = self.found.account.terminated or doubtful(
            self.seen.run_state, self.seen.task_instances, self.found.structure
        )
        return doubt and not self.skips.own(task)

    def _how_it_was_cut_off(self) -> Verdict:
        structure, lasted = self.found.structure, self.found.account.lasted
        if self.found.account.terminated:
            return Verdict.STOPPED
        if structure and structure.timeout is not None and lasted is not None and lasted >= structure.timeout:
            return Verdict.TIMED_OUT
        return Verdict.CUT_OFF

    def _marked(self) -> tuple[NotMadeAnew, ...]:
        """What a person set to success."""
        return tuple(
            NotMadeAnew(task.task_id, task.map_index, "marked_success", self.found.account.of(task).by)
            for task in self.tasks
            if (task.state == "success" and not self.made_anew(task)) or self.passed_by_hand(task)
        )

    def _named(self, tasks: Sequence[TaskInstanceFacts], reason: str) -> tuple[NotMadeAnew, ...]:
        return tuple(NotMadeAnew(task.task_id, task.map_index, reason) for task in tasks)

    @cached_property
    def _new(self) -> set[str]:
        return {task.task_id for task in self.tasks if self.made_anew(task)}

    def _made_data(self) -> bool:
        """Whether anything was made anew that makes data."""
        return any(task_id not in self.nodes or self.nodes[task_id].makes_data for task_id in self._new)

    def _enough_is_new(self) -> bool:
        """Whether what was skipped leaves every reader something to read that was made anew."""
        return self._made_data() if not self.found.read_by else not self.readers_without()

    def readers_without(self) -> list[RunRef]:
        """The members that read from the run, and nothing of what they read was made anew."""
        return sorted(
            reader
            for reader, read in self.found.read_by.items()
            if not any(self._made_data() if task_id is None else task_id in self._new for task_id in read)
        )
