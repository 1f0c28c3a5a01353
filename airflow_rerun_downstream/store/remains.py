"""What of ours can't be left alone: runs that wait for us to be released, and reruns that aren't over.

It has to be empty before Airflow is upgraded past what the package knows, or the package or its tables go: nobody else
would ever release such a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from airflow_rerun_downstream.domain.errors import TablesInUse
from airflow_rerun_downstream.domain.sentence import Sentence, listed
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES
from airflow_rerun_downstream.store import tables
from airflow_rerun_downstream.store.tables import hold, parked, parked_event, rerun

if TYPE_CHECKING:
    from sqlalchemy.sql import Select

MAX_NAMED = 20

ACTIVE = tuple(sorted(state.value for state in ACTIVE_RERUN_STATES))


@dataclass(frozen=True)
class Remains:
    """``held``: rerun, Dag and run (None: not made yet) of each hold; ``parked``: the Dags whose events wait here;
    ``active``: the reruns that aren't over.
    """

    held: tuple[tuple[int, str, str | None], ...] = ()
    parked: tuple[str, ...] = ()
    active: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.held or self.parked or self.active)

    def counts(self) -> str:
        """How many there are, without any name."""
        return (
            f"{len(self.held)} frozen runs are held, the events of {len(self.parked)} frozen Dags are parked, "
            f"and {len(self.active)} reruns are active."
        )


def remains(connection: Connection) -> Remains:
    """What there is now, in whichever of the tables are there. Every revision so far has what is read here.

    A rerun that is only proposed waits for nothing of ours: it goes with the tables.
    """
    existing = tables.existing_tables(connection)

    def read(table: Table, wanted: Select[Any]) -> Sequence[Any]:
        return connection.execute(wanted).all() if table.name in existing else ()

    holds = select(hold.c.rerun_id, hold.c.dag_id, hold.c.run_id).order_by(hold.c.rerun_id, hold.c.member_id)
    dags = {row.dag_id for table in (parked, parked_event) for row in read(table, select(table.c.dag_id).distinct())}
    active = select(rerun.c.id).where(rerun.c.state.in_(ACTIVE)).order_by(rerun.c.id)
    return Remains(
        held=tuple((row.rerun_id, row.dag_id, row.run_id) for row in read(hold, holds)),
        parked=tuple(sorted(dags)),
        active=tuple(row.id for row in read(rerun, active)),
    )


def lock(connection: Connection) -> None:
    """Let nobody add to what there is until this transaction ends; SQLite's is alone anyway."""
    existing = tables.existing_tables(connection)
    if connection.dialect.name == "postgresql":
        for table in (rerun, hold, parked, parked_event):
            if table.name in existing:
                connection.exec_driver_sql(f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE")


def held_run(number: int, dag_id: str, run_id: str | None) -> Sentence:
    """A run that is held, or the hold on one to come, with the rerun that holds it."""
    if run_id is None:
        return Sentence("part.held_run_to_come", dag=dag_id, rerun=number)
    return Sentence("part.held_run", run=f"{dag_id} / {run_id}", rerun=number)


def refuse_unless_empty(connection: Connection) -> None:
    """Raise `TablesInUse`, which says what to do first, if something would be lost with the tables."""
    found = remains(connection)
    if not found:
        return
    first = []
    if found.active:
        first.append(Sentence("part.end_reruns", reruns=listed([str(each) for each in found.active], MAX_NAMED)))
    if found.held or found.parked:
        runs = [held_run(*each) for each in found.held]
        events = [Sentence("part.asset_events", dag=dag_id) for dag_id in found.parked]
        first.append(Sentence("part.release_frozen", frozen=listed([*runs, *events], MAX_NAMED)))
    raise TablesInUse(Sentence("refusal.tables_in_use", first=first))
