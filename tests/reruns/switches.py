"""Switches each rule by which a green rerun means right data off, to show that the random reruns would tell.

A switch puts what the code would do without the rule in the place of a function. With each of them the proof is off,
too: what notices is the oracle alone, or that a rerun which needn't fail does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from airflow_rerun_downstream.conductor import perform
from airflow_rerun_downstream.domain import order, task_dependencies
from airflow_rerun_downstream.domain.facts import UNFINISHED_TASK_STATES, DagStructure
from airflow_rerun_downstream.domain.proof import Counts, Proof
from airflow_rerun_downstream.domain.selection import TaskSelection, default_selection, selected_instances
from airflow_rerun_downstream.domain.verdict import Judgement, Judging, Verdict
from airflow_rerun_downstream.lineage import selecting
from tests.fakes import events, gateway, lineage

Switch = Callable[[pytest.MonkeyPatch], None]


def without_the_proof(patch: pytest.MonkeyPatch) -> None:
    """Every rerun counts as proven."""
    patch.setattr(perform, "prove", lambda facts, at: Proof(at, Counts()))


def one_set(patch: pytest.MonkeyPatch) -> None:
    """Only what consumed is selected, not what follows it."""
    real = default_selection

    def narrow(wanted: Any, structure: DagStructure | None, instances: Any, *more: Any) -> TaskSelection:
        first = {
            task_id: why
            for task_id, why in wanted.items()
            if structure is None or task_id not in structure.tasks or not structure.tasks[task_id].leaders & set(wanted)
        }
        return real(first, None, instances, *more)

    patch.setattr(selecting, "default_selection", narrow)


def own_version(patch: pytest.MonkeyPatch) -> None:
    """Every run is taken for one of its Dag's latest version, and what that has added belongs to nobody."""
    patch.setattr(lineage.FakeDags, "own_versions", lambda *_: {})
    patch.setattr(Judging, "_added", lambda self, tasks: [])


def no_gaps(patch: pytest.MonkeyPatch) -> None:
    """A triggering task between others is left out, and nothing is cut at it; who reads a child goes when he likes."""
    patch.setattr(task_dependencies.Dependencies, "back_from_children", lambda self: iter(()))
    patch.setattr(task_dependencies.Dependencies, "for_parent", lambda *_: None)
    real = order.put_in_order

    def whole(found: Any, structures: Any, selected: Any, cuts: Any, *more: Any, **named: Any) -> Any:
        return real(found, structures, selected, {}, *more, **named)

    from airflow_rerun_downstream.lineage import ordering

    patch.setattr(ordering, "put_in_order", whole)


def verdict(patch: pytest.MonkeyPatch) -> None:
    """A member is right when nothing of it has failed."""

    def by_colours(self: Judging) -> Judgement:
        states = {task.state for task in self.tasks}
        if states & UNFINISHED_TASK_STATES:
            return Judgement(Verdict.UNFINISHED)
        return Judgement(Verdict.FAILED if states & {"failed", "upstream_failed"} else Verdict.SUCCEEDED)

    patch.setattr(Judging, "judgement", by_colours)


def looked_at_again(patch: pytest.MonkeyPatch) -> None:
    """What was right once counts for ever."""
    patch.setattr(perform.Performer, "moved_gates", lambda self, work, rerun, member: ([], {}))


def in_the_originals_place(patch: pytest.MonkeyPatch) -> None:
    """A run goes on seeing the events that had started it."""
    patch.setattr(events, "take_repeats", lambda world, ref: None)


def clears_a_part(patch: pytest.MonkeyPatch) -> None:
    """A retry clears what hasn't succeeded, and nothing else."""

    def only_broken(tasks: Any, structure: Any, instances: Any) -> set[tuple[str, int]]:
        chosen = selected_instances(tasks, instances)
        broken = {(one.task_id, one.map_index) for one in chosen if one.state != "success"}
        return broken or {(one.task_id, one.map_index) for one in chosen}

    patch.setattr(gateway, "to_clear_again", only_broken)


RULES: Mapping[int, Switch] = {
    1: one_set,
    2: own_version,
    3: no_gaps,
    4: verdict,
    5: looked_at_again,
    6: in_the_originals_place,
    7: clears_a_part,
}
