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
        self.past_versions = 0

    def write(self) -> None:
        """Write Dags, runs, task instances, events and who consumed them."""
        with self.database.session() as session:
            scene.save(*[self.dag(number) for number in range(self.shape.dags)], session=session)
            self.write_runs(session)
            for statement in (TASK_INSTANCES, EVENTS, CONSUMED):
                self.execute(session, statement)
            session.commit()
        self.analyze()

    @property
    def postgres(self) -> bool:
        """Whether it is on PostgreSQL."""
        return self.database.backend == "postgres"

    def execute(self, session: Any, statement: str, **more: object) -> None:
        """Send a statement in the database's own words."""
        for ours, theirs in () if self.postgres else IN_SQLITE.items():
            statement = statement.replace(ours, theirs)
        session.execute(text(statement), {**self.names, **more})

    @property
    def names(self) -> dict[str, object]:
        """What the statements below need to know."""
        at, begin = (self.moment(day) for day in (2, 0))
        return {"dags": f"{self.shape.name}\\_%", "last": self.shape.tasks - 1, "at": at, "begin": begin}

    def moment(self, day: int) -> datetime:
        """A time as a plain statement takes it: SQLite compares texts, and Airflow writes them without a zone."""
        found = BEGIN + timedelta(days=day)
        return found if self.postgres else found.replace(tzinfo=None)

    def analyze(self) -> None:
        """What autovacuum does in time. Nobody does it on SQLite."""
        if self.postgres:
            with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("vacuum analyze"))

    def add_events(self, count: int) -> None:
        """More events of the same Dags and assets, of the same days, by runs that are long gone."""
        step = (self.shape.runs - 1) * 3600 / count
        with self.database.session() as session:
            self.execute(session, PAST_EVENTS, count=count, step=step)
            session.commit()
        self.analyze()

    def add_xcoms(self, count: int) -> None:
        """XComs: a tenth of them the history's own tasks', the rest of triggers whose runs are long gone."""
        own = count // 10 // (self.runs * self.shape.tasks)
        off, on = WITHOUT_KEYS[self.database.backend]
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(off)
            self.execute(connection, OWN_XCOMS, count=own)
            self.execute(connection, PAST_XCOMS, count=count - count // 10)
            connection.exec_driver_sql(on)
        self.analyze()

    def add_versions(self, count: int) -> None:
        """Versions that the Dags had before, each with what Airflow serialized of it."""
        each, known = count // self.shape.dags, self.past_versions
        with self.database.session() as session:
            for statement in (NEWEST, PAST_VERSIONS, PAST_SERIALIZED):
                self.execute(session, statement, count=each, known=known, before=self.moment(-100))
            session.commit()
        self.past_versions += each
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


IN_SQLITE = {
    "gen_random_uuid()": "lower(hex(randomblob(16)))",
    "'\\x80047d942e'": "x'80047d942e'",
    ":begin + number * :step * interval '1 second'": (
        "strftime('%Y-%m-%d %H:%M:%f', :begin, (number * :step) || ' seconds')"
    ),
    ":before + number * interval '1 second'": "strftime('%Y-%m-%d %H:%M:%f', :before, number || ' seconds')",
    "cast('\"x\"' as jsonb)": "'\"x\"'",
    "cast('{}' as jsonb)": "'{}'",
    "md5(past.id::text)": "past.id",
}
"""How SQLite says what the statements say."""

WITHOUT_KEYS = {
    "postgres": ("set session_replication_role = replica", "set session_replication_role = origin"),
    "sqlite": ("pragma foreign_keys = off", "pragma foreign_keys = on"),
}
"""How foreign keys are let be, and looked at again."""

NUMBERS = "with recursive numbers(number) as (select 1 union all select number + 1 from numbers where number < :count)"

TASK_INSTANCES = """
with recursive places(place) as (select 0 union all select place + 1 from places where place < :last)
insert into task_instance (id, dag_id, run_id, task_id, map_index, state, operator, pool, pool_slots, queue,
                           priority_weight, try_number, max_tries, start_date, end_date, dag_version_id,
                           executor_config, span_status)
select gen_random_uuid(), dag_id, run_id, 't' || place, -1, 'success', 'EmptyOperator', 'default_pool', 1, 'default',
       1, 1, 0, start_date, start_date, created_dag_version_id, '\\x80047d942e', 'ended'
from dag_run, places where dag_id like :dags escape '\\'
"""
EVENTS = """
insert into asset_event (asset_id, extra, source_dag_id, source_run_id, source_task_id, source_map_index, timestamp)
select asset.id, '{}', dag_id, run_id, 't' || :last, -1, :at
from dag_run join asset on asset.name = dag_id where dag_id like :dags escape '\\'
"""
CONSUMED = """
insert into dagrun_asset_event (dag_run_id, event_id)
select run.id, event.id from dag_run as run join asset_event as event
  on event.source_dag_id = run.conf ->> 'parent'
 and event.source_run_id in ('run_' || (run.conf ->> 'place'), 'run_0')
 and (event.source_run_id = 'run_' || (run.conf ->> 'place') or event.source_dag_id like '%\\_0' escape '\\')
where run.dag_id like :dags escape '\\' and run.run_type = 'asset_triggered'
"""
PAST_EVENTS = f"""
{NUMBERS}
insert into asset_event (asset_id, extra, source_dag_id, source_run_id, source_task_id, source_map_index, timestamp)
select made.id, '{{}}', made.name, 'past_' || number, 't' || :last, -1, :begin + number * :step * interval '1 second'
from numbers
join (select id, name, row_number() over (order by id) - 1 as place, count(*) over () as many
      from asset where name like :dags escape '\\') as made on made.place = number % made.many
"""
OWN_XCOMS = f"""
{NUMBERS}
insert into xcom (dag_run_id, dag_id, run_id, task_id, map_index, key, value, timestamp)
select run.id, run.dag_id, run.run_id, task.task_id, -1, 'pushed_' || number, cast('"x"' as jsonb), :at
from numbers, dag_run as run
join task_instance as task on task.dag_id = run.dag_id and task.run_id = run.run_id
where run.dag_id like :dags escape '\\'
"""
PAST_XCOMS = f"""
{NUMBERS}
insert into xcom (dag_run_id, dag_id, run_id, task_id, map_index, key, value, timestamp)
select -number, 'elsewhere', 'past_' || number, 't0', -1, 'trigger_run_id', cast('"x"' as jsonb), :at
from numbers
"""
NEWEST = """
update dag_version set version_number = version_number + :count
where dag_id like :dags escape '\\' and version_number = :known + 1
"""
PAST_VERSIONS = f"""
{NUMBERS}
insert into dag_version (id, version_number, dag_id, created_at, last_updated)
select gen_random_uuid(), :known + number, dag.dag_id, :before + number * interval '1 second', :before
from numbers, dag where dag.dag_id like :dags escape '\\'
"""
PAST_SERIALIZED = """
insert into serialized_dag (id, dag_id, data, created_at, last_updated, dag_hash, dag_version_id)
select gen_random_uuid(), past.dag_id,
       case when past.version_number = :known + :count then serialized.data else cast('{}' as jsonb) end,
       past.created_at, past.created_at, md5(past.id::text), past.id
from dag_version as past
join dag_version as latest on latest.dag_id = past.dag_id and latest.version_number = :known + :count + 1
join serialized_dag as serialized on serialized.dag_version_id = latest.id
where past.dag_id like :dags escape '\\' and past.version_number > :known and past.version_number <= :known + :count
"""
"""Only the last one is ever asked for: it was replaced today."""
