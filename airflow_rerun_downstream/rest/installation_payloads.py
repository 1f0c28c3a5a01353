"""What travels over HTTP: the installation, and refusals. As of plans, field names stay."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from airflow_rerun_downstream.rest import word_lists as words
from airflow_rerun_downstream.rest.fields import Payload


class Component(Payload):
    """``status`` is healthy, degraded or unhealthy; ``detail`` says why and what to do."""

    status: words.HealthStatus
    detail: str


class Health(Payload):
    """The installation. ``status`` is that of its worst component."""

    status: words.HealthStatus
    components: dict[str, Component]


class NotificationTarget(Payload):
    """Somebody that the deployment lets reruns tell."""

    name: str
    kind: str
    description: str


class NotificationTargets(Payload):
    """The configured notification targets."""

    notification_targets: list[NotificationTarget]


class Problem(BaseModel):
    """Why something was refused: a sentence, and a word for programs. Some reasons bring further fields."""

    model_config = ConfigDict(extra="allow")

    detail: str
    reason: str
