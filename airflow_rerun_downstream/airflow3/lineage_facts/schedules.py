"""How the runs of Dags come about: what their timetables are going to make, and whether it can be held."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow.models import asset as models
from airflow.models.asset import AssetModel
from airflow.models.dag import DagModel, get_next_data_interval, get_run_data_interval
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.timetables.base import DagRunInfo, Timetable
from airflow.timetables.simple import ContinuousTimetable
from airflow.utils.types import DagRunType
from sqlalchemy import and_, func, select

from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.inlets import scheduled_by
from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import Remembered, current_dags
from airflow_rerun_downstream.airflow3.lineage_facts.runs import RUN
from airflow_rerun_downstream.airflow3.versions import (
    DAGS_DRAIN,
    DAGS_HAVE_GATES,
    EVENTS_COME_ALONE,
    HAS_PARTITIONS,
    QUEUED_BY_EVENT,
    TIMETABLES_SEE_RUNS,
    WATCHERS_ARE_MODELS,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

DAG = DagModel.__table__.c

READS_LAST_RUN = (
    ("next_dagrun_info_v2", "run_info_from_dag_run", "next_run_info_from_dag_model") if TIMETABLES_SEE_RUNS else ()
)
"""The methods by which a timetable may see the last run's ``run_after``."""

WATCHED = models.AssetWatcherModel.__table__ if WATCHERS_ARE_MODELS else vars(models)["asset_trigger_association_table"]

AUTOMATED = (DagRunType.SCHEDULED, DagRunType.BACKFILL_JOB)


def schedules(session: Session, dag_ids: Collection[str], *, upcoming: int = 10) -> dict[str, DagSchedule]:
    """How the runs of Dags come about. A few statements."""
    if not dag_ids:
        return {}
    dags = deserialized(session, dag_ids)
    rows = {row.dag_id: row for row in session.scalars(select(DagModel).where(DAG.dag_id.in_(dags)))}
    active, watched = active_runs(session, dags), with_watchers(session, dags)
    last = last_runs(session, [dag_id for dag_id, row in rows.items() if row.next_dagrun_create_after is None])
    coming = {
        dag_id: list(islice(to_come(dags[dag_id], row, last.get(dag_id)), upcoming)) for dag_id, row in rows.items()
    }
    made = existing(session, [run for runs in coming.values() for run in runs])
    return {
        dag_id: DagSchedule(
            dag_id,
            tuple(run for run in coming[dag_id] if (dag_id, run.logical_date) not in made),
            asset_scheduled=bool(dags[dag_id].timetable.asset_condition) and not gated(row),
            asset_gated=gated(row),
            takes_missed_events=takes_missed_events(dags[dag_id]),
            partitioned=HAS_PARTITIONS and dags[dag_id].timetable.partitioned,
            is_paused=row.is_paused,
            is_draining=DAGS_DRAIN and row.is_draining,
            max_active_runs=row.max_active_runs,
            active_runs=active.get(dag_id, 0),
            has_deadline=dags[dag_id].has_deadline,
            cannot_hold=None if can_hold(dags[dag_id].timetable) else "timetable_uses_run_after",
            cannot_park="asset_watcher" if dag_id in watched else None,
        )
        for dag_id, row in rows.items()
    }


@dataclass(frozen=True)
class KeptDag:
    """What is needed of a deserialized Dag: a small part of it, named as there."""

    dag_id: str
    timetable: Any
    catchup: bool
    has_deadline: bool
    _time_restriction: Any

    @classmethod
    def of(cls, dag: Any) -> KeptDag:
        """The part of Airflow's own object."""
        deadline = bool(getattr(dag, "deadline", None))
        return cls(dag.dag_id, dag.timetable, dag.catchup, deadline, dag._time_restriction)


KEPT = Remembered[KeptDag](most=10_000)
"""By the key of the serialized Dag, which changes with what is serialized. Schedulers keep whole Dags, too."""


def deserialized(session: Session, dag_ids: Collection[str]) -> dict[str, KeptDag]:
    """The latest versions of Dags, each deserialized once in a process; one that can't be read is logged and left out.

    One statement, and one for each 500 that this process hasn't met.
    """
    dags = current_dags(session, dag_ids)
    known, fresh = KEPT.known([dag.key for dag in dags]), dict[Any, KeptDag]()
    found = {dag.dag_id: known[dag.key] for dag in dags if dag.key in known}
    for some in chunks([dag.key[0] for dag in dags if dag.key not in known], 500):
        for row in session.scalars(select(SerializedDagModel).where(SerializedDagModel.id.in_(some))):
            row.load_op_links = False
            try:
                kept = KeptDag.of(row.dag)
            except Exception:
                log.exception("The serialized Dag %s can't be read; it can't be frozen", row.dag_id)
                continue
            found[row.dag_id] = fresh[row.id, row.dag_hash] = kept
    if fresh:
        KEPT.learn(fresh)
    return found


def events_come_alone(session: Session, dag_id: str) -> bool:
    """Whether each asset event of a Dag gets a run of its own; of a Dag that can't be read it is taken for so."""
    if not EVENTS_COME_ALONE:
        return False
    dag = deserialized(session, [dag_id]).get(dag_id)
    return dag is None or not dag.timetable.batch_asset_events


def can_hold(timetable: Timetable) -> bool:
    """Whether a run whose ``run_after`` is changed leaves the runs after it as they are.

    A timetable that looks at more of the last run than its data interval may make them from its ``run_after``.
    """
    inner = getattr(timetable, "timetable", None)
    sees = any(getattr(type(timetable), name) is not getattr(Timetable, name) for name in READS_LAST_RUN)
    return not sees and (not isinstance(inner, Timetable) or can_hold(inner))


def gated(row: DagModel) -> bool:
    """Whether the runs of a Dag's timetable wait for assets before they are made."""
    return DAGS_HAVE_GATES and row.timetable_asset_gated


def takes_missed_events(dag: Any) -> bool:
    """Whether the next run of a Dag consumes every event that none of its runs has, queued or not."""
    return QUEUED_BY_EVENT and bool(dag.timetable.asset_condition) and dag.catchup


def to_come(dag: Any, row: DagModel, last: Any) -> Iterator[UpcomingRun]:
    """The runs that the Dag's timetable is going to make, soonest first; none of a Dag that has no dates."""
    info = first_info(dag, row, last)
    while info is not None and info.logical_date is not None:
        yield UpcomingRun(
            dag_id=row.dag_id,
            run_id=run_id(dag.timetable, info),
            logical_date=info.logical_date,
            run_after=info.run_after,
            data_interval_start=info.data_interval.start if info.data_interval else None,
            data_interval_end=info.data_interval.end if info.data_interval else None,
            needs_assets=gated(row),
        )
        if isinstance(dag.timetable, ContinuousTimetable):
            return  # when the one after it begins depends on when this one ends
        after = next_info(dag, info)
        info = after if after is not None and after.run_after > info.run_after else None


def first_info(dag: Any, row: DagModel, last: Any) -> DagRunInfo | None:
    """The next run. A Dag that is at ``max_active_runs`` may have lost it: then it is the one after the ``last``."""
    if row.next_dagrun_create_after is None:
        if not dag.timetable.can_be_scheduled:
            return None
        return next_info(dag, info_of(dag.timetable, last) if last is not None else None)
    if TIMETABLES_SEE_RUNS:
        found: DagRunInfo | None = dag.timetable.next_run_info_from_dag_model(dag_model=row)
        return found
    ready: Any = row.next_dagrun_create_after
    return DagRunInfo(ready, get_next_data_interval(dag.timetable, row))


def info_of(timetable: Timetable, run: DagRun) -> DagRunInfo:
    """What a timetable may see of a run."""
    if TIMETABLES_SEE_RUNS:
        return timetable.run_info_from_dag_run(dag_run=run)
    ready: Any = run.run_after
    return DagRunInfo(ready, get_run_data_interval(timetable, run))


def next_info(dag: Any, info: DagRunInfo | None) -> DagRunInfo | None:
    """The run after another, or the very first one. A timetable that raises makes none, as in Airflow's scheduler."""
    restriction = dag._time_restriction
    found: DagRunInfo | None
    try:
        if TIMETABLES_SEE_RUNS:
            found = dag.timetable.next_dagrun_info_v2(last_dagrun_info=info, restriction=restriction)
        else:
            interval = info.data_interval if info is not None else None
            found = dag.timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
    except Exception:
        log.exception("The timetable of Dag %s can't tell its next run", dag.dag_id)
        return None
    return found


def run_id(timetable: Timetable, info: DagRunInfo) -> str:
    """The id that the scheduler will give to a run."""
    assert info.logical_date is not None
    return timetable.generate_run_id(
        run_type=DagRunType.SCHEDULED,
        run_after=info.run_after if TIMETABLES_SEE_RUNS else info.logical_date,
        data_interval=info.data_interval,
    )


def last_runs(session: Session, dag_ids: Collection[str]) -> dict[str, DagRun]:
    """The last run of each Dag that its scheduler or a backfill made. One statement."""
    if not dag_ids:
        return {}
    latest = (
        select(RUN.dag_id, func.max(RUN.logical_date).label("date"))
        .where(one_in(session, RUN.dag_id, sorted(dag_ids)), RUN.run_type.in_(AUTOMATED))
        .group_by(RUN.dag_id)
        .subquery()
    )
    wanted = select(DagRun).join(latest, and_(latest.c.dag_id == RUN.dag_id, latest.c.date == RUN.logical_date))
    return {run.dag_id: run for run in session.scalars(wanted)}


def existing(session: Session, coming: Sequence[UpcomingRun]) -> set[tuple[str, datetime]]:
    """Those whose Dag has a run of their date already: the scheduler passes over the date."""
    dates = [(run.dag_id, run.logical_date) for run in coming]
    return {
        (row.dag_id, row.logical_date)
        for some in chunks(dates, 5_000)
        for row in session.execute(
            select(RUN.dag_id, RUN.logical_date).where(pair_in(session, RUN.dag_id, RUN.logical_date, some))
        )
    }


def active_runs(session: Session, dag_ids: Collection[str]) -> Mapping[str, int]:
    """How many runs of Dags are queued or running, without those of backfills."""
    wanted = (
        select(RUN.dag_id, func.count())
        .where(one_in(session, RUN.dag_id, sorted(dag_ids)), RUN.state.in_(("queued", "running")))
        .where(RUN.run_type != DagRunType.BACKFILL_JOB)
        .group_by(RUN.dag_id)
    )
    return {row[0]: row[1] for row in session.execute(wanted)}


def with_watchers(session: Session, dag_ids: Collection[str]) -> set[str]:
    """The Dags that are scheduled by an asset which a trigger watches."""
    wanted = (
        select(DAG.dag_id)
        .select_from(DagModel.__table__)
        .join(AssetModel.__table__, scheduled_by(DAG.dag_id))
        .join(WATCHED, WATCHED.c.asset_id == AssetModel.id)
        .where(one_in(session, DAG.dag_id, sorted(dag_ids)))
        .distinct()
    )
    return set(session.scalars(wanted))
