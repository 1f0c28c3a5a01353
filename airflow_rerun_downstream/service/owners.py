"""Whose Dags take part in a rerun."""

from __future__ import annotations

from airflow_rerun_downstream.domain.facts import DagOwnership
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.records import readable_head


class Owners(Core):
    """Owners and tags, as the Dags' files have them now."""

    def dags(
        self, actor: Actor, rerun_id: int, *, limit: int, offset: int
    ) -> tuple[list[tuple[str, DagOwnership]], int]:
        """A page of the Dags that take part and that the user may read, by name, and how many there are in all.

        Of a Dag that Airflow has no row of any more nothing is known.
        """
        with self.unit_of_work() as work:
            named = self.names.members(work, readable_head(actor, work, rerun_id))
            readable = sorted(work.permissions.readable(actor, named))
            page = readable[offset : offset + limit]
            found = work.facts.dags.ownership(page) if page else {}
            return [(dag_id, found.get(dag_id, DagOwnership())) for dag_id in page], len(readable)
