"""The checks inside one run: was everything made anew, in order, and what wasn't told?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from airflow_rerun_downstream.domain.facts import (
    FAILED_TASK_STATES,
    REMOVED_TASK_STATE,
    UNFINISHED_TASK_STATES,
    DagStructure,
)
from airflow_rerun_downstream.domain.proof import Finding, Outcome, ProofReason, ProvenMember, Spot, TaskTries, Try
from airflow_rerun_downstream.domain.proof_clocks import APART, Moment, end, read_after, time_of
from airflow_rerun_downstream.domain.proof_scene import Scene, starts, waits
from airflow_rerun_downstream.domain.proof_tries import Relied

ORDER_LOST = frozenset({"order_lost"})
REBUILT = frozenset({"rebuilt_on_polluted"})
LEFT = frozenset({"stays_polluted"}) | REBUILT

Answer = tuple[bool | None, Moment | None, Moment | None]
"""Whether a task came after another one (None: it can't be told), when it began, and when the other had ended."""

Before = tuple[str, bool]
"""A task that another one waits for, and whether only the same map index of it."""


class InRun:
    """The checks inside the runs of members, one after the other."""

    def __init__(self, scene: Scene, relied: Relied) -> None:
        self.scene = scene
        self.relied = relied
        self._before: dict[tuple[int, frozenset[str], frozenset[str], str], list[Before]] = {}

    def made_anew(self, member: ProvenMember) -> Iterator[Finding | None]:
        """A finding for each selected task instance that can't be shown to be made anew; None for one that can."""
        chosen = self.scene.selected[member.ref]
        yield from self.missing(member)
        left = {task.task_id for task in chosen if task.state != REMOVED_TASK_STATE}
        for task in chosen:
            if task.state == REMOVED_TASK_STATE and task.task_id in left:  # an index fewer
                continue
            if task.state in (REMOVED_TASK_STATE, "skipped") and not task.held:
                continue
            found = self.not_anew(member, task)
            if found is None:
                yield None
                continue
            outcome, why = found
            spot, by = Spot(member.ref, named(task)), None
            if outcome is Outcome.VIOLATION:
                key = next(
                    (k for k in ((task.task_id, task.map_index), (task.task_id, None)) if k in member.listed), None
                )
                if key is not None:
                    outcome, by = Outcome.ACCEPTED, member.listed[key]
            yield Finding(outcome, why, spot, by=by)

    def missing(self, member: ProvenMember) -> Iterator[Finding]:
        """A finding for each selected task that the run in the place of the member's doesn't have."""
        here = {task.task_id for task in self.scene.facts.runs[member.ref].tasks}
        for task_id in sorted({task.task_id for task in member.tasks} - here):
            spot, key = Spot(member.ref, task_id), (task_id, None)
            outcome = Outcome.ACCEPTED if key in member.listed else Outcome.VIOLATION
            yield Finding(outcome, ProofReason.NOT_MADE_ANEW, spot, by=member.listed.get(key))

    def not_anew(self, member: ProvenMember, task: TaskTries) -> tuple[Outcome, ProofReason] | None:
        """Why a task instance can't be shown to be made anew in the rerun; None: it was."""
        if task.state in UNFINISHED_TASK_STATES:
            return Outcome.NOT_PROVABLE, ProofReason.NOT_FINISHED
        if task.state == REMOVED_TASK_STATE and self.scene.is_new(member.ref, task):
            return Outcome.NOT_PROVABLE, ProofReason.NO_RECORD  # it ran again before its Dag dropped it
        if task.state != "success" or not task.present or task.by_hand:
            return Outcome.VIOLATION, ProofReason.NOT_MADE_ANEW
        if not task.tries or task.tries[-1].start is None:
            return Outcome.NOT_PROVABLE, ProofReason.NO_RECORD
        if self.scene.is_new(member.ref, task):
            return None
        near = near_enough(self.scene, task.tries[-1])
        return (
            (Outcome.NOT_PROVABLE, ProofReason.CLOCKS_DIFFER)
            if near
            else (Outcome.VIOLATION, ProofReason.NOT_MADE_ANEW)
        )

    def in_order(self, member: ProvenMember) -> Iterator[Finding | None]:
        """A finding for each two selected tasks of which the later can't be shown to have waited for the earlier."""
        dag = self.scene.structure(member.at_submit)
        if dag is None:
            return
        here = by_task(self.scene.selected[member.ref])
        every = by_task(self.scene.facts.runs[member.ref].tasks)
        through = frozenset(task_id for task_id, some in every.items() if passes(some))
        without_worker = frozenset(task_id for task_id, some in here.items() if no_worker(some))
        for task_id in here.keys() - without_worker:
            for leader, same_index in self.before(dag, frozenset(here), through, without_worker, task_id):
                found = self.pair(member, here[task_id], here[leader], same_index=same_index)
                if found is not NOTHING:
                    yield self.judged(member, task_id, leader, *found)

    def before(
        self, dag: DagStructure, ids: frozenset[str], through: frozenset[str], empty: frozenset[str], task_id: str
    ) -> list[Before]:
        """The nearest selected tasks for which a task waits, also through tasks that have succeeded without one."""
        key = (id(dag), ids, (through - ids) | empty, task_id)
        if key not in self._before:
            after = self.scene.after_in(dag, task_id) or frozenset()
            self._before[key] = list(nearest(dag, ids - empty, through, task_id, after))
        return self._before[key]

    def pair(
        self, member: ProvenMember, readers: list[TaskTries], writers: list[TaskTries], *, same_index: bool
    ) -> Answer:
        """Whether the readers began after the writers had ended; `NOTHING` where neither was made anew."""
        worst = NOTHING
        ref = member.ref
        fresh = [one for one in readers if self.scene.is_new(ref, one) and one.state in ("success", "failed")]
        for index, some in grouped(fresh, same_index=same_index).items():
            reads = starts(each for one in some for each in self.relied.tries(ref, one))
            for writer in writers:
                if index is not None and writer.map_index != index:
                    continue
                writes = self.scene.new_tries(ref, writer)
                if not writes or (writer.state not in ("success", *FAILED_TASK_STATES, *UNFINISHED_TASK_STATES)):
                    continue
                for read in reads:
                    found = read_after(read, ended_well(writer, writes))
                    worst = worse(worst, (found, read, last_end(writes)))
        return worst

    def judged(
        self,
        member: ProvenMember,
        task_id: str,
        leader: str,
        found: bool | None,
        read: Moment | None,
        written: Moment | None,
    ) -> Finding | None:
        """A finding about two tasks; None: it is proven."""
        if found:
            return None
        outcome, by = Outcome.NOT_PROVABLE if found is None else Outcome.VIOLATION, None
        if found is False and (by := self.scene.told(member.at_submit, ORDER_LOST, {task_id})) is not None:
            outcome = Outcome.ACCEPTED
        reason = ProofReason.BEGAN_TOO_EARLY if found is False else ProofReason.CLOCKS_DIFFER
        pair = Spot(member.ref, task_id), Spot(member.ref, leader)
        return Finding(outcome, reason, *pair, time_of(read), time_of(written), by)

    def left_untold(self, member: ProvenMember) -> Iterator[Finding]:
        """What follows a selected task, holds data, and was neither selected nor told of."""
        dag = self.scene.structure(member.at_submit)
        if dag is None or not member.begun:
            return
        ids = {task.task_id for task in member.tasks}
        every = by_task(self.scene.facts.runs[member.ref].tasks)
        reached: dict[str, str] = {}
        # A setup or teardown comes along with others; what it makes anew hasn't been wrong.
        along = {task_id for task_id, node in dag.tasks.items() if node.is_setup or node.is_teardown}
        for task_id in sorted(ids - along):
            for each in self.scene.after(member.at_submit, task_id) or ():
                reached.setdefault(each, task_id)
        for task_id in sorted(reached.keys() - ids):
            node, some = dag.tasks.get(task_id), every.get(task_id, [])
            if node is None or node.triggers_dag_run or node.is_setup or node.is_teardown or not node.makes_data:
                continue
            old = [one for one in some if one.state == "success" and not self.scene.new_tries(member.ref, one)]
            if (
                old
                and self.scene.told(member.at_submit, LEFT, {task_id}) is None
                and (task_id, None) not in member.listed
            ):
                pair = Spot(member.ref, task_id), Spot(member.ref, reached[task_id])
                yield Finding(Outcome.VIOLATION, ProofReason.LEFT_UNTOLD, *pair)


NOTHING: Answer = (True, None, None)


def worse(one: Answer, two: Answer) -> Answer:
    """The graver of two answers: no, then unknown, then yes."""
    rank = {False: 0, None: 1, True: 2}
    return two if one is NOTHING or rank[two[0]] < rank[one[0]] else one


def nearest(
    dag: DagStructure, ids: frozenset[str], through: frozenset[str], task_id: str, after: frozenset[str]
) -> Iterator[Before]:
    """See `InRun.before`. ``after``: the task with all that follows it."""
    groups = frozenset(name for name in dag.mapped_groups if task_id in dag.groups.get(name, ()))
    queue, seen = deque([(task_id, groups)]), set[tuple[str, frozenset[str]]]()
    while queue:
        here, common = queue.popleft()
        node = dag.tasks.get(here)
        if node is None or not waits(node.trigger_rule):
            continue
        for leader in sorted(node.leaders):
            both = frozenset(name for name in common if leader in dag.groups.get(name, ()))
            if (leader, both) in seen:
                continue
            seen.add((leader, both))
            if leader in ids:
                if here == task_id or in_scope(dag, leader, after):
                    yield leader, bool(both)
            elif leader in through:
                queue.append((leader, both))


def in_scope(dag: DagStructure, leader: str, after: frozenset[str]) -> bool:
    """Whether a task behind others needs one before them: a setup works until its teardown, and for nobody after."""
    node = dag.tasks[leader]
    ends = {each for each in node.followers if each in dag.tasks and dag.tasks[each].is_teardown}
    return not node.is_setup or not ends or not after.isdisjoint(ends)


def passes(some: list[TaskTries]) -> bool:
    """Whether a task has succeeded, so that what follows it has waited for what comes before it."""
    return all(one.state == "success" for one in some)


def no_worker(some: list[TaskTries]) -> bool:
    """Whether no worker has run a task, as with an empty one: it reads and writes nothing."""
    return all(one.tries and one.tries[-1].host is None and one.state == "success" for one in some)


def named(task: TaskTries) -> str:
    """A task instance in one word."""
    return task.task_id if task.map_index < 0 else f"{task.task_id}[{task.map_index}]"


def by_task(tasks: tuple[TaskTries, ...]) -> dict[str, list[TaskTries]]:
    """Task instances by their task."""
    found: dict[str, list[TaskTries]] = {}
    for task in tasks:
        found.setdefault(task.task_id, []).append(task)
    return found


def grouped(tasks: list[TaskTries], *, same_index: bool) -> dict[int | None, list[TaskTries]]:
    """Task instances by their index, or all together."""
    found: dict[int | None, list[TaskTries]] = {}
    for task in tasks:
        found.setdefault(task.map_index if same_index and task.map_index >= 0 else None, []).append(task)
    return found


def ended_well(task: TaskTries, tries: tuple[Try, ...]) -> tuple[Try, ...]:
    """The tries of a task, of which at least one counts: of one that has only failed, the last."""
    if any(one.state == "success" for one in tries) or task.state not in FAILED_TASK_STATES:
        return tries
    last = tries[-1]
    return (Try("success", last.start, last.end, last.host),)


def last_end(tries: tuple[Try, ...]) -> Moment | None:
    """When the last of some tries ended."""
    return end(tries[-1])


def near_enough(scene: Scene, one: Try) -> bool:
    """Whether a try may have begun in the rerun, by a clock that is behind."""
    return one.start is not None and one.start >= scene.facts.since - APART
