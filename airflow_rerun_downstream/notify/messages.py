"""What a delivery says, as a documented JSON object, and in the words of its target.

All text that people have written, or that Airflow lets them choose, is cleaned here: cut, on one line, and so that no
channel takes it for a mention or for markup.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow_rerun_downstream.domain.delivery import Delivery
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.domain.words import FROZEN_TOO_LONG, NOT_PROVEN, TEST, cause
from airflow_rerun_downstream.notify.target import Target
from airflow_rerun_downstream.notify.wording import LONGEST_SUBJECT, USUAL, Wording, render

log = logging.getLogger(__name__)

LONGEST_PIECE = 250
DONE = (MemberState.SUCCEEDED, MemberState.SKIPPED, MemberState.RELEASED)
BREAK = "\u200b"
"""Takes up no room; a word with it in it is another one."""


@dataclass(frozen=True)
class Message:
    """What is sent. ``fields`` is the JSON object, ``subject`` and ``text`` in it; ``html`` None: there is none."""

    id: str
    subject: str
    text: str
    html: str | None
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Scene:
    """What a message is made of: the rerun and the members as they are now; ``url``: that of the record."""

    delivery: Delivery
    rerun: Rerun | None
    members: Sequence[Member]
    url: str | None
    now: datetime


def clean(text: str | None, longest: int = LONGEST_PIECE) -> str | None:
    """A text of somebody's, on one line and cut; it mentions nobody, and is no markup."""
    if not text:
        return None
    shown = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text[: 4 * longest])
    words = " ".join(shown.split())
    words = words if len(words) <= longest else words[: longest - 1] + "…"
    return "".join(each + BREAK if each in "@<#" else each for each in words) or None


def headline(scene: Scene, *, dag_ids: bool) -> str:
    """What has happened, in some words."""
    one, rerun = scene.delivery, scene.rerun
    if one.condition == TEST or rerun is None:
        return f"Test notification for {clean(one.target)}, asked for by {clean(one.actor) or 'somebody'}"
    source = f" of {clean(rerun.source.dag_id)}" if dag_ids else ""
    name, many = f"Rerun {rerun.id}{source}", one.occurrences
    if one.condition == "member_failed":
        so_many = f"{many} runs failed" if all_named(one) else f"{many} failures"
        return f"{name}: {'a run failed' if many == 1 else so_many}"
    if one.condition == NOT_PROVEN and one.members:
        so_many = f"{many} runs are" if all_named(one) else f"{many} times a run was"
        return f"{name}: {'a run is' if many == 1 else so_many} not proven to be right"
    if one.condition == FROZEN_TOO_LONG:
        return f"{name}: {'a run has' if many == 1 else f'{many} runs have'} been frozen for a long time"
    said = {
        "succeeded": "succeeded",
        "terminated": "was terminated",
        "paused": f"{'is' if rerun.state is RerunState.PAUSED else 'was'} paused, because a run failed",
        NOT_PROVEN: "succeeded, but it could not be proven to be right",
    }
    return f"{name} {said.get(one.condition, clean(one.condition))}"


def all_named(one: Delivery) -> bool:
    """Whether a delivery names all that it counts. If not, a run that has failed more than once may count so often."""
    return one.occurrences <= len(one.members)


def why(reason: str | None) -> str | None:
    """A stored reason as a sentence of ours; who did it, where somebody did."""
    found = cause(reason)
    if found is None or found.word is None:
        return None
    if found.by is not None:
        return f"{found.word.partition('_')[0]} by {clean(found.by)}"
    return sentence(found.word)


def rerun_fields(rerun: Rerun, *, dag_ids: bool) -> dict[str, Any]:
    """A rerun as a message tells it."""
    source = {"dag_id": clean(rerun.source.dag_id), "run_id": clean(rerun.source.run_id)}
    return {
        "id": rerun.id,
        "name": clean(rerun.name) if dag_ids else None,
        "reason": clean(rerun.reason, 2 * LONGEST_PIECE) if dag_ids else None,
        "source": source if dag_ids else None,
        "state": rerun.state.value,
        "created_by": clean(rerun.created_by),
        "created_at": rerun.created_at.isoformat(),
        "ended_at": None if rerun.ended_at is None else rerun.ended_at.isoformat(),
        "counts": {state.value: number for state, number in rerun.counts.items()},
        "done": sum(rerun.counts.get(state, 0) for state in DONE),
        "total": sum(rerun.counts.values()),
    }


def member_fields(scene: Scene, *, dag_ids: bool) -> list[dict[str, Any]]:
    """The members that are named, with why they stood where they stood."""
    known = {each.id: each for each in scene.members}
    return [
        {
            "id": told.member_id,
            "dag_id": clean(known[told.member_id].ref.dag_id) if dag_ids else None,
            "run_id": clean(known[told.member_id].ref.run_id) if dag_ids else None,
            "state": known[told.member_id].state.value,
            "why": why(told.reason),
        }
        for told in scene.delivery.members
        if told.member_id in known
    ]


def fields(scene: Scene, target: Target) -> dict[str, Any]:
    """All that a message tells, but for its words."""
    one, dag_ids = scene.delivery, target.dag_ids
    return {
        "id": one.message_id,
        "condition": one.condition,
        "target": one.target,
        "headline": headline(scene, dag_ids=dag_ids),
        "why": why(one.reason or (scene.rerun.state_reason if scene.rerun else None)),
        "occurrences": one.occurrences,
        "occurred_at": one.created_at.isoformat(timespec="seconds"),
        "sent_at": scene.now.isoformat(timespec="seconds"),
        "rerun": None if scene.rerun is None else rerun_fields(scene.rerun, dag_ids=dag_ids),
        "members": member_fields(scene, dag_ids=dag_ids),
        "url": scene.url,
    }


def message(scene: Scene, target: Target) -> Message:
    """The message. Where the deployment's own words can't be rendered, the usual ones do."""
    told = fields(scene, target)
    try:
        return worded(told, target.wording)
    except Exception as error:
        log.warning("A template of notification target %r failed: %s", target.name, type(error).__name__)
        return worded(told, USUAL)


def worded(told: Mapping[str, Any], wording: Wording) -> Message:
    """The message in some words."""
    subject = " ".join(render(wording.subject, told, longest=LONGEST_SUBJECT).split())
    text = render(wording.text, told)
    html = None if wording.html is None else render(wording.html, told, escapes=True)
    return Message(told["id"], subject, text, html, {**told, "subject": subject, "text": text})
