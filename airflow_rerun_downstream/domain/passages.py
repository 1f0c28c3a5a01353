"""Ways through runs that aren't rerun, told once for all members that come and go by them.

Below a run that is left out, each member waits for each one above it. A hundred on either side would be ten thousand
pairs; a passage names the hundred once, and each of the others names the passage.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Generic, TypeVar

from airflow_rerun_downstream.domain.graph import levels
from airflow_rerun_downstream.domain.readings import Reading
from airflow_rerun_downstream.domain.refs import RunRef

Who = TypeVar("Who", bound=Hashable)
What = TypeVar("What")

Place = tuple[RunRef, frozenset[str] | None]
"""A run that isn't rerun, with those of its tasks that have read; None: all."""

WORTH = 0
"""How many more pairs than rows there must be before there are passages, at a place and in all."""

FAR = 4
"""How many times the rows of passages are read to find out how many pairs there are."""


@dataclass(frozen=True, slots=True)
class Passage(Generic[Who]):
    """Who waits for a passage waits for its ``members``, and for all that passages ``before`` it stand for.

    The passages of an order have numbers, from 0; those before one have lower numbers.
    """

    members: frozenset[Who]
    before: frozenset[int] = frozenset()


def behind(passages: Sequence[Passage[Who]], number: int | None) -> set[Who]:
    """All members for which a passage stands; None: nobody."""
    found, seen = set[Who](), set[int]()
    pending = [] if number is None else [number]
    while pending:
        if (here := pending.pop()) not in seen:
            seen.add(here)
            found |= passages[here].members
            pending += passages[here].before
    return found


def of_each(
    passages: Iterable[Passage[Who]], member: Callable[[Who], What], joined: Callable[[Sequence[What]], What]
) -> list[What]:
    """What is true of those for whom each passage stands, from what is true of each member. Each is read once."""
    found: list[What] = []
    for one in passages:
        found.append(joined([*map(member, one.members), *(found[number] for number in one.before)]))
    return found


class Ways:
    """The ways between members through runs that don't take part, by their tasks.

    ``into`` tells by which readings members come to a place; ``onward`` and ``out``, to which places and members it
    leads.
    """

    def __init__(self, members: Collection[RunRef], leaving: Mapping[RunRef, Collection[Reading]]) -> None:
        self.into: dict[Place, dict[Reading, None]] = {}
        self.onward: dict[Place, dict[Place, None]] = {}
        self.out: dict[Place, dict[RunRef, None]] = {}
        for ref in members:
            for each in leaving.get(ref, ()):
                if each.downstream not in members:
                    self.into.setdefault((each.downstream, each.reached), {})[each] = None
        queue = deque(self.into)
        while queue:
            place = queue.popleft()
            if place in self.onward:
                continue
            self.onward[place], self.out[place] = {}, {}
            for each in leaving.get(place[0], ()):
                if touches(each, place[1]):
                    if each.downstream in members:
                        self.out[place][each.downstream] = None
                    else:
                        self.onward[place][each.downstream, each.reached] = None
                        queue.append((each.downstream, each.reached))

    def leading_to(self, wanted: Collection[RunRef]) -> set[Place]:
        """The places from which one of some members can be reached."""
        back: dict[Place, list[Place]] = {}
        for place, after in self.onward.items() if wanted else ():
            for other in after:
                back.setdefault(other, []).append(place)
        pending = [place for place, readers in self.out.items() if not readers.keys().isdisjoint(wanted)]
        found = set(pending)
        while pending:
            more = [place for place in back.get(pending.pop(), ()) if place not in found]
            found.update(more)
            pending += more
        return found

    def edges(self) -> Iterator[tuple[RunRef | Place, RunRef | Place]]:
        """What leads to what, members and places alike."""
        for place, readings in self.into.items():
            yield from ((each.upstream, place) for each in readings)
        for place in self.onward:
            yield from ((place, after) for after in self.onward[place])
            yield from ((place, ref) for ref in self.out[place])


def touches(reading: Reading, reached: frozenset[str] | None) -> bool:
    """Whether a reading leads on from tasks that have read."""
    return reading.from_tasks is None or reached is None or not reading.from_tasks.isdisjoint(reached)


class Passages:
    """Ways as passages: a place is one where it stands for more pairs of members than it has edges, and nowhere else.

    ``of`` has the number of the passage for which a member waits, ``waits`` for whom it waits besides.
    """

    def __init__(self, ways: Ways, *, besides: Collection[RunRef], counts: Callable[[Reading], bool]) -> None:
        """The ways must have no circle. ``besides``: members whose ways are told otherwise; ``counts`` says whether a
        reading makes anybody wait."""
        self.found: list[Passage[RunRef]] = []
        self.waits: dict[RunRef, set[RunRef]] = {}
        self.of: dict[RunRef, int] = {}
        self.known: dict[Passage[RunRef], int] = {}
        for ref, numbers in self.narrowed(ways, besides, counts).items():
            self.of[ref] = next(iter(numbers)) if len(numbers) == 1 else self.number((), numbers)
        if (pairs := self.fewer_pairs()) is not None:
            for ref, number in self.of.items():
                self.waits[ref] |= pairs[number]
            self.found, self.of = [], {}

    def narrowed(
        self, ways: Ways, besides: Collection[RunRef], counts: Callable[[Reading], bool]
    ) -> dict[RunRef, set[int]]:
        """From place to place: whom members wait for, and by which passages."""
        ends: dict[RunRef, set[int]] = {}
        before: dict[Place, set[int]] = {place: set() for place in ways.onward}
        above = {place: {each.upstream for each in readings if counts(each)} for place, readings in ways.into.items()}
        wanted = {ref for out in ways.out.values() for ref in out if ref not in besides}
        leading, level = ways.leading_to(wanted), levels(ways.onward)
        for place in sorted(leading, key=level.__getitem__):
            members, numbers = above.pop(place, set()), before.pop(place)
            readers = [ref for ref in ways.out[place] if ref in wanted]
            onward = [after for after in ways.onward[place] if after in leading]
            came, gone = len(members) + len(numbers), len(readers) + len(onward)
            if came and gone and came * gone > came + gone + WORTH:
                members, numbers = set(), {self.number(members, numbers)}
            for ref in readers:
                self.waits.setdefault(ref, set()).update(members)
                if numbers:
                    ends.setdefault(ref, set()).update(numbers)
            for after in onward:
                above.setdefault(after, set()).update(members)
                before[after] |= numbers
        return ends

    def number(self, members: Iterable[RunRef], before: Iterable[int]) -> int:
        """The number of a passage."""
        one = Passage(frozenset(members), frozenset(before))
        if one not in self.known:
            self.known[one] = len(self.found)
            self.found.append(one)
        return self.known[one]

    def fewer_pairs(self) -> Sequence[Set[RunRef]] | None:
        """For whom each passage stands, if pairs take no more rows: ways may part and meet again between few members.

        None: passages take fewer, or far less work.
        """
        rows = len(self.of) + sum(len(one.members) + len(one.before) for one in self.found)
        found, left = list[Set[RunRef]](), FAR * rows
        for one in self.found:
            found.append(one.members.union(*(found[number] for number in one.before)))
            left -= sum(len(found[number]) for number in one.before) + len(one.members)
            if left < 0:
                return None
        return found if sum(len(found[number]) for number in self.of.values()) <= rows + WORTH else None
