"""Every metric that the package publishes, by name. Code, documentation and dashboard are held together by this list.

A name says everything, for StatsD drops tags unless told otherwise: a state or a kind of error is the last part of it,
and nothing that grows with use (a Dag, a run, a rerun, a user) is ever in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, MemberState, RerunState

PREFIX = "rerun_downstream"
"""What all names begin with, after whatever prefix Airflow's configuration puts before its own."""


class MetricKind(str, Enum):
    """What Airflow's ``Stats`` calls them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    TIMER = "timer"


class ErrorKind(str, Enum):
    """What went wrong unexpectedly: the last part of a counter's name."""

    TICK = "tick"
    RERUN = "rerun"
    STEP = "step"
    DISPATCH = "dispatch"
    PROOF = "proof"
    REQUEST = "request"


class Delivery(str, Enum):
    """What became of an attempt to notify somebody: the last part of a counter's name."""

    DELIVERED = "delivered"
    RETRIED = "retried"
    FAILED = "failed"


@dataclass(frozen=True)
class Metric:
    """One metric. ``unit`` is what its number counts; a timer's is always milliseconds."""

    name: str
    kind: MetricKind
    unit: str
    meaning: str


def named(*parts: str) -> str:
    """The whole name of a metric."""
    return ".".join((PREFIX, *parts))


ENDS = (RerunState.SUCCEEDED, RerunState.FAILED, RerunState.TERMINATED)

TICKS, STEPS = named("ticks"), named("steps")
TICK_DURATION = named("tick", "duration")
LEASE_AGE = named("lease_age")
DISPATCH_LATENCY = named("dispatch", "latency")
PLANS, PLAN_RUNS, PLAN_DURATION = named("plans"), named("plan", "runs"), named("plan", "duration")
SUBMITTED, RERUN_DURATION = named("reruns", "submitted"), named("rerun", "duration")
OLDEST_FROZEN = named("oldest_frozen_age")

ERRORS = {
    ErrorKind.TICK: "Ticks that failed as a whole: the database is away, the tables aren't there …",
    ErrorKind.RERUN: "Reruns that couldn't be read, or moved forward, in a tick",
    ErrorKind.STEP: "Steps that failed, other than dispatches; the next tick tries again",
    ErrorKind.DISPATCH: "Dispatches that failed; after five, the member fails",
    ErrorKind.PROOF: "Proofs that couldn't be made",
    ErrorKind.REQUEST: "Requests answered with 500",
}
DELIVERIES = {
    Delivery.DELIVERED: "Notifications that were delivered",
    Delivery.RETRIED: "Attempts to notify that failed and are made again",
    Delivery.FAILED: "Notifications that were given up",
}


def active_reruns(state: RerunState) -> str:
    """The gauge of active reruns in a state."""
    return named("active_reruns", state.value)


def members(state: MemberState) -> str:
    """The gauge of members in a state."""
    return named("members", state.value)


def ended(state: RerunState) -> str:
    """The counter of reruns that came to a state."""
    return named("reruns", state.value)


def errors(kind: ErrorKind) -> str:
    """The counter of a kind of error."""
    return named("errors", kind.value)


def notifications(result: Delivery) -> str:
    """The counter of notifications with a result."""
    return named("notifications", result.value)


COUNTER, GAUGE, TIMER = MetricKind

METRICS: tuple[Metric, ...] = (
    *(
        Metric(active_reruns(state), GAUGE, "reruns", f"Active reruns that are {state.value}")
        for state in RerunState
        if state in ACTIVE_RERUN_STATES
    ),
    *(
        Metric(members(state), GAUGE, "members", f"Members of active reruns that are {state.value}")
        for state in MemberState
    ),
    Metric(OLDEST_FROZEN, GAUGE, "seconds", "How long ago the oldest rerun that holds frozen runs froze them; 0: none"),
    Metric(LEASE_AGE, GAUGE, "seconds", "How long ago the leading conductor wrote its lease; each conductor tells it"),
    Metric(TICKS, COUNTER, "ticks", "Looks of the leading conductor at all active reruns"),
    Metric(TICK_DURATION, TIMER, "ms", "What such a look and all that followed from it took"),
    Metric(STEPS, COUNTER, "steps", "Steps that changed something"),
    Metric(
        DISPATCH_LATENCY,
        TIMER,
        "ms",
        "From when the conductor first saw that a member waits for nobody to its dispatch; waiting for a place counts",
    ),
    Metric(PLANS, COUNTER, "plans", "Plans that were computed, for a look and for a submit"),
    Metric(PLAN_DURATION, TIMER, "ms", "What a plan took"),
    Metric(PLAN_RUNS, COUNTER, "runs", "Dag runs in those plans, the source included"),
    Metric(SUBMITTED, COUNTER, "reruns", "Reruns that were submitted"),
    *(Metric(ended(state), COUNTER, "reruns", f"Reruns that came to {state.value}") for state in ENDS),
    Metric(RERUN_DURATION, TIMER, "ms", "From a rerun's submit to its end, or to its failure"),
    *(Metric(errors(kind), COUNTER, "errors", meaning) for kind, meaning in ERRORS.items()),
    *(Metric(notifications(result), COUNTER, "notifications", meaning) for result, meaning in DELIVERIES.items()),
)
