"""A proposal in every `RerunStore`: it is stored like a rerun, claims nothing, and is replaced when it is approved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from airflow_rerun_downstream.domain.errors import RunInActiveRerun
from airflow_rerun_downstream.domain.new_rerun import NewFrozen, NewProposal, NewRerun
from airflow_rerun_downstream.domain.plan import FutureRef, LinkKind, PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.proposal import EXPIRED, REJECTED, Proposal
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import (
    Actor,
    MemberRequest,
    Notification,
    RerunRequest,
    RerunSettings,
)
from airflow_rerun_downstream.domain.states import ImpossibleMove, MemberState, RerunState, Role
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.ports.store import RerunStore
from tests.contracts.test_store import (
    LATER,
    NOW,
    Opened,
    attempted,
    chain,
    in_memory,
    member,
    opened,
    rerun,
    run,
    staged,
)

__all__ = ["in_memory", "opened"]

UNTIL = NOW + timedelta(days=7)
SOURCE = RunRef("source", "r1")
WHOLE = RerunRequest(
    PlanRequest(SOURCE, (TaskRef("t"), TaskRef("m", 3)), False, PlanOptions(True, (LinkKind.ASSET,), 7, 2)),
    members=(MemberRequest(run("middle")), MemberRequest(run("last"), (TaskRef("t"), TaskRef("m", 0)))),
    freeze_mode=True,
    frozen=(
        run("frozen"),
        FutureRef("daily", logical_date=NOW),
        FutureRef("parted", partition_key="p"),
        FutureRef("fed", next=True),
    ),
    name="fix",
    reason="wrong rate",
    settings=RerunSettings(3, "pause", True, False, True, True),
    notifications=(Notification("team", ("succeeded", "paused")),),
    propose=True,
)
PLAIN = RerunRequest(PlanRequest(SOURCE), propose=True)


def proposal(new: NewRerun | None = None, asked: RerunRequest = PLAIN, *frozen: NewFrozen) -> NewRerun:
    return replace(new or chain(), proposal=NewProposal(Proposal(asked, "token"), UNTIL, frozen))


def propose(opened: Opened, new: NewRerun | None = None, asked: RerunRequest = PLAIN, *frozen: NewFrozen) -> int:
    with opened() as store:
        return store.add(proposal(new, asked, *frozen), now=NOW)


def test_it_is_a_record_that_has_not_started(opened: Opened) -> None:
    held = NewFrozen("frozen", "r1", NOW, LATER), NewFrozen("daily", None, NOW), NewFrozen("daily", None, LATER)
    number = propose(opened, None, PLAIN, *held)
    with opened() as store:
        found = store.get(number)
        assert found is not None
        assert (found.state, found.created_by, found.created_at) == (RerunState.PROPOSED, "ann", NOW)
        assert (found.started_at, found.proposed_by, found.proposed_at, found.expires_at) == (None, "ann", NOW, UNTIL)
        assert (found.approved_by, found.active, found.final) == (None, False, False)
        assert found.counts[MemberState.PENDING] == 6
        members = store.members(number)
        assert [one.ref.dag_id for one in members if one.role is not Role.FROZEN] == ["source", "middle", "last"]
        assert {one.state for one in members} == {MemberState.PENDING}
        assert [(one.ref, one.run_after) for one in members if one.role is Role.FROZEN and one.ref.run_id] == [
            (run("frozen"), LATER)
        ]
        assert store.page(RerunFilter(states=frozenset({RerunState.PROPOSED})))[0] == [found]
        assert store.page(RerunFilter(frozen=True))[1] == 0


@pytest.mark.parametrize("asked", [PLAIN, WHOLE, replace(WHOLE, members=()), replace(WHOLE, frozen=())], ids=str)
def test_what_was_asked_comes_back_as_it_was(opened: Opened, asked: RerunRequest) -> None:
    number = propose(opened, None, asked)
    with opened() as store:
        assert store.proposal(number) == Proposal(asked, "token")
        assert store.proposal(number + 1) is None


def test_it_claims_no_run_and_none_is_refused_for_it(opened: Opened) -> None:
    first, second = propose(opened), propose(opened)
    with opened() as store:
        assert store.all_active_runs() == {}
        running = store.add(chain(), now=NOW)
        third = store.add(proposal(), now=NOW)
    with opened() as store:
        assert set(store.all_active_runs().values()) == {running}
        assert [one.rerun.id for one in store.active()] == [running]
        assert len({first, second, third, running}) == 4


def test_it_is_not_active_until_its_time_is_over(opened: Opened) -> None:
    number = propose(opened)
    with opened() as store:
        assert store.active(now=UNTIL - timedelta(microseconds=1)) == []
        (found,) = store.active(now=UNTIL)
        assert (found.rerun, found.members) == (store.get(number), tuple(store.members(number)))
        assert store.active() == []
        running = store.add(chain(), now=NOW)
    with opened() as store:
        assert [one.rerun.id for one in store.active(now=UNTIL)] == [number, running]
        assert [one.rerun.id for one in store.active(now=NOW)] == [running]


def test_approved_it_is_what_was_added_under_its_id(opened: Opened) -> None:
    number = propose(opened, None, WHOLE, NewFrozen("frozen", "r1"))
    other = replace(staged(), actor=Actor("id-bob", "bob"), freeze_mode=True, name="other")
    with opened() as store:
        before = [one.id for one in store.members(number)]
        store.add_event(number, at=NOW, actor="ann", action="propose")
        assert store.approve(number, other, now=LATER)
    with opened() as store:
        alone = store.add(replace(other, source=run("x"), members=elsewhere(other)), now=LATER)
        found, like = store.get(number), store.get(alone)
        assert found is not None
        assert like is not None
        assert found == replace(
            like, id=number, source=found.source, proposed_by="ann", proposed_at=NOW, created_by="bob"
        )
        assert (found.state, found.approved_by, found.expires_at) == (RerunState.RUNNING, "bob", None)
        assert (found.created_at, found.started_at) == (LATER, LATER)
        members = store.members(number)
        assert {one.ref: one.stages for one in members} == {one.ref: one.stages for one in other.members}
        assert set(before).isdisjoint(one.id for one in members)
        assert store.proposal(number) is None
        assert {ref: held for ref, held in store.all_active_runs().items() if held == number} == {
            one.ref: number for one in other.members
        }
        assert store.links(number) == list(other.links)
        assert [one.action for one in store.events(number)] == ["propose"]
        (active,) = [one for one in store.active(now=UNTIL) if one.rerun.id == number]
        assert list(active.members) == members


def elsewhere(of: NewRerun) -> tuple:  # type: ignore[type-arg]
    """The same members of other runs, waiting for nobody."""
    return tuple(
        replace(one, ref=run(f"x{one.ref.dag_id}"), waits_for=frozenset(), stage_gates=()) for one in of.members
    )


def test_it_can_be_approved_once(opened: Opened) -> None:
    number = propose(opened)
    with opened() as store:
        assert store.approve(number, chain(), now=LATER)
    with opened() as store:
        members = [one.id for one in store.members(number)]
        assert not store.approve(number, staged(), now=LATER)
        assert [one.id for one in store.members(number)] == members
        assert not store.approve(number + 1, staged(), now=LATER)


def test_approving_what_another_rerun_has_by_now_changes_nothing(opened: Opened) -> None:
    number = propose(opened)
    with opened() as store:
        holder = store.add(rerun(member(run("middle"), role=Role.SOURCE, depth=0)), now=NOW)
        before = store.get(number), store.members(number), store.proposal(number)
    with pytest.raises(RunInActiveRerun) as refused, opened() as store:
        store.approve(number, chain(), now=LATER)
    assert refused.value.extra == {"rerun_id": holder, "run": run("middle")}
    with opened() as store:
        assert (store.get(number), store.members(number), store.proposal(number)) == before
        assert set(store.all_active_runs().values()) == {holder}


@pytest.mark.parametrize("reason", [REJECTED, EXPIRED])
def test_it_ends_and_nothing_of_it_moves_any_more(opened: Opened, reason: str) -> None:
    number = propose(opened)
    with opened() as store:
        pending = {"before": MemberState.PENDING, "after": MemberState.TERMINATED, "reason": None, "now": LATER}
        assert store.move_members(number, **pending) == 3  # type: ignore[arg-type]
        assert store.move_rerun(number, after=RerunState.TERMINATED, reason=reason, now=LATER)
    with opened() as store:
        found = store.get(number)
        assert found is not None
        assert (found.state, found.state_reason, found.ended_at) == (RerunState.TERMINATED, reason, LATER)
        assert (found.final, found.approved_by, found.started_at) == (True, None, None)
        assert not store.approve(number, chain(), now=LATER)
        assert store.active(now=UNTIL) == []


@pytest.mark.parametrize(
    ("after", "may"),
    [(state, state in (RerunState.RUNNING, RerunState.TERMINATED)) for state in RerunState],
)
def test_it_moves_nowhere_else(opened: Opened, after: RerunState, may: bool) -> None:
    number = propose(opened)
    with opened() as store:
        found = attempted(lambda: store.move_rerun(number, after=after, reason=None, now=LATER))
        assert found is (ImpossibleMove if after is RerunState.PROPOSED else may)


def test_whoever_follows_a_record_learns_that_it_was_approved(opened: Opened) -> None:
    number = propose(opened)
    with opened() as store:
        before = store.head(number)
        assert store.approve(number, chain(), now=LATER)
    with opened() as store:
        after = store.head(number)
        assert before is not None
        assert after is not None
        assert after.revision > before.revision
        assert (before.created_at, after.created_at) == (NOW, LATER)


@pytest.mark.parametrize(("first", "second"), list(product(["approve", "reject"], repeat=2)))
def test_of_two_decisions_the_first_counts(opened: Opened, first: str, second: str) -> None:
    number = propose(opened)

    def decide(store: RerunStore, how: str) -> bool:
        if how == "approve":
            return store.approve(number, chain(), now=LATER)
        before = [RerunState.PROPOSED]
        return store.move_rerun(number, before=before, after=RerunState.TERMINATED, reason=REJECTED, now=LATER)

    with opened() as store:
        assert decide(store, first)
    with opened() as store:
        assert not decide(store, second)
        found = store.get(number)
    assert found is not None
    assert found.state is (RerunState.RUNNING if first == "approve" else RerunState.TERMINATED)
