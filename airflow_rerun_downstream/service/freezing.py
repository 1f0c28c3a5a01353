"""Freeze mode at submit: which runs are held, which are stopped, and what is in the way of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from airflow_rerun_downstream.domain.errors import CannotFreeze, FreezeUnavailable, Invalid, NotFound, NotSelectable
from airflow_rerun_downstream.domain.plan import FreezeAction, FutureRef, Plan, PlannedRun
from airflow_rerun_downstream.domain.reasons import sentence
from airflow_rerun_downstream.domain.refs import RunRef, shown
from airflow_rerun_downstream.domain.rerun import NewFrozen, RerunRequest
from airflow_rerun_downstream.domain.selection import named
from airflow_rerun_downstream.ports.installation import Health
from airflow_rerun_downstream.ports.work import Work

Target = RunRef | FutureRef


@dataclass(frozen=True)
class Frozen:
    """A run to be held, as the person named it and as it is stored."""

    target: Target
    run: NewFrozen


@dataclass(frozen=True)
class Mechanisms:
    """Which of the installation's mechanisms are active."""

    asset_manager: bool
    freeze_hook: bool
    cannot_freeze: str | None = None

    @classmethod
    def of(cls, health: Health, *, freezes: bool) -> Mechanisms:
        """As they are now, to be asked before a transaction; the hook only where something is frozen."""
        why_not = health.cannot_freeze() if freezes else None
        return cls(health.asset_manager_active(), freezes and health.freeze_hook_active(), why_not)


def check_frozen_request(request: RerunRequest) -> None:
    """What can be refused without looking at Airflow. Raises `Invalid`."""
    if request.frozen and not request.freeze_mode:
        raise Invalid("Runs are frozen in freeze mode only: give freeze_mode true, or frozen null.")
    if len(set(request.frozen)) != len(request.frozen):
        raise Invalid("A run to freeze is named more than once.")
    both = {member.ref for member in request.members or ()} & set(request.frozen)
    if both:
        raise Invalid(f"{min(both)} can't be both rerun and frozen.")


def stops(run: PlannedRun) -> bool:
    """Whether freeze mode takes a run by stopping it."""
    return not run.selectable and run.freeze_action is FreezeAction.STOP


def frozen_runs(plan: Plan, targets: Sequence[Target]) -> list[Frozen]:
    """The runs to be held, checked against a fresh plan. Raises `NotFound` and `NotSelectable`."""
    return [existing(plan, one) if isinstance(one, RunRef) else to_come(plan, one) for one in targets]


def existing(plan: Plan, ref: RunRef) -> Frozen:
    """A run that Airflow has made, and that waits for its time."""
    run = plan.by_ref.get(ref)
    if run is None:
        raise NotFound(f"There is no downstream Dag run {shown(ref.run_id)!r} of Dag {shown(ref.dag_id)!r}.")
    if run.freeze_action is not FreezeAction.HOLD:
        refuse(ref, run.freeze_reason or run.reason or "already_started")
    return Frozen(ref, NewFrozen(ref.dag_id, ref.run_id, run.facts.logical_date, run.facts.run_after))


def to_come(plan: Plan, ref: FutureRef) -> Frozen:
    """A run that Airflow hasn't made yet."""
    found = {one.ref: one for one in plan.upcoming}.get(ref)
    if found is None:
        if ref.dag_id not in {run.ref.dag_id for run in plan.runs} | {one.ref.dag_id for one in plan.upcoming}:
            raise NotFound(f"Dag {shown(ref.dag_id)!r} has no run to come that is downstream of the source.")
        date = ref.logical_date
        made = date is not None and any(
            (run.ref.dag_id, run.facts.logical_date) == (ref.dag_id, date) for run in plan.runs
        )
        refuse(ref, "already_started" if made else "not_in_plan")
    if found.freeze_reason is not None:
        refuse(ref, found.freeze_reason)
    due = found.run.run_after if found.run else None
    return Frozen(ref, NewFrozen(ref.dag_id, None, ref.logical_date, due))


def refuse(target: Target, reason: str) -> NoReturn:
    """Refuse a run that can't be held."""
    raise NotSelectable(
        f"{words(target)} can't be frozen: {sentence(reason)}.", runs=[{**names(target), "reason": reason}]
    )


def words(target: Target) -> str:
    """A run in a sentence."""
    if isinstance(target, RunRef):
        return str(target)
    which = target.logical_date.isoformat() if target.logical_date else target.partition_key or "next"
    return f"The run of {shown(target.dag_id)} to come ({shown(which)})"


def names(target: Target) -> dict[str, object]:
    """A run in a refusal, with the fields of the contract."""
    if isinstance(target, RunRef):
        return dict(named(target))
    date, key = target.logical_date, target.partition_key
    which: dict[str, object] = {"next": True}
    if date is not None or key is not None:
        which = {"logical_date": date.isoformat()} if date is not None else {"partition_key": key}
    return {"dag_id": target.dag_id, **which}


def check_mechanisms(frozen: Sequence[Frozen], mechanisms: Mechanisms) -> None:
    """Refuse what this installation can't hold. Raises `FreezeUnavailable`."""
    if frozen and mechanisms.cannot_freeze:
        raise FreezeUnavailable(mechanisms.cannot_freeze)
    to_come = [one.target for one in frozen if isinstance(one.target, FutureRef)]
    if any(one.logical_date is not None for one in to_come) and not mechanisms.freeze_hook:
        raise FreezeUnavailable(
            "A run that time starts is held by the scheduler that makes it, and not every live scheduler has the "
            "package's hook. GET /health says which."
        )
    if any(one.logical_date is None for one in to_come) and not mechanisms.asset_manager:
        raise FreezeUnavailable(
            "A run that assets start is held by the asset manager, which isn't active in every api-server. "
            "GET /health says which."
        )


def freeze(work: Work, rerun_id: int, frozen: Sequence[Frozen]) -> None:
    """Store the frozen members and take out their holds. Raises `NotSelectable` where one can't be held any more."""
    for one in frozen:
        member_id = work.store.add_frozen(rerun_id, one.run)
        try:
            work.freezer.freeze(member_id, one.target, rerun_id=rerun_id)
        except CannotFreeze as problem:
            refuse(one.target, problem.reason)
