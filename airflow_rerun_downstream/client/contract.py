"""What the calls take and answer, in one place to import from. The bodies end in ``Body``; `REASONS` explains words."""

from airflow_rerun_downstream.domain.plan import Evidence, LinkKind
from airflow_rerun_downstream.domain.reasons import REASONS
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.rest.estimate_payloads import Estimate
from airflow_rerun_downstream.rest.installation_payloads import Health, NotificationTargets, SentTest
from airflow_rerun_downstream.rest.plan_payloads import (
    DagEdges,
    DagRuns,
    Link,
    Plan,
    PlanWarning,
    Review,
    Run,
    RunRef,
    RunWithTasks,
    TaskInstance,
    TaskInstances,
)
from airflow_rerun_downstream.rest.proof_payloads import Proof
from airflow_rerun_downstream.rest.record_payloads import (
    Changes,
    Deliveries,
    Delivery,
    Event,
    Events,
    Links,
    Member,
    Members,
    NotMadeAnew,
    NotMadeAnewList,
    Rerun,
    Reruns,
)
from airflow_rerun_downstream.rest.requests import (
    FutureRefBody,
    MemberActionBody,
    MemberBody,
    NotificationBody,
    OptionsBody,
    PlanBody,
    RerunBody,
    RunRefBody,
    TaskRefBody,
)
from airflow_rerun_downstream.rest.rerun_settings import SettingsBody

__all__ = [
    "REASONS",
    "Changes",
    "DagEdges",
    "DagRuns",
    "Deliveries",
    "Delivery",
    "Estimate",
    "Event",
    "Events",
    "Evidence",
    "FutureRefBody",
    "Health",
    "Link",
    "LinkKind",
    "Links",
    "Member",
    "MemberActionBody",
    "MemberBody",
    "MemberState",
    "Members",
    "NotMadeAnew",
    "NotMadeAnewList",
    "NotificationBody",
    "NotificationTargets",
    "OptionsBody",
    "Plan",
    "PlanBody",
    "PlanWarning",
    "Proof",
    "Rerun",
    "RerunBody",
    "RerunState",
    "Reruns",
    "Review",
    "Run",
    "RunRef",
    "RunRefBody",
    "RunWithTasks",
    "SentTest",
    "SettingsBody",
    "TaskInstance",
    "TaskInstances",
    "TaskRefBody",
]
