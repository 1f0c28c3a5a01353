"""How many more runs a Dag can start, and why a run that has started doesn't move."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence

CLOSED = frozenset({"dag_gone", "dag_paused", "at_max_active_runs"})
"""Reasons of a run that its Dag doesn't start."""

STUCK = frozenset(
    {
        "waits_for_approval",
        "up_for_retry",
        "pool_gone",
        "no_pool_slots",
        "at_max_active_tasks",
        "executor_full",
        "in_executor_queue",
        "depends_on_past",
    }
)
"""Reasons of a run that has started, but of which nothing moves. More may follow the word, after a colon."""


@dataclass(frozen=True, slots=True)
class DagRoom:
    """What a Dag can start now: why nothing at all, or else its limit of running runs and who takes part of it.

    ``queued`` runs wait in Airflow's queue already, and come first. Backfills have limits of their own.
    """

    closed: str | None = None
    limit: int | None = None
    running: int = 0
    queued: int = 0

    @property
    def free(self) -> int | None:
        """How many more runs it can start; None: as many as there are."""
        if self.closed is not None:
            return 0
        return None if self.limit is None else max(0, self.limit - self.running - self.queued)

    @property
    def refusal(self) -> str | None:
        """Why it can't start one more; None: it can."""
        return self.closed or ("at_max_active_runs" if self.free == 0 else None)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A task of a run that won't run as things stand: ``why`` is a word of `REASONS`, ``what`` says more.

    ``before``: the run that it waits for, if it waits for one. ``lasting``: it won't pass by itself.
    """

    ref: RunRef
    task_id: str
    why: str
    what: Sentence
    before: RunRef | None = None
    lasting: bool = True


def word_of(reason: str | None) -> str:
    """The word of a reason that says more."""
    return (reason or "").partition(":")[0]
