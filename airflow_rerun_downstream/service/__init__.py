"""One method for each thing that a user can do."""

from airflow_rerun_downstream.service.service import Service
from airflow_rerun_downstream.service.views import (
    ChangesView,
    DagRunsView,
    DeliveryView,
    EdgesView,
    EstimatedMember,
    EstimateView,
    LiveRun,
    MemberView,
    Omission,
    ProofView,
    ProposalReviewView,
    RerunView,
    ReviewView,
    RunTasksView,
    SeveralView,
    TargetView,
)

__all__ = [
    "ChangesView",
    "DagRunsView",
    "DeliveryView",
    "EdgesView",
    "EstimateView",
    "EstimatedMember",
    "LiveRun",
    "MemberView",
    "Omission",
    "ProofView",
    "ProposalReviewView",
    "RerunView",
    "ReviewView",
    "RunTasksView",
    "Service",
    "SeveralView",
    "TargetView",
]
