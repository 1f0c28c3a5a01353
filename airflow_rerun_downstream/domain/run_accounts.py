"""How task instances came by their states, as Airflow's rows tell it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef

Places = Mapping[RunRef, Collection[RunRef]]
"""For runs that have taken the place of others, those."""

Moments = Mapping[RunRef, datetime]
"""A moment for each run."""


@dataclass(frozen=True, slots=True)
class Account:
    """How a task instance came by its state, as Airflow's rows tell it.

    ``started``: its present try was started after it was last cleared. ``ended``: that try ended by itself, it wasn't
    cut off; what somebody failed counts as ended. ``succeeded_before``: an earlier try succeeded, of this run or of one
    whose place it takes. ``by_hand``: a person gave it its success, or skipped it before it began (one that is
    removed: gave it any state before it began); ``by``: who, if the audit log says so. ``added``: Airflow made the task
    instance after a moment that the reader named, or after the run's last clear had begun; never in a run that wasn't
    cleared.
    """

    started: bool = True
    ended: bool = True
    succeeded_before: bool = False
    by_hand: bool = False
    by: str | None = None
    added: bool = False


@dataclass(frozen=True, slots=True)
class Skipping:
    """What a task that chooses (a branch, a short circuit) decided: whom it follows, or else whom it skips."""

    task_id: str
    map_index: int
    followed: frozenset[str] | None = None
    skipped: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RunAccount:
    """How a run came to where it is, as Airflow's rows tell it.

    ``tasks`` by task and map index. ``nothing_to_map``: tasks whose result, over which others are mapped, is empty;
    that and ``choices`` are told where a task was skipped.
    ``terminated``: somebody marked the run failed in its last attempt. ``lasted``: from its start to its end, in
    seconds; None while it goes on.
    """

    ref: RunRef
    tasks: Mapping[tuple[str, int], Account] = field(default_factory=dict)
    choices: tuple[Skipping, ...] = ()
    nothing_to_map: frozenset[str] = frozenset()
    terminated: bool = False
    lasted: float | None = None

    def of(self, task: TaskInstanceFacts) -> Account:
        """The account of a task instance; one that appeared in the meantime hasn't done anything yet."""
        return self.tasks.get((task.task_id, task.map_index), Account(started=False, ended=False))
