"""What travels over HTTP: the installation, and refusals. As of plans, field names stay."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from airflow_rerun_downstream.domain.delivery import DeliveryState
from airflow_rerun_downstream.rest import word_lists as words
from airflow_rerun_downstream.rest.fields import Payload
from airflow_rerun_downstream.rest.sentence_payload import Said


class Component(Payload):
    """``status`` is healthy, degraded or unhealthy; ``detail`` says why and what to do.

    ``sentence`` is ``detail`` for people of any language. ``since``: when what is silent was last heard; null: it never
    was, that can't be told, or the component is well.
    """

    status: words.HealthStatus
    detail: str
    sentence: Said = None
    since: datetime | None = None


class Health(Payload):
    """The installation. ``status`` is that of the worst component that was asked for."""

    status: words.HealthStatus
    components: dict[str, Component]


class SentTest(Payload):
    """A test of a notification target. ``next_try_at`` null: there is none; ``error``: why the last try failed."""

    message_id: str
    state: DeliveryState
    tries: int
    created_by: str
    created_at: datetime
    next_try_at: datetime | None
    ended_at: datetime | None
    error: str | None


class NotificationTarget(Payload):
    """Somebody that the deployment lets reruns tell.

    ``last_test`` is told to those who may test: who may see Airflow's jobs and plugins.
    """

    name: str
    kind: str
    description: str
    may_test: bool
    last_test: SentTest | None


class NotificationTargets(Payload):
    """The configured notification targets."""

    notification_targets: list[NotificationTarget]


class Problem(BaseModel):
    """Why something was refused: a sentence, and a word for programs. Some reasons bring further fields.

    ``sentence`` is ``detail`` for people of any language; what isn't of this package has none.
    """

    model_config = ConfigDict(extra="allow")

    detail: str
    reason: str
    sentence: Said = None
