"""What Airflow knows about runs and tasks, as plain values. Ports return these; the inside reads them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from airflow_rerun_downstream.domain.refs import RunRef

FINISHED_RUN_STATES = frozenset({"success", "failed"})
UNFINISHED_TASK_STATES = frozenset(
    {
        None,
        "scheduled",
        "queued",
        "running",
        "restarting",
        "up_for_retry",
        "up_for_reschedule",
        "deferred",
        "awaiting_input",
    }
)
LIVE_TASK_STATES = frozenset({"queued", "running", "restarting"})
"""States in which a task of a run that has ended may still have a process: nothing else of such a run is started."""

BEGUN_TASK_STATES = frozenset(
    {
        "running",
        "deferred",
        "awaiting_input",
        "up_for_reschedule",
        "up_for_retry",
        "restarting",
        "success",
        "failed",
    }
)
"""States of a task whose last try, or the one before it, has begun: what it recorded isn't from before a clear."""

FAILED_TASK_STATES = frozenset({"failed", "upstream_failed"})
REMOVED_TASK_STATE = "removed"

MAX_LENGTH = 1_000
"""Longest id, or template of one or of a date, that is read of a Dag's definition, in characters."""

SHOWN_DATES = 10
"""How many of the dates that a sensor waited for are shown."""

TOO_LONG = "{{ too_long }}"
"""Stands for a text of a Dag's definition that is longer: a template, of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Untold:
    """Stands for a value that is there, and isn't a number or a short text."""


UNTOLD = Untold()

Value = str | int | float | bool | Untold | None
Params = tuple[tuple[str, Value], ...]
"""What a task's templates find under ``params``, as its Dag says: the names, each with its default."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One Dag run as Airflow's database has it. Times are aware and in UTC.

    ``online`` says whether Airflow's scheduler made the run (scheduled or asset-triggered), or a task of such
    a run did. ``terminated`` says that a person or a rerun stopped it, as opposed to a failure of its own.
    ``dag_gone``: Airflow no longer finds the Dag, so that nothing of the run can run.
    ``pinned``: its bundle has versions, so that Airflow leaves the run on its own unless it is asked to move it.
    ``made_by_task``: a TriggerDagRun task made it, whatever that task's own run was. ``maker_untold``: nothing tells
    any more which run's task made it, or one above it; it counts as online then.
    """

    ref: RunRef
    run_type: str
    state: str
    logical_date: datetime | None
    run_after: datetime
    clear_number: int = 0
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    partition_key: str | None = None
    start_date: datetime | None = None
    online: bool = True
    terminated: bool = False
    backfill: bool = False
    dag_gone: bool = False
    made_by_task: bool = False
    pinned: bool = False
    maker_untold: bool = False


@dataclass(frozen=True, slots=True)
class RunConf:
    """The configuration with which a run was made; ``values`` is None where it is too long to be read.

    ``overrides_params``: whether it takes the place of params of the same names, as the deployment has it.
    """

    values: Mapping[str, Value] | None
    overrides_params: bool = True


@dataclass(frozen=True, slots=True)
class RunNow:
    """Where a Dag run stands at this moment."""

    state: str
    run_after: datetime


@dataclass(frozen=True, slots=True)
class TaskInstanceFacts:
    """One task instance. ``map_index`` is -1 for a task that isn't mapped, or isn't expanded yet.

    ``cut_off``: it was skipped by force, not by its Dag, as far as somebody has looked.
    """

    task_id: str
    map_index: int
    state: str | None
    operator: str | None = None
    try_number: int = 0
    start_date: datetime | None = None
    end_date: datetime | None = None
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class TaskNode:
    """A task in one version of its Dag.

    ``followers`` are the ids of the directly downstream tasks, ``leaders`` of the directly upstream ones.
    ``fails_run``: a teardown whose failure is the run's (``on_failure_fail_dagrun``). ``makes_data`` is False for
    one that only waits, chooses, prepares or does nothing: a sensor, a branch, LatestOnly, a setup, an empty task. Of a
    TriggerDagRun task: ``waits_for_run`` says that it ends when the run that it makes has ended, ``makes_one_run`` that
    it can't make a second one (its run id or logical date is fixed, and it doesn't reset the run that exists).
    """

    task_id: str
    operator: str
    followers: frozenset[str] = frozenset()
    leaders: frozenset[str] = frozenset()
    is_setup: bool = False
    is_teardown: bool = False
    triggers_dag_run: bool = False
    trigger_rule: str = "all_success"
    fails_run: bool = False
    makes_data: bool = True
    mapped: bool = False
    waits_for_run: bool = False
    makes_one_run: bool = False


@dataclass(frozen=True)
class DagStructure:
    """The tasks of a Dag and its task groups (group id → the ids of all tasks in it, nested ones too).

    ``mapped_groups``: the groups that are mapped themselves, so that each index of one task follows its like.
    """

    dag_id: str
    tasks: Mapping[str, TaskNode]
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    is_paused: bool = False
    max_active_runs: int | None = None
    mapped_groups: frozenset[str] = frozenset()
    fail_fast: bool = False
    timeout: float | None = None
    """The Dag's ``dagrun_timeout``, in seconds."""

    version: int = 1
    """The number of the latest version: with 1, no run is of another."""

    reruns_on_latest: bool | None = None
    """Whether Airflow moves a cleared run of a versioned bundle to the latest version without being asked to."""

    def group_of(self, task_id: str) -> str | None:
        """The innermost group that a task is in."""
        # Of two groups with the same tasks one is in the other, whose id usually begins the longer one.
        around = [(len(ids), -len(name), name) for name, ids in self.groups.items() if task_id in ids]
        return min(around)[2] if around else None


@dataclass(frozen=True, slots=True)
class AssetConsumption:
    """Airflow's record that ``consumer`` was started with an asset event of ``producer``'s task."""

    producer: RunRef
    task_id: str
    map_index: int
    event_id: int
    asset: str
    consumer: RunFacts


@dataclass(frozen=True, slots=True)
class AssetEmission:
    """An asset event of ``producer``'s task.

    ``until``: when another run of its Dag emitted the asset's next one; None: never.
    """

    producer: RunRef
    task_id: str
    event_id: int
    asset_id: int
    at: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class TaskStart:
    """When a task instance of ``run``, which did not skip its work, last started without a rerun.

    ``consumed``: the assets of which events started the run.
    """

    run: RunFacts
    task_id: str
    map_index: int
    at: datetime
    consumed: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class TriggeredRun:
    """Airflow's record (XCom ``trigger_run_id``, or the link of the UI) that a task of ``parent`` made ``child``, or
    cleared it.

    ``by_run_id``: its Dag is told by the run's id alone, which only one of the Dags has that the task may name.
    """

    parent: RunRef
    task_id: str
    map_index: int
    child: RunFacts
    by_run_id: bool = False


@dataclass(frozen=True, slots=True)
class DoubtfulRecord:
    """A record of a task of ``run`` that can't be read, or can't be true; ``why`` is a sentence without its full stop.

    ``dag_id``: the other Dag that it is about, as far as that is known. Whoever may write XComs has written it.
    """

    run: RunRef
    task_id: str
    map_index: int
    why: str
    dag_id: str | None = None


@dataclass(frozen=True)
class SensorDefinition:
    """A sensor of one version of a Dag that waits for another Dag, as far as its arguments and our policy tell.

    ``offset`` is what the policy wrote about an ExternalTaskSensor: a number of seconds, or relativedelta fields;
    both 0/empty mean "same logical date". ``offset_known`` is False when the policy's mark is missing.
    ``has_date_function`` says that ``execution_date_fn`` decides the dates: no offset can be told.
    Ids may hold templates (``templated``); then only the rendered fields of a run tell whom it waited for.
    ``task_ids`` empty and ``group_id`` None: it waits for the whole Dag run.
    ``own_class``: the class that decides by code of its own what is waited for; the arguments say no more than which
    Dag it names. ``recordable``: the listener records what it waited for; it does so of Airflow's own class and what
    is made from that. ``map_indexes``: those of a mapped sensor that this is said of; None: all, or nobody knows which.
    """

    dag_id: str
    task_id: str
    external_dag_id: str
    task_ids: frozenset[str] = frozenset()
    group_id: str | None = None
    offset: float | Mapping[str, float] = 0.0
    offset_known: bool = False
    has_date_function: bool = False
    mapped: bool = False
    own_class: str | None = None
    recordable: bool = True
    map_indexes: frozenset[int] | None = None
    params: Params | None = ()

    @property
    def templated(self) -> bool:
        """Whether a field that names the upstream holds a template."""
        return any("{{" in text or "{%" in text for text in (self.external_dag_id, self.group_id or "", *self.task_ids))

    @property
    def decides_itself(self) -> bool:
        """Whether code decides for which dates it waits, so that no offset is there to go by."""
        return self.has_date_function or self.own_class is not None

    @property
    def unmarked(self) -> bool:
        """Whether it was parsed without the policy; a mapped one has no mark in any case."""
        return not self.offset_known and not self.mapped

    @property
    def tells_its_dag(self) -> bool:
        """Whether a record of it can name no other Dag than the definition does."""
        return self.offset_known and self.own_class is None and not self.templated

    def is_of(self, map_index: int) -> bool:
        """Whether this is said of an index; -1 stands for all of a task that isn't expanded."""
        return self.map_indexes is None or map_index < 0 or map_index in self.map_indexes


@dataclass(frozen=True, slots=True)
class SensorInstance:
    """A task instance of a sensor. ``skipped_itself``: its own code skipped it, as for a failure of what it waited for.

    ``end_date`` is that of its last try, as Airflow keeps it.
    """

    run: RunRef
    task_id: str
    map_index: int
    state: str | None
    skipped_itself: bool = False
    end_date: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether it has waited to an end: what it waited for had come, had failed, or came too late."""
        return self.state in ("success", "failed") or (self.state == "skipped" and self.skipped_itself)

    @property
    def counts(self) -> bool:
        """Whether it has waited or is still to: another one's skip, or failure, means that it never looked."""
        return self.ended or self.state in UNFINISHED_TASK_STATES


@dataclass(frozen=True, slots=True)
class MarkerDefinition:
    """An ExternalTaskMarker: its Dag declares that a task of another Dag depends on it."""

    dag_id: str
    task_id: str
    external_dag_id: str
    external_task_id: str
    logical_date: str
    mapped: bool = False


@dataclass(frozen=True, slots=True)
class TriggerDefinition:
    """A TriggerDagRunOperator; ``trigger_dag_id`` may hold a template.

    ``waits``: until the run that it makes ends. ``last``: no task of its own Dag follows that could read the run's
    data. ``params``: as of `SensorDefinition`.
    """

    dag_id: str
    task_id: str
    trigger_dag_id: str
    mapped: bool = False
    waits: bool = False
    last: bool = False
    params: Params | None = ()


@dataclass(frozen=True, slots=True)
class PastDependency:
    """A task with ``depends_on_past``: it waits for itself in the previous run of its Dag.

    ``waits_for`` has its own id and, with ``wait_for_downstream``, the ids of the tasks right after it.
    ``scheduled_only``: the Dag catches up, so that Airflow takes no manual run for the previous one.
    """

    dag_id: str
    task_id: str
    waits_for: frozenset[str]
    scheduled_only: bool = False


@dataclass(frozen=True, slots=True)
class InletDefinition:
    """A task that reads an asset. In a run that events of the asset have started, these tell what was read."""

    dag_id: str
    task_id: str
    asset_id: int
    asset: str


@dataclass(frozen=True, slots=True)
class OutletDefinition:
    """A task that makes an asset which others take: each time it succeeds, Airflow keeps an event of it.

    ``alias``: it names its assets as it runs, and this is one of those that came through the alias so far.
    """

    dag_id: str
    task_id: str
    asset_id: int
    asset: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class AssetSchedule:
    """A Dag whose runs the events of an asset start; ``alias``: those that come through it."""

    dag_id: str
    asset_id: int
    alias: str | None = None


@dataclass(frozen=True)
class DeclaredLink:
    """What the deployment's file says at ``line``: the consumer's logical date is the upstream one plus ``offset``.

    ``offset`` has the fields of a relativedelta; empty: the same date. A task of None means the run as a whole.
    ``within``: of consumers without a logical date the first counts that is ready so long after the offset; with
    ``run_id`` (``*`` stands for anything) or ``conf`` all whose id or configuration is that. Both may hold templates,
    filled in for the upstream run.
    """

    upstream_dag_id: str
    upstream_task_id: str | None
    downstream_dag_id: str
    downstream_task_id: str | None
    offset: Mapping[str, float]
    offset_text: str
    reason: str
    file: str
    line: int
    within: Mapping[str, float] | None = None
    run_id: str | None = None
    conf: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UndatedRun:
    """A run without a logical date, and those values of its configuration that are texts or numbers, as texts."""

    run: RunFacts
    conf: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Definitions:
    """The edges between runs that the latest serialized Dags declare; ``declared``: those of the deployment's file."""

    sensors: tuple[SensorDefinition, ...] = ()
    markers: tuple[MarkerDefinition, ...] = ()
    triggers: tuple[TriggerDefinition, ...] = ()
    past_dependencies: tuple[PastDependency, ...] = ()
    inlets: tuple[InletDefinition, ...] = ()
    declared: tuple[DeclaredLink, ...] = ()
    changed: frozenset[str] = frozenset()
    """Of those of earlier versions: the Dags that had any."""

    outlets: tuple[OutletDefinition, ...] = ()
    asset_schedules: tuple[AssetSchedule, ...] = ()
    gone_schedules: tuple[AssetSchedule, ...] = ()
    """Those of Dags that are gone, whose runs are still there."""

    unreadable: frozenset[str] = frozenset()
    """The Dags of which something can't be read, so that more may be declared."""

    complete: bool = True
    """Of those of earlier versions: False where there were more versions than are read."""

    structures: Mapping[str, DagStructure] = field(default_factory=dict, compare=False, repr=False)
    """The tasks of those Dags that declare all this, as `Dags.structures` has them."""

    def of_tasks(self, task_ids: Collection[str] | None) -> Definitions:
        """Those of some tasks of a Dag; None: of all."""
        if task_ids is None:
            return self
        return Definitions(
            tuple(each for each in self.sensors if each.task_id in task_ids),
            tuple(each for each in self.markers if each.task_id in task_ids),
            tuple(each for each in self.triggers if each.task_id in task_ids),
            tuple(each for each in self.past_dependencies if each.task_id in task_ids),
            tuple(each for each in self.inlets if each.task_id in task_ids),
            outlets=tuple(each for each in self.outlets if each.task_id in task_ids),
        )


@dataclass(frozen=True)
class DagVersion:
    """A Dag as the tasks of a run have it that isn't, or not all of it, of the latest version."""

    structure: DagStructure
    definitions: Definitions = Definitions()


@dataclass(frozen=True, slots=True)
class RecordedWait:
    """What the package's worker listener recorded when a sensor of ``consumer`` succeeded.

    ``dates``: those that were asked for, and the first few to be shown. ``date_count``: how many it recorded in all;
    None: no more than these.
    """

    consumer: RunRef
    task_id: str
    map_index: int
    external_dag_id: str
    task_ids: frozenset[str]
    group_id: str | None
    dates: tuple[datetime, ...]
    date_count: int | None = None

    def shown(self, date: datetime | None = None) -> dict[str, object]:
        """The first dates, ``date`` among them, and how many there are if these aren't all."""
        first = self.dates[:SHOWN_DATES]
        if date is not None and date not in first:
            first = (*first[: SHOWN_DATES - 1], date)
        count = len(self.dates) if self.date_count is None else self.date_count
        more = {"date_count": count} if count > len(first) else {}
        return {"dates": [each.isoformat() for each in first], **more}


@dataclass(frozen=True, slots=True)
class Observation:
    """What the conductor sees of one member's run: its state, its attempt and its task instances.

    ``run_state`` is None when the run no longer exists. ``waits_because`` is a word of `REASONS`: why a queued run
    isn't started.
    """

    ref: RunRef
    run_state: str | None
    clear_number: int = 0
    task_instances: tuple[TaskInstanceFacts, ...] = ()
    waits_because: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """How a task instance came by its state, as Airflow's rows tell it.

    ``started``: its present try was started after it was last cleared. ``ended``: that try ended by itself, it wasn't
    cut off; what somebody failed counts as ended. ``succeeded_before``: an earlier try succeeded, of this run or of the
    one whose place it takes. ``by_hand``: a person gave it its success, or skipped it before it began; ``by``: who, if
    the audit log says so. ``added``: Airflow made the task instance, or a new try of it, after the run's last clear had
    begun; never in a run that wasn't cleared.
    """

    started: bool = True
    ended: bool = True
    succeeded_before: bool = False
    by_hand: bool = False
    by: str | None = None
    added: bool = False


@dataclass(frozen=True, slots=True)
class Skipping:
    """What a task that chooses (a branch, a short circuit) decided: whom it follows, or else whom it skips."""

    task_id: str
    map_index: int
    followed: frozenset[str] | None = None
    skipped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RunAccount:
    """How a run came to where it is, as Airflow's rows tell it.

    ``tasks`` by task and map index. ``nothing_to_map``: tasks whose result, over which others are mapped, is empty;
    that and ``choices`` are told where a task was skipped.
    ``terminated``: somebody marked the run failed in its last attempt. ``lasted``: from its start to its end, in
    seconds; None while it goes on.
    """

    ref: RunRef
    tasks: Mapping[tuple[str, int], Account] = field(default_factory=dict)
    choices: tuple[Skipping, ...] = ()
    nothing_to_map: frozenset[str] = frozenset()
    terminated: bool = False
    lasted: float | None = None

    def of(self, task: TaskInstanceFacts) -> Account:
        """The account of a task instance; one that appeared in the meantime hasn't done anything yet."""
        return self.tasks.get((task.task_id, task.map_index), Account(started=False, ended=False))
