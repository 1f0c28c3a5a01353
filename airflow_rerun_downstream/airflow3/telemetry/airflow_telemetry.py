"""`Telemetry` of this Airflow."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import structlog

from airflow_rerun_downstream.airflow3.database.transactions import transactions
from airflow_rerun_downstream.airflow3.telemetry import airflow_metrics, run_events, spans
from airflow_rerun_downstream.airflow3.telemetry.airflow_metrics import AirflowMetrics
from airflow_rerun_downstream.airflow3.telemetry.lane import Lane
from airflow_rerun_downstream.airflow3.telemetry.run_events import RunEvents
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.harmless import harmless
from airflow_rerun_downstream.ports.metrics import Delivery, ErrorKind
from airflow_rerun_downstream.ports.telemetry import INFO, Standing, log, told

METRICS_LANE = "rerun-downstream-metrics"
LINEAGE_LANE = "rerun-downstream-lineage"
MOST_EVENTS = 1_000


class AirflowTelemetry:
    """Hands on what happened. ``metrics`` None: this Airflow publishes none, or this process has none to publish.

    ``run_events``: the same, for a catalogue. ``traces``: whether a rerun that ends gets a span. ``least``: the level
    below which no line is written.
    """

    def __init__(
        self,
        metrics: AirflowMetrics | None = None,
        run_events: RunEvents | None = None,
        *,
        traces: bool = False,
        least: int = INFO,
    ) -> None:
        self.metrics = metrics
        self.run_events = run_events
        self.traces = traces
        self.least = least

    @harmless("telemetry")
    def stands(self, standing: Standing | None) -> None:
        """See `Telemetry.stands`."""
        if self.metrics:
            self.metrics.stands(standing)

    @harmless("telemetry")
    def lease(self, age: timedelta) -> None:
        """See `Telemetry.lease`."""
        if self.metrics:
            self.metrics.lease(age)

    @harmless("telemetry")
    def ticked(self, *, seconds: float, steps: int) -> None:
        """See `Telemetry.ticked`."""
        if self.metrics:
            self.metrics.ticked(seconds=seconds, steps=steps)

    @harmless("telemetry")
    def dispatched(self, rerun: Rerun, member: Member, *, clear_number: int | None, waited: timedelta) -> None:
        """See `Telemetry.dispatched`."""
        if self.metrics:
            self.metrics.dispatched(waited)
        if self.run_events and clear_number is not None:
            self.run_events.dispatched(rerun, member, clear_number)

    @harmless("telemetry")
    def planned(self, *, seconds: float, runs: int) -> None:
        """See `Telemetry.planned`."""
        if self.metrics:
            self.metrics.planned(seconds=seconds, runs=runs)

    @harmless("telemetry")
    def submitted(self, rerun: Rerun, source: RunFacts) -> None:
        """See `Telemetry.submitted`."""
        if self.metrics:
            self.metrics.submitted()
        if self.run_events:
            self.run_events.submitted(rerun, source)

    @harmless("telemetry")
    def ended(self, rerun: Rerun) -> None:
        """See `Telemetry.ended`."""
        if self.metrics:
            self.metrics.ended(rerun.state, (rerun.ended_at or rerun.created_at) - rerun.created_at)
        if self.run_events:
            self.run_events.ended(rerun)
        if self.traces:
            self.trace(rerun)

    @harmless("telemetry")
    def trace(self, rerun: Rerun) -> None:
        """Make a rerun's span. What it is linked to is read in a transaction of its own, with nothing locked."""
        with transactions().session() as session:
            traced = spans.carriers(session, rerun.id)
        spans.emit(rerun, traced)

    @harmless("telemetry")
    def notified(self, result: Delivery) -> None:
        """See `Telemetry.notified`."""
        if self.metrics:
            self.metrics.notified(result)

    @harmless("telemetry")
    def failed(self, kind: ErrorKind) -> None:
        """See `Telemetry.failed`."""
        if self.metrics:
            self.metrics.failed(kind)

    @harmless("telemetry")
    def line(self, action: str, *, level: int = INFO, error: BaseException | None = None, **fields: Any) -> None:
        """See `Telemetry.line`. Airflow's log shows the fields: ``key=value`` on a terminal, members of a JSON line.

        What is ``extra`` of a line isn't shown by any version, but what structlog's context holds is.
        """
        if level < self.least:
            return
        known = told(fields)
        with structlog.contextvars.bound_contextvars(**known):
            log.log(level, "%s", action, exc_info=error, extra=known)


def serving() -> AirflowTelemetry:
    """What a process tells that serves or conducts."""
    metrics = AirflowMetrics(Lane(METRICS_LANE)) if airflow_metrics.switched_on() else None
    return AirflowTelemetry(metrics, to_a_catalogue(), traces=spans.switched_on())


def to_a_catalogue() -> RunEvents | None:
    """What sends OpenLineage events, where Airflow does."""
    return RunEvents(Lane(LINEAGE_LANE, most=MOST_EVENTS)) if run_events.switched_on() else None


def at_the_machine() -> AirflowTelemetry:
    """What a command tells: it is gone before its metrics are sent, and its output is read by programs."""
    return AirflowTelemetry(run_events=to_a_catalogue(), least=logging.WARNING)
