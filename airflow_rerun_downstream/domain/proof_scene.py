"""What the checks of a proof ask: which tries belong to a rerun, what comes before what in a run, what was told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, DagStructure
from airflow_rerun_downstream.domain.proof import Facts, ProvenLink, ProvenMember, TaskTries, Told, Try
from airflow_rerun_downstream.domain.proof_clocks import APART, Moment, begin
from airflow_rerun_downstream.domain.refs import RunRef, covers

SENSOR, TRIGGER = "sensor", "trigger"
"""Kinds of links that read otherwise than most: as the task ends, and what stands before the task."""

ENDED = frozenset({"succeeded", "skipped"})
"""Members of which everything can be checked."""

FEW_HOSTS = 8


def waits(trigger_rule: str) -> bool:
    """Whether a task with this rule waits for all that comes right before it, if it runs."""
    return not trigger_rule.startswith("one_") and trigger_rule not in ("always", "dummy")


class Scene:
    """The facts, with what has to be looked up often."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.by_submit = {one.at_submit: one for one in facts.members}
        self.by_ref = {one.ref: one for one in facts.members}
        self._reach: dict[tuple[int, str, bool, bool], frozenset[str]] = {}

    @cached_property
    def into(self) -> dict[RunRef, list[ProvenLink]]:
        """The links by the run that read."""
        found: dict[RunRef, list[ProvenLink]] = {}
        for link in self.facts.links:
            found.setdefault(link.downstream, []).append(link)
        return found

    @cached_property
    def out_of(self) -> dict[RunRef, list[ProvenLink]]:
        """The links by the run that was read."""
        found: dict[RunRef, list[ProvenLink]] = {}
        for link in self.facts.links:
            found.setdefault(link.upstream, []).append(link)
        return found

    @cached_property
    def selected(self) -> dict[RunRef, tuple[TaskTries, ...]]:
        """The selected task instances of the members, by the runs that these have now, and what has been added to them.

        What a newer version of the Dag has added belongs to a selection that it follows, or that was of the whole run.
        """
        return {one.ref: self.chosen(one) for one in self.facts.members}

    def chosen(self, member: ProvenMember) -> tuple[TaskTries, ...]:
        """See `selected`."""
        run = self.facts.runs.get(member.ref)
        tasks = run.tasks if run else ()
        whole = {task.task_id for task in member.tasks if task.map_index is None}
        mine = [task for task in tasks if task.task_id in whole or covers(member.tasks, task.task_id, task.map_index)]
        named = {task.task_id for task in member.tasks}
        new = [task for task in tasks if task.added and task.task_id not in named and task.state != REMOVED_TASK_STATE]
        if new and any(not task.added and task not in mine for task in tasks):
            into = [link for link in self.into.get(member.at_submit, ()) if link.kind == TRIGGER]
            waited = {link.to_task for link in into if link.to_task is not None}
            behind = {each for task_id in named | waited for each in self.after(member.at_submit, task_id) or ()}
            new = [task for task in new if task.task_id in behind]
        return (*mine, *new)

    def now(self, ref: RunRef) -> RunRef:
        """The run that has the place of one that a link names."""
        member = self.by_submit.get(ref)
        return ref if member is None else member.ref

    def structure(self, ref: RunRef) -> DagStructure | None:
        """The Dag as a run's tasks have it; the run that a member has now tells of it, too."""
        return self.facts.structures.get(self.now(ref))

    def after(self, ref: RunRef, task_id: str) -> frozenset[str] | None:
        """A task with all that follows it; None: nobody knows."""
        return self.after_in(self.structure(ref), task_id)

    def after_in(self, dag: DagStructure | None, task_id: str) -> frozenset[str] | None:
        """`after` in a Dag that is known already."""
        return self._reached(dag, task_id, forward=True)

    def before(self, ref: RunRef, task_id: str) -> frozenset[str] | None:
        """All that comes before a task; None: nobody knows."""
        found = self._reached(self.structure(ref), task_id, forward=False)
        return None if found is None else found - {task_id}

    def waiting_for(self, ref: RunRef, task_id: str) -> frozenset[str] | None:
        """All that surely begins after a task has ended: its trigger rules wait; None: nobody knows."""
        found = self._reached(self.structure(ref), task_id, forward=True, surely=True)
        return None if found is None else found - {task_id}

    def waited_for(self, ref: RunRef, task_id: str) -> frozenset[str] | None:
        """All that has surely ended when a task begins; None: nobody knows."""
        found = self._reached(self.structure(ref), task_id, forward=False, surely=True)
        return None if found is None else found - {task_id}

    def _reached(
        self, dag: DagStructure | None, task_id: str, *, forward: bool, surely: bool = False
    ) -> frozenset[str] | None:
        if dag is None or task_id not in dag.tasks:
            return None
        key = (id(dag), task_id, forward, surely)
        if key not in self._reach:
            seen, waiting = {task_id}, [task_id]
            while waiting:
                more = beside(dag, waiting.pop(), forward=forward, surely=surely)
                waiting += [each for each in more if each not in seen]
                seen.update(more)
            self._reach[key] = frozenset(seen)
        return self._reach[key]

    def new_tries(self, ref: RunRef, task: TaskTries) -> tuple[Try, ...]:
        """The tries of a task instance that were started in the rerun.

        A worker's clock may be behind that of the rerun: the present try of a run that the rerun has begun counts.
        """
        since, member = self.facts.since, self.by_ref.get(ref)
        begun = task.present and member is not None and member.begun
        return tuple(
            one
            for one in task.tries
            if one.start is not None
            and (one.start >= since or (begun and one is task.tries[-1] and one.start >= since - APART))
        )

    def is_new(self, ref: RunRef, task: TaskTries) -> bool:
        """Whether what a task instance came to is the work of a try that was started in the rerun."""
        new = self.new_tries(ref, task)
        return task.present and not task.by_hand and bool(new) and new[-1] is task.tries[-1]

    def told(self, ref: RunRef, codes: Collection[str], tasks: Collection[str] | None) -> str | None:
        """Who accepted a warning about a run (as it was at submit), or about one of ``tasks`` of it (None: any)."""
        for one in self.told_of.get(ref, ()):
            if one.code in codes and (one.task_id is None or tasks is None or one.task_id in tasks):
                return one.by
        return None

    @cached_property
    def told_of(self) -> dict[RunRef, list[Told]]:
        """What was told, by run."""
        found: dict[RunRef, list[Told]] = {}
        for one in self.facts.told:
            found.setdefault(one.ref, []).append(one)
        return found


def beside(dag: DagStructure, task_id: str, *, forward: bool, surely: bool) -> Iterable[str]:
    """The tasks right after a task, or right before it; ``surely``: those between which a trigger rule waits."""
    node = dag.tasks.get(task_id)
    if node is None:
        return ()
    if not forward:
        return node.leaders if not surely or waits(node.trigger_rule) else ()
    return [one for one in node.followers if not surely or (one in dag.tasks and waits(dag.tasks[one].trigger_rule))]


def earliest(moments: Iterable[Moment]) -> list[Moment]:
    """The first moment by each clock; where there are too many clocks, the first of all, by nobody's."""
    first: dict[str | None, Moment] = {}
    for one in moments:
        if one.host not in first or one.at < first[one.host].at:
            first[one.host] = one
    if len(first) <= FEW_HOSTS:
        return list(first.values())
    return [Moment(min(one.at for one in first.values()), None)]


def starts(tries: Iterable[Try]) -> list[Moment]:
    """When the first of some tries began."""
    return earliest(moment for one in tries if (moment := begin(one)) is not None)
