"""The checks between the runs of members that a link joins: did the read come after the write?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from airflow_rerun_downstream.domain.facts import UNFINISHED_TASK_STATES, DagStructure
from airflow_rerun_downstream.domain.proof import (
    Finding,
    Outcome,
    ProofReason,
    ProvenMember,
    Spot,
    TaskTries,
    Try,
)
from airflow_rerun_downstream.domain.proof_clocks import Moment, begin, end, read_after, read_between, time_of
from airflow_rerun_downstream.domain.proof_pairs import Ids, Pair, Pairs
from airflow_rerun_downstream.domain.proof_scene import ENDED, TRIGGER, Scene, earliest
from airflow_rerun_downstream.domain.proof_tasks import ORDER_LOST, REBUILT, ended_well, last_end
from airflow_rerun_downstream.domain.proof_tries import Relied
from airflow_rerun_downstream.domain.refs import RunRef


class Between:
    """What the tries of the members of each pair say of it."""

    def __init__(self, scene: Scene, pairs: Pairs, relied: Relied) -> None:
        self.scene = scene
        self.pairs = pairs
        self.relied = relied

    def checked(self) -> Iterator[Finding | None]:
        """A finding for each pair that can't be shown to be in order; None for one that can."""
        for pair in self.pairs.every:
            if pair.reader.state in ENDED and pair.writer.state in ENDED:
                yield self.check(pair)

    def check(self, pair: Pair) -> Finding | None:
        """One pair: the gravest that any of its tasks shows."""
        worst: tuple[ProofReason, TaskTries, Moment | None] | None = None
        fresh = self.readers(pair)
        first: list[Moment | None] = [*self.moments(pair, fresh)]
        for task in self.writers(pair) if fresh else ():
            # Where something was made only once, the first that has read tells of all. What somebody skipped
            # may have been right before that.
            again = pair.writer.state == "skipped" or len(self.scene.new_tries(pair.writer.ref, task)) > 1
            for read in ([*self.moments(pair, fresh, every=True)] if again else first) or [None]:
                why = self.came_after(pair, task, read)
                if why is ProofReason.READ_TOO_EARLY and pair.vague:
                    why = ProofReason.NO_RECORD
                if why is not None and (worst is None or graver(why, worst[0])):
                    worst = (why, task, read)
        if worst is None or (worst[0] is not ProofReason.READ_TOO_EARLY and self.settled(pair)):
            return None
        return self.finding(pair, fresh, *worst)

    def readers(self, pair: Pair) -> list[TaskTries]:
        """The task instances that have read, as far as they were made anew."""
        ref = pair.reader.ref
        return [
            task
            for task in self.scene.selected[ref]
            if (pair.reads is None or task.task_id in pair.reads) and self.scene.is_new(ref, task)
        ]

    def moments(self, pair: Pair, readers: list[TaskTries], *, every: bool = False) -> list[Moment]:
        """When they have read: as they began, a sensor when it ended; the first by each clock.

        ``every``: of each that doesn't come behind another one of them.
        """
        ends = pair.reads_at_end
        dag = self.scene.structure(pair.reader.at_submit)
        every = every and (ends or dag is not None)
        inner: set[str] = set()
        if every and not ends and dag is not None:
            ids = {task.task_id for task in readers}
            inner = {task_id for task_id in ids if task_id in dag.tasks and dag.tasks[task_id].leaders & ids}
            inner -= self.right_behind(pair, readers, dag)
        outer = (task for task in readers if task.task_id not in inner)
        tries = (one for task in outer for one in self.relied.tries(pair.reader.ref, task))
        found = [moment for one in tries if (moment := end(one) if ends else begin(one)) is not None]
        return found if every else earliest(found)

    def right_behind(self, pair: Pair, readers: list[TaskTries], dag: DagStructure) -> set[str]:
        """What comes right behind the task that has waited for the writer, or with only empty tasks in between: each of
        them reads what that has made, whoever else comes before it.
        """
        link = pair.link
        if link.kind != TRIGGER or (link.to_task is None and link.downstream == pair.reader.at_submit):
            return set()
        empty = {task.task_id for task in readers if task.tries[-1].host is None}
        makers = link.from_tasks or frozenset() if link.to_task is None else {link.to_task}
        found, waiting = set[str](), sorted(makers)
        while waiting:
            node = dag.tasks.get(waiting.pop())
            new = node.followers - found if node is not None else set()
            found |= new
            waiting += new & empty
        return found

    def writers(self, pair: Pair) -> list[TaskTries]:
        """The selected task instances that have written; where one is gone, what a newer version has added."""
        here = [
            task
            for task in self.scene.selected[pair.writer.ref]
            if (pair.writes is None or task.task_id in pair.writes) and task.state != "removed"
        ]
        run = self.scene.facts.runs.get(pair.writer.ref)
        every = run.tasks if run is not None else ()
        ids = {task.task_id for task in every if task.state != "removed"}
        wanted = {task.task_id for task in pair.writer.tasks}
        if pair.writes is None or not pair.writes & wanted <= ids:
            new = [task for task in every if task.added and task.task_id not in wanted and task.state != "removed"]
            here += [task for task in new if task not in here]
        makers = self.makers(pair.reader.at_submit)
        return [task for task in here if (pair.writer.at_submit, task.task_id) not in makers]

    def makers(self, ref: RunRef) -> set[tuple[RunRef, str]]:
        """The task that made a run, the one that made that one's, and so on: none of them can end before it begins."""
        found, waiting = set[tuple[RunRef, str]](), [ref]
        while waiting:
            for link in self.scene.into.get(waiting.pop(), ()):
                if link.kind == TRIGGER and link.to_task is None:
                    new = {(link.upstream, task_id) for task_id in link.from_tasks or ()} - found
                    waiting += [link.upstream] if new else []
                    found |= new
        return found

    def came_after(self, pair: Pair, task: TaskTries, read: Moment | None) -> ProofReason | None:
        """Why a read can't be shown to have come after a task instance had been made anew; None: it did."""
        writes = self.scene.new_tries(pair.writer.ref, task)
        if pair.writer.state == "skipped":  # it was accepted as it is: only nothing of it may have been on its way
            right = self.was_right(pair.writer, task, read, writes)
            return reason(read_between(read, writes)) if right else ProofReason.READ_TOO_EARLY
        if task.state in UNFINISHED_TASK_STATES and not any(one.state == "success" for one in writes):
            return ProofReason.READ_TOO_EARLY
        if not writes or task.state == "skipped":
            return None
        if read is None:
            return ProofReason.NO_RECORD
        return reason(read_after(read, ended_well(task, writes)))

    def was_right(self, writer: ProvenMember, task: TaskTries, read: Moment | None, writes: Sequence[Try]) -> bool:
        """Whether a skipped member may have been read so: what it doesn't list had been made anew before."""
        listed = {(task.task_id, task.map_index), (task.task_id, None)} & writer.listed.keys()
        done = any(one.state == "success" for one in writes)
        return bool(listed) or not done or read_after(read, writes) is not False

    def settled(self, pair: Pair) -> bool:
        """Whether our own events show the order, by the one clock that they have.

        Of a writer that was skipped they tell only that it had been right once.
        """
        if pair.writer.state == "skipped":
            return False
        run = self.scene.facts.runs.get(pair.writer.ref)
        dispatched, right = pair.reader.dispatched, pair.writer.succeeded
        unchanged = run is not None and run.clear_number == pair.writer.clear_number
        return unchanged and dispatched is not None and right is not None and dispatched >= right

    def finding(
        self,
        pair: Pair,
        readers: list[TaskTries],
        why: ProofReason,
        task: TaskTries,
        read: Moment | None,
    ) -> Finding:
        """What isn't proven of a pair."""
        reader, writes = pair.reader, self.scene.new_tries(pair.writer.ref, task)
        wrong, by = why is ProofReason.READ_TOO_EARLY, None
        outcome = Outcome.VIOLATION if wrong else Outcome.NOT_PROVABLE
        if wrong and (by := self.accepted(pair, {one.task_id for one in readers})) is not None:
            outcome = Outcome.ACCEPTED
        first = min(readers, key=lambda one: one.tries[-1].start or self.scene.facts.since)
        spot = Spot(reader.ref, None if pair.reads is None else first.task_id)
        written = last_end(writes) if writes else None
        writer = Spot(pair.writer.ref, task.task_id)
        return Finding(outcome, why, spot, writer, time_of(read), time_of(written), by or None)

    def accepted(self, pair: Pair, ids: set[str]) -> str | None:
        """Who accepted that the order is lost: as the submit told of the reader, or by skipping it ("": somebody)."""
        reader = pair.reader
        around = set(ids)
        for task_id in ids:
            around |= self.scene.before(reader.at_submit, task_id) or set()
        by = self.scene.told(reader.at_submit, ORDER_LOST, around)
        if by is None and pair.writer.state == "skipped":  # what was left as it was is accepted where all of it is told
            told = [self.scene.told(reader.at_submit, REBUILT, {task_id}) for task_id in sorted(ids)]
            by = None if None in told else told[0]
        if by is None and reader.state == "skipped":
            by = next((who for who in reader.listed.values() if who), "")
        return by

    def resting(self, violations: list[Finding]) -> Iterator[Finding]:
        """The members that have read what isn't proven to be right, and those that have read them, and so on."""
        wrong: dict[RunRef, list[Ids]] = {}
        for one in violations:
            after = None if one.reader.task_id is None else self.after(one.reader)
            wrong.setdefault(one.reader.ref, []).append(after)
        pending = list(wrong)
        while pending:
            ref = pending.pop()
            for pair in self.pairs.leaving.get(ref, ()):
                reader = pair.reader
                if reader.state != "succeeded" or reader.ref in wrong or not self.readers(pair):
                    continue
                if any(ids is None or pair.writes is None or not ids.isdisjoint(pair.writes) for ids in wrong[ref]):
                    wrong[reader.ref] = [None]
                    pending.append(reader.ref)
                    spot = Spot(reader.ref, pair.link.to_task)
                    yield Finding(Outcome.VIOLATION, ProofReason.RESTS_ON_UNPROVEN, spot, Spot(ref))

    def after(self, spot: Spot) -> Ids:
        """The tasks of a run that hold what isn't right, from one on; one index stands for its task."""
        task_id = (spot.task_id or "").partition("[")[0]
        return self.scene.after(self.scene.by_ref[spot.ref].at_submit, task_id)


def reason(after: bool | None) -> ProofReason | None:
    """Why a read can't be shown to have come after a write, by what the clocks tell."""
    return None if after else ProofReason.CLOCKS_DIFFER if after is None else ProofReason.READ_TOO_EARLY


def graver(one: ProofReason, other: ProofReason) -> bool:
    """Whether one is wrong, and of the other it can't be told."""
    return one is ProofReason.READ_TOO_EARLY and other is not ProofReason.READ_TOO_EARLY
