"""What a rerun does to Airflow's rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Protocol

from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.room import DagRoom


@dataclass(frozen=True)
class Dispatched:
    """A dispatch that was done: the run's clear number after it, and how many task instances were cleared."""

    clear_number: int
    cleared: int


class Gateway(Protocol):
    """What a rerun does to Airflow's rows, inside the caller's transaction."""

    def observe(self, refs: Collection[RunRef]) -> dict[RunRef, Observation]:
        """The runs' states and task instances, in one statement. Every ref is answered."""
        ...

    def fingerprints(self, refs: Collection[RunRef]) -> dict[RunRef, Hashable]:
        """What tells whether `observe` would answer something else than before: one row for each run, in one statement.

        Every ref is answered. Of a run with a ``restarting`` task it doesn't tell: that may end by time alone.
        """
        ...

    def clear_numbers(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        """How often each run was cleared; a run that is gone is left out. One statement for each ten thousand."""
        ...

    def rooms(self, dag_ids: Collection[str]) -> dict[str, DagRoom]:
        """What each Dag can start now; one that Airflow doesn't find is closed. One statement."""
        ...

    def why_waiting(self, refs: Collection[RunRef]) -> dict[RunRef, str]:
        """Why runs that have started don't move: a word of `STUCK`, and perhaps more after a colon.

        Those of which it can't be told are left out. A few statements, however many runs are asked.
        """
        ...

    def dispatch(
        self,
        ref: RunRef,
        tasks: Tasks,
        *,
        rerun_id: int,
        actor: str,
        retry: bool,
        run_on_latest_version: bool | None,
        before_writing: Callable[[], None] = lambda: None,
    ) -> Dispatched:
        """Clear the run's selected task instances and queue the run, as Airflow's own clear does.

        What Airflow will add to the run, because it moves to a newer version of its Dag, runs with them: the setups
        and teardowns that this needs are cleared, too. With ``retry`` those that haven't succeeded are cleared with
        all that has to run again with them, see `to_clear_again`. A note on the run and a row in the audit log name
        the rerun. The task instances are remembered, so that the asset manager knows their events; where the run had
        consumed events that reruns have repeated since, it consumes the last repeats instead. When they had last
        started by themselves is kept, see `TaskRecords.task_starts`.

        ``before_writing`` is called once, when all is read and nothing is written yet, to lock what must be locked: so
        a database that has one lock for all isn't locked while a large run is read. What it raises ends the dispatch
        with nothing done, and so does a run that has changed since it was read; the transaction can't go on then.

        Raises `CannotDispatch` with ``run_gone``, ``task_gone``, ``mapped_in_loop`` or ``loop_in_part`` (``gone``), or
        ``run_not_finished``.
        """
        ...

    def adopt(self, ref: RunRef, *, place: RunRef, rerun_id: int, actor: str) -> None:
        """Take a run that a task has started for a member's; what it consumed is replaced as by `dispatch`.

        Where it is told by time what a task has read, it counts for what it had read in ``place``, which may be gone:
        the member's run so far, and perhaps the same one.
        """
        ...

    def take_over(self, ref: RunRef, tasks: Tasks, *, rerun_id: int, actor: str) -> None:
        """Count the tries of a run's tasks that somebody else has started as the rerun's own: the asset manager knows
        their events, and they aren't starts of the tasks' own. The run consumes what the rerun has made so far."""
        ...

    def halt(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        """Stop a queued or running run so that it can be dispatched later; False if it had finished.

        The run is failed at once, and none of its tasks starts any more. A task that was running is ``restarting``
        until its process has surely ended; `observe` shows it.
        """
        ...

    def stop(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        """Stop a queued or running run as "mark failed" in the UI does; False if it had finished."""
        ...

    def record(self, ref: RunRef, *, rerun_id: int, actor: str, event: str) -> None:
        """Write a row about the run into Airflow's audit log."""
        ...
