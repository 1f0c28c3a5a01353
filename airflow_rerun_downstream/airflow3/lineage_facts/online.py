"""Which runs count as the scheduler's own: those that it made, and those that a task of such a run made."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from airflow.models.dagrun import DagRun
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import Text, and_, cast, func, or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, one_in
from airflow_rerun_downstream.airflow3.database.untrusted_values import (
    LINK_KEY,
    TRIGGER_KEY,
    linked_run,
    read_id,
    text_of,
)
from airflow_rerun_downstream.airflow3.lineage_facts.run_versions import triggers_of
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.templates import may_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from sqlalchemy.sql import ColumnElement

RUN = DagRun.__table__.c
XCOM = task_tables.XCOM.c

ALWAYS_ONLINE = ("scheduled", "asset_triggered")
LEVELS = 5
"""How many runs that triggered one another are followed upwards one by one."""


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


class Origins(NamedTuple):
    """Runs that count as the scheduler's own; ``untold``: those among them of which it can't be told who made them."""

    online: frozenset[RunRef]
    untold: frozenset[RunRef]


def origins(session: Session, kinds: Mapping[RunRef, Kind]) -> Origins:
    """Which of the runs are online. Parents are read a level at a time, all of a level at once.

    A chain that goes on for longer, such as one of a Dag that triggers itself, is then read by its Dags.
    """
    known = dict(kinds)
    makers: dict[RunRef, set[RunRef]] = {}
    level = {ref for ref, kind in known.items() if kind.by_task}
    depth = 0
    while level:
        depth += 1
        found = parents(session, level, whole_dags=depth > LEVELS)
        for child in level:
            makers.setdefault(child, set())
        for child, some in found.items():
            makers[child] = set(some)
            known.update(some)
        level = {ref for ref in known if known[ref].by_task and ref not in makers}
    told = {ref: verdict(ref, known, makers) for ref in kinds}
    return Origins(
        frozenset(ref for ref, online in told.items() if online is not False),
        frozenset(ref for ref, online in told.items() if online is None),
    )


def verdict(ref: RunRef, known: Mapping[RunRef, Kind], makers: Mapping[RunRef, Collection[RunRef]]) -> bool | None:
    """Whether a run is online; None: a task made it, or the run above it, and nothing tells which."""
    every = with_makers(ref, makers)
    if any(known[each].always_online for each in every):
        return True
    roots = [each for each in every if not known[each].by_task]
    return None if not roots or any(known[each].by_task and not makers.get(each) for each in every) else False


def with_makers(ref: RunRef, makers: Mapping[RunRef, Collection[RunRef]]) -> set[RunRef]:
    """A run and every run above it. Runs that made one another don't hang this."""
    seen, waiting = {ref}, [ref]
    while waiting:
        above = set(makers.get(waiting.pop(), ())) - seen
        seen |= above
        waiting.extend(above)
    return seen


def parents(
    session: Session, children: Collection[RunRef], *, whole_dags: bool = False
) -> dict[RunRef, dict[RunRef, Kind]]:
    """For each run that a task made: the runs of the tasks that may have, with their kinds.

    A run id is unique in its Dag only. A task that can't name the run's Dag, in its own run's version, is left out.
    ``whole_dags``: for other runs of the same Dags, too.
    """
    wanted = {*children, *(runs_made(session, {ref.dag_id for ref in children}) if whole_dags else ())}
    by_id: dict[str, list[RunRef]] = {}
    for child in wanted:
        by_id.setdefault(child.run_id, []).append(child)
    rows = [row for some in chunks(by_id, 5_000) for row in session.execute(makers_of(session, some))]
    declared = triggers_of(session, {RunRef(row.dag_id, row.run_id) for row in rows}) if rows else {}
    found: dict[RunRef, dict[RunRef, Kind]] = {}
    sure: set[RunRef] = set()
    for row in rows:
        maker = RunRef(row.dag_id, row.run_id)
        triggers = declared.get(maker, {}).get(row.task_id, ())
        named = {trigger.trigger_dag_id for trigger in triggers}
        for child in by_id.get(read_id(row.value) or "", ()):
            if not named or any(may_name(name, child.dag_id) for name in named):
                found.setdefault(child, {})[maker] = Kind.of(row)
            if child.dag_id in named:
                sure.add(child)
    missing = {child.run_id for child in wanted - sure}
    for some in chunks(sorted(missing), 2_000):
        for row in session.execute(linked_makers_of(session, some)):
            dag_id, run_id = linked_run(row.value) or ("", None)
            if (child := RunRef(dag_id, run_id or "")) in wanted:
                found.setdefault(child, {})[RunRef(row.dag_id, row.run_id)] = Kind.of(row)
    return found


def runs_made(session: Session, dag_ids: Collection[str]) -> list[RunRef]:
    """The runs of Dags that tasks have made."""
    wanted = select(RUN.dag_id, RUN.run_id).where(one_in(session, RUN.dag_id, sorted(dag_ids)), made_by_task())
    return [RunRef(*row) for row in session.execute(wanted)]


def linked_makers_of(session: Session, run_ids: Collection[str]) -> Any:
    """The tasks whose link in the UI leads to runs with these ids, with the kind of the tasks' own runs."""
    text = cast(XCOM.value, Text)
    if session.get_bind().dialect.name == "postgresql":
        end = func.split_part(text, "/runs/", 2)
    else:
        end = func.substr(text, func.instr(text, "/runs/") + len("/runs/"))
    spelled = {form for run_id in run_ids for form in (run_id, quote(run_id), quote(run_id, safe=""))}
    ends = sorted({json.dumps(form)[1:] for form in spelled} | {json.dumps(json.dumps(form))[3:] for form in spelled})
    return (
        select(XCOM.dag_id, XCOM.task_id, XCOM.run_id, text_of(XCOM.value), RUN.run_type, RUN.triggered_by)
        .select_from(task_tables.XCOM)
        .join(DagRun.__table__, RUN.id == XCOM.dag_run_id)
        .where(XCOM.key == LINK_KEY, one_in(session, cast(end, Text), ends))
    )


def makers_of(session: Session, run_ids: Collection[str]) -> Any:
    """The records of TriggerDagRun tasks that made runs with these ids, with the kind of the tasks' own runs."""
    return (
        select(XCOM.dag_id, XCOM.task_id, XCOM.run_id, text_of(XCOM.value), RUN.run_type, RUN.triggered_by)
        .select_from(task_tables.XCOM)
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
