"""What travels over HTTP: the questions, and what they mean inside."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from airflow_rerun_downstream.domain import plan as domain
from airflow_rerun_downstream.domain.errors import EmptySelection, Invalid, NotFound
from airflow_rerun_downstream.domain.idempotency import IdempotencyKey
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, Tasks, normalised
from airflow_rerun_downstream.domain.rerun import Seen
from airflow_rerun_downstream.domain.rerun_request import (
    Actor,
    MemberRequest,
    Notification,
    RerunRequest,
    RerunSettings,
)
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.domain.words import CONDITIONS
from airflow_rerun_downstream.rest.fields import (
    MAX_ID,
    MAX_INT,
    MAX_LISTED,
    MOST,
    Body,
    Count,
    Id,
    InParts,
    KeyName,
    Listed,
    LongText,
    Moment,
    Token,
    storable,
)
from airflow_rerun_downstream.rest.rerun_settings import SettingsBody

MAX_NOTIFICATIONS = 100
MAX_COMMENT = 2_000
"""Longest comment, in characters."""
MAX_AT_ONCE = 100
"""Most members that one request retries or skips: each is a transaction."""


class RunRefBody(Body):
    """A Dag run, by its two ids."""

    dag_id: Id
    run_id: Id

    def ref(self) -> RunRef:
        """The run's name."""
        return RunRef(self.dag_id, self.run_id)


class FutureRefBody(Body):
    """A run that Airflow hasn't created yet: exactly one of ``logical_date``, ``partition_key`` and ``next``."""

    dag_id: Id
    logical_date: Moment | None = None
    partition_key: Id | None = None
    next: Literal[True] | None = None

    @model_validator(mode="after")
    def one_name(self) -> FutureRefBody:
        """Refuse none, and several."""
        if sum(name is not None for name in (self.logical_date, self.partition_key, self.next)) != 1:
            raise ValueError(Sentence("field.one_name"))
        return self

    def ref(self) -> domain.FutureRef:
        """The run's name."""
        return domain.FutureRef(self.dag_id, self.logical_date, self.partition_key, bool(self.next))


class TaskRefBody(Body):
    """A task (or a task group), or one index of a mapped task."""

    task_id: Id
    map_index: Annotated[int, Field(ge=-1, le=MAX_INT)] | None = None


TaskList = (
    Annotated[
        list[Id | TaskRefBody],
        # Ten thousand of these lists may be in a request: each is left at its first error.
        Field(fail_fast=True, json_schema_extra={"minItems": 1, "maxItems": MAX_LISTED}),
        Listed,
    ]
    | None
)
"""An empty one is refused with a word of its own, by `tasks_of`."""


def tasks_of(given: TaskList, what: Sentence) -> Tasks | None:
    """The selection that a list means; None: the default one.

    Raises `EmptySelection` for a list with nothing in it.
    """
    if given is None:
        return None
    if not given:
        raise EmptySelection(Sentence("refusal.empty_task_ids", what=what))
    return normalised(
        TaskRef(task) if isinstance(task, str) else TaskRef(task.task_id, task.map_index) for task in given
    )


class OptionsBody(Body):
    """What a preview takes in."""

    include_manual: bool = False
    link_kinds: Annotated[list[LinkKind], Field(max_length=len(LinkKind))] | None = None
    max_runs: Count | None = None
    max_depth: Count | None = None

    def options(self) -> domain.PlanOptions:
        """The options as the inside has them."""
        kinds = None if self.link_kinds is None else tuple(self.link_kinds)
        return domain.PlanOptions(self.include_manual, kinds, self.max_runs, self.max_depth)


class PlanBody(Body):
    """A question for a preview. ``rerun_source`` false: the source is already right and isn't rerun."""

    source: RunRefBody
    task_ids: TaskList = None
    rerun_source: bool = True
    options: OptionsBody = OptionsBody()

    def plan_request(self) -> domain.PlanRequest:
        """The question as the inside has it."""
        source = self.source.ref()
        return domain.PlanRequest(
            source=source,
            tasks=tasks_of(self.task_ids, Sentence("part.the_source", run=f"{source}")),
            rerun_source=self.rerun_source,
            options=self.options.options(),
        )


class MemberBody(Body):
    """A selected downstream run. ``task_ids`` null: the default selection."""

    dag_id: Id
    run_id: Id
    task_ids: TaskList = None

    def member(self) -> MemberRequest:
        """The selection as the inside has it."""
        ref = RunRef(self.dag_id, self.run_id)
        return MemberRequest(ref, tasks_of(self.task_ids, Sentence("part.the_run", run=f"{ref}")))


if TYPE_CHECKING:
    Wanted = str
else:
    Wanted = Literal[CONDITIONS]


class NotificationBody(Body):
    """Whom to tell of what."""

    target: Id
    on: Annotated[list[Wanted], Field(min_length=1, max_length=len(CONDITIONS))]


class RerunBody(PlanBody):
    """A rerun to be carried out. ``members`` null: the plan's default selection; empty: the source alone.

    ``propose``: only store it, until somebody who may rerun its Dags approves it. That takes no right but to read them.
    """

    members: Annotated[list[MemberBody], MOST, InParts, Listed] | None = None
    freeze_mode: bool = False
    frozen: Annotated[list[RunRefBody | FutureRefBody], MOST, InParts, Listed] | None = None
    plan_token: Token | None = None
    name: LongText | None = None
    reason: LongText | None = None
    settings: SettingsBody = SettingsBody()
    notifications: list[NotificationBody] = Field(default=[], max_length=MAX_NOTIFICATIONS)
    propose: bool = False

    def rerun_request(self) -> RerunRequest:
        """The rerun as the inside has it."""
        return RerunRequest(
            plan=self.plan_request(),
            members=None if self.members is None else tuple(member.member() for member in self.members),
            freeze_mode=self.freeze_mode,
            frozen=tuple(ref.ref() for ref in self.frozen or ()),
            plan_token=self.plan_token,
            name=self.name,
            reason=self.reason,
            settings=RerunSettings(**vars(self.settings)),
            notifications=tuple(Notification(each.target, tuple(each.on)) for each in self.notifications),
            propose=self.propose,
        )


class ApprovalBody(Body):
    """``plan_token``: that of a plan made since; what has changed until then is accepted."""

    plan_token: Token | None = None


class RerunActionBody(Body):
    """How you saw the rerun: its ``state``, and the ``id`` of the record's newest event. If it has changed since,
    nothing is done. What you leave out isn't compared.
    """

    state: RerunState | None = None
    last_event: Annotated[int, Field(ge=0, le=MAX_INT)] | None = None

    def seen(self) -> Seen:
        """The same, inside."""
        return Seen(state=self.state, line=self.last_event)


class MemberActionBody(Body):
    """How you saw the member: its ``attempt``, and the ``id`` of the record's newest event. If it has changed since,
    nothing is done. What you leave out isn't compared.
    """

    attempt: Annotated[int, Field(ge=0, le=MAX_INT)] | None = None
    last_event: Annotated[int, Field(ge=0, le=MAX_INT)] | None = None

    def seen(self) -> Seen:
        """The same, inside."""
        return Seen(attempt=self.attempt, line=self.last_event)


class RejectionBody(Body):
    """``reason``: why, for the record."""

    reason: LongText | None = None


class CommentBody(Body):
    """``text``: as it is shown; white space around it is left out."""

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_COMMENT), AfterValidator(storable)
    ]


Chosen = Collection[int] | Mapping[int, int | MemberActionBody | None]
"""Members by their ids; a mapping has how the user saw each: its attempt, or that and the record's newest event."""


def chosen_members(members: Chosen) -> list[dict[str, int]]:
    """Members as a `MembersBody` has them."""
    seen = members if isinstance(members, Mapping) else dict.fromkeys(members)
    return [{"member_id": each, **said(seen[each])} for each in seen]


def said(seen: int | MemberActionBody | None) -> dict[str, int]:
    """What of it is to be compared."""
    if isinstance(seen, MemberActionBody):
        return seen.model_dump(exclude_none=True)
    return {} if seen is None else {"attempt": seen}


class ChosenMember(MemberActionBody):
    """A member that an action is for, and how you saw it, as in `MemberActionBody`."""

    member_id: Annotated[int, Field(ge=1, le=MAX_INT)]


class MembersBody(Body):
    """The members that an action is for, each once."""

    members: Annotated[list[ChosenMember], Field(min_length=1, max_length=MAX_AT_ONCE)]

    def seen(self) -> dict[int, Seen]:
        """How the user saw each."""
        return {each.member_id: each.seen() for each in self.members}

    def chosen(self) -> dict[int, MemberActionBody]:
        """The same, as it was asked."""
        return {
            each.member_id: MemberActionBody(attempt=each.attempt, last_event=each.last_event) for each in self.members
        }


KEY_NAMES = TypeAdapter(KeyName)


def key_of(actor: Actor, name: str | None, body: RerunBody) -> IdempotencyKey | None:
    """A user's key for a submit; a field with its default counts as one that is left out.

    Raises `Invalid` for a name that no header can have.
    """
    if name is None:
        return None
    try:
        KEY_NAMES.validate_python(name)
    except ValidationError:
        raise Invalid(Sentence("refusal.idempotency_key_invalid", limit=MAX_ID)) from None
    asked = body.model_dump(mode="json", exclude_defaults=True)
    return IdempotencyKey.of(actor, name, json.dumps(asked, sort_keys=True))


def known_id(number: int, what: str) -> int:
    """An id that a database can be asked for. Raises `NotFound` for one that it can't hold."""
    if not 0 < number <= MAX_INT:
        if what == "member":
            raise NotFound(Sentence("refusal.unknown_member_alone", member=number))
        raise NotFound(Sentence("refusal.unknown_rerun", rerun=number))
    return number
