"""A span for each rerun, in Airflow's own tracing: made when the rerun ends, with the times that its record has.

So it needs nobody who holds it open for a night, and no restart can lose it. Its ids are made of the rerun's, the same
in every process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from airflow_rerun_downstream.airflow3 import versions
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.harmless import harmless
from airflow_rerun_downstream.ports.telemetry import shortened
from airflow_rerun_downstream.store.tables import dispatched_task, member

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MAX_LINKS = 128
"""Task instances that a span is linked to: as many links as OpenTelemetry keeps by default."""

NAME = "rerun"
COMPONENT = "airflow_rerun_downstream"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@harmless("telemetry", otherwise=False)
def switched_on() -> bool:
    """Whether this Airflow traces at all. Nothing of OpenTelemetry is imported to learn it."""
    from airflow.configuration import conf

    return conf.getboolean("traces", "otel_on", fallback=False)


def trace_id(rerun: Rerun) -> int:
    """The trace of a rerun: that of all its spans, where it has ended more than once."""
    return number_of(16, rerun.id, rerun.created_at)


def span_id(rerun: Rerun) -> int:
    """The span of an end of a rerun."""
    return number_of(8, rerun.id, rerun.created_at, rerun.ended_at)


def number_of(length: int, *parts: int | datetime | None) -> int:
    """A number of some bytes that hangs on nothing but the parts. Never 0, which no id may be."""
    texts = (f"{nanoseconds(part)}" if isinstance(part, datetime) else f"{part}" for part in parts)
    digest = hashlib.sha256("/".join(["rerun_downstream", *texts]).encode()).digest()
    return int.from_bytes(digest[:length], "big") or 1


def nanoseconds(moment: datetime) -> int:
    """A moment as OpenTelemetry counts it."""
    return (moment - EPOCH) // (EPOCH.resolution) * 1_000


def carriers(session: Session, rerun_id: int) -> list[str]:
    """The trace contexts of the task instances that a rerun was the last to clear; one more than are linked to.

    Airflow 3.1 keeps none of theirs, but that of their Dag run, which stands for them then. One statement, along the
    rerun's members.
    """
    from airflow.models.dagrun import DagRun

    from airflow_rerun_downstream.airflow3.task_tables import TASK

    run = and_(dispatched_task.c.dag_id == member.c.dag_id, dispatched_task.c.run_id == member.c.run_id)
    instance = and_(*(TASK.c[key] == dispatched_task.c[key] for key in INSTANCE))
    wanted = (
        select(TASK.c.context_carrier, DagRun.context_carrier)
        .select_from(member)
        .join(dispatched_task, and_(run, dispatched_task.c.rerun_id == member.c.rerun_id))
        .join(TASK, instance)
        .join(DagRun, and_(DagRun.dag_id == TASK.c.dag_id, DagRun.run_id == TASK.c.run_id))
        .where(member.c.rerun_id == rerun_id, TASK.c.try_number >= dispatched_task.c.first_try)
        .order_by(*(dispatched_task.c[key] for key in INSTANCE))
        .limit(MAX_LINKS + 1)
    )
    found = (parent_of(own) or parent_of(of_run) for own, of_run in session.execute(wanted))
    return list(dict.fromkeys(text for text in found if text is not None))


INSTANCE = ("dag_id", "run_id", "task_id", "map_index")
"""What names a task instance."""


def parent_of(carrier: Any) -> str | None:
    """What a stored trace context says; None: it was never traced."""
    found = carrier.get("traceparent") if isinstance(carrier, dict) else None
    return found if isinstance(found, str) else None


def emit(rerun: Rerun, traced: Sequence[str]) -> None:
    """Make the span of a rerun that has ended, and hand it to Airflow's exporter, which sends it in its own time."""
    from opentelemetry.context import Context
    from opentelemetry.trace import StatusCode

    ended_at = rerun.ended_at or rerun.created_at
    with versions.tracer_with_ids(COMPONENT, trace_id(rerun), span_id(rerun)) as tracer:
        span = tracer.start_span(
            NAME,
            context=Context(),
            attributes=attributes(rerun, traced),
            links=list(links(traced[:MAX_LINKS])),
            start_time=nanoseconds(rerun.created_at),
        )
        if rerun.state is RerunState.SUCCEEDED:
            span.set_status(StatusCode.OK)
        elif rerun.state is RerunState.FAILED:
            span.set_status(StatusCode.ERROR, rerun.state_reason)
        span.end(nanoseconds(ended_at))


def attributes(rerun: Rerun, traced: Collection[str]) -> dict[str, Any]:
    """What a span says of a rerun."""
    counts = {f"members.{state.value}": count for state, count in rerun.counts.items() if count}
    said = {
        "id": rerun.id,
        "state": rerun.state.value,
        "source.dag_id": rerun.source.dag_id,
        "source.run_id": rerun.source.run_id,
        "created_by": rerun.created_by,
        **({} if rerun.name is None else {"name": shortened(rerun.name)}),
        "members": sum(rerun.counts.values()),
        **counts,
        "more_task_instances": len(traced) > MAX_LINKS,
    }
    return {f"rerun_downstream.{key}": value for key, value in said.items()}


def links(traced: Iterable[str]) -> Iterable[Any]:
    """Links to the spans of task instances, as far as their contexts are any."""
    from opentelemetry.trace import Link, get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    for text in traced:
        found = get_current_span(TraceContextTextMapPropagator().extract({"traceparent": text})).get_span_context()
        if found.is_valid:
            yield Link(found)
