"""Which tasks of the runs of a rerun have to be right before which others start."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter

from airflow_rerun_downstream.domain.facts import node_of
from airflow_rerun_downstream.domain.gaps import waited_for
from airflow_rerun_downstream.domain.passages import Place, Ways, touches
from airflow_rerun_downstream.domain.readings import Member, Reading
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.selection import downstream_tasks, upstream_tasks


class Dependencies:
    """Which members' tasks have to be right before which others' start.

    ``found`` has the readings between members. Those across runs that don't take part stand in ``ways``, but for the
    ones of runs that tasks make; after `by_pairs` all are in ``found``, and there are no ways.
    """

    def __init__(self, members: Mapping[RunRef, Member], readings: Iterable[Reading], source: RunRef) -> None:
        self.members = members
        self.leaving: dict[RunRef, list[Reading]] = {}
        for each in readings:
            if each.maker is None or each.downstream != source:  # the source is nobody's child here
                self.leaving.setdefault(each.upstream, []).append(each)
        self.readers: dict[RunRef, dict[str | None, dict[int, Reading]]] = {}
        for each in [*self.through_waiting_tasks()]:
            self.leaving.setdefault(each.upstream, []).append(each)
        self.direct = [each for ref in members for each in self.leaving.get(ref, ()) if each.downstream in members]
        self.made = dict.fromkeys(self.makers())
        self.making: dict[RunRef, list[Reading]] = {}
        for each in self.made:
            self.making.setdefault(each.downstream, []).append(each)
            members[each.downstream].cuts = frozenset()
        self.ways = Ways(members, self.leaving)
        self.because: dict[Reading, Reading] = {}
        self.found = self.between(self.ways.leading_to(self.making))

    def by_pairs(self) -> None:
        """Find every reading across runs that don't take part, too."""
        if self.ways.into:
            self.because.clear()
            self.found = self.between(None)
        self.ways = Ways((), {})

    def between(self, places: Collection[Place] | None) -> list[Reading]:
        """The readings between members; across other runs those that lead by certain places to runs that tasks make;
        None: all."""
        kept = dict.fromkeys(each for ref in self.members for each in self.from_member(ref, places))
        kept.update(dict.fromkeys(self.back_from_children()))
        return list(self.with_parents(kept))

    def through_waiting_tasks(self) -> Iterator[Reading]:
        """Who reads from a task that had waited for the run that it made reads that run, if the task doesn't run again.

        So does who looks at the task's run as a whole, and who reads from a task that had waited for that.
        """
        for ref, leaving in self.leaving.items():
            for made in leaving:
                if made.maker is not None and made.waits:
                    for run in self.waited_for_by(made):
                        yield from self.readers_of(ref, made.maker, run)
        pending = [each for leaving in self.leaving.values() for each in leaving if each.through is not None]
        known = set(pending)
        while pending:
            last = pending.pop()
            assert last.through is not None
            for each in self.readers_of(last.downstream, last.through, last.upstream):
                yield each
                if each.through is not None and each not in known:
                    known.add(each)
                    pending.append(each)

    def waited_for_by(self, made: Reading) -> dict[RunRef, None]:
        """The run that a task has waited for, and those for which tasks of that one had, if they don't run again."""
        found, pending = dict[RunRef, None](), [made.downstream]
        while pending:
            ref = pending.pop()
            if ref in found:
                continue
            found[ref] = None
            ids = self.members[ref].ids if ref in self.members else frozenset[str]()
            for each in self.leaving.get(ref, ()):
                if each.maker is not None and each.waits and each.maker not in ids:
                    pending.append(each.downstream)
        return found

    def readers_of(self, ref: RunRef, waited: str, made: RunRef) -> Iterator[Reading]:
        """Who reads from a task of a run, in place of which stands the run that it waited for."""
        if ref in self.members and waited in self.members[ref].ids:
            return
        if ref not in self.readers:
            self.readers[ref] = {}
            for place, each in enumerate(self.leaving.get(ref, ())):
                for task_id in self.read_by(each):
                    self.readers[ref].setdefault(task_id, {})[place] = each
        found = {**self.readers[ref].get(None, {}), **self.readers[ref].get(waited, {})}
        for _, each in sorted(found.items(), key=itemgetter(0)):
            if each.downstream not in (ref, made):
                yield Reading(made, each.downstream, None, each.reached, through=each.through)

    def read_by(self, each: Reading) -> Collection[str | None]:
        """The tasks that are read, None stands for all; who was made by a task has read what stands before that."""
        if each.maker is None:
            return (None,) if each.from_tasks is None else each.from_tasks
        parent = self.members.get(each.upstream)
        if parent is None or parent.structure is None or each.maker not in parent.structure.tasks:
            return ()
        return upstream_tasks(parent.structure, [each.maker]) - {each.maker}

    def makers(self) -> Iterator[Reading]:
        """The readings whose downstream run is made by a task that runs again, or by any task of a run that is made."""
        pending, known = True, set[Reading]()
        while pending:
            pending = False
            for each in self.direct:
                if each.maker is None or each in known:
                    continue
                parent = self.members[each.upstream]
                if parent.is_made or each.maker in parent.ids:
                    self.members[each.downstream].is_made = pending = True
                    known.add(each)
                    yield each

    def from_member(self, ref: RunRef, places: Collection[Place] | None) -> Iterator[Reading]:
        """What leads from a member to the nearest others; through runs that don't take part by their tasks: see
        `between`."""
        queue = deque((each, each) for each in self.leaving.get(ref, ()))
        seen: set[tuple[frozenset[str] | None, RunRef, frozenset[str] | None]] = set()
        while queue:
            first, last = queue.popleft()
            if last.downstream == ref:
                continue
            if last.downstream in self.members:
                straight = first is last
                if not straight and places is not None and last.downstream not in self.making:
                    continue
                maker, sensor = (first.maker, first.sensor) if straight else (None, False)
                yield replace(first, downstream=last.downstream, reached=last.reached, maker=maker, sensor=sensor)
                continue
            if places is not None and (last.downstream, last.reached) not in places:
                continue
            for each in self.leaving.get(last.downstream, ()):
                state = (first.from_tasks, each.downstream, each.reached)
                if state not in seen and touches(each, last.reached):
                    seen.add(state)
                    queue.append((first, each))

    def back_from_children(self) -> Iterator[Reading]:
        """What follows a task that doesn't run again comes after the run that it had made: in its place."""
        for each in [each for ref in self.members for each in self.leaving.get(ref, ())]:
            if each.maker is None or each in self.made or each.downstream == each.upstream:
                continue
            parent = self.members[each.upstream]
            if parent.is_made or each.maker in parent.ids:  # it makes another run
                continue
            node = node_of(parent.structure, each.maker)
            waits = node is not None and node.waits_for_run
            if each.maker in parent.cuts or waits:
                after = frozenset(downstream_tasks(parent.structure, [each.maker]) - {each.maker})
                if after & parent.ids:
                    for run in self.waited_for_by(each):
                        if run in self.members and run != each.upstream:
                            yield Reading(run, each.upstream, None, after, soft=not waits)

    def with_parents(self, kept: dict[Reading, None]) -> Iterator[Reading]:
        """A run whose task makes another one waits for what that one reads, too: Airflow starts it at once."""
        pending = list(kept)
        while pending:
            new = []
            for each in pending:
                for made in self.making.get(each.downstream, ()):
                    more = self.for_parent(made, each)
                    if more is not None and more not in kept:
                        kept[more] = None
                        self.because[more] = self.because.get(each, each)
                        new.append(more)
            pending = new
        # What is made starts when its maker does: nothing soft can hold it.
        yield from (each for each in kept if not (each.soft and self.members[each.downstream].is_made))

    def for_parent(self, made: Reading, each: Reading) -> Reading | None:
        """What the making task has to wait for because the run that it makes reads it."""
        assert made.maker is not None
        parent = self.members[made.upstream]
        if each.upstream == made.downstream or self.waited_for(made, each.upstream):
            return None
        reached = frozenset(downstream_tasks(parent.structure, [made.maker]))
        node = node_of(parent.structure, made.maker)
        soft = each.soft or node is None or not node.waits_for_run
        if each.upstream != made.upstream:
            looks = each.sensor and self.maker_in(each.upstream, made.upstream) is not None
            return Reading(each.upstream, made.upstream, each.from_tasks, reached, soft=soft, sensor=looks)
        # Of the parent's own tasks those that stand beside the making one: before it they come anyway. A parent that
        # is made itself starts as a whole.
        beside = (each.from_tasks or frozenset()) - reached if not parent.is_made else frozenset()
        if parent.structure is not None:
            beside -= upstream_tasks(parent.structure, [made.maker])
        return Reading(made.upstream, made.upstream, beside, reached, soft=soft) if beside else None

    def waited_for(self, made: Reading, other: RunRef) -> bool:
        """Whether an earlier task of the same run makes the other run, and waits for its end."""
        structure = self.members[made.upstream].structure
        for each in self.making.get(other, ()):
            node = node_of(structure, each.maker) if each.upstream == made.upstream else None
            if node is not None and node.waits_for_run:
                return made.maker in downstream_tasks(structure, [node.task_id]) - {node.task_id}
        return False

    def comes_anyway(self, each: Reading) -> bool:
        """Whether Airflow starts a run that is made only after what it reads from a run further up is right.

        Whatever stands before the making task is right by then, and it too, unless it waits for its run. A sensor waits
        for what runs, too, but not for a run that was made in place of the one whose date it knows.
        """
        maker = self.maker_in(each.upstream, each.downstream)
        parent = self.members[each.upstream]
        if maker is None or each.maker is not None or parent.structure is None or maker not in parent.structure.tasks:
            return False
        last = parent.stage_of([maker]) or 0
        waits = each.sensor and not parent.is_made
        before = waited_for(parent.structure, parent.ids, maker)
        if not parent.structure.tasks[maker].waits_for_run:
            before.add(maker)
        stages = {task_id: parent.stage_of([task_id]) or 0 for task_id in parent.needed(each.from_tasks)}
        return all(
            stage < last or (stage == last and (waits or task_id in before)) for task_id, stage in stages.items()
        )

    def comes_too_early(self, each: Reading) -> bool:
        """Whether Airflow may start a run that is made before what it reads further up is right, and nothing mends it:
        it isn't started once more, or what follows the making task has read from it by then."""
        made = self.only_maker(each.downstream)  # most runs are made by no task
        if made is None or each.maker is not None or each in self.because:
            return False
        if self.maker_in(each.upstream, each.downstream) is None or self.comes_anyway(each):
            return False
        unknown = node_of(self.members[made.upstream].structure, made.maker) is None
        return each.upstream == made.upstream or unknown or self.passed_on(made)

    def passed_on(self, made: Reading) -> bool:
        """Whether something follows the task that makes a run and waits for it, in its own run or in one further up
        of which a task waits for that: Airflow doesn't start it once more when the run is made again."""
        seen = set[RunRef]()
        each: Reading | None = made
        while each is not None and each.upstream not in seen:
            seen.add(each.upstream)
            structure = self.members[each.upstream].structure
            node = node_of(structure, each.maker)
            if node is None or not node.waits_for_run:
                break
            if len(downstream_tasks(structure, [node.task_id])) > 1:
                return True
            each = self.only_maker(each.upstream)
        return False

    def maker_in(self, ref: RunRef, made: RunRef) -> str | None:
        """The task of a run that makes another one, or what makes that, and so on; None: there is none, or several."""
        seen = set[RunRef]()
        while made not in seen and (maker := self.only_maker(made)) is not None:
            if maker.upstream == ref:
                return maker.maker
            seen.add(made)
            made = maker.upstream
        return None

    def only_maker(self, made: RunRef) -> Reading | None:
        """The reading between a run and what makes it, if that is one task."""
        makers = list(self.making.get(made, ()))
        return makers[0] if len(makers) == 1 else None
