"""Which runs count as the scheduler's own: those that it made, and those that a task of such a run made."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import Text, and_, cast, or_, select

from airflow_rerun_downstream.airflow3.pairs import chunks, one_in
from airflow_rerun_downstream.airflow3.stored import TRIGGER_KEY, read_id, text_of
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

RUN = DagRun.__table__.c
XCOM = XComModel.__table__.c

ALWAYS_ONLINE = ("scheduled", "asset_triggered")
MAX_PARENTS = 20
"""How many runs that triggered one another are followed upwards."""


class Kind(NamedTuple):
    """What a run's own row says of where it came from, in Airflow's words."""

    run_type: str
    triggered_by: str

    @classmethod
    def of(cls, row: Any) -> Kind:
        """The kind of a row that has the columns ``run_type`` and ``triggered_by``."""
        return cls(word(row.run_type), word(row.triggered_by))

    @property
    def always_online(self) -> bool:
        """Whether the scheduler made the run."""
        return self.run_type in ALWAYS_ONLINE

    @property
    def by_task(self) -> bool:
        """Whether a TriggerDagRun task made the run: 3.3 has a type for them, before that they are manual."""
        return self.run_type == "operator_triggered" or self == ("manual", "operator")


def word(value: Any) -> str:
    """An enumeration's member, or its text, as text."""
    return str(getattr(value, "value", value) or "")


def made_by_task() -> ColumnElement[bool]:
    """`Kind.by_task` in SQL."""
    by_operator = RUN.triggered_by == DagRunTriggeredByType.OPERATOR
    return or_(RUN.run_type == "operator_triggered", and_(RUN.run_type == "manual", by_operator))


def online(session: Session, kinds: Mapping[RunRef, Kind]) -> set[RunRef]:
    """The runs among ``kinds`` that are online. Parents are read a level at a time, all of a level at once."""
    known = dict(kinds)
    makers: dict[RunRef, set[RunRef]] = {}
    level = {ref for ref, kind in known.items() if kind.by_task}
    for _ in range(MAX_PARENTS):
        if not level:
            break
        found = parents(session, level)
        for child, some in found.items():
            makers[child] = set(some)
            known.update(some)
        above = {parent for some in found.values() for parent in some}
        level = {parent for parent in above if known[parent].by_task and parent not in makers} - level
    return {ref for ref in kinds if any(known[each].always_online for each in with_makers(ref, makers))}


def with_makers(ref: RunRef, makers: Mapping[RunRef, Collection[RunRef]]) -> set[RunRef]:
    """A run and every run above it. Runs that made one another don't hang this."""
    seen, waiting = {ref}, [ref]
    while waiting:
        above = set(makers.get(waiting.pop(), ())) - seen
        seen |= above
        waiting.extend(above)
    return seen


def parents(session: Session, children: Collection[RunRef]) -> dict[RunRef, dict[RunRef, Kind]]:
    """For each run that a task made: the runs of the tasks that may have, with their kinds.

    A run id is unique in its Dag only. A task that declares another target, in its run's own version, is left out.
    """
    # Not at the top: what a version declares is read by modules that need this one.
    from airflow_rerun_downstream.airflow3.facts.versions import is_open, triggers_of

    by_id: dict[str, list[RunRef]] = {}
    for child in children:
        by_id.setdefault(child.run_id, []).append(child)
    rows = [row for some in chunks(by_id, 5_000) for row in session.execute(makers_of(session, some))]
    declared = triggers_of(session, {RunRef(row.dag_id, row.run_id) for row in rows}) if rows else {}
    found: dict[RunRef, dict[RunRef, Kind]] = {}
    for row in rows:
        maker = RunRef(row.dag_id, row.run_id)
        triggers = declared.get(maker, {}).get(row.task_id, ())
        named = {trigger.trigger_dag_id for trigger in triggers}
        for child in by_id.get(read_id(row.value) or "", ()):
            if not named or is_open(triggers) or child.dag_id in named:
                found.setdefault(child, {})[maker] = Kind.of(row)
    return found


def makers_of(session: Session, run_ids: Collection[str]) -> Any:
    """The records of TriggerDagRun tasks that made runs with these ids, with the kind of the tasks' own runs."""
    return (
        select(XCOM.dag_id, XCOM.task_id, XCOM.run_id, text_of(XCOM.value), RUN.run_type, RUN.triggered_by)
        .select_from(XComModel.__table__)
        .join(DagRun.__table__, RUN.id == XCOM.dag_run_id)
        .where(XCOM.key == TRIGGER_KEY, one_in(session, cast(XCOM.value, Text), json_forms(run_ids)))
    )


def json_forms(texts: Iterable[str]) -> list[str]:
    """How databases print texts that are kept as JSON: with and without escapes, or JSON within JSON."""
    forms = {}
    for text in texts:
        once = json.dumps(text)
        forms.update(dict.fromkeys((once, json.dumps(text, ensure_ascii=False), json.dumps(once))))
    return list(forms)
