"""Which version of its Dag a run is of, told by its task instances; and what that version says.

Airflow moves task instances from one version to the next one by one: those that are cleared, or that hadn't ended. A
run's own version is therefore made of those of its tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.models.dag import DagModel
from airflow.models.dag_version import DagVersion as DagVersion_
from sqlalchemy import and_, case, or_, select

from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.database.key_lists import chunks, names, pair_in
from airflow_rerun_downstream.airflow3.lineage_facts.inlets import Named, inlets_among, meant, outlets_among
from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import (
    EACH,
    SERIALIZED,
    VERSION,
    Current,
    Remembered,
    all_of,
    current_dags,
    newest,
    parsed_dags,
    parsed_keys,
    reruns_on_latest,
    unreadable,
    with_row,
)
from airflow_rerun_downstream.airflow3.lineage_facts.serialized_dag import ParsedDag
from airflow_rerun_downstream.domain.definitions import DagVersion, Definitions, SensorDefinition, TriggerDefinition
from airflow_rerun_downstream.domain.facts import TaskNode
from airflow_rerun_downstream.domain.refs import RunRef

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

TI = task_tables.TASK.c

MOST = 2_000

MEMORY = Remembered[ParsedDag | None](most=MOST)
"""Versions that aren't the latest; few of them are ever asked for."""

Versions = Mapping[Any, ParsedDag | None]


def own_versions(session: Session, refs: Collection[RunRef]) -> dict[RunRef, DagVersion]:
    """The Dag as the tasks of runs have it, for runs that aren't all of the latest version, or whose Dag is gone.

    A run whose tasks name no version, such as one from before Airflow 3, isn't among them.
    """
    older = older_versions(session, refs)
    if not older:
        return {}
    dags = {dag.dag_id: dag for dag in current_dags(session, {ref.dag_id for ref in older})}
    older = {ref: ids for ref, ids in older.items() if ref.dag_id in dags}
    parsed = parsed_versions(session, {each for ids in older.values() for each in ids})
    mixed = {ref for ref, ids in older.items() if len(ids) > 1}
    tasks = versions_of_tasks(session, mixed)
    assets = assets_of(session, parsed.values())
    known: dict[Any, DagVersion | None] = {}
    found: dict[RunRef, DagVersion] = {}
    for ref, ids in older.items():
        key = ref.dag_id, (frozenset(tasks[ref].items()) if ref in mixed else next(iter(ids)))
        if key not in known:
            parts = (
                [(parsed.get(version), some) for version, some in by_version(tasks[ref])]
                if ref in mixed
                else [(parsed.get(next(iter(ids))), None)]
            )
            known[key] = put_together(dags[ref.dag_id], parts, assets)
        if (version := known[key]) is not None:
            found[ref] = version
    return found


def triggers_of(session: Session, refs: Collection[RunRef]) -> dict[RunRef, dict[str, list[TriggerDefinition]]]:
    """What the TriggerDagRun tasks of runs declare, by task, as the version has it that each run is of.

    Dags that Airflow doesn't find any more count too: what their runs have made is still there.
    """
    dags = current_dags(session, {ref.dag_id for ref in refs})
    latest = parsed_dags(session, dags, all_there_are=False)
    own = own_versions(session, refs) if any(dag.number > 1 for dag in dags) else {}
    found: dict[RunRef, dict[str, list[TriggerDefinition]]] = {}
    for ref in refs:
        version = own.get(ref) or latest.get(ref.dag_id)
        for trigger in version.definitions.triggers if version is not None else ():
            found.setdefault(ref, {}).setdefault(trigger.task_id, []).append(trigger)
    return found


def is_open(triggers: Iterable[TriggerDefinition]) -> bool:
    """Whether a run decides which Dag a task triggers."""
    return any("{" in trigger.trigger_dag_id for trigger in triggers)


def older_versions(session: Session, refs: Collection[RunRef]) -> dict[RunRef, set[Any]]:
    """The versions of which runs have task instances, for runs that aren't all of the latest of a Dag that is there.

    As a rule there is no such run: so much is told by one statement.
    """
    dag = DagModel.__table__.c
    found: dict[RunRef, set[Any]] = {}
    older: set[RunRef] = set()
    for some in chunks(refs):
        mine = (
            select(TI.dag_id, TI.run_id, TI.dag_version_id)
            .where(pair_in(session, TI.dag_id, TI.run_id, names(some)), TI.dag_version_id.is_not(None))
            .distinct()
            .subquery()
        )
        is_older = or_(dag.is_stale, VERSION.version_number.is_(None), VERSION.version_number < newest())
        wanted = select(*mine.c, is_older.label("is_older")).select_from(
            mine.join(DagModel.__table__, dag.dag_id == mine.c.dag_id).outerjoin(
                DagVersion_.__table__, VERSION.id == mine.c.dag_version_id
            )
        )
        for row in session.execute(wanted):
            ref = RunRef(row.dag_id, row.run_id)
            found.setdefault(ref, set()).add(row.dag_version_id)
            if row.is_older:
                older.add(ref)
    return {ref: found[ref] for ref in older}


def versions_of_tasks(session: Session, refs: Collection[RunRef]) -> dict[RunRef, dict[str, Any]]:
    """The version of each task of runs; of a mapped one any."""
    found: dict[RunRef, dict[str, Any]] = {}
    for some in chunks(refs):
        wanted = (
            select(TI.dag_id, TI.run_id, TI.task_id, TI.dag_version_id)
            .where(pair_in(session, TI.dag_id, TI.run_id, names(some)), TI.dag_version_id.is_not(None))
            .order_by(TI.map_index)
        )
        for dag_id, run_id, task_id, version in session.execute(wanted):
            found.setdefault(RunRef(dag_id, run_id), {})[task_id] = version
    return found


def by_version(tasks: Mapping[str, Any]) -> list[tuple[Any, set[str]]]:
    """The tasks of each version."""
    found: dict[Any, set[str]] = {}
    for task_id, version in tasks.items():
        found.setdefault(version, set()).add(task_id)
    return list(found.items())


def parsed_versions(session: Session, version_ids: Collection[Any]) -> Versions:
    """What versions say; those of which nothing is serialized any more, or that can't be read, are None or left out."""
    keys: dict[Any, Any] = {}
    for some in chunks(version_ids, 5_000):
        columns = SERIALIZED.dag_version_id, SERIALIZED.id, SERIALIZED.dag_hash
        for row in session.execute(select(*columns).where(SERIALIZED.dag_version_id.in_(some))):
            keys[row.dag_version_id] = (row.id, row.dag_hash)
    parsed = parsed_keys(session, set(keys.values()), MEMORY, all_there_are=False) if keys else {}
    return {version: parsed.get(key) for version, key in keys.items()}


def assets_of(session: Session, versions: Iterable[ParsedDag | None]) -> Named:
    """What the inlets and outlets of versions mean."""
    return meant(session, [each for one in versions if one is not None for each in (*one.inlets, *one.outlets)])


def put_together(
    dag: Current, parts: Iterable[tuple[ParsedDag | None, set[str] | None]], assets: Named
) -> DagVersion | None:
    """A Dag with each task as its version has it; None for ``some``: all of them. None where nothing can be read."""
    known = [(parsed, some) for parsed, some in parts if parsed is not None]
    if not known:
        return None
    nodes: dict[str, TaskNode] = {}
    groups: dict[str, frozenset[str]] = {}
    for parsed, some in known:
        nodes |= {task_id: node for task_id, node in parsed.structure.tasks.items() if some is None or task_id in some}
        for name, ids in parsed.structure.groups.items():
            groups[name] = groups.get(name, frozenset()) | ids
    structure = replace(with_row(known[-1][0], dag, reruns_on_latest()), tasks=nodes, groups=groups)
    return DagVersion(structure, all_of([declared_by(parsed, assets).of_tasks(some) for parsed, some in known]))


def declared_by(parsed: ParsedDag, assets: Named) -> Definitions:
    """What a version declares, with its inlets and outlets."""
    inlets, outlets = inlets_among(parsed.inlets, assets), outlets_among(parsed.outlets, assets)
    return replace(parsed.definitions, inlets=inlets, outlets=outlets)


def earlier_definitions(session: Session, *, since: datetime) -> Definitions:
    """What versions declared that were replaced since a moment, or the last ones of Dags gone since, each once."""
    version = replaced_since(since)
    wanted = select(version.id, version.dag_id).where(version.until >= since).order_by(version.until.desc()).limit(MOST)
    rows = session.execute(wanted).all()
    found = {row.id: row.dag_id for row in rows if row.id is not None}
    if not found:
        return Definitions()
    parsed = parsed_versions(session, list(found))
    assets = assets_of(session, parsed.values())
    every = all_of([declared_by(each, assets) for each in parsed.values() if each is not None])
    return replace(
        every,
        sensors=once(every.sensors),
        changed=frozenset(found.values()),
        complete=len(rows) < MOST,
        unreadable=unreadable((found[version], each) for version, each in parsed.items()),
    )


def replaced_since(since: datetime) -> Any:
    """The versions of each Dag and until when each counted, the newest first, as far back as they were made since then.

    The table is gone through from version to version: it may hold very many that are older. The outer join makes SQLite
    begin with the Dags; one without a version has a row without an id.
    """
    dag = DagModel.__table__.c
    gone = case((dag.is_stale, dag.last_parsed_time))
    mine = and_(VERSION.dag_id == dag.dag_id, VERSION.version_number == newest())
    columns = VERSION.id, VERSION.dag_id, VERSION.version_number, VERSION.created_at
    begin = DagModel.__table__.outerjoin(DagVersion_.__table__, mine)
    latest = select(*columns, gone.label("until")).select_from(begin)
    walk = latest.cte("replaced", recursive=True)
    before = newest(EACH.c.dag_id == walk.c.dag_id, EACH.c.version_number < walk.c.version_number)
    previous = and_(VERSION.dag_id == walk.c.dag_id, VERSION.version_number == before)
    steps = select(*columns, walk.c.created_at).select_from(walk.join(DagVersion_.__table__, previous))
    return walk.union_all(steps.where(walk.c.created_at >= since)).c


def once(sensors: Iterable[SensorDefinition]) -> tuple[SensorDefinition, ...]:
    """Each definition once; an offset of a calendar can't be hashed."""
    return tuple({repr(each): each for each in sensors}.values())
