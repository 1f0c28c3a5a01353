"""The button on a task instance's details, for users who don't see what plugins add to Airflow's menus."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from airflow.sdk import BaseOperatorLink

from airflow_rerun_downstream.airflow3.web import menu
from airflow_rerun_downstream.harmless import harmless

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class RerunDownstreamLink(BaseOperatorLink):
    """Leads to the wizard for a task instance. Airflow asks for it at each request; nothing of it is serialized."""

    name = menu.NAME

    @harmless("extra_link", "")
    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address, from the host's top: Airflow opens it as it is."""
        told = {name: getattr(ti_key, name) for name in ("dag_id", "run_id", "task_id", "map_index")}
        # Not as "+", which the pages take for itself: Airflow 3.1 writes it so into the addresses of tabs.
        return f"{menu.root()}{menu.PAGES}?{urlencode(told, quote_via=quote, safe='')}"
