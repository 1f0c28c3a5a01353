"""The preview of a rerun: runs and the links between them. Making one changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any

from airflow_rerun_downstream.domain.facts import RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.freeze import UpcomingRun
from airflow_rerun_downstream.domain.labels import Labels
from airflow_rerun_downstream.domain.order import Order
from airflow_rerun_downstream.domain.readings import Reading
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.sentence import Sentence, sentence_in
from airflow_rerun_downstream.domain.structures import Structures


class LinkKind(str, Enum):
    """How a run came to read what another one made."""

    ASSET = "asset"
    TRIGGER = "trigger"
    SENSOR = "sensor"
    MARKER = "marker"
    INLET = "inlet"
    PREVIOUS_RUN = "previous_run"
    DECLARED = "declared"


class Evidence(str, Enum):
    """How a link is known, best first."""

    RECORDED = "recorded"
    DERIVED = "derived"
    DECLARED = "declared"
    ASSUMED = "assumed"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class FutureRef:
    """A run that Airflow hasn't created yet, or one that couldn't be told (an unresolved edge).

    Exactly one of ``logical_date``, ``partition_key``, ``next`` is given for a run to come; none for an
    unresolved edge, of which only the Dag is known.
    """

    dag_id: str
    logical_date: datetime | None = None
    partition_key: str | None = None
    next: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """``downstream`` consumed what ``upstream`` produced; ``via`` says what was seen, for a person to check.

    ``from_task_id`` is the task that produced, ``to_task_id`` the one that consumed; None: the run as a whole.
    """

    upstream: RunRef
    downstream: RunRef | FutureRef
    kind: LinkKind
    evidence: Evidence
    via: Mapping[str, Any] = field(default_factory=dict)
    from_task_id: str | None = None
    to_task_id: str | None = None


class RunStatus(str, Enum):
    """The six words of the wizard, and ``revoked`` for a task that never ran because its run was stopped."""

    SUCCESS = "success"
    FAILED = "failed"
    TERMINATED = "terminated"
    RUNNING = "running"
    READY = "ready"
    NOT_READY = "not_ready"
    REVOKED = "revoked"


class FreezeAction(str, Enum):
    """What freeze mode does with a run that isn't finished.

    ``hold``: it doesn't start until the rerun is over; it is frozen. ``stop``: it is ended now and rerun in its turn.
    """

    HOLD = "hold"
    STOP = "stop"


class WrongData(str, Enum):
    """Whether a run that isn't finished reads wrong data unless freeze mode takes it.

    ``may_read``: nothing says that it won't; on each way to it a link is assumed, or couldn't be resolved.
    """

    READS = "reads"
    MAY_READ = "may_read"


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task instance in the preview. ``reason`` says why it is preselected, or why it can't be selected.

    ``display_name``: what it is called, where that isn't its id.
    """

    task_id: str
    map_index: int
    state: str | None
    status: RunStatus
    operator: str | None
    selected: bool
    reason: str | None = None
    display_name: str | None = None

    @property
    def task_display_name(self) -> str:
        """What people are shown."""
        return self.display_name or self.task_id


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run in the preview.

    ``selectable`` is without freeze mode, ``reason`` says why not. ``tasks`` is the default selection, also of a run
    that isn't selected by itself but could be, with freeze mode or without; empty where it can't. ``can_be_source``
    and ``source_reason`` answer for the run as a source. ``polluted``: the tasks with data that wrong data has
    reached, of a source those that it begins with, too. ``cuts``: triggering tasks between selected ones that don't run
    again, so that the run is rerun in stages; ``coming``: what Airflow will add to it behind them. ``freeze_action``
    None: freeze mode does nothing with the run; ``freeze_reason`` says why not, where the run isn't finished.
    ``wrong_data`` None: it is finished, or reads none.
    """

    facts: RunFacts
    status: RunStatus
    selectable: bool
    reason: str | None
    selected: bool
    tasks: Tasks
    can_be_source: bool
    source_reason: str | None
    task_instances: tuple[PlannedTask, ...] = ()
    freeze_action: FreezeAction | None = None
    freeze_reason: str | None = None
    wrong_data: WrongData | None = None
    polluted: frozenset[str] = frozenset()
    cuts: frozenset[str] = frozenset()
    coming: frozenset[str] = frozenset()

    @property
    def ref(self) -> RunRef:
        """The run's name."""
        return self.facts.ref

    @property
    def freeze_selected(self) -> bool:
        """Whether freeze mode takes the run by default."""
        return self.freeze_action is not None and self.wrong_data is not None


@dataclass(frozen=True)
class PlannedFuture:
    """A run to come that freeze mode can hold back, or, by ``freeze_reason``, can't.

    ``run`` is what the timetable will make; None: assets start it, nobody knows when. ``wrong_data``: whether it reads
    some if it starts before the repair. Where nothing says so, it is the next run of a Dag that assets have started
    before.
    """

    ref: FutureRef
    run: UpcomingRun | None = None
    freeze_reason: str | None = None
    wrong_data: WrongData | None = WrongData.READS

    @property
    def freeze_action(self) -> FreezeAction | None:
        """What freeze mode would do with it."""
        return None if self.freeze_reason else FreezeAction.HOLD

    @property
    def freeze_selected(self) -> bool:
        """Whether freeze mode takes it by default."""
        return self.freeze_action is not None and self.wrong_data is not None


@dataclass(frozen=True, slots=True)
class PlanWarning:
    """Something that a person should know before submitting. ``code`` is for programs, ``detail`` for people: a
    `Sentence`, or the text of a record from before there were any.

    ``dag_ids``: every Dag besides ``dag_id`` that the text names, or of which it names a run or a task. Who may not
    read one of them isn't told the text. ``because_of``: the run that is the reason.
    """

    code: str
    detail: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    dag_ids: frozenset[str] = frozenset()
    because_of: RunRef | None = None

    @property
    def sentence(self) -> Sentence | None:
        """The detail as its code and parameters."""
        return sentence_in(self.detail)

    @property
    def names(self) -> frozenset[str]:
        """Every Dag that one has to read to be told this."""
        return self.dag_ids if self.dag_id is None else self.dag_ids | {self.dag_id}


@dataclass(frozen=True)
class PlanContent:
    """What would be rerun, before anything is said about it.

    ``runs`` leaves out the source and every run that isn't to be shown. ``links`` joins shown runs only;
    ``readings`` has every one between runs, shown or not, by their tasks: the order is made from it. ``edges`` are
    those between whole runs, without cycles. ``structures`` are the Dags' of all these runs. ``upcoming`` are the runs
    to come of readable Dags: links lead to them, the order and the token know nothing of them. ``passing`` are the runs
    in which nothing is wrong, though tasks of them waited for wrong data and told others. ``instances`` are the task
    instances that all of this was made from, also of runs that aren't shown. ``order`` is that of the default
    selection; None: some of it was left out because it can't be put in order.
    """

    source: PlannedRun
    runs: tuple[PlannedRun, ...]
    links: tuple[Link, ...]
    hidden_dags: int
    edges: Mapping[RunRef, frozenset[RunRef]]
    upcoming: tuple[PlannedFuture, ...] = ()
    readings: tuple[Reading, ...] = ()
    structures: Structures = field(default_factory=Structures, repr=False)
    passing: frozenset[RunRef] = frozenset()
    instances: Mapping[RunRef, Sequence[TaskInstanceFacts]] = field(default_factory=dict, repr=False, compare=False)
    order: Order | None = field(default=None, repr=False, compare=False)

    def run(self, ref: RunRef) -> PlannedRun | None:
        """The shown run of that name, the source included."""
        return self.by_ref.get(ref)

    @cached_property
    def by_ref(self) -> Mapping[RunRef, PlannedRun]:
        """Every shown run by its name, the source included."""
        return {run.ref: run for run in (self.source, *self.runs)}


@dataclass(frozen=True)
class Plan(PlanContent):
    """What would be rerun, what one should know of it, and a token by which a change since then is noticed.

    ``labels``: what its Dags and runs are called, where somebody has looked.
    """

    warnings: tuple[PlanWarning, ...] = ()
    token: str = ""
    labels: Labels = field(default_factory=Labels, repr=False, compare=False)

    @classmethod
    def of(cls, content: PlanContent, warnings: tuple[PlanWarning, ...], token: str) -> Plan:
        """The plan with a content."""
        return cls(
            **{each.name: getattr(content, each.name) for each in fields(content)}, warnings=warnings, token=token
        )


@dataclass(frozen=True)
class PlanOptions:
    """What the preview takes in. None: the deployment's default, or no limit."""

    include_manual: bool = False
    link_kinds: tuple[LinkKind, ...] | None = None
    max_runs: int | None = None
    max_depth: int | None = None


@dataclass(frozen=True)
class PlanRequest:
    """A question for a preview: the source run, its selected tasks (None: the default) and options."""

    source: RunRef
    tasks: Tasks | None = None
    rerun_source: bool = True
    options: PlanOptions = field(default_factory=PlanOptions)
