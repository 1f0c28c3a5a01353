"""What travels over HTTP: the answers. Field names stay, new ones may be added; dates are ISO 8601 with zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_serializer
from pydantic_core import CoreSchema

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.plan import Evidence, FreezeAction, LinkKind, RunStatus
from airflow_rerun_downstream.domain.proof import Outcome as ProofOutcome
from airflow_rerun_downstream.domain.proof import ProofReason, ProofVerdict
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.rest import word_lists as words
from airflow_rerun_downstream.rest.fields import Payload
from airflow_rerun_downstream.rest.rerun_settings import Settings


class RunRef(Payload):
    """A Dag run, by its two ids."""

    dag_id: str
    run_id: str


class FutureRef(Payload):
    """A run that Airflow hasn't created yet; with nothing but ``dag_id``: one that couldn't be told."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    dag_id: str
    logical_date: datetime | None = None
    partition_key: str | None = None
    next: bool | None = None

    @model_serializer(mode="wrap")
    def only_what_is_known(self, standard: Any) -> dict[str, Any]:
        """Leave the keys out that don't name the run."""
        return {name: value for name, value in standard(self).items() if value is not None}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the fields: of the serializer, pydantic knows only that it makes an object."""
        return handler({name: value for name, value in schema.items() if name != "serialization"})


class MappedTaskRef(Payload):
    """One index of a mapped task."""

    task_id: str
    map_index: int


TaskRef = str | MappedTaskRef


class TaskInstance(Payload):
    """A task instance in a preview. ``reason``: why it is preselected, or why it can't be selected."""

    task_id: str
    map_index: int
    state: str | None
    status: RunStatus
    operator: str | None
    selected: bool
    reason: words.Reason | None


class Run(Payload):
    """A Dag run that could take part in a rerun; ``reason`` says why not. ``task_ids`` is its default selection.

    ``freeze_action``: what freeze mode would do with a run that isn't finished, ``hold`` or ``stop``; ``freeze_reason``
    why it can't. Not ``exists``: Airflow hasn't made the run yet; ``next``: assets will start it.
    """

    dag_id: str
    run_id: str | None
    run_type: words.RunType
    state: str | None
    logical_date: datetime | None
    run_after: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    partition_key: str | None
    status: RunStatus
    exists: bool
    next: bool
    selectable: bool
    reason: words.Reason | None
    freeze_action: FreezeAction | None
    freeze_reason: words.Reason | None
    selected: bool
    can_be_source: bool
    source_reason: words.Reason | None
    task_ids: list[TaskRef]


class RunWithTasks(Run):
    """A Dag run with its task instances; null when they were left out."""

    task_instances: list[TaskInstance] | None


class Link(Payload):
    """``downstream`` consumed what ``upstream`` produced; ``via`` says what was seen, for a person to check."""

    upstream: RunRef
    downstream: RunRef | FutureRef
    kind: LinkKind
    evidence: Evidence
    via: dict[str, Any]
    from_task_id: str | None
    to_task_id: str | None


class PlanWarning(Payload):
    """Something to know before submitting: a word for programs, a sentence for people, and what it is about."""

    code: words.WarningCode
    detail: str
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None


class Plan(Payload):
    """The preview of a rerun; ``runs`` is without the source. ``plan_token`` lets a submit prove what was seen."""

    plan_token: str
    source: RunWithTasks
    runs: list[RunWithTasks]
    links: list[Link]
    warnings: list[PlanWarning]
    hidden_dags: int


class Review(Payload):
    """What a submit would do. ``waves``: the runs in the order of their dispatch, each wave after the one before it.

    ``stopped``: those of them that are queued or running and that freeze mode stops; ``frozen``: the runs to be held.
    """

    warnings: list[PlanWarning]
    waves: list[list[RunRef]]
    stopped: list[RunRef]
    frozen: list[RunRef | FutureRef]


class DagEdge(Payload):
    """Runs of one Dag read what runs of another make. ``evidence``: what a link of this edge has at best.

    ``why`` says how it is known or why it isn't, ``advice`` what makes it known better, or keeps it known; ``to_do``
    has a word for each of its sentences. A Dag that only runs can tell is null.
    """

    upstream_dag_id: str | None
    downstream_dag_id: str | None
    kind: LinkKind
    evidence: Evidence
    why: str
    advice: str | None
    to_do: list[Advice]
    via: dict[str, Any]
    from_task_id: str | None
    to_task_id: str | None


class DagEdges(Payload):
    """The edges of a Dag, those that lead to it first; Dags that may not be read are counted."""

    dag_id: str
    edges: list[DagEdge]
    total_entries: int
    hidden_dags: int
    warnings: list[PlanWarning]


class Notification(Payload):
    """Whom to tell of what."""

    target: str
    on: list[words.Condition]


class Cause(Payload):
    """A ``state_reason`` taken apart: its word, who did it, and what more there is to say, in English.

    ``word`` null: there is a sentence alone.
    """

    word: words.CauseWord | None
    by: str | None
    detail: str | None


class Counts(Payload):
    """How many members stand where."""

    pending: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    frozen: int = 0
    released: int = 0
    stopping: int = 0
    skipped: int = 0
    terminated: int = 0


class Rerun(Payload):
    """The record of a rerun.

    ``allowed_actions``, out of pause, resume, terminate and release: what whoever asks may do now. ``final``: nobody
    can do anything any more. ``warnings``: what the submit was told, as far as whoever asks may read it.
    ``not_made_anew`` counts what it has left as it was, by whatever reason: `NotMadeAnewList` names it.
    """

    id: int
    name: str | None
    reason: str | None
    state: RerunState
    state_reason: str | None
    cause: Cause | None
    source: RunRef
    freeze_mode: bool
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    counts: Counts
    not_made_anew: int
    hidden_members: int
    settings: Settings
    notifications: list[Notification]
    allowed_actions: list[words.RerunAction]
    final: bool
    warnings: list[PlanWarning]


class Live(Payload):
    """What Airflow says of a member's run at this moment; ``state`` null: the run is gone."""

    state: str | None
    run_after: datetime | None
    run_id: str | None


class Member(Payload):
    """A run of a rerun. ``attempt`` counts its dispatches.

    ``allowed_actions``, out of retry, skip and release: what whoever asks may do now.

    ``run_id`` null: a frozen run that Airflow hasn't made yet. ``run_after`` of a frozen run is the true one, which it
    has again after its release; what holds it shows in ``live``. ``stages`` are the parts of ``task_ids`` that are
    dispatched one after the other, ``stage`` is the number of the present one, from 1; empty: there is one.
    """

    id: int
    rerun_id: int
    dag_id: str
    run_id: str | None
    original_run_id: str | None
    logical_date: datetime | None
    run_after: datetime | None
    role: Role
    state: MemberState
    state_reason: str | None
    cause: Cause | None
    waiting_on: list[RunRef]
    depth: int
    attempt: int
    dispatched_at: datetime | None
    ended_at: datetime | None
    task_ids: list[TaskRef]
    stage: int
    stages: list[list[TaskRef]]
    final_run_state: str | None
    live: Live
    allowed_actions: list[words.MemberAction]


class NotMadeAnew(Payload):
    """Something that wrong data had reached and that the rerun didn't make anew: why, and who accepted that.

    ``task_id`` null: all that was wrong in the run; ``map_index`` null: all indexes. ``read_by``: members that read it.
    ``because_of``: the run that stays polluted, and on top of which this was made anew; null where you may not read it.
    """

    member_id: int | None
    dag_id: str
    run_id: str
    task_id: str | None
    map_index: int | None
    reason: words.LeftReason
    accepted_by: str | None
    read_by: list[RunRef]
    because_of: RunRef | None = None


class NotMadeAnewList(Payload):
    """A page of what wasn't made anew."""

    not_made_anew: list[NotMadeAnew]
    total_entries: int


class ProofCounts(Payload):
    """How much a proof looked at, and what came of it: of everything, whoever asks.

    ``links``: pairs of members that links join. ``tasks``: selected task instances. ``orders``: pairs of tasks of one
    run. ``open``: members of which it is too early to say anything. ``older``: runs, or tasks of them, that hold data
    older than what is there now.
    """

    links: int
    tasks: int
    orders: int
    proven: int
    not_provable: int
    violations: int
    accepted: int
    open: int
    older: int


class ProofSpot(Payload):
    """A run; ``task_id`` null: as a whole."""

    dag_id: str
    run_id: str
    task_id: str | None


class ProofFinding(Payload):
    """A check that isn't proven. ``reader`` began at ``read_at``, or ended then, if it is a sensor; ``writer`` ended at
    ``written_at``. Null: nobody knows, or there is none.

    ``outcome`` violation: it is wrong. accepted: it is wrong, and ``accepted_by`` knew. not_provable: it can't be told.
    """

    outcome: ProofOutcome
    reason: ProofReason
    reader: ProofSpot
    writer: ProofSpot | None
    read_at: datetime | None
    written_at: datetime | None
    accepted_by: str | None


class ProofOlder(Payload):
    """A run, or a task of it, that holds data older than what ``because_of`` holds now."""

    dag_id: str
    run_id: str
    task_id: str | None
    because_of: ProofSpot
    accepted_by: str | None


class KeptProof(Payload):
    """What the proof has counted that was made when the rerun ended, or was about to."""

    at: datetime
    verdict: ProofVerdict
    counts: ProofCounts


class Proof(Payload):
    """What a rerun can show for itself, at the moment ``at``; ``kept``: what it could at its end, null before that.

    ``verdict`` is the gravest word that applies: violated, something is wrong and nobody has accepted it; open, members
    aren't right yet, or never will be; not_provable, something can't be told; accepted, what is wrong was accepted;
    proven; nothing_checked.
    ``findings``, the gravest first, and ``older`` are at most as many as were asked for, and about runs that whoever
    asks may read; ``hidden_findings`` and ``hidden_older`` count those about others, ``hidden_runs`` these runs.
    """

    rerun_id: int
    at: datetime
    verdict: ProofVerdict
    counts: ProofCounts
    findings: list[ProofFinding]
    older: list[ProofOlder]
    hidden_runs: int
    hidden_findings: int
    hidden_older: int
    kept: KeptProof | None


class Event(Payload):
    """A line of a rerun's record; ``cause``: what ``detail`` says, where that is more than a sentence."""

    id: int
    at: datetime
    actor: str
    action: words.EventAction
    member_id: int | None
    detail: str | None
    cause: Cause | None


class Component(Payload):
    """``status`` is healthy, degraded or unhealthy; ``detail`` says why and what to do."""

    status: words.HealthStatus
    detail: str


class Health(Payload):
    """The installation. ``status`` is that of its worst component."""

    status: words.HealthStatus
    components: dict[str, Component]


class NotificationTarget(Payload):
    """Somebody that the deployment lets reruns tell."""

    name: str
    kind: str
    description: str


class Reruns(Payload):
    """A page of reruns."""

    reruns: list[Rerun]
    total_entries: int


class Members(Payload):
    """A page of members."""

    members: list[Member]
    total_entries: int


class Links(Payload):
    """A page of links."""

    links: list[Link]
    total_entries: int


class Events(Payload):
    """A page of a record."""

    events: list[Event]
    total_entries: int


class DagRuns(Payload):
    """A page of Dag runs. ``source_ready_since``: what was ready earlier can't be a source; null: there is no limit."""

    dag_runs: list[Run]
    total_entries: int
    source_ready_since: datetime | None


class Task(Payload):
    """A task of a Dag's latest version; ``group`` is the innermost task group that it is in."""

    task_id: str
    downstream_task_ids: list[str]
    group: str | None


class TaskInstances(Payload):
    """The task instances of a run, and the tasks of its Dag; these are missing if the Dag is."""

    task_instances: list[TaskInstance]
    total_entries: int
    structure: list[Task]


class NotificationTargets(Payload):
    """The configured notification targets."""

    notification_targets: list[NotificationTarget]


class Problem(BaseModel):
    """Why something was refused: a sentence, and a word for programs. Some reasons bring further fields."""

    model_config = ConfigDict(extra="allow")

    detail: str
    reason: str
