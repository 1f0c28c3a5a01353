"""What every part of the service works with, and what all of them do in a transaction of theirs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from airflow_rerun_downstream.domain.plan import Plan, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.lineage.declarations import Declarations
from airflow_rerun_downstream.lineage.planner import NOTHING_DECLARED, Planner, Telling, as_told
from airflow_rerun_downstream.ports.installation import Clock, Health, Notifier
from airflow_rerun_downstream.ports.telemetry import LOG_ONLY, Telemetry
from airflow_rerun_downstream.ports.work import UnitOfWork, Work
from airflow_rerun_downstream.service.kept_estimates import Kept
from airflow_rerun_downstream.service.names import Latest, Names
from airflow_rerun_downstream.settings import Settings


class Core:
    """The ports, the clock and the settings.

    ``sees_installation``: whether a user may know on which hosts and with which files Airflow runs.
    """

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        health: Health,
        notifier: Notifier,
        clock: Clock,
        settings: Settings,
        sees_installation: Callable[[Actor], bool],
        declarations: Declarations = NOTHING_DECLARED,
        telemetry: Telemetry = LOG_ONLY,
    ) -> None:
        self.unit_of_work = unit_of_work
        self.installation = health
        self.notifier = notifier
        self.clock = clock
        self.settings = settings
        self.sees_installation = sees_installation
        self.declarations = declarations
        self.telemetry = telemetry
        self.names = Names()
        self.estimated = Latest[Kept](lambda found: len(found.members))

    def planner(self, actor: Actor, work: Work) -> Planner:
        """A planner that sees with the user's eyes."""
        now = self.clock.now()
        return Planner(
            work.facts,
            readable=lambda dag_ids: work.permissions.readable(actor, dag_ids),
            # Few at any time, and cheaper than asking for thousands of runs by name.
            in_active_rerun=lambda refs: work.store.all_active_runs(),
            now=now,
            window_start=self.settings.window_start(now),
            max_runs=self.settings.max_plan_runs,
            declarations=self.declarations,
        )

    def computed(self, actor: Actor, work: Work, request: PlanRequest, also: Telling = as_told) -> Plan:
        """A plan, see `Planner.plan`; how long it took is told."""
        began = time.monotonic()
        plan = self.planner(actor, work).plan(request, also)
        self.telemetry.planned(seconds=time.monotonic() - began, runs=1 + len(plan.runs))
        return plan

    def record(
        self,
        work: Work,
        rerun_id: int,
        ref: RunRef,
        actor: Actor,
        action: str,
        *,
        detail: str | None = None,
        member_id: int | None = None,
        dag_ids: Collection[str] = (),
    ) -> None:
        """A line in our record, in Airflow's audit log, there about a run, and in the server's log.

        ``dag_ids``: the Dags that ``detail`` names, besides the member's.
        """
        about: dict[str, Any] = {"member_id": member_id, "dag_ids": dag_ids}
        work.store.add_event(rerun_id, at=self.clock.now(), actor=actor.name, action=action, detail=detail, **about)
        work.gateway.record(ref, rerun_id=rerun_id, actor=actor.name, event=action)
        line = partial(self.telemetry.line, action, rerun_id=rerun_id, member_id=member_id, run=str(ref))
        work.afterwards.append(partial(line, actor=actor.name, detail=detail))
