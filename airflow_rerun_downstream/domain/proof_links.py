"""The checks between the runs of members that a link joins, also through runs that aren't members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_rerun_downstream.domain.facts import UNFINISHED_TASK_STATES
from airflow_rerun_downstream.domain.proof import (
    Finding,
    Outcome,
    ProofReason,
    ProvenLink,
    ProvenMember,
    Spot,
    TaskTries,
)
from airflow_rerun_downstream.domain.proof_clocks import Moment, begin, end, read_after, read_between, time_of
from airflow_rerun_downstream.domain.proof_scene import ENDED, Scene, earliest
from airflow_rerun_downstream.domain.proof_tasks import ORDER_LOST, ended_well, last_end
from airflow_rerun_downstream.domain.refs import RunRef

SENSOR, TRIGGER = "sensor", "trigger"

Ids = frozenset[str] | None
"""Tasks of a run; None: all of them."""


@dataclass(frozen=True)
class Pair:
    """``reads`` of a member have read what ``writes`` of another one made. ``link``: the last on the way.

    ``vague``: a link on the way doesn't tell which tasks it joins.
    """

    writer: ProvenMember
    writes: Ids
    reader: ProvenMember
    reads: Ids
    link: ProvenLink
    vague: bool = False


class Between:
    """The pairs of members that links join, and what their tries say of them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.pairs = [pair for member in scene.facts.members for pair in self.into(member)]

    def into(self, reader: ProvenMember) -> Iterator[Pair]:
        """What a member has read, back to the nearest members."""
        seen = set[tuple[RunRef, Ids, Ids, bool]]()
        for pair in self.found(reader):
            key = (pair.writer.ref, pair.writes, pair.reads, pair.vague)
            if pair.writer is not pair.reader and key not in seen:
                seen.add(key)
                yield pair

    def found(self, reader: ProvenMember) -> Iterator[Pair]:
        """See `into`; some may be found twice."""
        for link in self.scene.into.get(reader.at_submit, ()):
            yield from self.ways(reader, link)
            yield from self.awaited(reader, link)
        yield from self.back(reader)

    def ways(self, reader: ProvenMember, link: ProvenLink) -> Iterator[Pair]:
        """The ways to the nearest members that end with a link, through runs that aren't members."""
        waiting, passed = [(link, self.written(link), link.vague)], set[tuple[ProvenLink, Ids]]()
        while waiting:
            here, writes, vague = waiting.pop()
            writer = self.scene.by_submit.get(here.upstream)
            if writer is not None:
                yield Pair(writer, writes, reader, self.rereading(reader, link), link, vague)
                continue
            for before in self.scene.into.get(here.upstream, ()):
                if self.leads_on(before, writes) and (before, writes) not in passed:
                    passed.add((before, writes))
                    waiting.append((before, self.written(before), vague or before.vague))

    def back(self, reader: ProvenMember) -> Iterator[Pair]:
        """What follows a triggering task that waits has read what the runs made that it waited for."""
        made: dict[str, ProvenLink] = {}  # a mapped task has made many runs, all of which are found at once
        for link in self.scene.out_of.get(reader.at_submit, ()):
            if link.kind == TRIGGER and link.to_task is None:
                made.update(dict.fromkeys((link.from_tasks or frozenset()) - made.keys(), link))
        for task_id, link in made.items():
            after = self.scene.waiting_for(reader.at_submit, task_id)
            for child in self.waited_for(link.upstream, frozenset({task_id})):
                yield Pair(child, None, reader, after, link)

    def awaited(self, reader: ProvenMember, link: ProvenLink) -> Iterator[Pair]:
        """Who has read from a task that had waited for the run that it made has read what that run made.

        So has a run that was made by a task behind it.
        """
        if link.kind != TRIGGER or link.to_task is None:
            for child in self.waited_for(link.upstream, self.written(link)):
                if child is not reader:
                    yield Pair(child, None, reader, self.rereading(reader, link), link, link.vague)

    def waited_for(self, ref: RunRef, read: Ids) -> Iterator[ProvenMember]:
        """The members for which the ``read`` tasks of a run have waited, and those for which tasks of these have."""
        waiting, seen = [(ref, read)], {ref}
        while waiting:
            here, ids = waiting.pop()
            dag = self.scene.structure(here)
            for child, task_id in self.made_by(here):
                node = None if dag is None else dag.tasks.get(task_id)
                if child in seen or node is None or not node.waits_for_run or not (ids is None or task_id in ids):
                    continue
                seen.add(child)
                waiting.append((child, None))
                if child in self.scene.by_submit:
                    yield self.scene.by_submit[child]

    def made_by(self, ref: RunRef) -> Iterator[tuple[RunRef, str]]:
        """The runs that tasks of a run have made, each with the task; some are known only by a link back from them."""
        for made in self.scene.out_of.get(ref, ()):
            if made.kind == TRIGGER and made.to_task is None:
                yield from ((made.downstream, task_id) for task_id in sorted(made.from_tasks or ()))
        for back in self.scene.into.get(ref, ()):
            if back.kind == TRIGGER and back.to_task is not None:
                yield back.upstream, back.to_task

    def written(self, link: ProvenLink) -> Ids:
        """The tasks whose work is read through a link: of a triggering task what comes before it."""
        if link.from_tasks is None or link.kind != TRIGGER:
            return link.from_tasks
        before = (self.scene.waited_for(link.upstream, task_id) or frozenset() for task_id in link.from_tasks)
        return frozenset().union(*before)

    def reading(self, link: ProvenLink) -> Ids:
        """The tasks that read through a link: the one that it names; of a trigger that waits what follows it."""
        if link.to_task is None:
            return None
        if link.kind == TRIGGER:
            return self.scene.waiting_for(link.downstream, link.to_task) or frozenset()
        return frozenset({link.to_task})

    def rereading(self, reader: ProvenMember, link: ProvenLink) -> Ids:
        """The tasks of a member that read through a link; where none of them is selected, what follows them."""
        found = self.reading(link)
        if (
            link.to_task is None
            or link.kind == TRIGGER
            or found is None
            or any(task.task_id in found for task in reader.tasks)
        ):
            return found
        return self.scene.after(reader.at_submit, link.to_task) or frozenset()

    def leads_on(self, link: ProvenLink, writes: Ids) -> bool:
        """Whether what a run has read by a link may be in what ``writes`` of it have made."""
        reads = self.reading(link)
        if reads is None or writes is None:
            return True
        after = [self.scene.after(link.downstream, task_id) for task_id in reads]
        return any(each is None or not writes.isdisjoint(each) for each in after)

    def checked(self) -> Iterator[Finding | None]:
        """A finding for each pair that can't be shown to be in order; None for one that can."""
        for pair in self.pairs:
            if pair.reader.state in ENDED and pair.writer.state in ENDED:
                yield self.check(pair)

    def check(self, pair: Pair) -> Finding | None:
        """One pair: the gravest that any of its tasks shows."""
        worst: tuple[ProofReason, TaskTries, Moment | None] | None = None
        fresh = self.readers(pair)
        first: list[Moment | None] = [*self.moments(pair, fresh)]
        for task in self.writers(pair) if fresh else ():
            # Where something was made only once, the first that has read tells of all. What somebody let go as it was
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
        ends = pair.link.kind == SENSOR and pair.reads == frozenset({pair.link.to_task})
        dag = self.scene.structure(pair.reader.at_submit)
        every = every and (ends or dag is not None)
        inner: set[str] = set()
        if every and not ends and dag is not None:
            ids = {task.task_id for task in readers}
            inner = {task_id for task_id in ids if task_id in dag.tasks and dag.tasks[task_id].leaders & ids}
        tries = (task.tries[-1] for task in readers if task.task_id not in inner)
        found = [moment for one in tries if (moment := end(one) if ends else begin(one)) is not None]
        return found if every else earliest(found)

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
            here += [task for task in every if task.added and task.task_id not in wanted and task.state != "removed"]
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
        if pair.writer.state == "skipped":  # it was let go as it is: only nothing of it may have been on its way
            return reason(read_between(read, writes))
        if task.state in UNFINISHED_TASK_STATES and not any(one.state == "success" for one in writes):
            return ProofReason.READ_TOO_EARLY
        if not writes or task.state == "skipped":
            return None
        if read is None:
            return ProofReason.NO_RECORD
        return reason(read_after(read, ended_well(task, writes)))

    def settled(self, pair: Pair) -> bool:
        """Whether our own events show the order, by the one clock that they have."""
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
        leaving: dict[RunRef, list[Pair]] = {}
        for pair in self.pairs:
            leaving.setdefault(pair.writer.ref, []).append(pair)
        while pending:
            ref = pending.pop()
            for pair in leaving.get(ref, ()):
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
