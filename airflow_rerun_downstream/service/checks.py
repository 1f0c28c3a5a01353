"""Every refusal that a submit can meet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from airflow_rerun_downstream.domain.errors import (
    AssetManagerInactive,
    EmptySelection,
    Forbidden,
    FreezeUnavailable,
    Invalid,
    NotFound,
    NotSelectable,
    OffsetUnknown,
    RunInActiveRerun,
    SourceNotEligible,
    StalePlan,
    UnknownTarget,
)
from airflow_rerun_downstream.domain.new_rerun import NewFrozen
from airflow_rerun_downstream.domain.plan import (
    FreezeAction,
    FutureRef,
    LinkKind,
    Plan,
    PlanContent,
    PlannedFuture,
    PlannedRun,
)
from airflow_rerun_downstream.domain.refs import RunRef, shown
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.selection import named
from airflow_rerun_downstream.domain.sentence import Sentence, clause, listed, quoted
from airflow_rerun_downstream.domain.token import changes, dropped
from airflow_rerun_downstream.ports.installation import Health


def check_request(request: RerunRequest, targets: Collection[str]) -> None:
    """What can be refused without looking at Airflow."""
    check_frozen_request(request)
    for wanted in request.notifications:
        if wanted.target not in targets:
            raise UnknownTarget(Sentence("refusal.unknown_target", target=quoted(wanted.target)), target=wanted.target)
    if not request.plan.rerun_source and request.members == ():
        raise EmptySelection(Sentence("refusal.neither_selected"))
    if request.members is not None:
        refs = [member.ref for member in request.members]
        if len(refs) != len(set(refs)) or request.plan.source in refs:
            raise Invalid(Sentence("refusal.run_named_twice"))


def check_source(plan: Plan, window_start: datetime | None) -> None:
    """Refuse a source that can't be one; ``window_start``: when a source may have been ready at the earliest."""
    source = plan.source
    if source.can_be_source:
        return
    if source.source_reason == "in_active_rerun":
        raise RunInActiveRerun(Sentence("refusal.in_active_rerun", run=f"{source.ref}"), run=source.ref)
    why, more = clause(source.source_reason), dict[str, datetime]()
    if source.source_reason == "before_ready_window" and window_start is not None:
        why = Sentence("part.too_early_a_source", why=why, window_at=window_start)
        more = {"source_ready_since": window_start}
    raise SourceNotEligible(
        Sentence("refusal.source_not_eligible", run=f"{source.ref}", why=why),
        dag_id=source.ref.dag_id,
        run_id=source.ref.run_id,
        why=source.source_reason,
        **more,
    )


def check_something(plan: Plan, request: RerunRequest, taken: Collection[RunRef]) -> None:
    """Refuse a rerun in which nothing would run."""
    if not taken and not (request.plan.rerun_source and plan.source.tasks):
        raise EmptySelection(Sentence("refusal.nothing_selected"))


def check_fresh(token: str | None, plan: Plan, taken: Collection[RunRef], *, chosen: bool) -> None:
    """Refuse a plan that changed since the person looked at it.

    Where they have not ``chosen`` the runs, what was selected by itself then and isn't now has changed, too.
    """
    if token is None:
        return
    changed = changes(token, plan, {plan.source.ref, *taken})
    less, gone = ([], 0) if chosen else dropped(token, plan, {plan.source.ref, *taken})
    changed = list(dict.fromkeys([*changed, *less]))
    if changed or gone:
        raise StalePlan(
            Sentence("refusal.stale_plan", count=len(changed) + gone),
            changes=[{**named(change.ref), "change": change.change} for change in changed],
        )


def check_permissions(dag_ids: Collection[str], allowed: Collection[str]) -> None:
    """Refuse if the user may not rerun one of the Dags; all of them are readable here."""
    denied = sorted(set(dag_ids) - set(allowed))
    if denied:
        raise Forbidden(Sentence("refusal.may_not_rerun", dags=denied), dag_ids=denied)


def check_duplicates(plan: PlanContent, request: RerunRequest, taken: Collection[RunRef], *, active: bool) -> None:
    """Refuse a rerun whose asset events would start extra runs, unless the person accepts them."""
    rerun = set(taken) | ({plan.source.ref} if request.plan.rerun_source else set())
    emits = any(link.kind is LinkKind.ASSET and link.upstream in rerun for link in plan.links)
    if emits and not active and not request.settings.accept_duplicate_runs:
        raise AssetManagerInactive(Sentence("refusal.asset_manager_inactive"))


def check_offsets(plan: PlanContent, request: RerunRequest, taken: Collection[RunRef]) -> None:
    """Refuse a rerun from which runs may be missing as long as sensors aren't parsed anew, unless it is accepted."""
    rerun = {plan.source.ref, *taken}
    unknown = sorted(
        {
            (link.downstream.dag_id, link.to_task_id or "")
            for link in plan.links
            if link.via.get("offset_known") is False and link.upstream in rerun
        }
    )
    if unknown and not request.settings.accept_unknown_offsets:
        raise OffsetUnknown(
            Sentence("refusal.offset_unknown", sensors=listed([".".join(names) for names in unknown])),
            sensors=[{"dag_id": dag_id, "task_id": task_id} for dag_id, task_id in unknown],
        )


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
    cannot_freeze: Sentence | None = None

    @classmethod
    def of(cls, health: Health, *, freezes: bool) -> Mechanisms:
        """As they are now, to be asked before a transaction; the hook only where something is frozen."""
        why_not = health.cannot_freeze() if freezes else None
        return cls(health.asset_manager_active(), freezes and health.freeze_hook_active(), why_not)


def check_frozen_request(request: RerunRequest) -> None:
    """What can be refused without looking at Airflow. Raises `Invalid`."""
    if request.frozen and not request.freeze_mode:
        raise Invalid(Sentence("refusal.frozen_without_freeze_mode"))
    if len(set(request.frozen)) != len(request.frozen):
        raise Invalid(Sentence("refusal.frozen_run_named_twice"))
    both = {member.ref for member in request.members or ()} & set(request.frozen)
    if both:
        raise Invalid(Sentence("refusal.both_rerun_and_frozen", run=f"{min(both)}"))


def stops(run: PlannedRun) -> bool:
    """Whether freeze mode takes a run by stopping it."""
    return not run.selectable and run.freeze_action is FreezeAction.STOP


def frozen_runs(plan: Plan, targets: Sequence[Target]) -> list[Frozen]:
    """The runs to be held, checked against a fresh plan. Raises `NotFound` and `NotSelectable`."""
    upcoming = {one.ref: one for one in plan.upcoming}
    return [
        existing(plan, one) if isinstance(one, RunRef) else to_come(plan, one, upcoming.get(one)) for one in targets
    ]


def existing(plan: Plan, ref: RunRef) -> Frozen:
    """A run that Airflow has made, and that waits for its time."""
    run = plan.by_ref.get(ref)
    if run is None:
        raise NotFound(Sentence("refusal.unknown_downstream_run", run=quoted(ref.run_id), dag=quoted(ref.dag_id)))
    if run.freeze_action is not FreezeAction.HOLD:
        refuse(ref, run.freeze_reason or run.reason or "already_started")
    return Frozen(ref, NewFrozen(ref.dag_id, ref.run_id, run.facts.logical_date, run.facts.run_after))


def to_come(plan: Plan, ref: FutureRef, found: PlannedFuture | None) -> Frozen:
    """A run that Airflow hasn't made yet, as it was found in the plan."""
    if found is None:
        if ref.dag_id not in {run.ref.dag_id for run in plan.runs} | {one.ref.dag_id for one in plan.upcoming}:
            raise NotFound(Sentence("refusal.no_run_to_come", dag=quoted(ref.dag_id)))
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
        Sentence("refusal.not_freezable", run=target_words(target), why=clause(reason)),
        runs=[{**target_fields(target), "reason": reason}],
    )


def target_words(target: Target) -> str:
    """A run in a sentence."""
    if isinstance(target, RunRef):
        return str(target)
    dag = shown(target.dag_id)
    if target.logical_date is not None:
        return Sentence("part.run_to_come", dag=dag, logical_date=target.logical_date)
    if target.partition_key is not None:
        return Sentence("part.run_to_come_of_partition", dag=dag, key=shown(target.partition_key))
    return Sentence("part.next_run_to_come", dag=dag)


def target_fields(target: Target) -> dict[str, object]:
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
        raise FreezeUnavailable(Sentence("refusal.freeze_hook_inactive"))
    if any(one.logical_date is None for one in to_come) and not mechanisms.asset_manager:
        raise FreezeUnavailable(Sentence("refusal.cannot_hold_asset_runs"))
