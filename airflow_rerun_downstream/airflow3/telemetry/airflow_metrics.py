"""The metrics, handed to Airflow's own client: its backends, prefix, and allow and block lists hold for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from airflow_rerun_downstream.airflow3 import versions
from airflow_rerun_downstream.airflow3.telemetry.lane import Lane
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, MemberState, RerunState
from airflow_rerun_downstream.harmless import harmless
from airflow_rerun_downstream.ports import metrics
from airflow_rerun_downstream.ports.metrics import Delivery, ErrorKind
from airflow_rerun_downstream.ports.telemetry import Standing

GAUGES_EVERY = 5.0
"""Seconds after which gauges are published again although nothing has changed: a backend may have been restarted."""


class AirflowMetrics:
    """Publishes metrics. ``stats`` makes Airflow's client ready, in the lane's own thread: that may look up a host."""

    def __init__(self, lane: Lane, stats: Callable[[], Any] = versions.airflow_stats) -> None:
        self.lane = lane
        self._make, self._stats = stats, None
        self._gauges: Mapping[str, float] | None = None
        self._published = float("-inf")

    def stands(self, standing: Standing | None) -> None:
        """Publish the gauges; when this process has stopped leading, zeros once."""
        found = gauges(standing or Standing())
        now = time.monotonic()
        if standing is None:
            if self._gauges is None:
                return
            self._gauges = None
        elif found == self._gauges and now - self._published < GAUGES_EVERY:
            return
        else:
            self._gauges = found
        self._published = now
        for name, value in found.items():
            self._send("gauge", name, value)

    def lease(self, age: timedelta) -> None:
        """Publish the lease's age."""
        self._send("gauge", metrics.LEASE_AGE, age.total_seconds())

    def ticked(self, *, seconds: float, steps: int) -> None:
        """Count a tick."""
        self._count(metrics.TICKS)
        self._count(metrics.STEPS, steps)
        self._time(metrics.TICK_DURATION, seconds)

    def dispatched(self, waited: timedelta) -> None:
        """Time a dispatch."""
        self._time(metrics.DISPATCH_LATENCY, waited.total_seconds())

    def planned(self, *, seconds: float, runs: int) -> None:
        """Count a plan."""
        self._count(metrics.PLANS)
        self._count(metrics.PLAN_RUNS, runs)
        self._time(metrics.PLAN_DURATION, seconds)

    def submitted(self) -> None:
        """Count a submit."""
        self._count(metrics.SUBMITTED)

    def ended(self, state: RerunState, lasted: timedelta) -> None:
        """Count and time a rerun that has ended."""
        self._count(metrics.ended(state))
        self._time(metrics.RERUN_DURATION, lasted.total_seconds())

    def notified(self, result: Delivery) -> None:
        """Count an attempt to notify."""
        self._count(metrics.notifications(result))

    def failed(self, kind: ErrorKind) -> None:
        """Count an error."""
        self._count(metrics.errors(kind))

    def _count(self, name: str, count: int = 1) -> None:
        if count:
            self._send("incr", name, count)

    def _time(self, name: str, seconds: float) -> None:
        self._send("timing", name, seconds * 1000)

    def _send(self, method: str, name: str, value: float) -> None:
        self.lane.put(partial(self._deliver, method, name, value))

    def _deliver(self, method: str, name: str, value: float) -> None:
        if self._stats is None:
            self._stats = self._make()
        getattr(self._stats, method)(name, value)


def gauges(standing: Standing) -> dict[str, float]:
    """Every gauge of how reruns stand, with zeros."""
    return {
        **{
            metrics.active_reruns(state): standing.reruns.get(state, 0)
            for state in RerunState
            if state in ACTIVE_RERUN_STATES
        },
        **{metrics.members(state): standing.members.get(state, 0) for state in MemberState},
        metrics.OLDEST_FROZEN: standing.oldest_frozen.total_seconds(),
    }


@harmless("telemetry", otherwise=False)
def switched_on() -> bool:
    """Whether this Airflow publishes metrics at all."""
    from airflow.configuration import conf

    options = ("statsd_on", "statsd_datadog_enabled", "otel_on")
    return any(conf.getboolean("metrics", option, fallback=False) for option in options)
