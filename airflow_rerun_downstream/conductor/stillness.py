"""Which members don't move, so that it is time to ask Airflow why: few at a time, and each now and then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from airflow_rerun_downstream.domain.facts import UNFINISHED_TASK_STATES, Observation
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState

PARKED = frozenset({"deferred", "awaiting_input", "up_for_retry"})
"""States in which a task waits for something outside: asked for at once."""

PATIENCE = timedelta(seconds=5)
"""How long a run may stand still before it is asked why: a task is scheduled, queued and started within seconds."""

AGAIN = timedelta(seconds=10)
"""Between two questions about one run."""

AT_ONCE = 500
"""Runs in one question."""


@dataclass
class Still:
    """A member that doesn't move: since when, and when it was last asked about."""

    since: datetime
    asked: datetime | None = None


@dataclass
class Stillness:
    """What one conductor remembers of members that don't move. After a restart it begins anew."""

    known: dict[int, Still] = field(default_factory=dict)

    def to_ask(self, members: Iterable[Member], runs: Mapping[RunRef, Observation], now: datetime) -> list[RunRef]:
        """The runs to ask about now, longest unasked first."""
        still = {one.id: one for one in members if one.state is MemberState.RUNNING and stands(runs.get(one.ref))}
        self.known = {member_id: self.known.get(member_id, Still(now)) for member_id in still}
        due = [
            (self.known[member_id].asked or self.known[member_id].since, member_id)
            for member_id, one in still.items()
            if is_due(self.known[member_id], runs[one.ref], now)
        ]
        chosen = [member_id for _, member_id in sorted(due)[:AT_ONCE]]
        for member_id in chosen:
            self.known[member_id].asked = now
        return [still[member_id].ref for member_id in chosen]


def stands(run: Observation | None) -> bool:
    """Whether a run has begun, isn't done, and nothing of it is running."""
    if run is None or run.run_state != "running":
        return False
    states = {task.state for task in run.task_instances}
    return not states & {"running", "restarting"} and bool(states & UNFINISHED_TASK_STATES)


def is_due(still: Still, run: Observation, now: datetime) -> bool:
    """Whether to ask about a run that stands still."""
    if still.asked is not None:
        return now - still.asked >= AGAIN
    return now - still.since >= PATIENCE or any(task.state in PARKED for task in run.task_instances)
