"""Tasks that depend on their past, where the run before isn't right."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from airflow.models.dagrun import DagRun
from sqlalchemy import and_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import current_dags, parsed_dags
from airflow_rerun_downstream.domain.definitions import PastDependency
from airflow_rerun_downstream.domain.facts import FAILED_TASK_STATES, FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.sentence import Sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

RUN = DagRun.__table__.c
TI = task_tables.TASK.c

RIGHT = frozenset({"success", "skipped"})
"""What Airflow takes for right in the run before."""


def unmet_past(session: Session, tasks: Mapping[RunRef, Collection[str]]) -> Iterator[Obstacle]:
    """The tasks that wait for the run before theirs, in which what they wait for isn't right.

    A task that has no instance there isn't told: whether it waits depends on settings of its own.
    """
    awaited = dependencies(session, tasks)
    before = runs_before(session, awaited)
    states = states_in(session, awaited, before)
    for ref, found in awaited.items():
        for one in found:
            previous = before[ref][one.scheduled_only] if ref in before else None
            seen = states.get(previous, {}) if previous is not None else {}
            wrong = {
                task_id: lasting
                for task_id in sorted(one.waits_for)
                for state, lasting in seen.get(task_id, ())
                if state not in RIGHT
            }
            if previous is not None and wrong and one.task_id in seen:
                what = Sentence("part.past_not_met", tasks=list(wrong), run=f"{previous}")
                yield Obstacle(ref, one.task_id, "depends_on_past", what, previous, all(wrong.values()))


def dependencies(session: Session, tasks: Mapping[RunRef, Collection[str]]) -> dict[RunRef, list[PastDependency]]:
    """Those of the tasks that depend on their past. One statement, and one more for versions that aren't known yet."""
    if not tasks:
        return {}
    dags = current_dags(session, {ref.dag_id for ref in tasks})
    parsed = parsed_dags(session, dags, all_there_are=False)
    found = {
        ref: [one for one in parsed[ref.dag_id].definitions.past_dependencies if one.task_id in ids]
        for ref, ids in tasks.items()
        if ref.dag_id in parsed
    }
    return {ref: some for ref, some in found.items() if some}


def runs_before(session: Session, refs: Collection[RunRef]) -> dict[RunRef, dict[bool, RunRef | None]]:
    """The runs right before others, by date: of any type, and (True) without manual ones. As Airflow looks for them."""
    found: dict[RunRef, dict[bool, RunRef | None]] = {}
    wanted = select(RUN.dag_id, RUN.run_id, previous(manual=True).label("any"), previous(manual=False).label("own"))
    for some in chunks(names(refs)):
        for row in session.execute(wanted.where(pair_in(session, RUN.dag_id, RUN.run_id, some))):
            found[RunRef(row.dag_id, row.run_id)] = {
                False: row.any and RunRef(row.dag_id, row.any),
                True: row.own and RunRef(row.dag_id, row.own),
            }
    return found


def previous(*, manual: bool) -> Any:
    """The id of the run before, as a column."""
    other = DagRun.__table__.alias()
    wanted = select(other.c.run_id).where(other.c.dag_id == RUN.dag_id, other.c.logical_date < RUN.logical_date)
    if not manual:
        wanted = wanted.where(other.c.run_type != "manual")
    return wanted.order_by(other.c.logical_date.desc()).limit(1).scalar_subquery()


def states_in(
    session: Session,
    awaited: Mapping[RunRef, Collection[PastDependency]],
    before: Mapping[RunRef, Mapping[bool, RunRef | None]],
) -> dict[RunRef, dict[str, list[tuple[str | None, bool]]]]:
    """The states of the awaited tasks in the runs before, each with whether it stays so by itself."""
    refs = {run for some in before.values() for run in some.values() if run is not None}
    ids = sorted({task_id for some in awaited.values() for one in some for task_id in (one.task_id, *one.waits_for)})
    found: dict[RunRef, dict[str, list[tuple[str | None, bool]]]] = {}
    for some in chunks(names(refs)):
        wanted = (
            select(TI.dag_id, TI.run_id, TI.task_id, TI.state, RUN.state.label("run_state"))
            .join(DagRun.__table__, and_(RUN.dag_id == TI.dag_id, RUN.run_id == TI.run_id))
            .where(pair_in(session, TI.dag_id, TI.run_id, some), TI.task_id.in_(ids))
        )
        for row in session.execute(wanted):
            lasting = row.run_state in FINISHED_RUN_STATES or row.state in FAILED_TASK_STATES
            run = found.setdefault(RunRef(row.dag_id, row.run_id), {})
            run.setdefault(row.task_id, []).append((row.state, lasting))
    return found
