"""What travels over HTTP: the records of reruns. As of plans, field names stay."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.domain.delivery import DeliveryState
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.rest import word_lists as words
from airflow_rerun_downstream.rest.fields import Called, Payload
from airflow_rerun_downstream.rest.plan_payloads import Link, PlanWarning, RunRef, TaskRef
from airflow_rerun_downstream.rest.rerun_settings import Settings
from airflow_rerun_downstream.rest.sentence_payload import Said


class Notification(Payload):
    """Whom to tell of what."""

    target: str
    on: list[words.Condition]


class Options(Payload):
    """What the plan took in that was submitted; null: the deployment's default, or no limit."""

    include_manual: bool = False
    link_kinds: list[LinkKind] | None = None
    max_runs: int | None = None
    max_depth: int | None = None


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

    ``allowed_actions``, out of approve, reject, pause, resume, terminate and release: what whoever asks may do now.
    ``final``: nobody can do anything any more. ``warnings``: what the submit was told, as far as whoever asks may read
    it. ``not_made_anew`` counts what it has left as it was, by whatever reason: `NotMadeAnewList` names it.

    ``proposed_by`` null: nobody had to approve it. Once somebody has (``approved_by``), ``created_by`` and
    ``created_at`` are those of the approval. ``expires_at``: until when a proposal can be approved; null: it is none.
    ``may_withdraw``: it is a proposal of whoever asks; to reject it is to take it back.
    ``may_comment``: whoever asks may write into its record, also after its end.
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
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    approved_by: str | None = None
    expires_at: datetime | None = None
    may_withdraw: bool = False
    may_comment: bool = False
    options: Options = Options()


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
    dag_display_name: Called = ""
    run_id: str | None
    note: str | None = None
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


class RefusedMember(Payload):
    """A member on which an action wasn't done: the word and the sentence of the answer to that action alone."""

    member_id: int
    reason: str
    detail: str
    sentence: Said = None


class MemberResults(Payload):
    """What came of an action on several members.

    ``members``: those on which it was done, or had been before, as they are now; ``refused``: all others.
    """

    members: list[Member]
    refused: list[RefusedMember]


class DagOwnership(Payload):
    """A Dag that takes part in a rerun, with who owns it and its tags, as its file says now."""

    dag_id: str
    owners: list[str]
    tags: list[str]


class RerunDags(Payload):
    """A page of the Dags that take part in a rerun and that you may read, by name."""

    dags: list[DagOwnership]
    total_entries: int


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


class Event(Payload):
    """A line of a rerun's record; ``cause``: what ``detail`` says, where that is more than a sentence.

    ``sentence`` is ``detail`` for people of any language; null where it is a user's text.
    """

    id: int
    at: datetime
    actor: str
    action: words.EventAction
    member_id: int | None
    detail: str | None
    sentence: Said = None
    cause: Cause | None


class Delivery(Payload):
    """A notification on its way to a target, or there.

    ``occurrences``: how often the condition was met; ``members``: up to five of the runs that it is about, as far as
    you may read them. ``next_try_at`` null: there is none; ``error``: why the last try failed.
    """

    id: int
    message_id: str
    target: str
    condition: words.Condition
    state: DeliveryState
    occurrences: int
    members: list[RunRef]
    tries: int
    created_at: datetime
    next_try_at: datetime | None
    ended_at: datetime | None
    error: str | None


class Deliveries(Payload):
    """A page of a rerun's notifications."""

    notifications: list[Delivery]
    total_entries: int


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


class Changes(Payload):
    """What has changed in a rerun since an earlier answer. ``cursor`` is what the next call asks with.

    ``whole``: forget what you know; what follows is all there is. ``more``: there is more of it, to be asked for at
    once. ``rerun`` null: it is as it was. ``members`` replace those with the same id, and come by id; ``events`` are
    new lines, oldest first. ``look_again_after``: seconds; the more people look, the more. What Airflow says of the
    runs (``live``) is as of this answer: that it has changed isn't told.
    """

    cursor: str
    whole: bool
    more: bool
    rerun: Rerun | None
    members: list[Member]
    events: list[Event]
    look_again_after: float = 2.0
