"""A run as its scheduler and its workers write it: the scheduler's part is Airflow's own, a worker's is written as its
execution API writes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream.domain.facts import DagStructure, Observation
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef, normalised
from airflow_rerun_downstream.domain.run_accounts import RunAccount
from airflow_rerun_downstream.domain.verdict import Evidence, Judgement, judge
from tests.airflow3 import scene, scheduler, task_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Work:
    """One run, played step by step."""

    def __init__(self, ref: RunRef, *, session: Session) -> None:
        self.ref = ref
        self.session = session
        self.at = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=2)

    def later(self) -> datetime:
        """A second goes by."""
        self.at += timedelta(seconds=1)
        return self.at

    def schedule(self) -> None:
        """The scheduler looks at the run: it decides which tasks can go, and which are skipped or can't."""
        run = scene.run_of(self.ref, session=self.session)
        run.state, run.start_date = "running", run.start_date or self.at
        run.dag = scene.latest(self.ref.dag_id, session=self.session)
        ready, _ = run.update_state(session=self.session, execute_callbacks=False)
        run.schedule_tis(ready, session=self.session)
        self.session.commit()

    def queue(self, task_id: str) -> None:
        """The scheduler hands a task to its executor."""
        self.write(task_id, state="queued", queued_dttm=self.later())

    def start(self, task_id: str, map_index: int = -1) -> None:
        """A worker starts a task; one that goes on after a deferral keeps its start."""
        ti = self.instance(task_id, map_index)
        begun = {} if ti.next_method else {"start_date": self.later()}
        self.write(
            task_id, map_index, state="running", end_date=None, pid=77, hostname="w", last_heartbeat_at=self.at, **begun
        )

    def end(self, task_id: str, state: str = "success", map_index: int = -1, *, log: bool = True) -> None:
        """A worker's task ends by itself."""
        from airflow.models.log import Log

        ti = self.instance(task_id, map_index)
        if log:
            where = {"task_id": task_id, "dag_id": self.ref.dag_id, "run_id": self.ref.run_id, "map_index": map_index}
            self.session.add(Log(event=state, try_number=ti.try_number, **where))
        if state == "up_for_retry":
            ti.end_date = self.later()
            ti.prepare_db_for_next_try(session=self.session)
            self.session.commit()
        self.write(task_id, map_index, state=state, end_date=self.later(), next_method=None, next_kwargs=None)

    def run(self, *task_ids: str, state: str = "success") -> None:
        """Schedule, start and end tasks, one after the other."""
        for task_id in task_ids:
            self.schedule()
            self.start(task_id)
            self.end(task_id, state)

    def defer(self, task_id: str) -> None:
        """A worker's task waits for a trigger."""
        self.write(task_id, state="deferred", next_method="execute_complete")

    def poke(self, task_id: str) -> None:
        """A sensor that has looked, and looks again later."""
        from airflow.models.taskreschedule import TaskReschedule

        ti, end = self.instance(task_id), self.later()
        self.session.add(TaskReschedule(ti.id, self.at, end, end + timedelta(minutes=1)))
        self.write(task_id, state="up_for_reschedule", end_date=end, next_method=None)

    def fail_fast(self, task_id: str) -> None:
        """A worker's task fails, in a Dag that stops then."""
        from airflow.models.taskinstance import _stop_remaining_tasks

        dag = scene.latest(self.ref.dag_id, session=self.session)
        ti = self.instance(task_id)
        ti.task = dag.get_task(task_id)
        teardowns = {one.task_id: one.is_teardown for one in dag.tasks}
        _stop_remaining_tasks(task_instance=ti, task_teardown_map=teardowns, session=self.session)
        self.session.commit()
        self.end(task_id, "failed")

    def time_out(self) -> None:
        """The scheduler finds that the run has taken too long."""
        run = scene.run_of(self.ref, session=self.session)
        run.state, run.start_date = "running", self.at - timedelta(days=2)
        self.session.commit()
        scheduler.runner(session=self.session)._schedule_dag_run(run, self.session)
        self.session.commit()

    def mark(self, state: str, *, by: str = "ada", log: bool = True) -> None:
        """Somebody marks the run in the UI."""
        from airflow.api.common import mark_tasks

        self._logged("patch_dag_run", by, f'{{"state": "{state}"}}', log=log)
        dag = scene.latest(self.ref.dag_id, session=self.session)
        setter = getattr(mark_tasks, f"set_dag_run_state_to_{state}")
        setter(dag=dag, run_id=self.ref.run_id, commit=True, session=self.session)
        self.session.commit()

    def mark_task(self, task_id: str, state: str, *, by: str = "ada", log: bool = True) -> None:
        """Somebody sets a task instance's state in the UI."""
        self._logged("patch_task_instance", by, f'{{"new_state": "{state}"}}', task_id=task_id, log=log)
        self.instance(task_id).set_state(state, session=self.session)
        self.session.commit()

    def _logged(self, event: str, by: str, extra: str, *, log: bool, **more: Any) -> None:
        from airflow.models.log import Log

        if log:
            where = {"dag_id": self.ref.dag_id, "run_id": self.ref.run_id, "owner": by, "extra": extra}
            self.session.add(Log(event=event, **where, **more))
            self.session.commit()

    def instance(self, task_id: str, map_index: int = -1) -> Any:
        return scene.instance(self.ref, task_id, map_index, session=self.session)

    def write(self, task_id: str, map_index: int = -1, **values: Any) -> None:
        """What the execution API writes: columns, past the ORM's setters."""
        where = {"dag_id": self.ref.dag_id, "run_id": self.ref.run_id, "task_id": task_id, "map_index": map_index}
        task_rows.write(where, values, session=self.session)
        self.session.commit()

    def states(self) -> dict[str, str | None]:
        return {task_id: ti.state for (task_id, _), ti in scene.instances(self.ref, session=self.session).items()}

    def close(self, state: str) -> None:
        """The scheduler closes the run."""
        run = scene.run_of(self.ref, session=self.session)
        run.state, run.end_date = state, datetime.now(timezone.utc)
        self.session.commit()

    def dispatch(self, *task_ids: str) -> None:
        """A rerun clears tasks of the run."""
        from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway

        tasks = normalised(TaskRef(task_id) for task_id in task_ids or self.states())
        AirflowGateway(self.session).dispatch(
            self.ref, tasks, rerun_id=1, actor="ada", retry=False, run_on_latest_version=None
        )
        self.session.commit()

    def account(self, place: RunRef | None = None) -> RunAccount:
        from airflow_rerun_downstream.airflow3.lineage_facts import readers

        places = {} if place is None else {self.ref: [place]}
        return readers(self.session).tasks.accounts([self.ref], places=places)[self.ref]

    def judge(self, *task_ids: str, place: RunRef | None = None) -> Judgement:
        """The judgement on a member with these tasks; none named: all."""
        from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
        from airflow_rerun_downstream.airflow3.lineage_facts import readers

        seen: Observation = AirflowGateway(self.session).observe([self.ref])[self.ref]
        structure: DagStructure = readers(self.session).dags.structures([self.ref.dag_id])[self.ref.dag_id]
        tasks = normalised(TaskRef(task_id) for task_id in task_ids or self.states())
        return judge(tasks, seen, Evidence(self.account(place), structure))
