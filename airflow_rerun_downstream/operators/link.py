"""The button on a task instance that leads to the record of its rerun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey


class RerunLink(BaseOperatorLink):
    """Leads to the record. The task leaves the address as an XCom as soon as there is a rerun."""

    name = "Rerun"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The address; empty where the task has made no rerun. Airflow asks on the worker, at the task's end."""
        return str(getattr(operator, "record_url", None) or "")
