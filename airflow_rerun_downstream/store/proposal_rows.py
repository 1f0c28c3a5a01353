"""Reruns that are only proposed: what was asked is kept as it was, and their runs aren't claimed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from airflow_rerun_downstream.domain.new_rerun import NewProposal, NewRerun
from airflow_rerun_downstream.domain.plan import FutureRef, LinkKind, PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.proposal import Proposal
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.store import codec, insertion, moves
from airflow_rerun_downstream.store.executor import Executor
from airflow_rerun_downstream.store.mapping import frozen_values, rerun_values
from airflow_rerun_downstream.store.tables import child, gate, link, member, passage, proposal, rerun

REPLACED = (gate, passage, child, link, member, proposal)
"""What an approval makes anew, each before what it refers to."""

KEPT = ("state", "proposed_by", "proposed_at")
"""What an approval doesn't write into the row, or has written."""


def add(executor: Executor, new: NewRerun, made: NewProposal, now: datetime) -> int:
    """Store a rerun that is only proposed."""
    rerun_id = insertion.add_row(executor, new, now)
    insertion.add_runs(executor, new, rerun_id)
    held = [{**frozen_values(one, rerun_id), "state": MemberState.PENDING.value} for one in made.frozen]
    insertion.add_all(executor, member, held)
    values = {"request": request_to_json(made.content.request), "plan_token": made.content.plan_token}
    executor.execute(insert(proposal).values(rerun_id=rerun_id, **values))
    return rerun_id


def get(executor: Executor, rerun_id: int) -> Proposal | None:
    """See `RerunStore.proposal`."""
    row = executor.execute(select(proposal).where(proposal.c.rerun_id == rerun_id)).first()
    return None if row is None else Proposal(request_from_json(row.request), row.plan_token)


def approve(executor: Executor, rerun_id: int, new: NewRerun, now: datetime) -> bool:
    """See `RerunStore.approve`."""
    before, after = [RerunState.PROPOSED], RerunState.RUNNING
    if not moves.move_rerun(executor, rerun_id, before=before, after=after, reason=None, now=now):
        return False
    values = {name: value for name, value in rerun_values(new, now).items() if name not in KEPT}
    executor.execute(update(rerun).where(rerun.c.id == rerun_id).values(values))
    for table in REPLACED:
        executor.execute(delete(table).where(table.c.rerun_id == rerun_id))
    insertion.claim(executor, new, rerun_id)
    return True


def request_to_json(request: RerunRequest) -> dict[str, Any]:
    """What was asked, but for the token of the plan that it was asked of."""
    plan = request.plan
    return {
        "source": {"dag_id": plan.source.dag_id, "run_id": plan.source.run_id},
        "tasks": tasks_to_json(plan.tasks),
        "rerun_source": plan.rerun_source,
        "options": codec.options_to_json(plan.options),
        "members": None if request.members is None else list(map(member_to_json, request.members)),
        "freeze_mode": request.freeze_mode,
        "frozen": list(map(target_to_json, request.frozen)),
        "name": request.name,
        "reason": request.reason,
        "settings": codec.settings_to_json(request.settings),
        "notifications": codec.notifications_to_json(request.notifications),
    }


def request_from_json(value: Mapping[str, Any]) -> RerunRequest:
    """The reverse of `request_to_json`."""
    members = value["members"]
    options = codec.known(PlanOptions, value["options"])
    if options.get("link_kinds") is not None:
        options["link_kinds"] = tuple(map(LinkKind, options["link_kinds"]))
    return RerunRequest(
        plan=PlanRequest(
            RunRef(**value["source"]), tasks_from_json(value["tasks"]), value["rerun_source"], PlanOptions(**options)
        ),
        members=None if members is None else tuple(map(member_from_json, members)),
        freeze_mode=value["freeze_mode"],
        frozen=tuple(map(target_from_json, value["frozen"])),
        name=value["name"],
        reason=value["reason"],
        settings=codec.settings_from_json(value["settings"]),
        notifications=codec.notifications_from_json(value["notifications"]),
        propose=True,
    )


def tasks_to_json(tasks: Tasks | None) -> list[Any] | None:
    """A selection; None: the default one."""
    return None if tasks is None else codec.tasks_to_json(tasks)


def tasks_from_json(values: list[Any] | None) -> Tasks | None:
    """The reverse of `tasks_to_json`."""
    return None if values is None else codec.tasks_from_json(values)


def member_to_json(one: MemberRequest) -> dict[str, Any]:
    """A downstream run that was selected."""
    return {"dag_id": one.ref.dag_id, "run_id": one.ref.run_id, "tasks": tasks_to_json(one.tasks)}


def member_from_json(value: Mapping[str, Any]) -> MemberRequest:
    """The reverse of `member_to_json`."""
    return MemberRequest(RunRef(value["dag_id"], value["run_id"]), tasks_from_json(value["tasks"]))


def target_to_json(one: RunRef | FutureRef) -> dict[str, Any]:
    """A run that was to be held."""
    return {"dag_id": one.dag_id, "run_id": one.run_id} if isinstance(one, RunRef) else codec.future_to_json(one)


def target_from_json(value: Mapping[str, Any]) -> RunRef | FutureRef:
    """The reverse of `target_to_json`."""
    return RunRef(**value) if "run_id" in value else codec.future_from_json(value)
