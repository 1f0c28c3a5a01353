"""What serialized Dags tell, of the latest version of each. A version is read once in a process."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from airflow.configuration import conf
from airflow.models.dag import DagModel
from airflow.models.dag_version import DagVersion
from airflow.models.serialized_dag import SerializedDagModel
from sqlalchemy import and_, func, select

from airflow_rerun_downstream.airflow3.lineage_facts.serialized_dag import ParsedDag, parse
from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.facts import DagStructure

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy import ColumnElement, ScalarSelect
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

CHUNK = 500
DAG_TABLE = DagModel.__table__.c
VERSION = DagVersion.__table__.c
SERIALIZED = SerializedDagModel.__table__.c
EACH = DagVersion.__table__.alias("each_version")


Told = TypeVar("Told")


class Remembered(Generic[Told]):
    """One process's memory of what serialized Dags tell: the latest version of each; or ``most`` others.

    Threads share it.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._lock = Lock()
        self._known: dict[Any, Told] = {}

    def known(self, ids: Collection[Any]) -> dict[Any, Told]:
        """What is remembered of these serialized Dags."""
        return {key: self._known[key] for key in ids if key in self._known}

    def learn(self, parsed: Mapping[Any, Told], *, keep: Collection[Any] | None = None) -> None:
        """Remember more; ``keep`` names all that are still wanted, when that is known."""
        with self._lock:
            kept = self._known if keep is None else {key: self._known[key] for key in keep if key in self._known}
            both = {**kept, **parsed}
            self._known = both if self._most is None else dict(list(both.items())[-self._most :])


MEMORY = Remembered[ParsedDag | None]()


@dataclass(frozen=True)
class Current:
    """A Dag's row, and which serialized Dag is its latest."""

    dag_id: str
    key: Any
    is_paused: bool
    max_active_runs: int | None
    version_id: Any
    number: int
    is_gone: bool


def current_dags(session: Session, dag_ids: Collection[str] | None) -> list[Current]:
    """The Dags that Airflow still finds (None), or those of the names given, stale ones too. One statement."""
    wanted = (
        select(
            *(DAG_TABLE.dag_id, SERIALIZED.id, SERIALIZED.dag_hash, DAG_TABLE.is_paused, DAG_TABLE.max_active_runs),
            *(VERSION.id.label("version_id"), VERSION.version_number, DAG_TABLE.is_stale),
        )
        .select_from(DagModel.__table__)
        .join(DagVersion.__table__, and_(VERSION.dag_id == DAG_TABLE.dag_id, VERSION.version_number == newest()))
        .join(SerializedDagModel.__table__, SERIALIZED.dag_version_id == VERSION.id)
    )
    if dag_ids is None:
        wanted = wanted.where(DAG_TABLE.is_stale.is_(False))
    else:
        wanted = wanted.where(DAG_TABLE.dag_id.in_(list(dag_ids)))
    # The hash belongs to the key: a version that no run has used yet is written anew in its own row.
    return [
        Current(
            *(row.dag_id, (row.id, row.dag_hash), row.is_paused, row.max_active_runs),
            *(row.version_id, row.version_number, row.is_stale),
        )
        for row in session.execute(wanted)
    ]


def newest(*before: ColumnElement[bool]) -> ScalarSelect[int]:
    """The highest number among the versions of a row of the table of Dags: for each a look into an index, however many
    versions there are. ``before``: other conditions, on the columns of `EACH`, than that they are of this Dag.
    """
    mine = before or (EACH.c.dag_id == DAG_TABLE.dag_id,)
    return select(func.max(EACH.c.version_number)).where(*mine).correlate_except(EACH).scalar_subquery()


def parsed_dags(session: Session, dags: Collection[Current], *, all_there_are: bool) -> dict[str, ParsedDag]:
    """The latest versions of Dags, parsed."""
    known = parsed_keys(session, {dag.key for dag in dags}, MEMORY, all_there_are=all_there_are)
    return {dag.dag_id: found for dag in dags if (found := known.get(dag.key)) is not None}


def parsed_keys(
    session: Session, keys: Collection[Any], memory: Remembered[ParsedDag | None], *, all_there_are: bool
) -> dict[Any, ParsedDag | None]:
    """Parsed versions, by id and hash; what isn't remembered is read, a few hundred in a statement."""
    known = memory.known(keys)
    missing = {key[0]: key for key in keys if key not in known}
    fresh: dict[Any, ParsedDag | None] = {}
    ids = list(missing)
    for start in range(0, len(ids), CHUNK):
        rows = session.execute(
            select(SERIALIZED.id, SERIALIZED.dag_id, SERIALIZED.data, SERIALIZED.data_compressed).where(
                SERIALIZED.id.in_(ids[start : start + CHUNK])
            )
        )
        fresh.update({missing[row.id]: understood(row) for row in rows})
    if fresh:
        memory.learn(fresh, keep=keys if all_there_are else None)
    known.update(fresh)
    return known


def understood(row: Any) -> ParsedDag | None:
    """A parsed version; None, and a line in the log, for one that can't be read: the other Dags are told anyway."""
    try:
        return parse(row.dag_id, content(row))
    except Exception:
        log.exception("The serialized Dag %s can't be read; its links to other Dags are missing", row.dag_id)
        return None


def content(row: Any) -> Mapping[str, Any]:
    """A serialized Dag's JSON, which the deployment may have compressed."""
    data = row.data if row.data is not None else zlib.decompress(row.data_compressed)
    loaded = json.loads(data) if isinstance(data, (str, bytes)) else data
    found: Mapping[str, Any] = loaded["dag"]
    return found


def structures(session: Session, dag_ids: Collection[str]) -> dict[str, DagStructure]:
    """The tasks of Dags' latest versions."""
    dags = current_dags(session, dag_ids)
    return with_rows(parsed_dags(session, dags, all_there_are=False), dags)


def with_rows(parsed: Mapping[str, ParsedDag | None], dags: Iterable[Current]) -> dict[str, DagStructure]:
    """The tasks of those latest versions that can be read."""
    usual = reruns_on_latest()
    known = ((dag, parsed.get(dag.dag_id)) for dag in dags)
    return {dag.dag_id: with_row(found, dag, usual) for dag, found in known if found is not None}


def reruns_on_latest() -> bool:
    """What Airflow is told to do with a run of an earlier version, where its Dag doesn't say."""
    return conf.getboolean("core", "rerun_with_latest_version", fallback=False)


def with_row(found: ParsedDag, dag: Current, usual: bool) -> DagStructure:
    """A latest version's tasks, with what the Dag's row and Airflow's configuration (``usual``) say."""
    said = found.structure.reruns_on_latest
    return replace(
        found.structure,
        is_paused=dag.is_paused,
        max_active_runs=dag.max_active_runs,
        version=dag.number,
        reruns_on_latest=usual if said is None else said,
    )


def runs_on_latest(run: DagRun, *, on_latest_version: bool) -> bool:
    """Whether a run is going to run on its Dag's latest version: of a bundle without versions it does in any case."""
    return on_latest_version or not run.bundle_version or run.created_dag_version_id is None


def structure_of_run(session: Session, run: DagRun, *, on_latest_version: bool) -> DagStructure | None:
    """The tasks of the version that a run is going to run on; None where it can't be read."""
    version = None if runs_on_latest(run, on_latest_version=on_latest_version) else run.created_dag_version_id
    if version is None:
        return structures(session, [run.dag_id]).get(run.dag_id)
    columns = (SERIALIZED.dag_id, SERIALIZED.data, SERIALIZED.data_compressed)
    row = session.execute(select(*columns).where(SERIALIZED.dag_version_id == version)).first()
    found = None if row is None else understood(row)
    return None if found is None else found.structure


def active(session: Session) -> tuple[dict[str, ParsedDag | None], list[Current]]:
    """Every Dag that Airflow still finds, by name (None: it can't be read), and what their rows say."""
    dags = current_dags(session, None)
    parsed = parsed_dags(session, dags, all_there_are=True)
    return {dag_id: parsed.get(dag_id) for dag_id in sorted(dag.dag_id for dag in dags)}, dags


def readable(dags: Mapping[str, ParsedDag | None]) -> list[ParsedDag]:
    """The Dags that can be read."""
    return [parsed for parsed in dags.values() if parsed is not None]


def unreadable(dags: Iterable[tuple[str, ParsedDag | None]]) -> frozenset[str]:
    """The Dags, or versions of them, that can't be read, or not in whole."""
    return frozenset(dag_id for dag_id, parsed in dags if parsed is None or parsed.unread)


def all_of(definitions: Collection[Definitions]) -> Definitions:
    """What several versions, or several Dags, declare."""
    return Definitions(
        tuple(each for one in definitions for each in one.sensors),
        tuple(each for one in definitions for each in one.markers),
        tuple(each for one in definitions for each in one.triggers),
        tuple(each for one in definitions for each in one.past_dependencies),
        tuple(each for one in definitions for each in one.inlets),
        outlets=tuple(each for one in definitions for each in one.outlets),
    )
