"""What every `LineageFacts` promises of how task instances came by their states."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

import pytest

from airflow_rerun_downstream.domain.run_accounts import Account, Skipping
from tests.contracts.players import Player, account_of, play
from tests.contracts.stages import GONE, NOW, Shape, Stage

T, U, V = ("t", -1), ("u", -1), ("v", -1)
NOT_BEGUN = Account(started=False, ended=False)


@pytest.fixture
def begun(airflow: Stage) -> Player:
    """A run of ``t >> [u, v]`` of which nothing has begun."""
    airflow.dag(Shape("d", "t >> u; t >> v"))
    return play(airflow, airflow.run("d", state="running", states=dict.fromkeys("tuv")))


@pytest.fixture
def again(airflow: Stage) -> Player:
    """A run of the same Dag whose tasks had all succeeded, and were cleared."""
    airflow.dag(Shape("d", "t >> u; t >> v"))
    ref = airflow.run("d")
    airflow.clear(ref, "t", "u", "v")
    return play(airflow, ref)


def ran(player: Player, task_id: str, state: str = "success") -> None:
    player.schedule()
    player.start(task_id)
    player.end(task_id, state)


def test_runs_that_are_there(airflow):
    airflow.dag(Shape("d"))
    ref = airflow.run("d")
    assert set(airflow.facts.tasks.accounts([ref, GONE])) == {ref}
    assert airflow.facts.tasks.accounts([]) == airflow.facts.tasks.accounts([GONE]) == {}
    found = account_of(airflow, ref)
    assert (found.ref, found.tasks, found.choices, found.nothing_to_map) == (ref, {T: Account()}, (), frozenset())
    airflow.delete(ref)
    assert airflow.facts.tasks.accounts([ref]) == {}


def test_a_run_without_task_instances(airflow):
    airflow.dag(Shape("d"))
    ref = airflow.run("d")
    airflow.drop_tasks(ref)
    assert account_of(airflow, ref).tasks == {}


def test_each_index(airflow):
    airflow.dag(Shape("d", mapped={"t"}))
    ref = airflow.run("d")
    airflow.expand(ref, "t", 2)
    assert account_of(airflow, ref).tasks == {("t", 0): Account(), ("t", 1): Account()}


@pytest.mark.parametrize(
    ("state", "lasted"), [("success", 1800), ("failed", 1800), ("running", None), ("queued", None)]
)
def test_how_long_it_took(airflow, state, lasted):
    airflow.dag(Shape("d"))
    assert account_of(airflow, airflow.run("d", state=state)).lasted == lasted


class TestTries:
    def test_before_anything_has_begun(self, airflow, begun):
        assert account_of(airflow, begun.ref).tasks == {T: NOT_BEGUN, U: NOT_BEGUN, V: NOT_BEGUN}
        begun.schedule()
        assert account_of(airflow, begun.ref).tasks[T] == NOT_BEGUN

    def test_while_it_runs_and_when_it_has_ended(self, airflow, begun):
        begun.schedule()
        begun.start("t")
        assert account_of(airflow, begun.ref).tasks[T] == Account(started=True, ended=False)
        begun.end("t")
        assert account_of(airflow, begun.ref).tasks == {T: Account(), U: NOT_BEGUN, V: NOT_BEGUN}

    @pytest.mark.parametrize("state", ["failed", "skipped"])
    def test_an_end_is_an_end(self, airflow, begun, state):
        ran(begun, "t", state)
        assert account_of(airflow, begun.ref).tasks[T] == Account()

    @pytest.mark.parametrize("wait", ["defer", "poke"])
    def test_what_waits_has_not_ended(self, airflow, begun, wait):
        begun.schedule()
        begun.start("t")
        getattr(begun, wait)("t")
        assert account_of(airflow, begun.ref).tasks[T] == Account(started=True, ended=False)

    def test_what_is_tried_again_has_not_begun_anew_and_counts_as_added(self, airflow, begun):
        begun.schedule()
        begun.start("t")
        begun.retry("t")
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.started, found.ended, found.succeeded_before) == (False, False, False)

    def test_a_clear_ends_a_try_that_had_succeeded(self, airflow, again):
        before = Account(started=False, ended=False, succeeded_before=True)
        assert account_of(airflow, again.ref).tasks == {T: before, U: before, V: before}
        again.schedule()
        assert account_of(airflow, again.ref).tasks[T] == before
        again.start("t")
        assert account_of(airflow, again.ref).tasks[T] == Account(ended=False, succeeded_before=True)
        again.end("t", "failed")
        assert account_of(airflow, again.ref).tasks[T] == Account(succeeded_before=True)

    def test_of_tasks_that_were_not_cleared_nothing_changes(self, airflow):
        airflow.dag(Shape("d", "t >> u"))
        ref = airflow.run("d")
        airflow.clear(ref, "u")
        found = account_of(airflow, ref).tasks
        assert found == {T: Account(), U: Account(started=False, ended=False, succeeded_before=True)}

    def test_a_try_that_had_failed_has_not_succeeded(self, airflow):
        airflow.dag(Shape("d"))
        ref = airflow.run("d", state="failed")
        airflow.clear(ref, "t")
        assert account_of(airflow, ref).tasks[T] == NOT_BEGUN

    def test_in_the_place_of_another_run(self, airflow):
        airflow.dag(Shape("d", "t >> u"))
        old = airflow.run("d", states={"t": "success"}, state="failed")
        new = airflow.run("d", day=1, state="running", states=dict.fromkeys("tu"))
        assert account_of(airflow, new).tasks == {T: NOT_BEGUN, U: NOT_BEGUN}
        before = {T: Account(started=False, ended=False, succeeded_before=True), U: NOT_BEGUN}
        assert account_of(airflow, new, old).tasks == before
        assert account_of(airflow, new, new).tasks == {T: NOT_BEGUN, U: NOT_BEGUN}
        between = airflow.run("d", day=2, states={"u": "success"}, state="failed")
        done = {T: before[T], U: before[T]}
        assert account_of(airflow, new, old, between).tasks == account_of(airflow, new, between, old).tasks == done
        airflow.clear(old, "t", "u")
        airflow.clear(between, "t", "u")
        assert account_of(airflow, new, old).tasks == before
        assert account_of(airflow, new, old, between).tasks == done


def test_what_was_added_since_a_moment_stays_so_when_it_is_cleared(airflow):
    """Tasks that were there before the moment aren't, however often they are cleared; a new one of a run is."""
    airflow.dag(Shape("d", "t >> u", mapped={"u"}))
    ref = airflow.run("d")
    airflow.expand(ref, "u", 1)
    moment = datetime.now(timezone.utc)
    airflow.clear(ref, "t", "u")
    airflow.grow(ref, "u", 1, at=NOW)
    added = {T: False, ("u", 0): False, ("u", 1): True}
    for ids in ((), ("t", "u"), ("t",), ("u",)):
        airflow.clear(ref, *ids)
        found = airflow.facts.tasks.accounts([ref], since={ref: moment})[ref].tasks
        assert {key: account.added for key, account in found.items()} == added
        tries = airflow.facts.tasks.tries([ref], since={ref: moment})[ref].tasks
        assert {(one.task_id, one.map_index): one.added for one in tries} == added


def test_in_a_run_that_was_not_cleared_nothing_was_added(airflow):
    moment = datetime(2020, 1, 1, tzinfo=timezone.utc)
    airflow.dag(Shape("d"))
    ref = airflow.run("d")
    assert airflow.facts.tasks.accounts([ref], since={ref: moment})[ref].tasks == {T: Account()}


class TestSkips:
    def test_a_choice_and_what_it_passed_over(self, airflow, begun):
        begun.schedule()
        begun.start("t")
        begun.choose("t", "u")
        found = account_of(airflow, begun.ref)
        assert found.tasks == {T: Account(), U: NOT_BEGUN, V: NOT_BEGUN}
        assert found.choices == (Skipping("t", -1, frozenset({"u"})),)

    def test_where_nothing_was_skipped_no_choice_is_told(self, airflow, begun):
        begun.schedule()
        begun.start("t")
        begun.choose("t", "u", "v")
        assert account_of(airflow, begun.ref).choices == ()

    def test_nothing_to_map(self, airflow, begun):
        ran(begun, "t")
        begun.nothing_to_map("t")
        assert account_of(airflow, begun.ref).nothing_to_map == frozenset()
        ran(begun, "u", "skipped")
        assert account_of(airflow, begun.ref).nothing_to_map == {"t"}

    @pytest.mark.parametrize(
        ("does", "started"),
        [
            (lambda play: None, False),
            (lambda play: play.start("u"), True),
            (lambda play: (play.start("u"), play.defer("u")), True),
            (lambda play: (play.start("u"), play.poke("u")), True),
            (lambda play: (play.start("u"), play.retry("u")), False),
        ],
        ids=["scheduled", "running", "deferred", "poking", "retrying"],
    )
    def test_what_a_time_out_cut_off_has_not_ended(
        self, airflow, begun, does: Callable[[Player], object], started: bool
    ):
        ran(begun, "t")
        begun.schedule()
        does(begun)
        begun.time_out()
        found = account_of(airflow, begun.ref)
        assert (found.tasks[T].ended, found.tasks[U].started, found.tasks[U].ended) == (True, started, False)
        assert not found.terminated


class TestByHand:
    def test_a_task_that_never_began(self, airflow, begun):
        begun.mark("t", "success", by="ada")
        found = account_of(airflow, begun.ref).tasks[T]
        assert found == Account(started=False, ended=False, by_hand=True, by="ada")

    def test_a_task_that_runs(self, airflow, begun):
        begun.schedule()
        begun.start("t")
        begun.mark("t", "success", by="ada")
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.started, found.by_hand, found.by) == (True, True, "ada")

    def test_a_task_that_failed(self, airflow, begun):
        ran(begun, "t", "failed")
        begun.mark("t", "success", by="ada")
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.started, found.ended, found.by_hand, found.by) == (True, True, True, "ada")

    @pytest.mark.parametrize("waits", ["defer", "poke", "retry"])
    def test_a_task_that_waits(self, airflow, begun, waits):
        begun.schedule()
        begun.start("t")
        getattr(begun, waits)("t")
        begun.mark("t", "success", by="ada")
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.by_hand, found.by) == (True, "ada")

    def test_what_somebody_failed_is_a_failure(self, airflow, begun):
        ran(begun, "t")
        begun.mark("t", "failed", by="ada")
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.by_hand, found.by) == (False, None)

    def test_what_somebody_skipped_before_it_began(self, airflow, begun):
        begun.mark("t", "skipped", by="ada")
        found = account_of(airflow, begun.ref).tasks[T]
        assert found == Account(started=False, ended=False, by_hand=True, by="ada")

    @pytest.mark.parametrize("state", ["success", "failed", "skipped", None])
    def test_what_is_removed_after_that(self, airflow, begun, state):
        if state is not None:
            begun.mark("t", state, by="ada")
        airflow.put(begun.ref, "t", "removed", at=NOW)
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.started, found.by_hand) == (False, state is not None)

    def test_what_has_begun_and_is_removed(self, airflow, begun):
        ran(begun, "t")
        airflow.put(begun.ref, "t", "removed", at=NOW)
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.started, found.by_hand) == (True, False)

    def test_a_clear_forgets_it(self, airflow, begun):
        begun.mark("t", "success", by="ada")
        airflow.end(begun.ref, "success")
        airflow.clear(begun.ref, "t")
        found = account_of(airflow, begun.ref).tasks[T]
        assert (found.started, found.by_hand, found.by) == (False, False, None)

    def test_a_run_that_somebody_stopped(self, airflow, begun):
        ran(begun, "t")
        begun.schedule()
        begun.start("u")
        assert not account_of(airflow, begun.ref).terminated
        begun.stop()
        found = account_of(airflow, begun.ref)
        assert found.terminated
        assert not any(one.by_hand for one in found.tasks.values())
        assert (found.tasks[U].started, found.tasks[V].started) == (True, False)
        airflow.clear(begun.ref, "u", "v")
        assert not account_of(airflow, begun.ref).terminated
