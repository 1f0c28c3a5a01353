"""One method for each thing that a user can do."""

from airflow_rerun_downstream.service.service import Service
from airflow_rerun_downstream.service.views import EdgesView, LiveRun, MemberView, RerunView

__all__ = ["EdgesView", "LiveRun", "MemberView", "RerunView", "Service"]
