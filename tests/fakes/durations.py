"""How long tasks of a `World` have taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import pairwise

from airflow_rerun_downstream.domain.durations import Kind
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.world import World

DONE = ("success", "skipped", "removed")
LOOKED_AT, COUNTED = 15, 10


class FakeDurations:
    """`Durations` over a `World`; ``statements`` counts the calls."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.statements = 0

    def times(self, kinds: Collection[Kind]) -> dict[Kind, tuple[float, ...]]:
        self.statements += 1
        found = {kind: self.of_kind(*kind) for kind in kinds}
        return {kind: some for kind, some in found.items() if some}

    def of_kind(self, dag_id: str, tasks: frozenset[str]) -> tuple[float, ...]:
        """Latest run first; where three have run them again, only how they did that."""
        ended = [ref for ref, run in self.world.runs.items() if run.state in FINISHED_RUN_STATES]
        runs = [ref for ref in reversed(ended) if ref.dag_id == dag_id][:LOOKED_AT]
        first = {ref: self.first(ref, tasks) for ref in runs}
        again = {ref: self.again(ref, tasks) for ref in runs}
        rerun = [one for one in again.values() if one is not None]
        every = rerun if len(rerun) >= 3 else [*rerun, *(one for one in first.values() if one is not None)]
        return tuple(every[:COUNTED])

    def first(self, ref: RunRef, tasks: frozenset[str]) -> float | None:
        """As they ran before anybody cleared them."""
        tries, seen = list[TaskInstanceFacts](), set[str]()
        for task in self.world.tasks[ref]:
            if task.task_id in tasks:
                key = ref, task.task_id, task.map_index
                known = [*self.world.rounds.get(key, ()), (self.world.clears.get(key, 0), task)]
                mine = [one for number, one in known if number == min(number for number, _ in known)]
                if mine[-1].state not in DONE:
                    return None
                tries += mine
                seen.add(task.task_id)
        return lasted(tries) if seen == tasks else None

    def again(self, ref: RunRef, tasks: frozenset[str]) -> float | None:
        """As they all ran since the run was last started."""
        run, present = self.world.runs[ref], [task for task in self.world.tasks[ref] if task.task_id in tasks]
        if not run.clear_number or run.start_date is None or {task.task_id for task in present} != tasks:
            return None
        since = run.start_date
        late = all(task.state in DONE and task.start_date and task.start_date >= since for task in present)
        return lasted(present) if late else None


def lasted(tries: Iterable[TaskInstanceFacts]) -> float | None:
    """From the first start to the last end; what only sensors were on for doesn't count."""
    ran = [(one.start_date, one.end_date, one.operator) for one in tries if one.start_date and one.end_date]
    if not ran:
        return None
    moments = sorted({moment for start, end, _ in ran for moment in (start, end)})
    total = 0.0
    for since, until in pairwise(moments):
        on = [operator or "" for start, end, operator in ran if covers(start, end, since, until)]
        if not on or not all("sensor" in operator.lower() for operator in on):
            total += (until - since).total_seconds()
    return total


def covers(start: datetime, end: datetime, since: datetime, until: datetime) -> bool:
    """Whether something was on all the time between two moments."""
    return start <= since and until <= end
