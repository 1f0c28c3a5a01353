"""Members that wait by passages, as every `RerunStore` keeps them: as if each were told by gates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.new_rerun import NewMember, NewRerun, NewStageGate
from airflow_rerun_downstream.domain.passages import Passage
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.store import RerunStore
from tests.contracts.test_store import LATER, NOW, Opened, member, opened, rerun, run

__all__ = ["opened"]

STAGES = ((TaskRef("one"),), (TaskRef("two"),))


def new(dag_id: str = "a", *, direct: bool = False) -> NewRerun:
    """The source, four after it, and four that wait for those, by passages or (``direct``) by gates."""
    source = member(run(dag_id), role=Role.SOURCE, state=MemberState.SKIPPED, depth=0)
    first = [
        member(run(dag_id, f"first{number}"), waits_for=(source.ref,), run_after=LATER if number == 2 else NOW)
        for number in range(4)
    ]
    refs = [one.ref for one in first]
    passages = [
        Passage(frozenset(refs[:2])),
        Passage(frozenset[RunRef](), frozenset({0})),
        Passage(frozenset({refs[2]}), frozenset({1, 0})),
    ]
    stands = [set(refs[:2]), set(refs[:2]), set(refs[:3])]

    def waiting(name: str, number: int, *also: RunRef) -> NewMember:
        one = member(run(dag_id, name), depth=2, waits_for=also)
        return replace(one, waits_for=one.waits_for | stands[number]) if direct else replace(one, passage=number)

    staged = replace(
        waiting("staged", 0), stages=STAGES, stage_gates=(NewStageGate(0, refs[2], 0), NewStageGate(1, refs[3], None))
    )
    last = [waiting("both", 2, refs[0], refs[3]), waiting("low", 0), waiting("high", 2), staged]
    alone = member(run(dag_id, "alone"), depth=2, waits_for=(refs[3],))
    found = rerun(source, *last, *first, alone)
    return found if direct else replace(found, passages=tuple(passages))


@dataclass
class Told:
    """Two reruns of the same shape: one by passages, one by gates."""

    opened: Opened
    ids: tuple[int, int]

    def of(self, number: int, store: RerunStore) -> dict[str, Member]:
        """The members of one of them."""
        return {one.ref.run_id: one for one in store.members(self.ids[number])}

    def both(self, what: str, *names: str) -> list[object]:
        """What the store says of members in each rerun, without what differs by name."""
        found = []
        with self.opened() as store:
            for number in range(2):
                members = self.of(number, store)
                ids = [members[name].id for name in names]
                if what == "awaited":
                    told = store.awaited(ids)
                    found.append([[ref.run_id for ref in told[one]] for one in ids])
                elif what == "gates":
                    found.append([[(one.member.ref.run_id, one.until) for one in store.gates(each)] for each in ids])
        return found

    def move(self, name: str, *states: MemberState) -> None:
        """Move the members of a name in both."""
        with self.opened() as store:
            for number in range(2):
                for state in states:
                    done = Dispatched(1, 1) if state is MemberState.RUNNING else None
                    one = self.of(number, store)[name]
                    assert store.move_member(one.id, after=state, reason=None, now=LATER, dispatched=done)


@pytest.fixture
def told(opened: Opened) -> Told:
    with opened() as store:
        store.add(new("before"), now=NOW)
        ids = store.add(new("a"), now=NOW), store.add(new("b", direct=True), now=NOW)
        store.add(new("after"), now=NOW)
    return Told(opened, ids)


WAITING = ("both", "low", "high", "staged", "alone")
DONE = (MemberState.RUNNING, MemberState.SUCCEEDED)


def test_passages_are_kept(told: Told) -> None:
    with told.opened() as store:
        members = told.of(0, store)
        first = [members[f"first{number}"].id for number in range(4)]
        wanted = (
            Passage(frozenset(first[:2])),
            Passage(frozenset[int](), frozenset({0})),
            Passage(frozenset(first[2:3]), frozenset({0, 1})),
        )
        assert store.passages(told.ids[0]) == wanted
        assert store.passages(told.ids[1]) == store.passages(99_999) == ()
        assert [members[name].passage for name in WAITING] == [2, 0, 2, 0, None]
        assert members["both"].waits_for == {first[0], first[3]}
        assert store.member(told.ids[0], members["high"].id) == members["high"]
        found = {one.rerun.id: one for one in store.active()}
        assert found[told.ids[0]].passages == wanted
        assert found[told.ids[1]].passages == ()


def test_who_is_waited_for_is_told_alike(told: Told) -> None:
    for name, states in (
        ("first1", DONE),
        ("first3", DONE[:1]),
        ("first0", DONE),
        ("first2", DONE),
        ("first3", DONE[1:]),
    ):
        for what in ("awaited", "gates"):
            by_passages, by_gates = told.both(what, *WAITING)
            assert by_passages == by_gates, (name, what)
        told.move(name, *states)
    assert told.both("awaited", *WAITING) == [[[]] * 5] * 2
    assert told.both("awaited", "first0", "staged") == [[[], []]] * 2
    with told.opened() as store:
        members = told.of(0, store)
        assert [gate.member.state for gate in store.gates(members["high"].id)] == [MemberState.SUCCEEDED] * 3
        assert store.awaited([members["high"].id, 99_999]) == {members["high"].id: [], 99_999: []}


def test_a_later_stage_waits_by_the_passage_too(told: Told) -> None:
    for name in ("first0", "first1", "first2"):
        told.move(name, *DONE)
    told.move("staged", MemberState.RUNNING)
    with told.opened() as store:
        for number in range(2):
            staged = told.of(number, store)["staged"]
            assert store.next_stage(staged.id, before=MemberState.RUNNING, stage=0, clear_number=1, ends=[LATER])
    by_passages, by_gates = told.both("gates", "staged")
    assert sorted(by_passages[0]) == sorted(by_gates[0])  # type: ignore[index]
    assert told.both("awaited", "staged") == [[["first3"]]] * 2


def test_who_waits_for_a_changed_member_is_told_with_it(told: Told) -> None:
    for name in ("first0", "first2", "first3", "low"):
        with told.opened() as store:
            heads = [store.head(one) for one in told.ids]
        told.move(name, *DONE[:1])
        found = []
        with told.opened() as store:
            for rerun_id, head in zip(told.ids, heads, strict=True):
                assert head is not None
                every = store.changed_members(rerun_id, since=head.revision, limit=50)
                assert store.changed_members(rerun_id, since=head.revision, limit=2) == every[:2]
                assert store.changed_members(rerun_id, since=head.revision, after=every[0].id, limit=50) == every[1:]
                found.append([one.ref.run_id for one in every])
        assert found[0] == found[1]
        assert (name == "low") == (len(found[0]) == 1)


def test_the_active_reruns_keep_their_passages_when_members_change(told: Told) -> None:
    def free() -> list[set[str]]:
        with told.opened() as store:
            found = {one.rerun.id: one for one in store.active()}
            return [{one.ref.run_id for one in found[rerun_id].ready} for rerun_id in told.ids]

    first = {"first0", "first1", "first2", "first3"}
    assert free() == [first] * 2
    told.move("first0", *DONE)
    told.move("first1", *DONE)
    assert free() == [{"first2", "first3", "low"}] * 2
    told.move("first3", *DONE)
    assert free() == [{"first2", "low", "alone"}] * 2
    told.move("first2", *DONE)
    assert free() == [{"both", "low", "high", "staged", "alone"}] * 2
    told.move("first0", MemberState.RUNNING)
    assert free() == [{"alone"}] * 2
    with told.opened() as store:
        for rerun_id in told.ids:
            assert store.move_rerun(rerun_id, after=RerunState.PAUSED, reason=None, now=LATER)
    assert free() == [{"alone"}] * 2
