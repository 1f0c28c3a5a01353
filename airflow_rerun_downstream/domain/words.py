"""The words that programs read in plans and records, each list in one place: the OpenAPI document names them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from airflow_rerun_downstream.domain.reasons import REASONS
from airflow_rerun_downstream.domain.states import MemberState, RerunState

WARNINGS = (
    *("asset_manager_inactive", "at_max_active_runs", "behind_unresolved", "deadline", "declared_links_invalid"),
    *(
        "draining_dag",
        "extra_run",
        "failed_upstream",
        "forbidden_dag",
        "hidden_downstream",
        "hidden_warnings",
        "in_stages",
    ),
    *("maker_untold", "makes_a_new_run", "offset_unknown", "older_runs_not_asked", "order_lost", "paused_dag"),
    *("rebuilt_on_polluted", "starts_too", "stays_polluted", "task_gone_in_latest", "unknown_task", "unreadable_dag"),
    *("unresolved_link", "upcoming_run", "will_not_run"),
)
"""What a plan, a review or a Dag's edges warn of."""

RERUN_ACTIONS = ("approve", "reject", "pause", "resume", "terminate", "release")
MEMBER_ACTIONS = ("retry", "skip", "release")

USUAL_CONDITIONS = ("succeeded", "terminated", "member_failed")
"""What somebody is told of who doesn't say of what."""

PAUSED_BY_FAILURE, NOT_PROVEN, FROZEN_TOO_LONG = "paused", "not_proven", "frozen_too_long"
CONDITIONS = (*USUAL_CONDITIONS, PAUSED_BY_FAILURE, NOT_PROVEN, FROZEN_TOO_LONG)
"""What somebody can be told of."""

TEST = "test"
"""What a delivery tells of that somebody has asked for, to see whether it arrives."""

DELIVERY_STATES = ("pending", "sent", "failed")

DELIVERY_ERRORS = (
    *("address_not_allowed", "airflow_connection_missing", "bad_answer", "connection_failed", "host_unknown"),
    *("http_status", "message_error", "notifier_error", "refused", "target_error", "timed_out", "tls_error"),
    *("some_refused", "unexpected_error", "unknown_target"),
)
"""Why a delivery didn't arrive."""

HEALTH = ("healthy", "degraded", "unhealthy")
COMPONENTS = (
    *("configuration", "database", "conductor", "clocks", "asset_manager", "freeze_hook", "hooks", "frozen"),
    *("policy", "listener", "declared_links", "notifications"),
)
"""What health looks at."""

RUN_TYPES = ("scheduled", "manual", "backfill", "asset_triggered", "asset_materialization", "operator_triggered")
"""Airflow's own, of every release that is supported."""

EVENTS = (
    *("submit", "propose", "approve", "reject"),
    *("pause", "resume", "terminate", "release", "retry", "skip", "release_member", "commented"),
    *("member_dispatched", "member_adopted", "member_next_stage", "member_halted", "member_held"),
    *(f"member_{state.value}" for state in MemberState if state not in (MemberState.STOPPING, MemberState.FROZEN)),
    *(f"rerun_{state.value}" for state in RerunState if state is not RerunState.PROPOSED),
    *("proof_not_computed", "events_not_recognised", "events_not_parked", "notification_failed"),
)
"""What can happen to a rerun, as its record says it."""

COMMENTED = "commented"
"""The event whose detail is what somebody wrote, and never a reason."""

LEFT = ("stays_polluted", "rebuilt_on_polluted")
"""Why something wasn't made anew, besides the reasons of members."""

PAUSED, TERMINATED = "paused_by_user", "terminated_by_user"
CAUSES = (*REASONS, PAUSED, TERMINATED)
"""Why a rerun or a member stands where it does."""

BY = re.compile(r"(paused|terminated) by (.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why something stands where it does, taken apart: a word of `CAUSES`, who did it, and more about it in English.

    ``word`` None: there is a sentence alone.
    """

    word: str | None
    by: str | None = None
    detail: str | None = None


def cause(text: str | None) -> Cause | None:
    """What a stored reason says: ``paused by ana``, or a word, after which more may follow a colon."""
    if not text:
        return None
    if (found := BY.fullmatch(text)) is not None:
        return Cause(PAUSED if found[1] == "paused" else TERMINATED, by=found[2])
    word, _, rest = text.partition(":")
    return Cause(word, detail=rest.strip() or None) if word in REASONS else Cause(None, detail=text)
