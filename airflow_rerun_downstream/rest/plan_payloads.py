"""What travels over HTTP: plans. Field names stay, new ones may be added; dates are ISO 8601 with zone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, GetJsonSchemaHandler, model_serializer
from pydantic_core import CoreSchema

from airflow_rerun_downstream.domain import refs
from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.plan import Evidence, FreezeAction, LinkKind, RunStatus, WrongData
from airflow_rerun_downstream.domain.sentence import with_parts
from airflow_rerun_downstream.rest import word_lists as words
from airflow_rerun_downstream.rest.fields import Called, Payload
from airflow_rerun_downstream.rest.problems import json_value
from airflow_rerun_downstream.rest.sentence_payload import Said


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
    next: Annotated[bool | None, BeforeValidator(lambda value: value or None)] = None

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


def task_ref(of: Any) -> Any:
    """A whole task is its id."""
    return of.task_id if isinstance(of, refs.TaskRef) and of.map_index is None else of


TaskRef = Annotated[str | MappedTaskRef, BeforeValidator(task_ref)]

Via = Annotated[dict[str, Any], BeforeValidator(lambda given: json_value(with_parts(given)))]
"""What was seen, in the values that JSON has; ``sentence`` is its ``why`` for people of any language."""


def seconds(of: Any) -> Any:
    """A length of time as a number."""
    return of.total_seconds() if isinstance(of, timedelta) else of


class TaskInstance(Payload):
    """A task instance in a preview. ``reason``: why it is preselected, or why it can't be selected."""

    task_id: str
    task_display_name: Called = ""
    map_index: int
    state: str | None
    status: RunStatus
    operator: str | None
    selected: bool
    reason: words.Reason | None


class Run(Payload):
    """A Dag run that could take part in a rerun; ``reason`` says why not. ``task_ids`` is its default selection.
    ``dag_display_name`` is the Dag's id where it isn't called otherwise.

    ``freeze_action``: what freeze mode would do with a run that isn't finished, ``hold`` or ``stop``; ``freeze_reason``
    why it can't. Not ``exists``: Airflow hasn't made the run yet; ``next``: assets will start it.
    """

    dag_id: str
    dag_display_name: Called = ""
    run_id: str | None
    note: str | None = None
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
    """A Dag run of a preview with its task instances; null when they were left out.

    ``wrong_data``: whether a run that isn't finished reads wrong data, unless freeze mode takes it;
    ``freeze_selected``: freeze mode takes it by default.
    """

    wrong_data: WrongData | None = None
    freeze_selected: bool = False
    task_instances: list[TaskInstance] | None


class Link(Payload):
    """``downstream`` consumed what ``upstream`` produced; ``via`` says what was seen, for a person to check."""

    upstream: RunRef
    downstream: RunRef | FutureRef
    kind: LinkKind
    evidence: Evidence
    via: Via
    from_task_id: str | None
    to_task_id: str | None


class PlanWarning(Payload):
    """Something to know before submitting: a word for programs, a sentence for people, and what it is about.

    ``sentence`` is ``detail`` for people of any language.
    """

    code: words.WarningCode
    detail: str
    sentence: Said = None
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

    ``stopped``: those of them that are queued or running and that freeze mode stops; ``frozen``: the runs to be held
    until the rerun has succeeded or is terminated, ``frozen_at_most`` so many seconds if the deployment has a limit.
    """

    warnings: list[PlanWarning]
    waves: list[list[RunRef]]
    stopped: list[RunRef]
    frozen: list[RunRef | FutureRef]
    frozen_at_most: Annotated[float | None, BeforeValidator(seconds)] = None


class Change(Payload):
    """How one run differs from an earlier plan: it wasn't in it, or it has changed since."""

    dag_id: str
    run_id: str
    change: Literal["added", "changed"]


class ProposalRefusal(Payload):
    """Why an approval would be refused now, whoever approves: the word and the sentence of that answer."""

    reason: str
    detail: str
    sentence: Said = None


class ProposalReview(Payload):
    """What an approval of a proposal would do now, as far as whoever asks may read it.

    ``changes``: since it was proposed, or because you see another plan than its proposer; approve it with this
    ``plan_token`` to accept them. ``stale`` null: you may not read all of its Dags, or there is no plan any more.
    ``review`` null: it would be refused.
    """

    rerun_id: int
    stale: bool | None
    changes: list[Change]
    plan_token: str | None
    review: Review | None
    refusal: ProposalRefusal | None


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
    sentence: Said = None
    advice: str | None
    to_do: list[Advice]
    via: Via
    from_task_id: str | None
    to_task_id: str | None


class DagEdges(Payload):
    """The edges of a Dag, those that lead to it first; Dags that may not be read are counted."""

    dag_id: str
    edges: list[DagEdge]
    total_entries: int
    hidden_dags: int
    warnings: list[PlanWarning]


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
