"""Cuts the selections of runs into stages, where runs can't be put in order as wholes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from airflow_rerun_downstream.domain.readings import Member, Reading
from airflow_rerun_downstream.domain.refs import RunRef


@dataclass(frozen=True)
class Lost:
    """A reading whose order can't be kept: ``downstream`` goes before ``upstream`` has been made anew.

    ``by_maker``: because Airflow starts the run as soon as a task makes it, and not because they read from each other.
    """

    upstream: RunRef
    downstream: RunRef
    from_task: str | None
    to_task: str | None
    by_maker: bool = False


class Cutting:
    """Cuts stages from runs: in turn, from each what can run by now, from a run that can be ended first.

    ``blocks``: how many open readings each task of a run waits for; ``batches``: what can go of a run, until that
    changes.
    """

    def __init__(
        self, members: Mapping[RunRef, Member], readings: Iterable[Reading], place: Mapping[RunRef, int]
    ) -> None:
        self.members = members
        self.place = place
        self.lost: list[Reading] = []
        self.dropped: set[Reading] = set()
        self.into: dict[RunRef, list[Reading]] = {ref: [] for ref in members}
        self.leaving: dict[RunRef, list[Reading]] = {ref: [] for ref in members}
        self.blocks: dict[RunRef, Counter[str]] = {ref: Counter() for ref in members}
        self.batches: dict[RunRef, set[str]] = {}
        self.after: dict[RunRef, dict[RunRef, None]] = {ref: {ref: None} for ref in members}
        for each in readings:
            if each.upstream not in members or each.downstream not in members:
                continue
            if self.reached(each) and members[each.upstream].needed(each.from_tasks):
                self.into[each.downstream].append(each)
                self.leaving[each.upstream].append(each)
                self.blocks[each.downstream].update(self.reached(each))
                self.after[each.upstream][each.downstream] = None
            else:
                self.dropped.add(each)

    def cut(self) -> None:
        """Give every member its stages."""
        ends, parts = dict[RunRef, set[str]](), dict[RunRef, set[str]]()
        changed: Iterable[RunRef] = self.members
        while True:
            for ref in changed:
                ends.pop(ref, None), parts.pop(ref, None)
                if batch := self.batch(self.members[ref]):
                    (ends if batch == self.members[ref].left else parts)[ref] = batch
            if some := ends or parts:
                ref, batch = next(iter(some.items()))
                self.finish(self.members[ref], batch)
                changed = self.after[ref]
            elif any(one.left for one in self.members.values()):
                self.give_up_some()
                changed = self.members
            else:
                return

    def finish(self, member: Member, batch: Collection[str]) -> None:
        """Take what can go of a run for its next stage."""
        member.finish(batch)
        self.batches.pop(member.ref)
        leaving = [each for each in self.leaving[member.ref] if each not in self.dropped]
        self.leaving[member.ref] = [each for each in leaving if self.open(each)]
        for each in leaving:
            if not self.open(each):
                self.close(each)

    def close(self, reading: Reading) -> None:
        """Note that nothing waits for a reading any more."""
        waiting = self.blocks[reading.downstream]
        for task_id in self.reached(reading):
            waiting[task_id] -= 1
            if not waiting[task_id]:
                del waiting[task_id]
                self.batches.pop(reading.downstream, None)

    def drop(self, reading: Reading) -> None:
        """Do without an open reading."""
        self.dropped.add(reading)
        self.close(reading)

    def batch(self, member: Member) -> set[str]:
        """What of a run can be dispatched now, together."""
        if member.ref not in self.batches:
            self.batches[member.ref] = self.next_batch(member)
        return self.batches[member.ref]

    def next_batch(self, member: Member) -> set[str]:
        """See `batch`."""
        found = set[str]()
        candidates = member.left - self.blocks[member.ref].keys()
        candidates -= {one for one, ring in member.inseparable.items() if not ring <= candidates}
        while more := {task_id for task_id in candidates - found if self.follows(member, task_id, found)}:
            found |= more
        return set() if member.is_made and found != member.left else found

    def follows(self, member: Member, task_id: str, batch: Collection[str]) -> bool:
        """Whether a task, with the loop around it, comes after what is right by then and what is dispatched with it."""
        ring = member.inseparable.get(task_id, frozenset({task_id}))
        before = [pair for each in ring for pair in member.before[each].items() if pair[0] not in ring]
        return all(other not in member.left or (other in batch and not cut) for other, cut in before)

    def open(self, reading: Reading) -> bool:
        """Whether what is read isn't right yet."""
        upstream = self.members[reading.upstream]
        return reading not in self.dropped and not upstream.left.isdisjoint(upstream.needed(reading.from_tasks))

    def reached(self, reading: Reading) -> frozenset[str]:
        """The selected tasks that read."""
        return self.members[reading.downstream].named(reading.reached)

    def give_up_some(self) -> None:
        """No task can go: do without soft readings; if there is none, lose those against the order of runs, or else all
        that are open."""
        every = [each for some in self.into.values() for each in some if self.open(each) and self.reads_on(each)]
        assert every, "tasks of one run wait for each other"
        if soft := [each for each in every if each.soft]:
            for each in soft:
                self.drop(each)
            return
        against = [each for each in every if self.backwards(each)] or every
        for each in against:
            self.drop(each)
            self.lost.append(each)

    def reads_on(self, reading: Reading) -> bool:
        """Whether something that is left reads."""
        return not self.members[reading.downstream].left.isdisjoint(self.reached(reading))

    def backwards(self, reading: Reading) -> bool:
        """Whether the order of runs puts the reader first."""
        return self.place.get(reading.downstream, 0) <= self.place.get(reading.upstream, 0)


def loss(members: Mapping[RunRef, Member], reading: Reading) -> Lost:
    """A lost reading in words: one task stands for all of them."""
    downstream = members[reading.downstream]
    made = members[reading.upstream].needed(reading.from_tasks)
    read = first(downstream, downstream.named(reading.reached))
    return Lost(reading.upstream, reading.downstream, min(made, default=None), read)


def first(member: Member, tasks: Collection[str]) -> str | None:
    """One of the tasks that follows none of the others."""
    inner = [task_id for task_id in tasks if member.before[task_id].keys().isdisjoint(tasks)]
    return min(inner or tasks, default=None)
