"""What users write into a rerun's record."""

from __future__ import annotations

import re
from collections.abc import Collection

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.words import COMMENTED
from airflow_rerun_downstream.ports.lineage import Dags
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
            named = named_in(text, dags_of(rerun, work.store.member_dags([rerun_id])), work.facts.dags)
            self.record(work, rerun_id, rerun.source, actor, COMMENTED, detail=text, dag_ids=sorted(named))
            return rerun_view(actor, work, rerun_id)


IDS = re.compile(r"[\w.-]+"), re.compile(r"[\w.-]+", re.ASCII)
"""What may be the id of a Dag: also beside letters of a script that has no spaces."""


def named_in(text: str, dag_ids: Collection[str], dags: Dags) -> set[str]:
    """The Dags that a text names: who may not read one of them isn't shown it.

    Those of the rerun by their ids and by what they are called; any other by its id.
    """
    found = {word for ids in IDS for word in ids.findall(text)}
    words = {word for each in found for word in (each, each.strip(".-")) if word}
    called = dags.display_names(dag_ids)
    named = {each for each in dag_ids if each in words or (each in called and called[each].lower() in text.lower())}
    others = words - set(dag_ids)
    return named | (dags.ownership(others).keys() if others else set())
