"""A large history, written with bulk inserts into tables that Airflow itself migrated."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, text

from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import scene

if TYPE_CHECKING:
    from tests.airflow3.database import Database

DAGS, RUNS, TASKS = 51, 20, 10
BRANCHES = 7
BEGIN = datetime(2026, 11, 1, tzinfo=timezone.utc)


def parent(number: int) -> int:
    """The Dag whose assets a Dag consumes: a tree in which each has seven children."""
    return (number - 1) // BRANCHES


class LargeHistory:
    """The source is the only run of Dag 0; each run of another Dag consumed an event of its parent's run."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.source = RunRef("bench_0", "run_0")
        self.runs = 0

    def write(self, dags: int) -> None:
        """Write Dags, runs, task instances, events and who consumed them."""
        with self.database.session() as session:
            scene.save(*[self.dag(number) for number in range(dags)], session=session)
            self.write_runs(session, dags)
            self.write_task_instances(session)
            self.write_events(session, dags)
            session.commit()
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze"))

    def dag(self, number: int) -> Any:
        """A chain of tasks, the last of which emits the Dag's asset."""
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.sdk import DAG, Asset

        schedule = None if number == 0 else [Asset(f"bench_{parent(number)}")]
        with DAG(f"bench_{number}", schedule=schedule, start_date=BEGIN) as dag:
            before = None
            for place in range(TASKS):
                last = place == TASKS - 1
                task = EmptyOperator(task_id=f"t{place}", outlets=[Asset(f"bench_{number}")] if last else [])
                if before is not None:
                    before >> task
                before = task
        return dag

    def write_runs(self, session: Any, dags: int) -> None:
        from airflow.models.dag_version import DagVersion
        from airflow.models.dagrun import DagRun

        versions = dict(session.execute(select(DagVersion.dag_id, DagVersion.id)).all())
        rows = [
            {
                "dag_id": f"bench_{number}",
                "run_id": f"run_{place}",
                "run_type": "scheduled" if number == 0 else "asset_triggered",
                "triggered_by": "TIMETABLE" if number == 0 else "ASSET",
                "_state": "success",
                "run_after": BEGIN + timedelta(hours=place, minutes=number),
                "logical_date": BEGIN if number == 0 else None,
                "start_date": BEGIN + timedelta(hours=place, minutes=number),
                "created_dag_version_id": versions[f"bench_{number}"],
            }
            for number in range(dags)
            for place in range(1 if number == 0 else RUNS)
        ]
        session.execute(insert(DagRun), rows)
        self.runs = len(rows) - 1

    def write_task_instances(self, session: Any) -> None:
        from airflow.models.dagrun import DagRun
        from airflow.models.taskinstance import TaskInstance

        rows = [
            {
                "id": uuid.uuid4(),
                "dag_id": dag_id,
                "run_id": run_id,
                "task_id": f"t{place}",
                "map_index": -1,
                "state": "success",
                "operator": "EmptyOperator",
                "pool": "default_pool",
                "pool_slots": 1,
                "queue": "default",
                "priority_weight": 1,
                "_try_number": 1,
                "try_number": 1,
                "max_tries": 0,
                "start_date": began,
                "end_date": began,
                "dag_version_id": version,
                "executor_config": {},
            }
            for dag_id, run_id, began, version in session.execute(
                select(DagRun.dag_id, DagRun.run_id, DagRun.start_date, DagRun.created_dag_version_id)
            )
            for place in range(TASKS)
        ]
        known = set(TaskInstance.__table__.c.keys())
        session.execute(insert(TaskInstance.__table__), [{k: v for k, v in row.items() if k in known} for row in rows])

    def write_events(self, session: Any, dags: int) -> None:
        from airflow.models.asset import AssetEvent, AssetModel, association_table
        from airflow.models.dagrun import DagRun

        assets = dict(session.execute(select(AssetModel.name, AssetModel.id)).all())
        ids = {(d, r): i for d, r, i in session.execute(select(DagRun.dag_id, DagRun.run_id, DagRun.id))}
        links = []
        for number in range(1, dags):
            for place in range(RUNS):
                maker = f"bench_{parent(number)}", f"run_{place if parent(number) else 0}"
                links.append((maker, (f"bench_{number}", f"run_{place}")))
        makers = sorted({maker for maker, _ in links})
        events = [
            {
                "asset_id": assets[dag_id],
                "extra": {},
                "source_dag_id": dag_id,
                "source_run_id": run_id,
                "source_task_id": f"t{TASKS - 1}",
                "source_map_index": -1,
                "timestamp": BEGIN + timedelta(days=2),
            }
            for dag_id, run_id in makers
        ]
        session.execute(insert(AssetEvent), events)
        by_maker = {
            (d, r): i
            for d, r, i in session.execute(select(AssetEvent.source_dag_id, AssetEvent.source_run_id, AssetEvent.id))
        }
        session.execute(
            insert(association_table),
            [{"dag_run_id": ids[reader], "event_id": by_maker[maker]} for maker, reader in links],
        )
