"""Printing answers: the contract's objects as JSON or YAML, or a table that is readable without colour."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from airflow_rerun_downstream.cli import notification_tables
from airflow_rerun_downstream.cli.cells import Part, part, table, text
from airflow_rerun_downstream.cli.edge_tables import edges
from airflow_rerun_downstream.cli.estimate_tables import estimate
from airflow_rerun_downstream.cli.hints import hint
from airflow_rerun_downstream.cli.layout import print_parts
from airflow_rerun_downstream.cli.progress import summary
from airflow_rerun_downstream.cli.proof_tables import proof
from airflow_rerun_downstream.cli.streams import answer, answers
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.rest import (
    estimate_payloads,
    installation_payloads,
    plan_payloads,
    proof_payloads,
    record_payloads,
)


def show(what: BaseModel, output: str) -> None:
    """Print an answer on stdout."""
    if output == "json":
        answer(json.dumps(what.model_dump(mode="json"), indent=2, ensure_ascii=not unicode_out()))
    elif output == "yaml":
        dumped = yaml.safe_dump(what.model_dump(mode="json"), sort_keys=False, allow_unicode=unicode_out())
        answer(dumped, end="")
    else:
        print_parts(TABLES[type(what)](what))


def unicode_out() -> bool:
    """Whether stdout can take any character."""
    return (answers().encoding or "").lower().replace("-", "") == "utf8"


def named(ref: plan_payloads.RunRef | plan_payloads.FutureRef) -> str:
    """A run in a cell."""
    if isinstance(ref, plan_payloads.RunRef):
        return f"{ref.dag_id} / {ref.run_id}"
    when = ref.partition_key or (ref.logical_date and text(ref.logical_date)) or ("next" if ref.next else "?")
    return f"{ref.dag_id} / {when} (not created)"


def tasks(refs: Iterable[plan_payloads.TaskRef]) -> str:
    """A selection in a cell."""
    return ", ".join(ref if isinstance(ref, str) else f"{ref.task_id}[{ref.map_index}]" for ref in refs)


def plan(of: plan_payloads.Plan) -> list[Part]:
    """The source, the runs, the links and what one should know."""
    runs = [
        (
            "source" if run is of.source else "yes" if run.selected else "no",
            run.dag_id,
            run.run_id or not_made(run),
            run.status,
            tasks(run.task_ids),
            run.source_reason if run is of.source else run.reason,
            run.freeze_action or run.freeze_reason,
        )
        for run in (of.source, *of.runs)
    ]
    parts: list[Part] = [
        table("Runs", ("selected", "dag_id", "run_id", "status", "tasks", "why not", "freeze mode"), runs),
        *links(record_payloads.Links(links=of.links, total_entries=len(of.links))),
    ]
    if not of.source.can_be_source:
        parts.append(
            f"{of.source.dag_id} / {of.source.run_id} can't be the source: {sentence(of.source.source_reason)}."
        )
        parts += filter(None, [hint("", {"why": of.source.source_reason})])
    parts += [f"{warning.code}: {warning.detail}" for warning in of.warnings]
    if of.hidden_dags:
        parts.append(f"{of.hidden_dags} more Dags are not shown to you.")
    return [*parts, f"plan token: {of.plan_token}"]


def not_made(run: plan_payloads.Run) -> str:
    """A run to come in a cell."""
    when = run.logical_date or run.partition_key or "next"
    due = f", due {text(run.run_after)}" if run.run_after else ""
    return f"{text(when)} (not made yet{due})"


def links(of: record_payloads.Links) -> list[Part]:
    """Who consumed what of whom, and how that is known."""
    rows = [(named(each.upstream), named(each.downstream), each.kind, each.evidence, seen(each)) for each in of.links]
    return [
        table(f"Links{part(len(rows), of.total_entries)}", ("upstream", "downstream", "kind", "evidence", "via"), rows)
    ]


def seen(of: plan_payloads.Link) -> str:
    """What a link is known from; why it isn't, and what to do."""
    hop = {"from": of.from_task_id, "to": of.to_task_id}
    facts = {**{name: task for name, task in hop.items() if task}, **of.via}
    why, advice = facts.pop("why", None), facts.pop("advice", None)
    facts.pop("to_do", None)
    lines = [", ".join(f"{name}: {value}" for name, value in facts.items())]
    lines += [f"{why}."] if why else []
    lines += [f"What to do: {advice}"] if advice else []
    return "\n".join(filter(None, lines))


def review(of: plan_payloads.Review) -> list[Part]:
    """What would happen, in its order."""
    rows = [
        (number, each.dag_id, each.run_id, "stopped first" if each in of.stopped else None)
        for number, wave in enumerate(of.waves, 1)
        for each in wave
    ]
    parts: list[Part] = [table(f"Nothing is stored. {len(rows)} runs", ("wave", "dag_id", "run_id", "note"), rows)]
    if of.frozen:
        parts.append(table(f"To be held ({len(of.frozen)})", ("run",), [(named(each),) for each in of.frozen]))
    return parts + [f"{warning.code}: {warning.detail}" for warning in of.warnings]


def proposal_review(of: plan_payloads.ProposalReview) -> list[Part]:
    """What an approval would do."""
    rows = [(each.dag_id, each.run_id, each.change) for each in of.changes]
    parts: list[Part] = [table("Changed since it was proposed", ("dag_id", "run_id", "change"), rows)] if rows else []
    if of.review is not None:
        parts += review(of.review)
    if of.refusal is not None:
        parts.append(f"It would be refused: {of.refusal.detail}")
    return [*parts, f"plan token: {of.plan_token}"] if of.plan_token else parts


def rerun(of: record_payloads.Rerun) -> list[Part]:
    """A record."""
    facts: Mapping[str, object] = {
        "source": named(of.source),
        "name": of.name,
        "reason": of.reason,
        "proposed": of.proposed_by and f"{text(of.proposed_at)} by {of.proposed_by}",
        "expires": of.expires_at,
        "created": f"{text(of.created_at)} by {of.created_by}",
        "ended": of.ended_at,
        "allowed": ", ".join(of.allowed_actions),
    }
    parts: list[Part] = [summary(of).capitalize()]
    parts += [f"{name}: {text(value)}" for name, value in facts.items() if value]
    return parts + [f"{warning.code}: {warning.detail}" for warning in of.warnings]


def reruns(of: record_payloads.Reruns) -> list[Part]:
    """A page of records."""
    columns = ("id", "state", "source", "done", "failed", "name", "created_by", "created_at")
    rows = [
        (
            each.id,
            each.state,
            named(each.source),
            f"{each.counts.succeeded + each.counts.skipped}/{sum(each.counts.model_dump().values())}",
            each.counts.failed,
            each.name,
            each.created_by,
            each.created_at,
        )
        for each in of.reruns
    ]
    return [table(f"Reruns{part(len(rows), of.total_entries)}", columns, rows)]


def frozen_tables(reruns: Iterable[record_payloads.Rerun], members: Sequence[record_payloads.Member]) -> list[Part]:
    """The frozen runs of reruns: by which, since when, why, and when they will be due."""
    by_id = {each.id: each for each in reruns}
    columns = ("rerun", "member", "dag_id", "run_id", "logical_date", "run_after", "frozen since", "state", "why")
    rows = [
        (
            each.rerun_id,
            each.id,
            each.dag_id,
            each.run_id or "(not made yet)",
            each.logical_date,
            each.run_after,
            by_id[each.rerun_id].created_at,
            each.state_reason,
            by_id[each.rerun_id].name or by_id[each.rerun_id].reason or f"source {named(by_id[each.rerun_id].source)}",
        )
        for each in members
    ]
    return [table(f"Frozen runs ({len(rows)})", columns, rows)]


def staged(of: record_payloads.Member) -> str:
    """The tasks of a member that is rerun in stages; the present one is marked."""
    marks = (f"({number}{'*' if number == of.stage else ''}) " for number in range(1, len(of.stages) + 1))
    return "; ".join(mark + tasks(some) for mark, some in zip(marks, of.stages, strict=True))


def members(of: record_payloads.Members) -> list[Part]:
    """A page of members."""
    columns = ("id", "role", "dag_id", "run_id", "state", "reason", "attempt", "waiting on", "run is", "tasks")
    rows = [
        (
            each.id,
            each.role,
            each.dag_id,
            each.run_id,
            each.state,
            each.state_reason,
            each.attempt,
            ", ".join(named(ref) for ref in each.waiting_on),
            each.live.state,
            staged(each) or tasks(each.task_ids),
        )
        for each in of.members
    ]
    return [table(f"Members{part(len(rows), of.total_entries)}", columns, rows)]


def not_made_anew(of: record_payloads.NotMadeAnewList) -> list[Part]:
    """What wasn't made anew, why, and who accepted it."""
    columns = ("dag_id", "run_id", "task", "why", "accepted by", "read by")
    rows = [
        (
            each.dag_id,
            each.run_id,
            each.task_id if each.map_index is None or each.map_index < 0 else f"{each.task_id}[{each.map_index}]",
            each.reason if each.because_of is None else f"{each.reason}: {named(each.because_of)}",
            each.accepted_by,
            ", ".join(named(ref) for ref in each.read_by),
        )
        for each in of.not_made_anew
    ]
    return [table(f"Not made anew{part(len(rows), of.total_entries)}", columns, rows)]


def events(of: record_payloads.Events) -> list[Part]:
    """A page of a record."""
    rows = [(each.at, each.actor, each.action, each.member_id, each.detail) for each in of.events]
    return [table(f"Events{part(len(rows), of.total_entries)}", ("at", "actor", "action", "member", "detail"), rows)]


def health(of: installation_payloads.Health) -> list[Part]:
    """The components."""
    rows = [(name, each.status, each.detail) for name, each in of.components.items()]
    return [table(f"Rerun Downstream is {of.status}", ("component", "status", "detail"), rows)]


TABLES: Mapping[type[BaseModel], Callable[[Any], list[Part]]] = {
    plan_payloads.Plan: plan,
    plan_payloads.DagEdges: edges,
    plan_payloads.Review: review,
    plan_payloads.ProposalReview: proposal_review,
    record_payloads.Rerun: rerun,
    record_payloads.Reruns: reruns,
    record_payloads.Member: lambda of: members(record_payloads.Members(members=[of], total_entries=1)),
    record_payloads.Members: members,
    record_payloads.NotMadeAnewList: not_made_anew,
    proof_payloads.Proof: proof,
    estimate_payloads.Estimate: estimate,
    record_payloads.Links: links,
    record_payloads.Events: events,
    record_payloads.Deliveries: notification_tables.notifications,
    installation_payloads.Health: health,
    installation_payloads.NotificationTargets: notification_tables.targets,
    installation_payloads.SentTest: notification_tables.one_test,
}
