"""Which tries of a rerun something still rests on: the present ones, and earlier ones that a present one has read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from airflow_rerun_downstream.domain.proof import ProvenMember, TaskTries, Try
from airflow_rerun_downstream.domain.proof_clocks import Moment, begin, comes_after, end
from airflow_rerun_downstream.domain.proof_pairs import Pairs
from airflow_rerun_downstream.domain.proof_scene import Scene
from airflow_rerun_downstream.domain.refs import RunRef

Key = tuple[RunRef, str, int]
"""A task instance of a run."""

Reader = tuple[RunRef, TaskTries, bool]
"""A task instance that reads, and whether it does so as it ends: a sensor."""


class Relied:
    """Answers by which tries to judge what a task instance has read.

    Somebody clears a task by itself, and what follows it keeps what the try before had made: that must be right, too.
    """

    def __init__(self, scene: Scene, pairs: Pairs) -> None:
        self.scene = scene
        self.earlier: dict[Key, list[Try]] = {}
        again = [
            (member, task)
            for member in scene.facts.members
            if member.ref in scene.facts.runs
            for task in scene.selected[member.ref]
            if sum(one.state == "success" for one in scene.new_tries(member.ref, task)) > 1
        ]
        if not again:
            return
        readers = [(member, task, [*self.readers(member, task, pairs)]) for member, task in again]
        while sum(self.follow(member, task, some) for member, task, some in readers):
            pass

    def tries(self, ref: RunRef, task: TaskTries) -> list[Try]:
        """The tries of a task instance that was made anew in the rerun, on which something rests."""
        return [*self.before(ref, task), task.tries[-1]]

    def before(self, ref: RunRef, task: TaskTries) -> list[Try]:
        """Those before the present one."""
        return self.earlier.get((ref, task.task_id, task.map_index), [])

    def readers(self, member: ProvenMember, task: TaskTries, pairs: Pairs) -> Iterator[Reader]:
        """What may have read a task instance of a member."""
        behind = self.scene.after(member.at_submit, task.task_id) or frozenset()
        for other in self.scene.selected[member.ref]:
            if other.task_id in behind and other.task_id != task.task_id:
                yield member.ref, other, False
        for pair in pairs.leaving.get(member.ref, ()):
            if pair.writes is None or task.task_id in pair.writes:
                for other in self.scene.selected[pair.reader.ref]:
                    if pair.reads is None or other.task_id in pair.reads:
                        yield pair.reader.ref, other, pair.reads_at_end

    def follow(self, member: ProvenMember, task: TaskTries, readers: list[Reader]) -> bool:
        """Take the earlier tries of a task instance that its readers have surely read; whether there was a new one."""
        done = [one for one in self.scene.new_tries(member.ref, task) if one.state == "success"]
        known = self.earlier.setdefault((member.ref, task.task_id, task.map_index), [])
        before = len(known)
        for ref, other, as_it_ends in readers:
            for one in self.tries(ref, other) if self.scene.is_new(ref, other) else self.before(ref, other):
                moment = end(one) if as_it_ends else begin(one)
                known += [each for each, later in pairwise(done) if between(moment, each, later) and each not in known]
        return len(known) > before


def between(moment: Moment | None, one: Try, later: Try) -> bool:
    """Whether at a moment a try had surely ended, and a later one surely hadn't."""
    return comes_after(moment, end(one)) is True and comes_after(moment, end(later)) is False
