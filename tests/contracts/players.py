"""One run, played step by step: what its scheduler, its workers and people do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.run_accounts import RunAccount
from tests.contracts.stages import NOW, FakeStage, Stage

if TYPE_CHECKING:
    from tests.contracts.airflow_stage import AirflowStage


class Player(Protocol):
    """A run that goes on."""

    ref: RunRef

    def schedule(self) -> None:
        """The scheduler looks at the run: what can go is scheduled."""
        ...

    def start(self, task_id: str) -> None:
        """A worker starts a task, or goes on with a deferred one."""
        ...

    def end(self, task_id: str, state: str = "success") -> None:
        """A worker's task ends by itself; it was started."""
        ...

    def defer(self, task_id: str) -> None: ...

    def poke(self, task_id: str) -> None:
        """A sensor that was started has looked, and looks again later."""
        ...

    def retry(self, task_id: str) -> None:
        """A worker's task has failed, and is going to be tried again."""
        ...

    def choose(self, task_id: str, *follow: str) -> None:
        """A task that was started chooses whom it follows, and ends; the others right behind it are skipped."""
        ...

    def nothing_to_map(self, task_id: str) -> None:
        """A task's result is empty, over which others are mapped."""
        ...

    def time_out(self) -> None:
        """The run takes too long; the scheduler ends it."""
        ...

    def mark(self, task_id: str, state: str, *, by: str) -> None:
        """A person sets a task instance to a state."""
        ...

    def stop(self) -> None:
        """A person marks the run as failed."""
        ...


class FakePlayer:
    def __init__(self, stage: FakeStage, ref: RunRef) -> None:
        self.world, self.ref = stage.world, ref

    def schedule(self) -> None:
        leaders = self.world.structures[self.ref.dag_id].tasks
        states = {task.task_id: task.state for task in self.world.tasks[self.ref]}
        ready = {
            task_id
            for task_id, state in states.items()
            if state is None and all(states[leader] == "success" for leader in leaders[task_id].leaders)
        }
        self.world.set_tasks(self.ref, "scheduled", only=ready)

    def start(self, task_id: str) -> None:
        self.world.set_tasks(self.ref, "running", only={task_id}, at=NOW)

    def end(self, task_id: str, state: str = "success") -> None:
        self.world.set_tasks(self.ref, state, only={task_id})

    def defer(self, task_id: str) -> None:
        self.world.set_tasks(self.ref, "deferred", only={task_id})

    def poke(self, task_id: str) -> None:
        self.world.set_tasks(self.ref, "up_for_reschedule", only={task_id})

    def retry(self, task_id: str) -> None:
        self.world.try_again(self.ref, task_id)

    def choose(self, task_id: str, *follow: str) -> None:
        self.world.choose(self.ref, task_id, follow, at=NOW)

    def nothing_to_map(self, task_id: str) -> None:
        self.world.empty.add((self.ref, task_id))

    def time_out(self) -> None:
        self.world.time_out(self.ref)

    def mark(self, task_id: str, state: str, *, by: str) -> None:
        self.world.mark_tasks(self.ref, state, only={task_id}, by=by)

    def stop(self) -> None:
        self.world.stop(self.ref)


class AirflowPlayer:
    def __init__(self, stage: AirflowStage, ref: RunRef) -> None:
        from tests.airflow3.workers import Work

        self.session, self.ref = stage.session, ref
        self.work = Work(ref, session=stage.session)
        self.schedule, self.defer, self.poke, self.time_out = (
            self.work.schedule, self.work.defer, self.work.poke, self.work.time_out,
        )  # fmt: skip

    def start(self, task_id: str) -> None:
        self.work.start(task_id)

    def end(self, task_id: str, state: str = "success") -> None:
        self.work.end(task_id, state)

    def retry(self, task_id: str) -> None:
        self.work.end(task_id, "up_for_retry")

    def choose(self, task_id: str, *follow: str) -> None:
        from tests.airflow3 import history, scene

        history.xcom(self.ref, task_id, "skipmixin_key", {"followed": list(follow)}, session=self.session)
        self.work.end(task_id)
        for after in scene.latest(self.ref.dag_id, session=self.session).get_task(task_id).downstream_task_ids:
            if after not in follow:
                at = self.work.later()
                self.work.write(after, state="skipped", start_date=at, end_date=at)

    def nothing_to_map(self, task_id: str) -> None:
        from tests.airflow3 import task_rows

        where = {"dag_id": self.ref.dag_id, "run_id": self.ref.run_id, "task_id": task_id, "map_index": -1}
        task_rows.set_map_length(where, 0, session=self.session)
        self.session.commit()

    def mark(self, task_id: str, state: str, *, by: str) -> None:
        self.work.mark_task(task_id, state, by=by)

    def stop(self) -> None:
        self.work.mark("failed")


def play(stage: Any, ref: RunRef) -> Player:
    """The player of a stage's run."""
    return FakePlayer(stage, ref) if isinstance(stage, FakeStage) else AirflowPlayer(stage, ref)


def account_of(stage: Stage, ref: RunRef, *places: RunRef) -> RunAccount:
    """How a run came to where it is; ``places``: the runs whose place it has taken."""
    return stage.facts.tasks.accounts([ref], places={ref: places} if places else {})[ref]
