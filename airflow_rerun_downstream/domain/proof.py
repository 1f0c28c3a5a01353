"""The proof of a rerun: what it is made from, and what it says. `proving` makes it, from facts alone.

It shares no code with what puts a rerun in order, so that a mistake there doesn't hide itself here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, shown


@dataclass(frozen=True, slots=True)
class Try:
    """A try of a task instance that was started. ``host`` None: no worker ran it, as with an empty task.

    ``end`` None: it goes on, or nobody wrote down when it ended.
    """

    state: str | None
    start: datetime | None
    end: datetime | None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class TaskTries:
    """A task instance with all of its tries that were started, oldest first.

    ``present``: the last of them was started after the last clear, so that ``state`` is what it came to. ``by_hand``: a
    person gave it its state. ``held``: an earlier try succeeded, of this run or of the one whose place it takes.
    ``added``: a newer version of the Dag brought it.
    """

    task_id: str
    map_index: int
    state: str | None
    tries: tuple[Try, ...] = ()
    present: bool = True
    by_hand: bool = False
    held: bool = False
    added: bool = False


@dataclass(frozen=True, slots=True)
class RunTries:
    """A run's task instances by task and map index. ``clear_number``: how often it was cleared."""

    clear_number: int = 0
    tasks: tuple[TaskTries, ...] = ()


@dataclass(frozen=True, slots=True)
class ProvenLink:
    """A link of a rerun, with the names that the runs had at submit; see `plan.Link`.

    ``from_tasks``: the tasks whose work went through it; None: the run as a whole. ``vague``: it stands for a way
    through runs that the record doesn't name, so that nobody knows which tasks they are.
    """

    upstream: RunRef
    downstream: RunRef
    kind: str
    from_tasks: frozenset[str] | None = None
    to_task: str | None = None
    vague: bool = False


@dataclass(frozen=True)
class ProvenMember:
    """A member, as far as the proof looks at it. ``at_submit``: the run that it had then; links name that one.

    ``state``: its word; of one that has failed because it isn't proven, still ``succeeded``. ``begun``: the rerun has
    dispatched or adopted it. ``dispatched`` and ``succeeded``: when our own events say that it was first dispatched,
    and that it was last found right; ``dispatched`` is None where nobody but Airflow knows when its run began.
    ``clear_number``: that with which it was judged. ``listed``: what the record says it hasn't made anew, by task and
    map index (None: all), with who accepted it.
    """

    ref: RunRef
    at_submit: RunRef
    state: str
    tasks: Tasks
    begun: bool = True
    dispatched: datetime | None = None
    succeeded: datetime | None = None
    clear_number: int | None = None
    listed: Mapping[tuple[str, int | None], str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """What a submit was told and has accepted, about a run or one task of it."""

    code: str
    ref: RunRef
    task_id: str | None
    by: str


@dataclass(frozen=True)
class Facts:
    """All that a proof is made from. ``since``: when the rerun began. ``runs`` has those that exist, members or not.

    ``structures``: the Dag as each run's own tasks have it. ``beside``, by members' runs: the other runs that had their
    place, or that the task made which had made them.
    """

    since: datetime
    members: tuple[ProvenMember, ...]
    links: tuple[ProvenLink, ...]
    runs: Mapping[RunRef, RunTries]
    structures: Mapping[RunRef, DagStructure]
    told: tuple[Told, ...] = ()
    beside: Mapping[RunRef, Mapping[RunRef, RunTries]] = field(default_factory=dict)


class Outcome(str, Enum):
    """What became of one check."""

    PROVEN = "proven"
    NOT_PROVABLE = "not_provable"
    VIOLATION = "violation"
    ACCEPTED = "accepted"


NOT_PROVEN = "not_proven"
"""The reason of a member that fails because of a violation."""


class ProofReason(str, Enum):
    """Why a check isn't proven."""

    READ_TOO_EARLY = "read_too_early"
    BEGAN_TOO_EARLY = "began_too_early"
    NOT_MADE_ANEW = "not_made_anew"
    LEFT_UNTOLD = "left_untold"
    RESTS_ON_UNPROVEN = "rests_on_unproven"
    CLOCKS_DIFFER = "clocks_differ"
    NO_RECORD = "no_record"
    NOT_FINISHED = "not_finished"
    NOT_COMPUTED = "not_computed"


class ProofVerdict(str, Enum):
    """A proof in one word, the gravest that applies.

    VIOLATED: something is wrong, and nobody has accepted it. OPEN: members aren't right yet, or never will be.
    NOT_PROVABLE: something can't be told. ACCEPTED: what is wrong was accepted. NOTHING_CHECKED: there was nothing.
    """

    VIOLATED = "violated"
    OPEN = "open"
    NOT_PROVABLE = "not_provable"
    ACCEPTED = "accepted"
    PROVEN = "proven"
    NOTHING_CHECKED = "nothing_checked"


@dataclass(frozen=True, slots=True)
class Spot:
    """A run, or a task of it."""

    ref: RunRef
    task_id: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that wasn't proven. ``reader`` began at ``read``, ``writer`` ended at ``written``, as far as is known.

    ``writer`` None: it is about the reader alone. ``by``: who accepted it.
    """

    outcome: Outcome
    reason: ProofReason
    reader: Spot
    writer: Spot | None = None
    read: datetime | None = None
    written: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Older:
    """A run, or a task of it, that holds data older than what ``because_of`` holds now. ``by``: who accepted it."""

    spot: Spot
    because_of: Spot
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was looked at: pairs that links join, task instances, pairs of tasks of one run; and what came of it.

    ``open``: what can't be checked yet.
    """

    links: int = 0
    tasks: int = 0
    orders: int = 0
    proven: int = 0
    not_provable: int = 0
    violations: int = 0
    accepted: int = 0
    open: int = 0
    older: int = 0

    @property
    def verdict(self) -> ProofVerdict:
        """What it comes to."""
        found = (
            (self.violations, ProofVerdict.VIOLATED),
            (self.open, ProofVerdict.OPEN),
            (self.not_provable, ProofVerdict.NOT_PROVABLE),
            (self.accepted, ProofVerdict.ACCEPTED),
            (self.proven, ProofVerdict.PROVEN),
        )
        return next((verdict for count, verdict in found if count), ProofVerdict.NOTHING_CHECKED)


@dataclass(frozen=True)
class Proof:
    """What a rerun can show for itself, at the moment ``at``; see `counted`."""

    at: datetime
    counts: Counts
    findings: tuple[Finding, ...] = ()
    older: tuple[Older, ...] = ()

    @property
    def violations(self) -> tuple[Finding, ...]:
        """What is wrong, and nobody has accepted."""
        return tuple(one for one in self.findings if one.outcome is Outcome.VIOLATION)


def sentence_of(one: Finding) -> str:
    """What was found, in words."""
    ends = [named(spot) for spot in (one.reader, one.writer) if spot is not None]
    return f"{one.reason.value}: {' from '.join(ends)}"


def named(spot: Spot) -> str:
    """A run, or a task of it, in words."""
    return f"{spot.ref}" if spot.task_id is None else f"{shown(spot.task_id)} of {spot.ref}"


def counted(findings: Iterable[Finding]) -> Counter[Outcome]:
    """How many findings there are of each outcome."""
    return Counter(one.outcome for one in findings)


def not_computed(at: datetime, source: RunRef) -> Proof:
    """A proof that couldn't be made: of nothing it can be said that it is proven."""
    finding = Finding(Outcome.NOT_PROVABLE, ProofReason.NOT_COMPUTED, Spot(source))
    return Proof(at, Counts(not_provable=1), (finding,))
