"""The service: what a user can do, one transaction for each call, permissions first in it."""

from __future__ import annotations

from airflow_rerun_downstream.service.changes import Changes
from airflow_rerun_downstream.service.comments import Comments
from airflow_rerun_downstream.service.estimates import Estimates
from airflow_rerun_downstream.service.notifications import Notifications
from airflow_rerun_downstream.service.owners import Owners
from airflow_rerun_downstream.service.plans import Plans
from airflow_rerun_downstream.service.proposals import Proposals
from airflow_rerun_downstream.service.records import Records
from airflow_rerun_downstream.service.several import Several
from airflow_rerun_downstream.service.status import Installation


class Service(Plans, Proposals, Records, Owners, Changes, Estimates, Several, Comments, Notifications, Installation):
    """Every method raises `Refusal` with a reason and then has changed nothing."""
