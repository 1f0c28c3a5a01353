"""Printing an estimate: when a rerun is expected to end, what delays it, and the members that decide it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from airflow_rerun_downstream.cli.cells import Part, part, table, text
from airflow_rerun_downstream.domain.estimate import Decisive, Outlook
from airflow_rerun_downstream.domain.simulation import WaitedFor
from airflow_rerun_downstream.rest import estimate_payloads as payloads

HIDDEN = "a run that you may not read"

DECIDED = {
    Decisive.PATH: "the order of its members",
    Decisive.PLACES: "max_active_members: members wait for that limit, too",
    Decisive.DAG_LIMIT: "max_active_runs of a Dag: members wait for that limit, too",
}
WAITED = {
    WaitedFor.NOTHING: "",
    WaitedFor.UPSTREAM: "the run before",
    WaitedFor.PLACE: "a place in the rerun",
    WaitedFor.DAG_LIMIT: "a place in its Dag",
}


def lines(of: payloads.Estimate) -> Iterator[str]:
    """When it ends, and what delays it, in a line each."""
    yield f"ETA: {eta(of)}"
    if of.decided_by is not None:
        yield f"decided by: {DECIDED[of.decided_by]}"
    if of.overdue_members:
        yield f"longer than ever before: {number(of.overdue_members, 'member')}"
    if of.delay is not None:
        yield f"delayed by: {delay(of.delay)}"


def eta(of: payloads.Estimate) -> str:
    """When a rerun ends."""
    if of.outlook is Outlook.ENDED:
        return f"ended {text(of.ends_at)}{lasted(of)}"
    if of.ends_at is None:
        return f"none while the rerun is {of.state.value}"
    when = f"{text(of.ends_at)} ({ahead(of.as_of, of.ends_at)})"
    if of.outlook is Outlook.AT_LEAST:
        return f"at least {when}: {', '.join(unknown(of))}" if any(unknown(of)) else f"at least {when}"
    late = "" if of.ends_late_at is None else f"; 90 % likely by {text(of.ends_late_at)}"
    return when + late


def unknown(of: payloads.Estimate) -> Iterator[str]:
    """What isn't known of the end."""
    if of.unknown_members:
        yield f"{number(of.unknown_members, 'member')} without earlier runs"
    if of.held_up_members:
        yield f"{number(of.held_up_members, 'member')} held up"
    if of.failed_members:
        yield f"{number(of.failed_members, 'member')} failed"


def lasted(of: payloads.Estimate) -> str:
    """How long a rerun took."""
    known = of.started_at is not None and of.ends_at is not None
    return f", after {span((of.ends_at - of.started_at).total_seconds())}" if known else ""  # type: ignore[operator]


def ahead(now: datetime, then: datetime) -> str:
    """How far away a moment is."""
    seconds = (then - now).total_seconds()
    return f"in {span(seconds)}" if seconds >= 1 else "now"


def span(seconds: float) -> str:
    """A time in its two largest units."""
    whole = round(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


def delay(of: payloads.EstimateDelay) -> str:
    """Who delays the end, and why."""
    if of.cause is None:
        why = of.member.state.value if of.member is not None else ""
    else:
        why = ": ".join(str(part) for part in (of.cause.word, of.cause.detail) if part)
    aside = "" if of.critical else ", off the critical path"
    return f"{run(of.member)}{f' ({why}{aside})' if why or aside else ''}"


def run(of: payloads.EstimateMember | None) -> str:
    """A member's run."""
    return HIDDEN if of is None else f"{of.dag_id} / {of.run_id}"


def number(count: int, one: str) -> str:
    """How many there are."""
    return f"{count} {one}{'' if count == 1 else 's'}"


def estimate(of: payloads.Estimate) -> list[Part]:
    """An estimate with the members on its critical path, and all of which something is expected."""
    parts: list[Part] = [f"Rerun {of.rerun_id} at {text(of.as_of)}", *lines(of)]
    if of.path:
        steps = [
            (
                one.member and one.member.id,
                run(one.member),
                one.stage,
                WAITED[one.waited_for],
                one.starts_at,
                one.ends_at,
            )
            for one in of.path
        ]
        columns = ("id", "run", "stage", "waits for", "starts", "ends")
        parts.append(table(f"Critical path{part(len(steps), of.path_length)}", columns, steps))
    if of.members:
        columns = ("id", "run", "state", "starts", "ends", "note")
        rows = [
            (one.member.id, run(one.member), one.member.state, one.starts_at, one.ends_at, note(one))
            for one in of.members
        ]
        parts.append(table(f"Expected{part(len(rows), of.total_entries)}", columns, rows))
    if of.hidden_members:
        parts.append(f"{number(of.hidden_members, 'more member')} of Dags that you may not read.")
    return parts


def note(of: payloads.ExpectedMember) -> str:
    """What else there is to say of a member."""
    parts = ["at least" if of.at_least else "", str(of.unknown or ""), "longer than ever before" if of.overdue else ""]
    return ", ".join(filter(None, parts))
