"""Who has read what of whom: the pairs of members that links join, also through runs that aren't members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from airflow_rerun_downstream.domain.proof import (
    ProvenLink,
    ProvenMember,
)
from airflow_rerun_downstream.domain.proof_scene import SENSOR, TRIGGER, Scene
from airflow_rerun_downstream.domain.refs import RunRef

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

    @property
    def reads_at_end(self) -> bool:
        """Whether what has read did so as it ended: a sensor."""
        return self.link.kind == SENSOR and self.reads == frozenset({self.link.to_task})


class Pairs:
    """The pairs of members that links join; ``every`` has them all."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.every = [pair for member in scene.facts.members for pair in self.into(member)]

    @cached_property
    def leaving(self) -> dict[RunRef, list[Pair]]:
        """The pairs by the run that was read."""
        found: dict[RunRef, list[Pair]] = {}
        for pair in self.every:
            found.setdefault(pair.writer.ref, []).append(pair)
        return found

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
