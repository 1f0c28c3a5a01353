"""What every `LineageFacts` promises of the tries of task instances."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from airflow_rerun_downstream.domain.proof import RunTries, TaskTries, Try
from airflow_rerun_downstream.domain.refs import RunRef
from tests.contracts.players import Player, play
from tests.contracts.stages import DAY, GONE, MINUTE, START, Shape, Stage

NOON = START + DAY / 2


def tasks(airflow: Stage, ref: RunRef, place: RunRef | None = None) -> dict[tuple[str, int], TaskTries]:
    found = airflow.facts.tasks.tries([ref], places={} if place is None else {ref: [place]})[ref]
    return {(task.task_id, task.map_index): task for task in found.tasks}


def spans(task: TaskTries) -> list[tuple[str | None, bool, bool]]:
    """The tries of a task: the state that each came to, and whether its beginning and its end are known."""
    return [(one.state, one.start is not None, one.end is not None) for one in task.tries]


@pytest.fixture
def again(airflow: Stage) -> Player:
    """A run of ``t >> u`` that had succeeded and was cleared."""
    airflow.dag(Shape("d", "t >> u"))
    ref = airflow.run("d")
    airflow.clear(ref, "t", "u")
    return play(airflow, ref)


def test_runs_that_are_there(airflow):
    airflow.dag(Shape("d"))
    ref = airflow.run("d")
    assert set(airflow.facts.tasks.tries([ref, GONE])) == {ref}
    assert airflow.facts.tasks.tries([]) == airflow.facts.tasks.tries([GONE]) == {}


def test_a_run_without_task_instances(airflow):
    airflow.dag(Shape("d"))
    ref = airflow.run("d")
    airflow.drop_tasks(ref)
    assert airflow.facts.tasks.tries([ref]) == {ref: RunTries(0, ())}


def test_when_a_try_began_and_ended(airflow):
    airflow.dag(Shape("d"))
    ref = airflow.run("d", state="running", states={"t": None})
    airflow.put(ref, "t", "success", at=NOON)
    (one,) = tasks(airflow, ref)["t", -1].tries
    assert (one.state, one.start, one.end) == ("success", NOON, NOON + MINUTE)


def test_on_which_host(airflow):
    airflow.dag(Shape("d"))
    player = play(airflow, airflow.run("d", state="running", states={"t": None}))
    player.schedule()
    player.start("t")
    assert [one.host for one in tasks(airflow, player.ref)["t", -1].tries] == ["w"]


def test_each_index(airflow):
    airflow.dag(Shape("d", mapped={"t"}))
    ref = airflow.run("d")
    airflow.expand(ref, "t", 2)
    assert list(tasks(airflow, ref)) == [("t", 0), ("t", 1)]


def test_what_never_ran(airflow):
    airflow.dag(Shape("d", "t >> u"))
    ref = airflow.run("d", state="failed", states={"t": "failed", "u": "upstream_failed"})
    found = tasks(airflow, ref)
    assert spans(found["t", -1]) == [("failed", True, True)]
    assert (found["u", -1].tries, found["u", -1].present, found["u", -1].state) == ((), False, "upstream_failed")


def test_a_try_that_goes_on(airflow):
    airflow.dag(Shape("d"))
    player = play(airflow, airflow.run("d", state="running", states={"t": None}))
    player.schedule()
    player.start("t")
    assert spans(tasks(airflow, player.ref)["t", -1]) == [("running", True, False)]


@pytest.mark.parametrize("wait", ["defer", "poke"])
def test_one_that_waits(airflow, wait):
    """What a sensor between two pokes has for its end is that of its last poke."""
    airflow.dag(Shape("d"))
    player = play(airflow, airflow.run("d", state="running", states={"t": None}))
    player.schedule()
    player.start("t")
    getattr(player, wait)("t")
    (one,) = tasks(airflow, player.ref)["t", -1].tries
    assert (one.start is not None, one.end) == (True, None)


def test_the_tries_before_a_clear(airflow, again):
    found = tasks(airflow, again.ref)["t", -1]
    assert (spans(found), found.present, found.held, found.state) == ([("success", True, True)], False, True, None)
    assert airflow.facts.tasks.tries([again.ref])[again.ref].clear_number == 1
    again.schedule()
    again.start("t")
    again.end("t")
    found = tasks(airflow, again.ref)["t", -1]
    assert spans(found) == [("success", True, True)] * 2
    assert found.present
    first, second = found.tries
    assert first.end is not None
    assert second.start is not None
    assert first.end <= second.start


def test_a_clear_of_what_has_not_begun_is_no_try(airflow, again):
    airflow.end(again.ref, "success")
    airflow.clear(again.ref, "t", "u")
    assert spans(tasks(airflow, again.ref)["t", -1]) == [("success", True, True)]


def test_a_try_that_failed_and_is_to_be_made_again(airflow, again):
    again.schedule()
    again.start("t")
    again.retry("t")
    found = tasks(airflow, again.ref)["t", -1]
    assert [known for _, *known in spans(found)] == [[True, True]] * 2
    assert [state == "success" for state, *_ in spans(found)] == [True, False]
    assert (found.state, found.present) == ("up_for_retry", False)


def test_what_a_person_gave_its_state(airflow, again):
    again.mark("t", "success", by="ada")
    found = tasks(airflow, again.ref)["t", -1]
    assert (found.state, found.by_hand, found.present) == ("success", True, False)
    assert spans(found) == [("success", True, True)]


def test_what_the_run_held_whose_place_it_takes(airflow):
    airflow.dag(Shape("d"))
    old = airflow.run("d", by="task")
    new = airflow.run("d", by="task", day=1, state="running", states={"t": None})
    assert not tasks(airflow, new)["t", -1].held
    assert tasks(airflow, new, old)["t", -1].held
    assert tasks(airflow, new, old)["t", -1].tries == ()


def test_what_a_newer_version_has_added(airflow):
    airflow.dag(Shape("d", "t"))
    ref = airflow.run("d")
    assert not tasks(airflow, ref)["t", -1].added


def test_plain_values(airflow):
    """Times are aware; a try is a value like another."""
    airflow.dag(Shape("d"))
    (one,) = tasks(airflow, airflow.run("d"))["t", -1].tries
    assert isinstance(one, Try)
    assert isinstance(one.start, datetime)
    assert one.start.utcoffset() == timedelta(0)
    assert replace(one) == one
