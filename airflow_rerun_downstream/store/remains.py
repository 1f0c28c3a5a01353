"""What of ours can't be left alone: runs that wait for us to be released, and reruns that aren't over.

It has to be empty before Airflow is upgraded past what the package knows, or the package or its tables go: nobody else
would ever release such a run.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.store import schema
from airflow_rerun_downstream.store.tables import hold, parked, rerun

OVER = (RerunState.SUCCEEDED.value, RerunState.TERMINATED.value)


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
    """What there is now. Tables that are gone, or of another version, hold nothing that could be read."""
    existing = schema.names(connection)
    if not existing >= {hold.name, parked.name, rerun.name}:
        return Remains()
    holds = select(hold.c.rerun_id, hold.c.dag_id, hold.c.run_id).order_by(hold.c.rerun_id, hold.c.member_id)
    dags = select(parked.c.dag_id).distinct().order_by(parked.c.dag_id)
    active = select(rerun.c.id).where(rerun.c.state.not_in(OVER)).order_by(rerun.c.id)
    return Remains(
        held=tuple((row.rerun_id, row.dag_id, row.run_id) for row in connection.execute(holds)),
        parked=tuple(connection.scalars(dags)),
        active=tuple(connection.scalars(active)),
    )
