"""Reads of Dag runs and task instances."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from sqlalchemy import and_, exists, func, literal, or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, one_in, pair_in
from airflow_rerun_downstream.airflow3.database.untrusted_values import AT_ONCE, MAX_NAMES, read_json, text_of
from airflow_rerun_downstream.airflow3.lineage_facts.online import Kind, Origins, origins, word
from airflow_rerun_downstream.airflow3.lineage_facts.serialized_task import value_of
from airflow_rerun_downstream.airflow3.lineage_facts.stopped import stopped
from airflow_rerun_downstream.airflow3.versions import HAS_PARTITIONS
from airflow_rerun_downstream.domain.facts import RunConf, RunFacts, RunNow, TaskInstanceFacts, UndatedRun
from airflow_rerun_downstream.domain.labels import cut
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c
DAG = DagModel.__table__.c
TI = task_tables.TASK.c

PARTITION_KEY = RUN.partition_key if HAS_PARTITIONS else literal(None)

THERE = exists().where(DAG.dag_id == RUN.dag_id, DAG.is_stale.is_(False)).correlate(DagRun.__table__)
"""Whether Airflow finds a run's Dag."""

RUN_COLUMNS = (
    RUN.dag_id,
    RUN.run_id,
    RUN.run_type,
    RUN.state.label("run_state"),
    RUN.logical_date,
    RUN.run_after,
    RUN.clear_number,
    RUN.data_interval_start,
    RUN.data_interval_end,
    PARTITION_KEY.label("partition_key"),
    RUN.start_date.label("run_start_date"),
    RUN.end_date.label("run_end_date"),
    RUN.queued_at,
    RUN.triggered_by,
    RUN.bundle_version,
    THERE.label("dag_there"),
)
"""What `complete` needs of a row."""

BY_TASK = attrgetter("task_id", "map_index")

OPERATOR = func.coalesce(func.nullif(TI.custom_operator_name, ""), TI.operator).label("operator")
"""The operator as Airflow's own pages name it: a decorator says what it is called, such as ``@task``."""

TI_COLUMNS = (
    TI.dag_id, TI.run_id,
    TI.task_id, TI.map_index, TI.state, OPERATOR, TI.try_number, TI.task_display_name,
)  # fmt: skip


def complete(session: Session, rows: Iterable[Any]) -> dict[RunRef, RunFacts]:
    """Facts of rows that have `RUN_COLUMNS`, with ``online`` and ``terminated`` found out."""
    found = {RunRef(row.dag_id, row.run_id): row for row in rows}
    origin = origins(session, {ref: Kind.of(row) for ref, row in found.items()})
    by_hand = stopped(session, {ref: row for ref, row in found.items() if row.run_state == "failed"})
    return {ref: facts_of(ref, row, origin, terminated=ref in by_hand) for ref, row in found.items()}


def facts_of(ref: RunRef, row: Any, origin: Origins, *, terminated: bool) -> RunFacts:
    """A run's facts."""
    run_type = word(row.run_type)
    return RunFacts(
        ref=ref,
        run_type=run_type,
        state=word(row.run_state),
        logical_date=row.logical_date,
        run_after=row.run_after,
        clear_number=row.clear_number,
        data_interval_start=row.data_interval_start,
        data_interval_end=row.data_interval_end,
        partition_key=row.partition_key,
        start_date=row.run_start_date,
        online=ref in origin.online,
        terminated=terminated,
        backfill=run_type == "backfill",
        dag_gone=not row.dag_there,
        made_by_task=Kind.of(row).by_task,
        maker_untold=ref in origin.untold,
        pinned=row.bundle_version is not None,
    )


def runs(session: Session, refs: Collection[RunRef]) -> dict[RunRef, RunFacts]:
    """The runs that exist."""
    rows = [
        row
        for some in chunks(refs)
        for row in session.execute(select(*RUN_COLUMNS).where(pair_in(session, RUN.dag_id, RUN.run_id, names(some))))
    ]
    return complete(session, rows)


def confs(session: Session, refs: Collection[RunRef]) -> dict[RunRef, RunConf]:
    """The configurations of runs: what a person, a task or a backfill gave them. One that is too long isn't read."""
    overrides = conf.getboolean("core", "dag_run_conf_overrides_params", fallback=True)
    found: dict[RunRef, RunConf] = {}
    for some in chunks(refs):
        columns = RUN.dag_id, RUN.run_id, RUN.conf.is_(None).label("none"), text_of(RUN.conf)
        wanted = select(*columns).where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)))
        for row in session.execute(wanted, execution_options=AT_ONCE):
            given = {} if row.none or row.value == "null" else read_json(row.value)
            known = isinstance(given, Mapping) and len(given) <= MAX_NAMES
            values = {str(name): value_of(value) for name, value in given.items()} if known else None
            found[RunRef(row.dag_id, row.run_id)] = RunConf(values, overrides)
    return found


def runs_now(session: Session, refs: Collection[RunRef]) -> dict[RunRef, RunNow]:
    """Where the runs that exist stand."""
    columns = RUN.dag_id, RUN.run_id, RUN.state, RUN.run_after
    return {
        RunRef(dag_id, run_id): RunNow(word(state), run_after)
        for some in chunks(refs)
        for dag_id, run_id, state, run_after in session.execute(
            select(*columns).where(pair_in(session, RUN.dag_id, RUN.run_id, names(some)))
        )
    }


def runs_at(session: Session, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
    """The runs of Dags at logical dates; ``undated``: and those without one that were ready at such a date."""
    wanted = [(dag_id, date) for dag_id, some in dates.items() for date in some]
    rows = [row for some in chunks(wanted, 5_000) for row in session.execute(at_dates(session, some, undated=undated))]
    return list(complete(session, rows).values())


def at_dates(session: Session, pairs: Collection[tuple[str, datetime]], *, undated: bool) -> Any:
    """The runs at pairs of Dag and date. One OR over both columns would use the index of neither."""
    dated = select(*RUN_COLUMNS).where(pair_in(session, RUN.dag_id, RUN.logical_date, pairs))
    if not undated:
        return dated
    ready = select(*RUN_COLUMNS).where(RUN.logical_date.is_(None), pair_in(session, RUN.dag_id, RUN.run_after, pairs))
    return dated.union_all(ready)


def undated_runs(session: Session, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
    """The runs of Dags without a logical date that were ready in a window."""
    if not windows:
        return []
    within = [
        and_(RUN.dag_id == dag_id, RUN.run_after >= since, RUN.run_after <= until)
        for dag_id, (since, until) in windows.items()
    ]
    wanted = select(*RUN_COLUMNS, RUN.conf).where(RUN.logical_date.is_(None), or_(*within))
    rows = session.execute(wanted.order_by(RUN.run_after, RUN.id)).all()
    known = complete(session, rows)
    return [UndatedRun(known[RunRef(row.dag_id, row.run_id)], texts_of(row.conf)) for row in rows]


def texts_of(configuration: Any) -> dict[str, str]:
    """The values of a run's configuration that are texts or numbers."""
    given = configuration if isinstance(configuration, Mapping) else {}
    return {str(key): str(value) for key, value in given.items() if isinstance(value, (str, int, float))}


def last_undated(session: Session, dag_ids: Collection[str]) -> dict[str, datetime]:
    """When the last run without a logical date was ready of each Dag."""
    wanted = (
        select(RUN.dag_id, func.max(RUN.run_after))
        .where(one_in(session, RUN.dag_id, sorted(dag_ids)), RUN.logical_date.is_(None))
        .group_by(RUN.dag_id)
    )
    return {row[0]: row[1] for row in session.execute(wanted)} if dag_ids else {}


def later_runs(session: Session, since: Mapping[str, datetime], *, limit: int) -> list[RunFacts]:
    """The first runs after a logical date of each Dag."""
    if not since:
        return []
    wanted = (
        select(*RUN_COLUMNS)
        .where(or_(*(and_(RUN.dag_id == dag_id, RUN.logical_date > date) for dag_id, date in since.items())))
        .order_by(RUN.logical_date, RUN.id)
        .limit(limit)
    )
    return list(complete(session, session.execute(wanted)).values())


def task_instances(session: Session, refs: Collection[RunRef]) -> dict[RunRef, list[TaskInstanceFacts]]:
    """The task instances of runs, by task and map index. Dates would cost as much as the rest."""
    found: dict[tuple[str, str], list[TaskInstanceFacts]] = {}
    # Runs of one Dag mostly look alike: one object stands for all task instances with the same values.
    known: dict[tuple[object, ...], TaskInstanceFacts] = {}
    for some in chunks(refs):
        wanted = select(*TI_COLUMNS).where(pair_in(session, TI.dag_id, TI.run_id, names(some)))
        for row in session.execute(wanted):
            values = tuple(row[2:])
            task = known.get(values)
            if task is None:
                *plain, name = values
                called = cut(name) if name and name != row.task_id else None
                task = known[values] = replace(TaskInstanceFacts(*plain), display_name=called)
            found.setdefault((row[0], row[1]), []).append(task)
    for tasks in found.values():
        tasks.sort(key=BY_TASK)
    return {RunRef(*names): tasks for names, tasks in found.items()}
