"""Everybody but Airflow and the conductor: what people do by hand while a rerun goes on, and to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import MemberState
from tests.fakes.house import ADA
from tests.reruns.declaring import TIMEOUT, declare
from tests.reruns.making import changed

if TYPE_CHECKING:
    from tests.reruns.playing import Play

DONE_BY = "bob"


class People:
    """Acts by word. What can't be done at the moment isn't."""

    def __init__(self, play: Play, random: Random) -> None:
        self.play, self.random = play, random
        self.house, self.world, self.scheduler = play.house, play.house.world, play.scheduler

    def do(self, act: str) -> bool:
        """One act; False: there was nothing to do it to."""
        deed: Callable[[], str | None] = getattr(self, act.replace(" ", "_").lower())
        try:
            what = deed()
        except Refusal as refusal:
            what = f"{act}: refused, {refusal.detail}"
        if what:
            self.play.did[act] += 1
            self.play.story.tell(self.scheduler.at, f"-- {what}")
        return what is not None

    def run(self, *, ended: bool | None = None) -> RunRef | None:
        """Some run; those of the rerun are more likely."""
        members = [one.ref for one in self.house.store.members(self.play.rerun) if one.ref in self.world.runs]
        every = members if members and self.random.random() < 0.8 else sorted(self.world.runs)
        # A run in whose place another one was made is history, and nobody touches it.
        every = [ref for ref in every if self.scheduler.story.runs[self.scheduler.reading.place(ref)][-1] == ref]
        some = [ref for ref in every if ended is None or (self.world.runs[ref].state in FINISHED_RUN_STATES) == ended]
        return self.random.choice(some) if some else None

    def clear(self) -> str | None:
        """Clear a run."""
        if (ref := self.run()) is None or not self.world.tasks[ref]:
            return None
        self.scheduler.clear(ref)
        return f"{ref} is cleared"

    def clear_what_is_right(self) -> str | None:
        """Clear a run that the rerun has found right, while others are still to read from it."""
        store = self.house.store
        right = sorted(
            gate.member.ref
            for one in store.members(self.play.rerun)
            for gate in (store.gates(one.id) if one.state is MemberState.PENDING else ())
            if gate.member.state is MemberState.SUCCEEDED and gate.member.ref in self.world.runs
        )
        if not right:
            return None
        ref = self.random.choice(right)
        self.scheduler.clear(ref)
        return f"{ref} is cleared, which was right"

    def clear_part(self) -> str | None:
        """Clear a task of a run, with or without what follows it."""
        if (ref := self.run()) is None or not self.world.tasks[ref]:
            return None
        dag = self.scheduler.dag_of(ref)
        here = sorted({task.task_id for task in self.world.tasks[ref] if task.task_id in dag.tasks})
        if not here:
            return None
        chosen = {self.random.choice(here)}
        if self.random.random() < 0.7:
            while more := {f for t in chosen for f in dag.tasks[t].followers} & set(here) - chosen:
                chosen |= more
        # Airflow's own pages clear what the tasks are set up by, and what tears that down.
        chosen |= {one for one in here if dag.tasks[one].is_setup or dag.tasks[one].is_teardown}
        self.scheduler.clear(ref, chosen)
        return f"{sorted(chosen)} of {ref} is cleared"

    def mark_task(self, state: str) -> str | None:
        """Set a task instance to a state."""
        if (ref := self.run(ended=False)) is None or not self.world.tasks[ref]:
            return None
        task = self.random.choice(self.world.tasks[ref])
        if task.state == "removed":
            return None
        self.scheduler.mark((ref, task.task_id, task.map_index), state, by=DONE_BY)
        return f"{task.task_id} [{task.map_index}] of {ref} is marked {state}"

    def mark_task_success(self) -> str | None:
        return self.mark_task("success")

    def mark_task_failed(self) -> str | None:
        return self.mark_task("failed")

    def mark_run_success(self) -> str | None:
        """Mark a run that goes on as a success: what goes on ends so, what hasn't begun is skipped."""
        if (ref := self.run(ended=False)) is None:
            return None
        self.scheduler.mark_run_success(ref, by=DONE_BY)
        return f"{ref} is marked success"

    def mark_run_failed(self) -> str | None:
        if (ref := self.run(ended=False)) is None:
            return None
        self.world.stop(ref)
        return f"{ref} is marked failed"

    def time_out(self) -> str | None:
        """A run takes too long."""
        some = [ref for ref, run in self.world.runs.items() if run.state == "running"]
        if not some:
            return None
        ref = self.random.choice(sorted(some))
        self.world.time_out(ref, lasted=TIMEOUT)
        return f"{ref} times out"

    def release(self) -> str | None:
        """Let the frozen run go."""
        self.house.service.release(ADA, self.play.rerun)
        return "the frozen run is released"

    def delete(self) -> str | None:
        if (ref := self.run(ended=True)) is None:
            return None
        self.world.delete(ref)
        return f"{ref} is deleted"

    def start_a_run(self) -> str | None:
        """Trigger a Dag by hand."""
        dag_id = self.random.choice(sorted(self.world.structures))
        ref = self.scheduler.new_run(dag_id, "manual", f"manual{self.scheduler.made}", None)
        return f"{ref} is started"

    def pause_a_dag(self) -> str | None:
        return self.set_paused(self.random.choice(sorted(self.world.structures)), paused=True)

    def unpause_dags(self) -> str | None:
        for dag_id in sorted(self.world.structures):
            self.set_paused(dag_id, paused=False)
        return "every Dag is unpaused"

    def set_paused(self, dag_id: str, *, paused: bool) -> str:
        self.world.structures[dag_id] = replace(self.world.structures[dag_id], is_paused=paused)
        return f"{dag_id} is paused"

    def change_a_dag(self) -> str | None:
        """A newer version of a Dag comes."""
        dag = self.random.choice(self.play.example.dags)
        paused = self.world.structures[dag.dag_id].is_paused
        latest = changed(self.random, dag, ("more", "renamed", "less", "order"), set())
        if "new" in dag.versions[-1] and "new" in latest:
            return None
        dag.versions.append(latest)
        declare(self.world, dag, len(dag.versions) - 1, self.scheduler.now)
        self.set_paused(dag.dag_id, paused=paused)
        return f"{dag.dag_id} has changed: {sorted(latest)}"

    def pause_the_rerun(self) -> str | None:
        self.house.service.pause(ADA, self.play.rerun)
        return "the rerun is paused"

    def resume_the_rerun(self) -> str | None:
        self.house.service.resume(ADA, self.play.rerun)
        return "the rerun is resumed"

    def terminate(self) -> str | None:
        self.house.service.terminate(ADA, self.play.rerun)
        return "the rerun is terminated"

    def retry(self) -> str | None:
        return self.repair("retry")

    def skip(self) -> str | None:
        return self.repair("skip")

    def repair(self, how: str) -> str | None:
        """Retry or skip a member that has failed."""
        failed = [one for one in self.house.store.members(self.play.rerun) if one.state is MemberState.FAILED]
        if not failed:
            return None
        one = self.random.choice(failed)
        getattr(self.house.service, how)(ADA, self.play.rerun, one.id)
        return f"{how} of {one.ref}"
