"""What every `RerunStore` says has changed: whoever follows a rerun by that knows what a whole look would tell."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.new_rerun import NewFrozen, NewStageGate
from airflow_rerun_downstream.domain.proof import Counts as ProofCounts
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun import RerunEvent
from airflow_rerun_downstream.domain.states import ImpossibleMove, MemberState, RerunState, Role
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.record_parts import EVERYTHING, Head, Lines, Part
from airflow_rerun_downstream.ports.store import RerunStore
from tests.contracts.test_store import HEAD, LATER, NOW, TAIL, Opened, member, opened, rerun, run

__all__ = ["opened"]

EVERY = tuple(MemberState)
READS = {
    *("active", "active_runs", "all_active_runs", "awaited", "changed_members", "children"),
    *("count_not_made_anew", "counts_not_made_anew", "events", "gates", "get", "head", "lines", "link_dags"),
    *("links", "links_into", "links_out_of", "member", "member_dags", "members", "not_made_anew"),
    *("not_made_anew_of", "page", "passages", "taking_part", "proposal", "kept_key"),
}
BEFORE_ANYBODY_LOOKS = {"add", "add_frozen", "keep_key"}
"""What a submit writes, all at once."""
LOCKS = {"hold_rerun"}
MAKES_ANEW = {"approve"}
"""What takes a proposal's members away for others: `test_store_proposals` follows one."""


@dataclass
class Scene:
    """A rerun, and one who follows it in pages of two."""

    rerun_id: int
    known: dict[int, tuple[Member, list[RunRef]]] = field(default_factory=dict)
    lines: list[RerunEvent] = field(default_factory=list)
    revision: int = -1
    fetched: int = 0

    def look(self, store: RerunStore) -> None:
        head = store.head(self.rerun_id)
        assert head is not None
        self.fetched, after = 0, 0
        while found := store.changed_members(self.rerun_id, since=self.revision, after=after, limit=2):
            assert [one.id for one in found] == sorted(one.id for one in found)
            waits = store.awaited([one.id for one in found])
            self.known |= {one.id: (one, waits[one.id]) for one in found}
            self.fetched += len(found)
            after = found[-1].id
        self.revision = head.revision
        self.lines += store.events(self.rerun_id, after=self.lines[-1].id if self.lines else 0)

    def compare(self, store: RerunStore) -> None:
        whole = store.members(self.rerun_id)
        waits = store.awaited([one.id for one in whole])
        assert self.known == {one.id: (one, waits[one.id]) for one in whole}
        assert self.lines == store.events(self.rerun_id)


def store_something(store: RerunStore) -> int:
    """source (head) → reader → source (mid, tail); reader → two more; a frozen run; and another rerun beside it."""
    source, reader = run("source"), run("reader")
    two = replace(member(source, role=Role.SOURCE, depth=0), tasks=(*HEAD, *TAIL), stages=(HEAD, TAIL))
    rerun_id = store.add(
        rerun(
            replace(two, stage_gates=(NewStageGate(1, reader, None),)),
            replace(member(reader), stage_gates=(NewStageGate(0, source, 0),)),
            member(run("b"), waits_for=(reader,)),
            member(run("c"), waits_for=(reader, run("b"))),
        ),
        now=NOW,
    )
    store.add_frozen(rerun_id, NewFrozen("frozen", None, NOW, NOW))
    store.add(rerun(member(run("other"))), now=NOW)
    return rerun_id


Write = Callable[[RerunStore, int, Member, random.Random], object]


def adopt(store: RerunStore, _: int, one: Member, chance: random.Random) -> object:
    found = RunFacts(
        ref=RunRef(one.ref.dag_id, f"made{chance.random()}"),
        run_type="manual",
        state="running",
        logical_date=NOW,
        run_after=LATER,
        data_interval_start=None,
        data_interval_end=None,
        clear_number=1,
    )
    after, before = MemberState.RUNNING, [MemberState.PENDING]
    return store.adopt_member(
        one.id,
        before=before,
        after=after,
        run=found,
        tasks=(TaskRef("t"),),
        runs_between=["old"],
        reason=None,
        now=LATER,
    )


WRITES: dict[str, Write] = {
    "move_rerun": lambda store, rerun_id, one, chance: store.move_rerun(
        rerun_id, after=chance.choice([RerunState.PAUSED, RerunState.RUNNING]), reason="why", now=NOW
    ),
    "move_member": lambda store, rerun_id, one, chance: store.move_member(
        one.id,
        after=chance.choice([MemberState.RUNNING, MemberState.SUCCEEDED, MemberState.FAILED, MemberState.SKIPPED]),
        reason=chance.choice(["why", None]),
        now=NOW,
        dispatched=chance.choice([None, Dispatched(clear_number=3, cleared=1)]),
    ),
    "move_members": lambda store, rerun_id, one, chance: store.move_members(
        rerun_id,
        before=MemberState.FAILED,
        after=MemberState.PENDING,
        reason="again",
        now=LATER,
        told=("ann", "retry"),
    ),
    "next_stage": lambda store, rerun_id, one, chance: store.next_stage(
        one.id, before=MemberState.RUNNING, stage=0, clear_number=4, ends=[NOW]
    ),
    "stage_back": lambda store, rerun_id, one, chance: store.stage_back(
        one.id, before=MemberState.PENDING, since=1, stage=0, reason="back"
    ),
    "adopt_member": adopt,
    "name_frozen_run": lambda store, rerun_id, one, chance: store.name_frozen_run(
        one.id, f"caught{chance.random()}", LATER, NOW
    ),
    "ask_for_release": lambda store, rerun_id, one, chance: store.ask_for_release(one.id),
    "ask_for_releases": lambda store, rerun_id, one, chance: store.ask_for_releases(rerun_id),
    "set_member_reasons": lambda store, rerun_id, one, chance: store.set_member_reasons(
        [one.id], f"why {chance.random()}", state=one.state
    ),
    "set_member_reason": lambda store, rerun_id, one, chance: store.set_member_reason(
        one.id, f"why {chance.random()}", state=one.state
    ),
    "set_final_run_state": lambda store, rerun_id, one, chance: store.set_final_run_state(
        one.id, state=one.state, run_state=chance.choice(["failed", "success"])
    ),
    "start_over": lambda store, rerun_id, one, chance: store.start_over(one.id),
    "keep_proof": lambda store, rerun_id, one, chance: store.keep_proof(
        rerun_id, NOW, ProofCounts(links=chance.randint(0, 9))
    ),
    "list_not_made_anew": lambda store, rerun_id, one, chance: store.list_not_made_anew(
        rerun_id, one.id, [NotMadeAnew("t", -1, "marked_success", "ann")] * chance.randint(0, 2)
    ),
    "add_event": lambda store, rerun_id, one, chance: store.add_event(
        rerun_id, at=NOW, actor="ann", action="pause", member_id=one.id
    ),
}


def test_every_write_is_tried() -> None:
    names = {name for name in vars(RerunStore) if not name.startswith("_")}
    assert names == READS | set(WRITES) | BEFORE_ANYBODY_LOOKS | LOCKS | MAKES_ANEW


def everything(store: RerunStore, rerun_id: int) -> object:
    """All that a record shows of a rerun."""
    members = store.members(rerun_id)
    return (
        store.get(rerun_id),
        members,
        store.awaited([one.id for one in members]),
        store.events(rerun_id),
        store.not_made_anew(rerun_id),
    )


@pytest.mark.parametrize("seed", range(3))
def test_following_is_as_good_as_reading_all(opened: Opened, seed: int) -> None:
    """And where anything is another, the revision is."""
    chance = random.Random(seed)
    done: set[str] = set()
    with opened() as store:
        scene = Scene(store_something(store))
    with opened() as store:
        scene.look(store)
    for _ in range(100):
        name = chance.choice(sorted(WRITES))
        with opened() as store:
            before, head = everything(store, scene.rerun_id), store.head(scene.rerun_id)
            one = chance.choice(store.members(scene.rerun_id))
            with suppress(ImpossibleMove):
                WRITES[name](store, scene.rerun_id, one, chance)
        with opened() as store:
            changed = everything(store, scene.rerun_id) != before
            later = store.head(scene.rerun_id)
            assert head is not None
            assert later is not None
            assert later.revision > head.revision if changed else later.revision >= head.revision, name
            if changed:
                done.add(name)
            scene.look(store)
            scene.compare(store)
    assert len(done) > len(WRITES) / 2


def test_only_what_changed_is_fetched(opened: Opened) -> None:
    """With those that wait for it."""
    with opened() as store:
        scene = Scene(store_something(store))
        scene.look(store)
        assert scene.fetched == 5
        scene.look(store)
        assert scene.fetched == 0
    source, reader, b, c = (
        next(one.id for one, _ in scene.known.values() if one.ref.dag_id == name)
        for name in ("source", "reader", "b", "c")
    )
    for moved, with_it in ((c, {c}), (b, {b, c}), (reader, {reader, b, c, source}), (source, {source, reader})):
        with opened() as store:
            before = scene.revision
            assert store.move_member(moved, after=MemberState.RUNNING, reason=None, now=NOW)
            found = store.changed_members(scene.rerun_id, since=before, limit=9)
            assert {one.id for one in found} == with_it
            some = store.changed_members(scene.rerun_id, since=before, readable=frozenset({"c"}), limit=9)
            assert {one.id for one in some} == with_it & {c}
            scene.look(store)


def test_a_head_is_small_and_true(opened: Opened) -> None:
    with opened() as store:
        rerun_id = store_something(store)
        found = store.get(rerun_id)
        assert found is not None
        assert store.head(rerun_id) == Head(rerun_id, run("source"), RerunState.RUNNING, NOW, 0)
        assert store.move_rerun(rerun_id, after=RerunState.PAUSED, reason=None, now=NOW)
        assert store.head(rerun_id) == Head(rerun_id, run("source"), RerunState.PAUSED, NOW, 1)
        assert store.head(rerun_id + 9) is None


def test_lines_that_came_later_and_what_they_name(opened: Opened) -> None:
    with opened() as store:
        rerun_id = store_something(store)
        assert store.lines(rerun_id) == Lines()
        for dag_ids in (["x"], [], ["y", "z"]):
            store.add_event(rerun_id, at=NOW, actor="ann", action="pause", dag_ids=dag_ids)
        one, two, three = store.events(rerun_id)
        assert store.events(rerun_id, after=one.id) == [two, three]
        assert store.events(rerun_id, Part(limit=1), after=one.id) == [two]
        assert store.events(rerun_id, EVERYTHING, after=three.id) == []
        every, later = store.lines(rerun_id), Lines({None: 2}, frozenset({"y", "z"}), three.id)
        assert every == Lines({None: 3}, frozenset({"x", "y", "z"}), three.id)
        assert store.lines(rerun_id, after=one.id) == later
        assert Lines({None: 1}, frozenset({"x"}), one.id).and_later(later) == every
        assert store.lines(rerun_id, after=three.id) == Lines(last=three.id)
