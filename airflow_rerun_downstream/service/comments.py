"""What users write into a rerun's record."""

from __future__ import annotations

import re
from collections.abc import Iterable

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.words import COMMENTED
from airflow_rerun_downstream.service.control import controllable
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.records import dags_of, rerun_view
from airflow_rerun_downstream.service.views import RerunView


class Comments(Core):
    """Comments are lines of the record: nobody changes them afterwards."""

    def comment(self, actor: Actor, rerun_id: int, text: str) -> RerunView:
        """Add a comment, also to a rerun that has ended. It takes the right to rerun every Dag of it, as any action."""
        with self.unit_of_work() as work:
            rerun = controllable(actor, work, rerun_id)
            dags = dags_of(rerun, work.store.member_dags([rerun_id]))
            self.record(
                work, rerun_id, rerun.source, actor, COMMENTED, detail=text, dag_ids=sorted(named_in(text, dags))
            )
            return rerun_view(actor, work, rerun_id)


def named_in(text: str, dag_ids: Iterable[str]) -> set[str]:
    """The Dags that a text names: who may not read one of them isn't shown it."""
    return {dag_id for dag_id in dag_ids if dag_id in text and re.search(rf"(?<!\w){re.escape(dag_id)}(?!\w)", text)}
