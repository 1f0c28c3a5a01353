"""Large histories, written with bulk inserts into tables that Airflow itself migrated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, text

from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import scene

if TYPE_CHECKING:
    from tests.airflow3.database import Database

BEGIN = datetime(2026, 11, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Shape:
    """Dags that consume each other's assets: ``width`` children of Dag 0, and one line of Dags below each child.

    Dag 0 has one run, the source; each run of another Dag consumed an event of its parent's run.
    """

    name: str
    dags: int
    runs: int
    tasks: int
    width: int

    def dag_id(self, number: int) -> str:
        """A Dag's name."""
        return f"{self.name}_{number}"

    def parent(self, number: int) -> int:
        """The Dag whose asset a Dag consumes."""
        return max(number - self.width, 0)

    @property
    def source(self) -> RunRef:
        """The run that every other one is downstream of."""
        return RunRef(self.dag_id(0), "run_0")

    @property
    def downstream(self) -> int:
        """How many runs are downstream of the source."""
        return (self.dags - 1) * self.runs

    @property
    def levels(self) -> int:
        """How many links the longest way has."""
        return -(-(self.dags - 1) // self.width)


class LargeHistory:
    """One shape's history in a database."""

    def __init__(self, database: Database, shape: Shape) -> None:
        self.database = database
        self.shape = shape
        self.source = shape.source
        self.runs = shape.downstream

    def write(self) -> None:
        """Write Dags, runs, task instances, events and who consumed them."""
        with self.database.session() as session:
            scene.save(*[self.dag(number) for number in range(self.shape.dags)], session=session)
            self.write_runs(session)
            for statement in (TASK_INSTANCES, EVENTS, CONSUMED):
                session.execute(text(statement), self.names)
            session.commit()
        self.analyze()

    @property
    def names(self) -> dict[str, object]:
        """What the statements below need to know."""
        return {"dags": f"{self.shape.name}\\_%", "last": self.shape.tasks - 1, "at": BEGIN + timedelta(days=2)}

    def analyze(self) -> None:
        """What autovacuum does in time."""
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze"))

    def add_events(self, count: int) -> None:
        """More events of the same Dags and assets, of the same days, by runs that are long gone."""
        with self.database.session() as session:
            session.execute(text(NOISE), {**self.names, "count": count, "begin": BEGIN})
            session.commit()
        self.analyze()

    def dag(self, number: int) -> Any:
        """A chain of tasks, the last of which emits the Dag's asset."""
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.sdk import DAG, Asset

        shape = self.shape
        schedule = None if number == 0 else [Asset(shape.dag_id(shape.parent(number)))]
        with DAG(shape.dag_id(number), schedule=schedule, start_date=BEGIN) as dag:
            before = None
            for place in range(shape.tasks):
                last = place == shape.tasks - 1
                task = EmptyOperator(task_id=f"t{place}", outlets=[Asset(shape.dag_id(number))] if last else [])
                if before is not None:
                    before >> task
                before = task
        return dag

    def write_runs(self, session: Any) -> None:
        from airflow.models.dag_version import DagVersion
        from airflow.models.dagrun import DagRun

        versions = dict(session.execute(select(DagVersion.dag_id, DagVersion.id)).all())
        rows = []
        for number in range(self.shape.dags):
            dag_id, source = self.shape.dag_id(number), number == 0
            for place in range(1 if source else self.shape.runs):
                began = BEGIN + timedelta(hours=place, minutes=number)
                rows.append(
                    {
                        "dag_id": dag_id,
                        "run_id": f"run_{place}",
                        "run_type": "scheduled" if source else "asset_triggered",
                        "triggered_by": "TIMETABLE" if source else "ASSET",
                        "_state": "success",
                        "run_after": began,
                        "logical_date": BEGIN if source else None,
                        "start_date": began,
                        # The one event of the source started every run of its children.
                        "conf": {"parent": self.shape.dag_id(self.shape.parent(number)), "place": place},
                        "created_dag_version_id": versions[dag_id],
                    }
                )
        session.execute(insert(DagRun), rows)


TASK_INSTANCES = """
insert into task_instance (id, dag_id, run_id, task_id, map_index, state, operator, pool, pool_slots, queue,
                           priority_weight, try_number, max_tries, start_date, end_date, dag_version_id,
                           executor_config, span_status)
select gen_random_uuid(), dag_id, run_id, 't' || place, -1, 'success', 'EmptyOperator', 'default_pool', 1, 'default',
       1, 1, 0, start_date, start_date, created_dag_version_id, '\\x80047d942e', 'ended'
from dag_run, generate_series(0, :last) as place where dag_id like :dags
"""
EVENTS = """
insert into asset_event (asset_id, extra, source_dag_id, source_run_id, source_task_id, source_map_index, timestamp)
select asset.id, '{}', dag_id, run_id, 't' || :last, -1, :at
from dag_run join asset on asset.name = dag_id where dag_id like :dags
"""
CONSUMED = """
insert into dagrun_asset_event (dag_run_id, event_id)
select run.id, event.id from dag_run as run join asset_event as event
  on event.source_dag_id = run.conf ->> 'parent'
 and event.source_run_id in ('run_' || (run.conf ->> 'place'), 'run_0')
 and (event.source_run_id = 'run_' || (run.conf ->> 'place') or event.source_dag_id like '%\\_0')
where run.dag_id like :dags and run.run_type = 'asset_triggered'
"""
NOISE = """
insert into asset_event (asset_id, extra, source_dag_id, source_run_id, source_task_id, source_map_index, timestamp)
select made.id, '{}', made.name, 'past_' || number, 't' || :last, -1, :begin + number * interval '0.17 seconds'
from generate_series(1, :count) as number
join (select id, name, row_number() over (order by id) - 1 as place, count(*) over () as many
      from asset where name like :dags) as made on made.place = number % made.many
"""
