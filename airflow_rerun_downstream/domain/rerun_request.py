"""What a person asks of a rerun, and who asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_rerun_downstream.domain.plan import FutureRef, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, Tasks


@dataclass(frozen=True)
class RerunSettings:
    """What the person chose in step 3. ``max_active_members`` None: the deployment's default."""

    max_active_members: int | None = None
    on_failure: Literal["continue_other_branches", "pause"] = "continue_other_branches"
    run_on_latest_version: bool | None = None
    stop_running_on_terminate: bool = True
    accept_duplicate_runs: bool = False
    accept_unknown_offsets: bool = False

    def most_in_flight(self, otherwise: int) -> int:
        """How many members may be in flight at once; ``otherwise``: the deployment's default."""
        return self.max_active_members or otherwise


@dataclass(frozen=True)
class Notification:
    """Whom to tell, and of which of `words.CONDITIONS`."""

    target: str
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberRequest:
    """A downstream run that the person selected; ``tasks`` None: the default selection of the plan."""

    ref: RunRef
    tasks: Tasks | None = None


@dataclass(frozen=True)
class RerunRequest:
    """Everything that a submit says. ``members`` None: the plan's default selection; empty: the source alone.

    ``propose``: only store it, for somebody who may rerun its Dags to approve.
    """

    plan: PlanRequest
    members: tuple[MemberRequest, ...] | None = None
    freeze_mode: bool = False
    frozen: tuple[RunRef | FutureRef, ...] = ()
    plan_token: str | None = None
    name: str | None = None
    reason: str | None = None
    settings: RerunSettings = field(default_factory=RerunSettings)
    notifications: tuple[Notification, ...] = ()
    propose: bool = False


@dataclass(frozen=True)
class Actor:
    """Who asks. ``id`` and ``name`` are text, as the auth manager has them; ``native`` is its own user object."""

    id: str
    name: str
    native: Any = None


CONDUCTOR = Actor(id="", name="rerun_downstream")
"""The actor of what happens by itself."""
