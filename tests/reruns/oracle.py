"""Judges a rerun by what was executed, and by what its record says: nothing here knows how a rerun is put in order.

Wrong is what the person says is wrong: the source's data, and whatever was made by reading wrong data, however far.
What is written in the rerun is right if all that its try has read was.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.reruns.story import Read, Spot, Story


@dataclass(frozen=True)
class Told:
    """What the record says isn't right: a run, a task of it or one index; None: all."""

    dag_id: str
    run_id: str | None
    task_id: str | None
    index: int | None
    why: str


@dataclass
class Record:
    """A rerun's record. ``told``: what it lists, and what its submit was told; ``members``: the runs.

    ``not_provable``: the runs that its proof names, because clocks don't tell whether they have read too early.
    """

    state: str
    told: list[Told] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)
    not_provable: set[str] = field(default_factory=set)


@dataclass
class Oracle:
    """Knows what is wrong. ``origin``: the spots whose data a person has called wrong.

    ``apart``: how far apart two clocks may be, in seconds. ``not_provable``: see `Record`.
    """

    story: Story
    origin: Collection[Spot]
    apart: float = 0.0
    not_provable: Collection[str] = frozenset()
    known: dict[int, str | None] = field(default_factory=dict)

    def flaw(self, number: int) -> str | None:
        """Why what a try wrote is wrong; None: it is right."""
        if number not in self.known:
            self.known[number] = self.find(number)
        return self.known[number]

    def find(self, number: int) -> str | None:
        """See `flaw`. A try reads only what others wrote before it began, so that this comes to an end."""
        one, submitted = self.story.tries[number], self.story.submitted
        assert submitted is not None
        if number < submitted and one.spot in self.origin:
            return "it is what the rerun is for"
        if number >= submitted and one.flaw is not None:
            return f"it worked {one.flaw}"
        return next((why for read in one.reads if (why := self.wrong(read, number)) is not None), None)

    def wrong(self, read: Read, number: int) -> str | None:
        """Why what a try has read was no good."""
        assert self.story.submitted is not None
        too_early = read.moving and number >= self.story.submitted and self.was_wrong(read.spot)
        if too_early and not self.cannot_be_told(read, number):
            return f"read {read.spot} while that was being made"
        if read.written_by is None:  # before the rerun, the lack of it is what was wrong
            lacking = read.spot in self.origin and number < self.story.submitted
            return f"read {read.spot}, which wasn't there" if lacking else None
        why = self.flaw(read.written_by)
        return None if why is None else f"read {read.spot} of {read.written_by}"

    def cannot_be_told(self, read: Read, number: int) -> bool:
        """Whether a read came so near to an end of the write that the clocks hide it, and the proof says so."""
        one = self.story.tries[number]
        moments = (one.began,) if one.makes_data or one.ended is None else (one.began, one.ended)  # a sensor's end
        writes = (each for each in self.story.tries if each.spot == read.spot and each.ended is not None)
        near = (
            min(at - each.began, (each.ended or at) - at) <= self.apart
            for each in writes
            for at in moments
            if each.began <= at <= (each.ended or at)
        )
        return str(one.ref) in self.not_provable and self.apart > 0 and any(near)

    def was_wrong(self, spot: Spot) -> bool:
        """Whether a spot held wrong data when the rerun began: what else is made anew meanwhile is somebody else's."""
        before = [one.number for one in self.story.tries[: self.story.submitted] if one.spot == spot]
        done = [number for number in before if self.story.tries[number].end == "success"]
        return bool(done) and self.flaw(done[-1]) is not None

    def standing(self) -> dict[Spot, str]:
        """The data that is wrong now, each with why."""
        found = {spot: self.flaw(number) for spot, number in sorted(self.story.held.items())}
        return {
            spot: why
            for spot, why in found.items()
            if why is not None and self.story.tries[self.story.held[spot]].makes_data
        }

    def unsaid(self, record: Record) -> dict[Spot, str]:
        """Wrong data of which the record doesn't say so."""
        return {
            spot: why
            for spot, why in self.standing().items()
            if (spot.place in self.places(record) or self.was_wrong(spot)) and not self.is_told(spot, record)
        }

    def places(self, record: Record) -> set[str]:
        """Where the rerun's members keep their data: what has run for the first time is no business of its."""
        return {place for place, refs in self.story.runs.items() if record.members & {str(ref) for ref in refs}}

    def is_told(self, spot: Spot, record: Record) -> bool:
        """Whether the record names a spot, by any run that has had its place."""
        refs = self.story.runs.get(spot.place, ())
        return any(
            any(ref.dag_id == one.dag_id and one.run_id in (None, ref.run_id) for ref in refs)
            and one.task_id in (None, spot.task_id)
            and one.index in (None, spot.index)
            for one in record.told
        )
