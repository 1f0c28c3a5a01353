"""What the inside needs of the outside.

Each port has a fake in ``tests/fakes`` and an implementation per generation of Airflow, under one contract suite.
A unit of work owns the transaction: nothing here commits on its own, and Airflow's rows and ours commit together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.facts import (
    AssetConsumption,
    AssetEmission,
    DagStructure,
    DagVersion,
    Definitions,
    DoubtfulRecord,
    Observation,
    RecordedWait,
    RunAccount,
    RunConf,
    RunFacts,
    RunNow,
    SensorInstance,
    TaskInstanceFacts,
    TaskStart,
    TriggeredRun,
    UndatedRun,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, Hold, WaitingAsset
from airflow_rerun_downstream.domain.plan import FutureRef, Link
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.proof import RunTries
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun import (
    ActiveRerun,
    Actor,
    Awaited,
    Member,
    NewFrozen,
    NewRerun,
    Rerun,
    RerunEvent,
)
from airflow_rerun_downstream.domain.room import DagRoom, Obstacle
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.verdict import NotMadeAnew


class Clock(Protocol):
    """The time, the same for every process that shares the database."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


@dataclass(frozen=True)
class SourceRule:
    """What makes a run a possible source: online, finished, ready in the window, in no active rerun.

    ``matches`` False asks for the runs that can't be one. ``taken``: the runs of active reruns.
    """

    now: datetime
    window_start: datetime | None
    taken: frozenset[RunRef] = frozenset()
    matches: bool = True


@dataclass(frozen=True)
class RunFilter:
    """A question for a page of Dag runs. None: no restriction. ``order_by``: a field, ``-`` before it: descending.

    Runs that are equal in it come in the order in which they were made, those without a value after all others.
    ``dag_id_pattern`` is what Airflow's own REST API takes: a part of the id in any case, ``%`` and ``_`` as in SQL's
    LIKE, ``|`` between alternatives.
    """

    dag_ids: frozenset[str] | None = None
    dag_id_pattern: str | None = None
    states: frozenset[str] | None = None
    run_types: frozenset[str] | None = None
    run_after_gte: datetime | None = None
    run_after_lte: datetime | None = None
    online: bool | None = None
    source_rule: SourceRule | None = None
    limit: int = 50
    offset: int = 0
    order_by: str = "-run_after"


class LineageFacts(Protocol):
    """Reads of Airflow's metadata database. Every method is one statement, or a few, however many runs are asked."""

    def runs(self, refs: Collection[RunRef]) -> dict[RunRef, RunFacts]:
        """The runs that exist among ``refs``.

        A run that a task made is online if that task's own run is, by the version of the Dag that run is of, whether
        the Dag is still there or not. ``terminated`` is said of failed runs only.
        """
        ...

    def confs(self, refs: Collection[RunRef]) -> dict[RunRef, RunConf]:
        """The configurations of the runs that exist among ``refs``. One statement for ten thousand."""
        ...

    def runs_now(self, refs: Collection[RunRef]) -> dict[RunRef, RunNow]:
        """Where the runs that exist among ``refs`` stand. It costs much less than `runs`."""
        ...

    def runs_at(self, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
        """The runs of each Dag whose logical date is one of those asked for it, each once, in no order.

        ``undated``: those without a logical date too, by their ``run_after``, as sensors reckon.
        """
        ...

    def undated_runs(self, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
        """The runs of each Dag without a logical date that were ready in its window, ends included, by that time."""
        ...

    def last_undated(self, dag_ids: Collection[str]) -> dict[str, datetime]:
        """When the last run without a logical date was ready of each of the Dags that have any."""
        ...

    def later_runs(self, since: Mapping[str, datetime], *, limit: int) -> list[RunFacts]:
        """The first ``limit`` runs whose logical date is later than that given for their Dag, by that date.

        Those of one date come in no order.
        """
        ...

    def page(self, wanted: RunFilter) -> tuple[list[RunFacts], int]:
        """One page of runs, and how many there are in all. Raises `Invalid` for an unknown ``order_by``."""
        ...

    def task_instances(self, refs: Collection[RunRef]) -> dict[RunRef, list[TaskInstanceFacts]]:
        """The task instances of runs by task and map index, removed ones included, without their dates.

        A run that has none is left out.
        """
        ...

    def accounts(
        self, refs: Collection[RunRef], *, places: Mapping[RunRef, RunRef] | None = None
    ) -> dict[RunRef, RunAccount]:
        """How runs came to where they are; a run that is gone is left out.

        ``places``: for a run that has taken another one's place, that one. Its tries count as earlier ones.
        """
        ...

    def tries(
        self, refs: Collection[RunRef], *, places: Mapping[RunRef, RunRef] | None = None
    ) -> dict[RunRef, RunTries]:
        """The tries of runs' task instances that were started, with their times as the workers wrote them.

        A run that is gone is left out. ``places``: as for `accounts`.
        """
        ...

    def structures(self, dag_ids: Collection[str]) -> dict[str, DagStructure]:
        """The tasks of the Dags' latest versions, also of Dags that are gone; one that isn't serialized is left out."""
        ...

    def own_versions(self, refs: Collection[RunRef]) -> dict[RunRef, DagVersion]:
        """The Dag as the tasks of runs have it, for those runs that aren't, or not all, of its latest version; and for
        those of Dags that are gone, of which `definitions` says nothing.

        Of a Dag that is gone every run is told.
        Where tasks of a run are of several versions, each is told as its own one has it. Whether the Dag is paused, its
        limit of runs and the number of the version are the latest's. A run without task instances is left out.
        """
        ...

    def definitions(self) -> Definitions:
        """The cross-Dag edges that all active Dags declare."""
        ...

    def earlier_definitions(self, *, since: datetime) -> Definitions:
        """The cross-Dag edges that versions declared which were replaced at or after ``since``.

        The last version of a Dag that has gone since counts as replaced: its runs have read, whatever became of it.
        A version of which there is no run is written over, and never told.
        """
        ...

    def asset_consumptions(self, producers: Collection[RunRef]) -> list[AssetConsumption]:
        """Which runs consumed the asset events of ``producers`` that exist, in the order of the events.

        An event from more than an hour before its run was made, or six hours after its end, isn't found.
        """
        ...

    def asset_flows(self, dag_id: str) -> list[AssetFlow]:
        """Whose assets a Dag and its tasks take, and who takes those that its tasks make, as active Dags define it.

        What came through an alias is told by the last ten thousand events that did.
        """
        ...

    def asset_emissions(self, producers: Collection[RunRef], asset_ids: Collection[int]) -> list[AssetEmission]:
        """The events of ``producers`` for assets, found and in an order as by `asset_consumptions`."""
        ...

    def task_starts(
        self, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
    ) -> list[TaskStart]:
        """When instances of ``tasks`` (``(dag_id, task_id)``) last started, at or after ``since`` and before ``until``.

        A start that a rerun gave doesn't count, if there was one before: what the rerun makes anew stands in the place
        of that. Nor does a skip after it. In the order of time. Those of runs that had ended before ``since`` aren't
        looked for.
        """
        ...

    def triggered_runs(self, parents: Collection[RunRef]) -> list[TriggeredRun | DoubtfulRecord]:
        """Which runs the TriggerDagRun tasks of ``parents`` made, and which of their records can't be true.

        A record counts if the run exists, was made by a task or may have been cleared by this one, and is of the Dag
        that the task declares in the version which its run is of, where that is fixed. Without a declaration it is
        believed if the task's link names the Dag, and otherwise not told: the XCom is somebody else's.
        """
        ...

    def orphaned_dags(self, since: datetime) -> Collection[str]:
        """The Dags with a run that a task has made since a moment, and of which nothing tells any more which task."""
        ...

    def triggering_runs(self, children: Collection[RunRef]) -> list[TriggeredRun]:
        """Which tasks made ``children``, as `triggered_runs` of all runs knows it; what is in doubt is left out."""
        ...

    def recorded_waits(
        self, sensors: Collection[tuple[str, str]], *, since: datetime, dates: Mapping[str, Collection[datetime]]
    ) -> list[RecordedWait | DoubtfulRecord]:
        """What the listener recorded for the sensors ``(dag_id, task_id)`` at or after ``since``, in no order.

        Of the dates waited for, each record has those of ``dates`` (by the Dag waited for) and the first few.
        """
        ...

    def recorded_sensors(self, *, since: datetime) -> frozenset[tuple[str, str]]:
        """The sensors ``(dag_id, task_id)`` of which the listener recorded anything at or after ``since``.

        Their Dags may be gone, or have no such task by now.
        """
        ...

    def sensor_instances(
        self,
        sensors: Collection[tuple[str, str]],
        *,
        refs: Collection[RunRef] = (),
        since: datetime | None = None,
    ) -> list[SensorInstance]:
        """The task instances of ``sensors`` in ``refs``; with ``since`` instead: those that ended at or after it.

        By run, task and map index.
        """
        ...

    def last_waits(self, sensors: Collection[tuple[str, str]]) -> list[RecordedWait | DoubtfulRecord]:
        """What the listener recorded for each of ``sensors`` in the run that was made last among those in which it did.

        Of all map indexes, in no order, each with its first few dates.
        """
        ...

    def schedules(self, dag_ids: Collection[str], *, upcoming: int = 10) -> dict[str, DagSchedule]:
        """How the runs of Dags come about, each with the next ``upcoming`` runs of its timetable.

        A run that exists isn't among them, and there is one less then. A Dag that isn't serialized is left out; a
        timetable that raises has no upcoming runs and can't be held.
        """
        ...

    def waiting_assets(self, producers: Collection[RunRef]) -> list[WaitingAsset]:
        """The asset events of ``producers`` that Dags are going to consume in a run that isn't made yet.

        In the order of the events, then of the Dags. A paused Dag is going to, one that is gone isn't.
        """
        ...

    def obstacles(self, tasks: Mapping[RunRef, Collection[str]]) -> list[Obstacle]:
        """Which of the tasks of runs won't run as things stand.

        First those whose pool is gone or too small, in the order of runs and tasks; then those whose past isn't right.
        """
        ...

    def rendered_fields(
        self, tasks: Collection[tuple[str, str]], refs: Collection[RunRef]
    ) -> dict[tuple[RunRef, str, int], Mapping[str, object]]:
        """What was rendered for the task instances of ``tasks`` (``(dag_id, task_id)``) in ``refs``.

        Those fields that name Dags, tasks and groups, as far as Airflow still keeps them.
        """
        ...


@dataclass(frozen=True)
class Dispatched:
    """A dispatch that was done: the run's clear number after it, and how many task instances were cleared."""

    clear_number: int
    cleared: int


class CannotDispatch(Exception):
    """The run can't be cleared now. ``reason`` is a word; ``gone`` says that waiting won't help."""

    def __init__(self, reason: str, *, gone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.gone = gone


class Gateway(Protocol):
    """What a rerun does to Airflow's rows, inside the caller's transaction."""

    def observe(self, refs: Collection[RunRef]) -> dict[RunRef, Observation]:
        """The runs' states and task instances, in one statement. Every ref is answered."""
        ...

    def clear_numbers(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        """How often each run was cleared; a run that is gone is left out. One statement for each ten thousand."""
        ...

    def rooms(self, dag_ids: Collection[str]) -> dict[str, DagRoom]:
        """What each Dag can start now; one that Airflow doesn't find is closed. One statement."""
        ...

    def why_waiting(self, refs: Collection[RunRef]) -> dict[RunRef, str]:
        """Why runs that have started don't move: a word of `STUCK`, and perhaps more after a colon.

        Those of which it can't be told are left out. A few statements, however many runs are asked.
        """
        ...

    def dispatch(
        self,
        ref: RunRef,
        tasks: Tasks,
        *,
        rerun_id: int,
        actor: str,
        retry: bool,
        run_on_latest_version: bool | None,
        before_writing: Callable[[], None] = lambda: None,
    ) -> Dispatched:
        """Clear the run's selected task instances and queue the run, as Airflow's own clear does.

        With ``retry`` those that haven't succeeded are cleared with all that has to run again with them, see
        `to_clear_again`. A note on the run and a row in the audit log name the rerun. The task instances are
        remembered, so that the asset manager knows their events; where the run had consumed events that reruns have
        repeated since, it consumes the last repeats instead. When they had last started by themselves is kept, see
        `LineageFacts.task_starts`.

        ``before_writing`` is called once, when all is read and nothing is written yet, to lock what must be locked: so
        a database that has one lock for all isn't locked while a large run is read. What it raises ends the dispatch
        with nothing done, and so does a run that has changed since it was read; the transaction can't go on then.

        Raises `CannotDispatch` with ``run_gone`` or ``task_gone`` (``gone``), or ``run_not_finished``.
        """
        ...

    def adopt(self, ref: RunRef, *, place: RunRef, rerun_id: int, actor: str) -> None:
        """Take a run that a task has started for a member's; what it consumed is replaced as by `dispatch`.

        Where it is told by time what a task has read, it counts for what it had read in ``place``, which may be gone:
        the member's run so far, and perhaps the same one.
        """
        ...

    def take_over(self, ref: RunRef, tasks: Tasks, *, rerun_id: int, actor: str) -> None:
        """Count the tries of a run's tasks that somebody else has started as the rerun's own: the asset manager knows
        their events, and they aren't starts of the tasks' own."""
        ...

    def halt(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        """Stop a queued or running run so that it can be dispatched later; False if it had finished.

        The run is failed at once, and none of its tasks starts any more. A task that was running is ``restarting``
        until its process has surely ended; `observe` shows it.
        """
        ...

    def stop(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        """Stop a queued or running run as "mark failed" in the UI does; False if it had finished."""
        ...

    def record(self, ref: RunRef, *, rerun_id: int, actor: str, event: str) -> None:
        """Write a row about the run into Airflow's audit log."""
        ...


class CannotFreeze(Exception):
    """A run can't be frozen; ``reason`` is a word of `REASONS`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Freezer(Protocol):
    """What keeps runs from being made or started, inside the caller's transaction. Several reruns may hold one run."""

    def lock(self, dag_ids: Collection[str]) -> None:
        """Keep the scheduler from making runs of the Dags until this transaction ends."""
        ...

    def freeze(self, member_id: int, target: RunRef | FutureRef, *, rerun_id: int) -> None:
        """Take out a hold for a member: on a run that waits for its time, or on one that isn't made yet.

        Raises `CannotFreeze` where the run is not one of these any more, or can't be held safely.
        """
        ...

    def holds(self, rerun_ids: Collection[int]) -> list[Hold]:
        """The holds of reruns; a few statements, however many there are."""
        ...

    def sweep(self) -> None:
        """Park what was queued for a frozen Dag by a transaction that didn't see the freeze yet."""
        ...

    def release(self, member_id: int, *, rerun_id: int, actor: str) -> bool:
        """Give a member's hold up; False if it has none.

        The last one of a run to go restores the run's ``run_after``, or queues what was parked for its Dag.
        """
        ...

    def lost(self) -> list[RunRef]:
        """The runs that are held, and that no hold names: nobody would ever release them."""
        ...

    def rescue(self, ref: RunRef, *, actor: str) -> datetime | None:
        """Let a lost run go, and answer when it is, or was, due; None if it isn't lost any more."""
        ...


@dataclass(frozen=True)
class RerunFilter:
    """A question for a page of reruns. None: no restriction. ``dag_id_pattern``: see `RunFilter`.

    ``readable`` restricts the source's Dag, and what is asked of members to those that may be read.
    """

    states: frozenset[RerunState] | None = None
    dag_id: str | None = None
    dag_id_pattern: str | None = None
    run_id: str | None = None
    created_by: str | None = None
    created_at_gte: datetime | None = None
    created_at_lte: datetime | None = None
    readable: frozenset[str] | None = None
    frozen: bool | None = None
    limit: int = 50
    offset: int = 0
    order_by: str = "-id"


@dataclass(frozen=True)
class Part:
    """A part of a rerun's rows: of those about Dags in ``readable``, at most ``limit`` from the one at ``offset`` on.

    None: about any Dag; all there are. Of a link both Dags count, of a line of the record that of its member, if any.
    """

    readable: frozenset[str] | None = None
    limit: int | None = None
    offset: int = 0


EVERYTHING = Part()
"""All of a rerun's rows."""


class RerunStore(Protocol):
    """Our tables.

    Moves are those of the tables in `domain.states`, guarded in the statement: they answer whether the row was in a
    state from which the move may start, or in one of ``before``, if that is given: some of these states. Nothing of
    a final rerun moves. A move that the tables don't have raises `ImpossibleMove`.
    """

    def add(self, rerun: NewRerun, *, now: datetime) -> int:
        """Store a rerun with members, gates and links; answer its id.

        Raises `RunInActiveRerun` when one of its runs takes part in another active rerun; ``extra["rerun_id"]``
        and ``extra["run"]`` (a `RunRef`) name it.
        """
        ...

    def add_frozen(self, rerun_id: int, run: NewFrozen) -> int:
        """Store a frozen member of a rerun; answer its id. It claims no run: several reruns may freeze one."""
        ...

    def get(self, rerun_id: int) -> Rerun | None:
        """A rerun with its counts."""
        ...

    def page(self, wanted: RerunFilter) -> tuple[list[Rerun], int]:
        """One page of reruns, and how many there are in all.

        ``dag_id``, ``dag_id_pattern`` and ``run_id`` match any member, all of them the same one.
        """
        ...

    def members(self, rerun_id: int, part: Part = EVERYTHING, *, only: Collection[int] | None = None) -> list[Member]:
        """The members of a rerun with what they wait for, in order of depth, ready time and run.

        ``only``: those among these, which are a hundred or so.
        """
        ...

    def member(self, rerun_id: int, member_id: int) -> Member | None:
        """One member of a rerun, as `members` has it."""
        ...

    def awaited(self, member_ids: Collection[int]) -> dict[int, list[RunRef]]:
        """The runs for which each of some members still waits, in the order of the awaited members' ids."""
        ...

    def gates(self, member_id: int) -> list[Awaited]:
        """The members that a member's present stage waits for, as they are now, and those that stages before it did.

        What they wait for themselves isn't told. A member that has ended a stage waits for its own stages, too.
        """
        ...

    def links(self, rerun_id: int, part: Part = EVERYTHING) -> list[Link]:
        """The links as they were at submit, in their order in the plan."""
        ...

    def links_into(self, rerun_id: int, run: RunRef) -> list[Link]:
        """Those of `links` that lead to a run, as it was called at submit."""
        ...

    def links_out_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[Link]:
        """Those of `links` that lead from runs, as they were called at submit; in their order, from each run."""
        ...

    def taking_part(self, rerun_id: int, runs: Collection[RunRef]) -> frozenset[RunRef]:
        """Those of some runs that were members' at submit."""
        ...

    def link_dags(self, rerun_id: int) -> frozenset[str]:
        """The Dags that the links of a rerun join."""
        ...

    def count_links(self, rerun_id: int, part: Part) -> int:
        """How many links `links` would answer without a limit."""
        ...

    def events(self, rerun_id: int, part: Part = EVERYTHING) -> list[RerunEvent]:
        """The record, oldest first."""
        ...

    def count_events(self, rerun_id: int, part: Part) -> int:
        """How many lines `events` would answer without a limit."""
        ...

    def active(self) -> list[ActiveRerun]:
        """Every rerun that isn't final, with its members, in one statement; gates are answered from a cache."""
        ...

    def active_runs(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        """Which of the runs take part in an active rerun, and in which."""
        ...

    def all_active_runs(self) -> dict[RunRef, int]:
        """Every run that takes part in an active rerun, and in which."""
        ...

    def member_dags(self, rerun_ids: Collection[int]) -> dict[int, dict[str, int]]:
        """For each rerun: the Dags of its members, and how many members of each."""
        ...

    def move_rerun(
        self,
        rerun_id: int,
        *,
        before: Collection[RerunState] | None = None,
        after: RerunState,
        reason: str | None,
        now: datetime,
    ) -> bool:
        """Move a rerun. A final state sets ``ended_at`` and frees its runs."""
        ...

    def hold_rerun(self, rerun_id: int, *, state: RerunState) -> bool:
        """Lock the rerun's row for this transaction, if it is in ``state``."""
        ...

    def move_member(
        self,
        member_id: int,
        *,
        before: Collection[MemberState] | None = None,
        after: MemberState,
        reason: str | None,
        now: datetime,
        final_run_state: str | None = None,
        clear_number: int | None = None,
        dispatched: Dispatched | None = None,
    ) -> bool:
        """Move a member.

        ``clear_number`` is the run's, with which it was judged. ``dispatched`` counts an attempt and stamps
        ``dispatched_at``; succeeded, failed, skipped, terminated and released stamp ``ended_at``; going back to
        pending or running clears it.
        """
        ...

    def next_stage(self, member_id: int, *, before: MemberState, stage: int, clear_number: int) -> bool:
        """Let a member whose stage number ``stage`` is right wait for its next one, if it is in ``before`` and there.

        ``clear_number`` is the one that the run had when it was judged.
        """
        ...

    def stage_back(self, member_id: int, *, before: MemberState, since: int, stage: int, reason: str) -> bool:
        """Let a member that is at its stage number ``since`` run its stage number ``stage`` again, if it is in
        ``before``, pending or running."""
        ...

    def adopt_member(
        self,
        member_id: int,
        *,
        before: Collection[MemberState],
        after: MemberState,
        run: RunFacts,
        tasks: Tasks,
        reason: str | None,
        now: datetime,
    ) -> bool:
        """Make ``run``, all of whose ``tasks`` Airflow runs already, the member's, if that is in one of ``before``.

        It moves as `move_member` does, or stays in the state that it is in.
        The rerun claims the run, and lets go of the one that it replaces. Moving to running counts as an attempt.
        Raises `RunInActiveRerun` where another rerun, or another member, has the run; the transaction is spoilt.
        """
        ...

    def catch_member(
        self, member_id: int, run_id: str, run_after: datetime | None, logical_date: datetime | None
    ) -> bool:
        """Name the run that was made for a member that is still frozen, its true ready time and its date."""
        ...

    def ask_for_release(self, member_id: int) -> bool:
        """Keep that a person wants a frozen member released; False if it isn't frozen, or that is known already."""
        ...

    def set_member_reasons(self, member_ids: Collection[int], reason: str | None, *, state: MemberState) -> None:
        """Say the same of many members, as far as they are in ``state``, without moving them."""
        ...

    def set_member_reason(self, member_id: int, reason: str | None, *, state: MemberState) -> bool:
        """Say why a member stands where it stands, if it is in ``state``, without moving it."""
        ...

    def set_final_run_state(self, member_id: int, *, state: MemberState, run_state: str) -> bool:
        """Note in which state Airflow has closed the run of a member that is in ``state``."""
        ...

    def list_not_made_anew(self, rerun_id: int, member_id: int, found: Collection[NotMadeAnew]) -> None:
        """Keep what a member counts without having made it anew, in place of what was kept of it before."""
        ...

    def not_made_anew(self, rerun_id: int, part: Part = EVERYTHING) -> list[tuple[Member, NotMadeAnew]]:
        """What members count without having made it anew, each with the member (without what that waits for)."""
        ...

    def not_made_anew_of(self, rerun_id: int, runs: Collection[RunRef]) -> list[tuple[Member, NotMadeAnew]]:
        """Those of `not_made_anew` whose members had these runs at submit."""
        ...

    def count_not_made_anew(self, rerun_id: int, part: Part) -> int:
        """How much of it there is in all, whatever the part's limit."""
        ...

    def counts_not_made_anew(self, rerun_ids: Collection[int]) -> dict[int, int]:
        """How much the members of each rerun count without having made it anew."""
        ...

    def start_over(self, member_id: int) -> None:
        """Let a member that has failed begin with its first stage and its whole selection, once it is retried."""
        ...

    def keep_proof(self, rerun_id: int, at: datetime, counts: ProofCounts) -> None:
        """Keep what a proof has counted, in place of what was kept before."""
        ...

    def add_event(
        self,
        rerun_id: int,
        *,
        at: datetime,
        actor: str,
        action: str,
        member_id: int | None = None,
        detail: str | None = None,
        dag_ids: Collection[str] = (),
    ) -> None:
        """Add a line to the record. ``dag_ids``: the Dags that ``detail`` names, besides the member's."""
        ...


MAX_CLOCK_OFFSET = timedelta(seconds=5)
"""How far a process's own clock may be off: Airflow's code in it writes that clock's time into Airflow's rows."""


def beside_the_database(offset: timedelta) -> str:
    """How far a clock is off, in words."""
    seconds = offset.total_seconds()
    return f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the database's"


@dataclass(frozen=True)
class Grant:
    """The answer to who asks for the lease: its fencing number, or None.

    ``clock_offset``: how far the asking process's own clock is ahead of the common one.
    """

    number: int | None
    clock_offset: timedelta = timedelta()


class Lease(Protocol):
    """One conductor at a time, over every process that shares the database. One clock, common to all, reckons it."""

    def acquire(self, *, owner: str, lasts: timedelta) -> Grant:
        """Take or renew the lease; without a number while somebody else holds it.

        One whose own clock is off by more than `MAX_CLOCK_OFFSET` doesn't get it, and loses it if it has it. A lease
        that was written at a time that is still to come is free: it says nothing about whether its owner lives.
        """
        ...

    def confirm(self, *, owner: str, number: int, lasts: timedelta) -> bool:
        """Inside a transaction: lock the lease, say whether it is still ours, and renew it then."""
        ...

    def release(self, *, owner: str) -> None:
        """Give the lease up."""
        ...


class Permissions(Protocol):
    """What the configured auth manager says of a user, asked in the caller's transaction, each question once."""

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """The Dags among ``dag_ids`` of which the user may read all: runs and task instances, too.

        An auth manager knows nothing of a Dag that isn't there. Whoever may read everything may read what is kept of
        such a Dag as well, so that a rerun of it can still be looked at, and ended, at the machine.
        """
        ...

    def all_readable(self, actor: Actor) -> frozenset[str] | None:
        """Every Dag that the user may see; None: all there are."""
        ...

    def may_rerun(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """The Dags among ``dag_ids`` whose runs and task instances the user may edit."""
        ...


@dataclass(frozen=True)
class Work:
    """The ports, bound to one transaction."""

    facts: LineageFacts
    gateway: Gateway
    store: RerunStore
    lease: Lease
    freezer: Freezer
    permissions: Permissions


class UnitOfWork(Protocol):
    """Opens transactions, of which a thread has one at a time: each holds one of the process's few connections.

    Leaving the block commits; an exception rolls everything back.
    """

    def __call__(self) -> AbstractContextManager[Work]:
        """A new transaction. Raises `SchemaMismatch` when our tables aren't the code's."""
        ...


@dataclass(frozen=True)
class ComponentHealth:
    """One component: ``status`` is healthy, degraded or unhealthy; ``detail`` says why and what to do.

    ``tasks`` are those, each with its Dag before it, that it is about. The detail names none: not everybody may read
    their Dags.
    """

    status: str
    detail: str
    tasks: tuple[tuple[str, str], ...] = ()


class Health(Protocol):
    """The installation's state. Answers also when nothing else works.

    It reads in transactions of its own: ask it outside of any other.
    """

    def components(self) -> Mapping[str, ComponentHealth]:
        """``database``, ``conductor``, ``clocks``, ``asset_manager``, ``freeze_hook``, ``hooks``, ``frozen``,
        ``policy``, ``listener``, ``declared_links``."""
        ...

    def asset_manager_active(self) -> bool:
        """Whether repeated asset events are recognised in the api-servers that serve tasks."""
        ...

    def freeze_hook_active(self) -> bool:
        """Whether every live scheduler holds the runs that it makes for a frozen Dag."""
        ...

    def cannot_freeze(self) -> str | None:
        """A sentence that says why nothing can be frozen in this installation; None: that depends on the run."""
        ...


class Notifier(Protocol):
    """The notification targets that the deployment configured."""

    def targets(self) -> Sequence[tuple[str, str, str]]:
        """Name, kind and description of each."""
        ...
