"""A conductor on a real Airflow database, in the test's own process. The test plays Airflow's scheduler."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.new_rerun import NewMember, NewRerun
from airflow_rerun_downstream.domain.plan import PlanOptions
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, Role
from airflow_rerun_downstream.settings import Settings
from tests.airflow3 import scene
from tests.airflow3.database import Database

if TYPE_CHECKING:
    from airflow_rerun_downstream.conductor.tick import Conductor
    from airflow_rerun_downstream.ports.work import UnitOfWork

WAITING = {None, "scheduled", "queued", "up_for_retry", "up_for_reschedule", "deferred", "running"}


class Clock:
    """The machine's time, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead


class Conducted:
    """One rerun, its conductor, and the runs that it takes."""

    def __init__(self, database: Database) -> None:
        from airflow_rerun_downstream.airflow3.database.transactions import Transactions
        from airflow_rerun_downstream.airflow3.wiring import AirflowUnitOfWork
        from airflow_rerun_downstream.conductor.tick import Conductor

        scene.migrate(database)
        self.database = database
        self.clock = Clock()
        self.unit_of_work: UnitOfWork = AirflowUnitOfWork(Transactions())
        # However slow the machine is, a tick does all that there is to do.
        unhurried = Settings(poll_interval=timedelta(minutes=1))
        self.conductor: Conductor = Conductor(
            unit_of_work=self.unit_of_work, clock=self.clock, settings=unhurried, owner="test"
        )

    def save(self, *dags: Any) -> None:
        with self.database.session() as session:
            scene.save(*dags, session=session)

    def run(self, dag_id: str, **more: Any) -> RunRef:
        with self.database.session() as session:
            return scene.create_run(dag_id, session=session, **more)

    def submit(
        self,
        order: Mapping[RunRef, Collection[RunRef]],
        *,
        tasks: Mapping[RunRef, Sequence[str]] | None = None,
        settings: RerunSettings | None = None,
    ) -> None:
        """Store a rerun: each run with those that it waits for, the source first; all tasks, unless said otherwise."""
        members = []
        with self.database.session() as session:
            for depth, (ref, before) in enumerate(order.items()):
                run = scene.run_of(ref, session=session)
                ids = (tasks or {}).get(ref) or sorted({key[0] for key in scene.instances(ref, session=session)})
                role = Role.DOWNSTREAM if depth else Role.SOURCE
                chosen = tuple(TaskRef(task_id) for task_id in ids)
                members.append(
                    NewMember(ref, role, MemberState.PENDING, chosen, depth, frozenset(before), run_after=run.run_after)
                )
        new = NewRerun(
            members[0].ref,
            tuple(members),
            (),
            settings or RerunSettings(),
            (),
            PlanOptions(),
            (),
            Actor("1", "ann"),
        )
        with self.unit_of_work() as work:
            self.id = work.store.add(new, now=self.clock.now())

    def tick(self, times: int = 1) -> int:
        """Tick; answers the steps of the last one."""
        return [self.conductor.tick().steps for _ in range(times)][-1]

    def finish(self, ref: RunRef, state: str = "success", *, run_state: str | None = None) -> None:
        """What is unfinished in a run runs now, and ends in ``state``; so does the run."""
        self.put(ref, state, only=None, run_state=run_state or state)

    def put(
        self,
        ref: RunRef,
        state: str | None,
        *,
        only: Collection[str] | None,
        run_state: str = "running",
        **columns: Any,
    ) -> None:
        """Put task instances of a run into a state: those named, or those that are unfinished."""
        now = self.clock.now()
        with self.database.session() as session:
            for (task_id, _), ti in scene.instances(ref, session=session).items():
                if task_id in only if only is not None else ti.state in WAITING:
                    ti.state = state
                    if state in ("success", "failed", "running"):
                        ti.try_number, ti.start_date, ti.end_date = ti.try_number + 1, now, now
                    for name, value in columns.items():
                        setattr(ti, name, value)
            scene.run_of(ref, session=session).state = run_state
            session.commit()

    def clear(self, ref: RunRef, *task_ids: str) -> None:
        """What a person's clear of task instances does; without names, all of them."""
        from airflow.models.taskinstance import clear_task_instances

        with self.database.session() as session:
            chosen = scene.instances(ref, session=session).items()
            clear_task_instances([ti for (task_id, _), ti in chosen if not task_ids or task_id in task_ids], session)
            session.commit()

    def delete(self, ref: RunRef) -> None:
        with self.database.session() as session:
            scene.delete_run(ref, session=session)

    def states(self, ref: RunRef) -> dict[str, str | None]:
        """The task instances of a run."""
        with self.database.session() as session:
            found = scene.instances(ref, session=session).items()
            return {
                task_id if index < 0 else f"{task_id}[{index}]": ti.state and str(ti.state)
                for (task_id, index), ti in found
            }

    def member(self, ref: RunRef) -> Member:
        with self.unit_of_work() as work:
            return next(one for one in work.store.members(self.id) if one.ref == ref)

    def members(self) -> dict[str, tuple[str, str | None]]:
        """State and reason of each member, by its Dag."""
        with self.unit_of_work() as work:
            return {one.ref.dag_id: (one.state.value, one.state_reason) for one in work.store.members(self.id)}

    def state(self) -> str:
        with self.unit_of_work() as work:
            found = work.store.get(self.id)
            assert found is not None
            return found.state.value


def stand_in(dag_id: str, *chain: str, **arguments: Any) -> Any:
    """A Dag with tasks that stand for others, one after the other."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG
    from airflow.sdk import chain as chained

    arguments.setdefault("schedule", None)
    with DAG(dag_id, start_date=scene.START, **arguments) as made:
        chained(*(EmptyOperator(task_id=task_id) for task_id in chain or ("t",)))
    return made
