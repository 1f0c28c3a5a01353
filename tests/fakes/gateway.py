"""A gateway to a `World`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from dataclasses import replace

from airflow_rerun_downstream.domain.again import key, needed_by_coming, to_clear_again
from airflow_rerun_downstream.domain.errors import CannotDispatch
from airflow_rerun_downstream.domain.facts import (
    FINISHED_RUN_STATES,
    LIVE_TASK_STATES,
    UNFINISHED_TASK_STATES,
    DagStructure,
    Observation,
)
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, covers
from airflow_rerun_downstream.domain.room import DagRoom
from airflow_rerun_downstream.ports.gateway import Dispatched
from tests.fakes import events, own_starts
from tests.fakes.world import World


class FakeGateway:
    """`Gateway` over a `World`; ``asked`` counts the questions why runs don't move.

    A question about nothing has an answer, but costs a statement: only with ``of_nothing`` may it be asked.
    """

    def __init__(self, world: World, *, of_nothing: bool = False) -> None:
        self.world = world
        self.of_nothing = of_nothing
        self.asked = 0

    def observe(self, refs: Collection[RunRef]) -> dict[RunRef, Observation]:
        assert self.of_nothing or refs, "nothing is asked for"
        found = {}
        for ref in refs:
            run = self.world.runs.get(ref)
            if run is None:
                found[ref] = Observation(ref, None)
            else:
                tasks = tuple(self.world.tasks[ref])
                found[ref] = Observation(ref, run.state, run.clear_number, tasks, self._waits_because(ref))
        return found

    def fingerprints(self, refs: Collection[RunRef]) -> dict[RunRef, Hashable]:
        return dict(self.observe(refs))

    def clear_numbers(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        return {ref: self.world.runs[ref].clear_number for ref in refs if ref in self.world.runs}

    def _waits_because(self, ref: RunRef) -> str | None:
        if self.world.runs[ref].state != "queued":
            return None
        room = self.rooms([ref.dag_id])[ref.dag_id]
        full = room.limit is not None and room.running >= room.limit
        return room.closed or ("at_max_active_runs" if full else None)

    def rooms(self, dag_ids: Collection[str]) -> dict[str, DagRoom]:
        assert self.of_nothing or dag_ids, "nothing is asked for"
        found = {}
        for dag_id in dag_ids:
            dag = self.world.structures.get(dag_id)
            runs = [run for run in self.world.runs.values() if run.ref.dag_id == dag_id and not run.backfill]
            if dag is None or dag_id in self.world.gone:
                closed: str | None = "dag_gone"
            else:
                closed = "dag_paused" if dag.is_paused else None
            states = [run.state for run in runs]
            limit = dag.max_active_runs if dag else None
            found[dag_id] = DagRoom(closed, limit, states.count("running"), states.count("queued"))
        return found

    def why_waiting(self, refs: Collection[RunRef]) -> dict[RunRef, str]:
        assert self.of_nothing or refs, "nothing is asked for"
        self.asked += 1
        return {ref: self.world.stuck[ref] for ref in refs if ref in self.world.stuck}

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
        run = self.world.runs.get(ref)
        if run is None:
            raise CannotDispatch("run_gone", gone=True)
        here = self.world.tasks[ref]
        cleared = {key(t) for t in here if t.state != "removed" and covers(tasks, t.task_id, t.map_index)}
        if not cleared:
            raise CannotDispatch("task_gone", gone=True)
        if retry:
            cleared = to_clear_again(tasks, self._structure(ref), here)
        else:
            there = {task.task_id for task in here if task.state != "removed"}
            along = needed_by_coming(self._structure(ref), there)
            cleared |= {key(task) for task in here if task.task_id in along and task.state != "removed"}
        if run.state not in FINISHED_RUN_STATES or any(t.state in LIVE_TASK_STATES for t in here if key(t) in cleared):
            raise CannotDispatch("run_not_finished")
        before_writing()
        starts = own_starts.of_run(self.world, ref)
        self.world.keep_tries(ref, cleared)
        whole = {task.task_id for task in tasks if task.map_index is None}
        own_starts.note_dispatch(self.world, ref, starts, cleared, whole)
        self.world.dispatched_by.update({(ref, *each): rerun_id for each in cleared})
        self.world.tasks[ref] = [
            replace(t, state=None) if (t.task_id, t.map_index) in cleared else t for t in self.world.tasks[ref]
        ]
        self.world.set_run(ref, state="queued", terminated=False, clear_number=run.clear_number + 1)
        self.world.dispatches.append(ref)
        events.take_repeats(self.world, ref)
        self.record(ref, rerun_id=rerun_id, actor=actor, event="dispatch")
        return Dispatched(self.world.runs[ref].clear_number, len(cleared))

    def _structure(self, ref: RunRef) -> DagStructure | None:
        """The Dag on which a run is going to run."""
        own = self.world.versions.get(ref)
        return (
            own.structure if own is not None and self.world.runs[ref].pinned else self.world.structures.get(ref.dag_id)
        )

    def take_over(self, ref: RunRef, tasks: Tasks, *, rerun_id: int, actor: str) -> None:
        if ref in self.world.runs:
            events.take_repeats(self.world, ref)
            own_starts.follow_clear(self.world, ref, self.taken_over(ref, tasks, rerun_id))
            self.record(ref, rerun_id=rerun_id, actor=actor, event="take_over")

    def taken_over(self, ref: RunRef, tasks: Tasks, rerun_id: int) -> list[tuple[str, int]]:
        """The task instances of a rerun that somebody else may have cleared."""
        return [
            key(task)
            for task in self.world.tasks[ref]
            if covers(tasks, task.task_id, task.map_index)
            and (task.state in UNFINISHED_TASK_STATES or self.world.dispatched_by.get((ref, *key(task))) == rerun_id)
        ]

    def halt(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        run = self.world.runs.get(ref)
        if run is None or run.state in FINISHED_RUN_STATES:
            return False
        self.world.set_run(ref, state="failed", terminated=True)
        self.world.tasks[ref] = [
            replace(t, state="restarting" if t.state == "running" else None) if t.state in UNFINISHED_TASK_STATES else t
            for t in self.world.tasks[ref]
        ]
        self.record(ref, rerun_id=rerun_id, actor=actor, event="halt")
        return True

    def stop(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        run = self.world.runs.get(ref)
        if run is None or run.state in FINISHED_RUN_STATES:
            return False
        self.world.stop(ref)
        self.record(ref, rerun_id=rerun_id, actor=actor, event="stop")
        return True

    def adopt(self, ref: RunRef, *, place: RunRef, rerun_id: int, actor: str) -> None:
        own_starts.note_adoption(self.world, ref, place)
        events.take_repeats(self.world, ref)
        self.record(ref, rerun_id=rerun_id, actor=actor, event="adopt")

    def record(self, ref: RunRef, *, rerun_id: int, actor: str, event: str) -> None:
        assert isinstance(rerun_id, int)
        assert actor
        self.world.log.append((ref, event, actor, rerun_id))
