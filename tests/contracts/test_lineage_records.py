"""What every `LineageFacts` promises of what tasks have written down: the runs they made, whom they waited for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, RecordedWait, TriggeredRun
from airflow_rerun_downstream.domain.refs import RunRef
from tests.contracts.players import play
from tests.contracts.stages import DAY, GONE, MINUTE, NOW, Shape, Stage
from tests.fakes.world import START

HOUR = timedelta(hours=1)


def triggered(airflow: Stage, *parents: RunRef) -> list[TriggeredRun | DoubtfulRecord]:
    """What the facts tell. The way back agrees: what is sure of all runs, and nothing else."""
    found = airflow.facts.tasks.triggered_runs(parents)
    sure = [one for one in found if isinstance(one, TriggeredRun)]
    back = airflow.facts.tasks.triggering_runs({one.child.ref for one in sure})
    assert sorted(map(str, (one for one in back if one.parent in parents))) == sorted(map(str, sure))
    return found


def children(airflow: Stage, *parents: RunRef) -> list[RunRef]:
    found = triggered(airflow, *parents)
    assert not [one for one in found if isinstance(one, DoubtfulRecord)]
    return [one.child.ref for one in found]


def doubts(airflow: Stage, parent: RunRef) -> list[tuple[str, int, str | None]]:
    found = triggered(airflow, parent)
    assert all(isinstance(one, DoubtfulRecord) and one.run == parent and one.why for one in found)
    return [(one.task_id, one.map_index, one.dag_id) for one in found]


LINKED = pytest.mark.parametrize("linked", [None, "b"], ids=["declared", "linked"])


class TestTriggeredRuns:
    @pytest.fixture
    def parent(self, airflow: Stage) -> RunRef:
        airflow.dag(Shape("a", triggers={"t": "b"}))
        airflow.dag(Shape("b"))
        airflow.dag(Shape("c"))
        return airflow.run("a")

    @LINKED
    def test_a_run_that_a_task_made(self, airflow, parent, linked):
        child = airflow.run("b", by="task")
        airflow.made(parent, "t", child, linked=linked)
        told = airflow.facts.runs.among([child])[child]
        assert told.online
        assert triggered(airflow, parent, GONE) == [TriggeredRun(parent, "t", -1, told)]
        assert airflow.facts.tasks.triggering_runs([child, parent, GONE]) == [TriggeredRun(parent, "t", -1, told)]

    def test_nothing(self, airflow, parent):
        airflow.run("b", by="task")
        assert airflow.facts.tasks.triggered_runs([]) == airflow.facts.tasks.triggering_runs([]) == []
        assert airflow.facts.tasks.triggered_runs([parent, GONE]) == []

    def test_several_indexes_and_several_parents(self, airflow, parent):
        other = airflow.run("a", day=1)
        made = [airflow.run("b", by="task", day=day) for day in range(3)]
        airflow.expand(parent, "t", 2)
        airflow.made(parent, "t", made[0], map_index=0)
        airflow.made(parent, "t", made[1], map_index=1)
        airflow.made(other, "t", made[2])
        found = triggered(airflow, parent, other)
        assert {(one.parent, one.map_index, one.child.ref) for one in found} == {
            (parent, 0, made[0]),
            (parent, 1, made[1]),
            (other, -1, made[2]),
        }

    def test_two_parents_of_one_run(self, airflow, parent):
        """With ``reset_dag_run`` the second one cleared it."""
        child, other = airflow.run("b", by="task"), airflow.run("a", day=1)
        airflow.made(parent, "t", child)
        airflow.made(other, "t", child)
        assert {one.parent for one in airflow.facts.tasks.triggering_runs([child])} == {parent, other}

    @pytest.mark.parametrize(
        ("by", "cleared", "believed"),
        [("task", False, True), ("person", False, False), ("person", True, True), ("scheduler", False, False)],
    )
    @LINKED
    def test_a_run_that_no_task_made_or_may_have_cleared(self, airflow, parent, by, cleared, believed, linked):
        child = airflow.run("b", by=by)
        if cleared:
            airflow.clear(child, "t")
        airflow.made(parent, "t", child, linked=linked)
        if believed:
            assert children(airflow, parent) == [child]
        else:
            assert doubts(airflow, parent) == [("t", -1, "b")]
            assert airflow.facts.tasks.triggering_runs([child]) == []

    @LINKED
    def test_a_run_that_is_gone(self, airflow, parent, linked):
        child = airflow.run("b", by="task")
        airflow.made(parent, "t", child, linked=linked)
        airflow.delete(child)
        assert doubts(airflow, parent) == [("t", -1, "b")]

    def test_a_run_of_another_dag_than_is_declared(self, airflow, parent):
        child = airflow.run("c", by="task")
        airflow.made(parent, "t", child, linked="c")
        assert doubts(airflow, parent) == [("t", -1, "c")]
        assert airflow.facts.tasks.triggering_runs([child]) == []

    def test_a_parent_that_is_gone(self, airflow, parent):
        child = airflow.run("b", by="task")
        airflow.made(parent, "t", child)
        airflow.delete(parent)
        assert triggered(airflow, parent) == airflow.facts.tasks.triggering_runs([child]) == []

    def test_a_task_of_python_that_triggers(self, airflow, parent):
        """Its Dag doesn't declare it: it is believed if it left a link, and else the XCom is somebody else's."""
        other, child = airflow.run("c"), airflow.run("b", by="task")
        airflow.made(other, "t", child, linked="b")
        assert children(airflow, other) == [child]
        another = airflow.run("c", day=1)
        airflow.made(another, "t", child)
        assert triggered(airflow, another) == []

    @LINKED
    def test_the_version_of_the_run_counts_not_the_latest(self, airflow, parent, linked):
        child, namesake = airflow.run("b", by="task", run_id="same"), airflow.run("c", by="task", run_id="same")
        airflow.made(parent, "t", child, linked=linked)
        airflow.dag(Shape("a", triggers={"t": "c"}))
        newer = airflow.run("a", day=1)
        airflow.made(newer, "t", namesake, linked=linked and "c")
        assert children(airflow, parent) == [child]
        assert children(airflow, newer) == [namesake]
        assert [one.parent for one in airflow.facts.tasks.triggering_runs([child])] == [parent]
        assert [one.parent for one in airflow.facts.tasks.triggering_runs([namesake])] == [newer]

    def test_a_link_to_what_only_the_latest_version_declares(self, airflow, parent):
        child = airflow.run("c", by="task")
        airflow.made(parent, "t", child, linked="c")
        airflow.dag(Shape("a", triggers={"t": "c"}))
        assert doubts(airflow, parent) == [("t", -1, "c")]

    @LINKED
    def test_of_a_dag_that_is_gone(self, airflow, parent, linked):
        child = airflow.run("b", by="task")
        airflow.made(parent, "t", child, linked=linked)
        airflow.lose("a")
        assert children(airflow, parent) == [child]

    def test_a_target_that_only_a_run_knows(self, airflow):
        airflow.dag(Shape("a", triggers={"t": "{{ params.target }}"}))
        airflow.dag(Shape("b"))
        airflow.dag(Shape("c"))
        child, runs = airflow.run("b", by="task"), [airflow.run("a", day=day) for day in range(3)]
        airflow.run("c", by="task", run_id=child.run_id)
        for ref in runs:
            airflow.made(ref, "t", child, linked="b" if ref == runs[0] else None)
        airflow.rendered(runs[1], "t", trigger_dag_id="b")
        assert children(airflow, *runs[:2]) == [child, child]
        assert sorted(doubts(airflow, runs[2])) == [("t", -1, "b"), ("t", -1, "c")]


def wait(ref: RunRef, *hours: int, **more: object) -> RecordedWait:
    given = {"task_id": "t", "map_index": -1, "external_dag_id": "up", "task_ids": frozenset({"x"}), "group_id": None}
    return RecordedWait(ref, dates=tuple(START + hour * HOUR for hour in hours), **{**given, **more})


def waits(found: Collection[RecordedWait | DoubtfulRecord]) -> set[RecordedWait | tuple[RunRef, str]]:
    """The records; of one in doubt whose it is."""
    return {one if isinstance(one, RecordedWait) else (one.run, one.task_id) for one in found}


class TestRecordedWaits:
    @pytest.fixture
    def refs(self, airflow: Stage) -> list[RunRef]:
        airflow.dag(Shape("a", "t; u"))
        airflow.dag(Shape("b"))
        return [*(airflow.run("a", day=day) for day in range(3)), airflow.run("b")]

    def recorded(self, airflow: Stage, *sensors: tuple[str, str], since=START, dates=None) -> set[object]:
        found = airflow.facts.tasks.recorded_waits(sensors, since=since, dates=dates or {})
        assert len(found) == len(waits(found))
        return waits(found)

    def test_those_of_the_sensors_that_are_asked_for(self, airflow, refs):
        airflow.expand(refs[1], "t", 5)
        mine = [wait(refs[0], 0), wait(refs[1], 0, map_index=4, group_id="g", task_ids=frozenset())]
        for one in (*mine, wait(refs[0], 0, task_id="u"), wait(refs[3], 0)):
            airflow.waited(one)
        assert self.recorded(airflow, ("a", "t"), ("gone", "t")) == set(mine)
        assert len(self.recorded(airflow, ("a", "t"), ("a", "u"), ("b", "t"))) == 4
        assert self.recorded(airflow) == self.recorded(airflow, ("b", "u")) == set()

    def test_since_a_moment(self, airflow, refs):
        for number, ref in enumerate(refs[:3]):
            airflow.waited(wait(ref, number), at=NOW + number * MINUTE)
        assert self.recorded(airflow, ("a", "t"), since=NOW + MINUTE) == {wait(refs[1], 1), wait(refs[2], 2)}

    def test_its_first_dates_and_those_that_are_asked_for(self, airflow, refs):
        airflow.waited(wait(refs[0], *range(50)))
        asked = {"up": {START + 40 * HOUR, START + 3 * HOUR, START - HOUR}, "other": {START + 30 * HOUR}}
        kept = wait(refs[0], *range(10), 40)
        assert self.recorded(airflow, ("a", "t"), dates=asked) == {replace(kept, date_count=50)}

    def test_what_can_not_be_read_is_in_doubt(self, airflow, refs):
        airflow.scribble(refs[0], "t")
        airflow.waited(wait(refs[1], 0))
        assert self.recorded(airflow, ("a", "t")) == {(refs[0], "t"), wait(refs[1], 0)}

    def test_it_goes_with_its_run(self, airflow, refs):
        airflow.waited(wait(refs[0], 0))
        airflow.delete(refs[0])
        assert self.recorded(airflow, ("a", "t")) == waits(airflow.facts.tasks.last_waits([("a", "t")])) == set()


class TestLastWaits:
    @pytest.fixture
    def refs(self, airflow: Stage) -> list[RunRef]:
        """The one that was made last isn't the one with the latest date."""
        airflow.dag(Shape("a", "t; u"))
        return [airflow.run("a", day=day) for day in (2, 0, 1)]

    def last(self, airflow: Stage, *sensors: tuple[str, str]) -> set[object]:
        return waits(airflow.facts.tasks.last_waits(sensors))

    def test_of_the_run_that_was_made_last(self, airflow, refs):
        airflow.waited(wait(refs[1], 1))
        airflow.waited(wait(refs[0], 0), at=NOW + DAY)
        assert self.last(airflow, ("a", "t")) == {wait(refs[1], 1)}
        airflow.waited(wait(refs[2], 2), at=NOW - DAY)
        assert self.last(airflow, ("a", "t"), ("gone", "t")) == {wait(refs[2], 2)}
        assert self.last(airflow) == self.last(airflow, ("a", "u")) == set()

    def test_each_sensor_has_a_last_run_of_its_own_and_all_its_indexes(self, airflow, refs):
        airflow.waited(wait(refs[0], 0, task_id="u"))
        airflow.expand(refs[1], "t", 2)
        both = [wait(refs[1], 1, map_index=index) for index in range(2)]
        for one in both:
            airflow.waited(one)
        assert self.last(airflow, ("a", "t"), ("a", "u")) == {wait(refs[0], 0, task_id="u"), *both}

    def test_the_first_dates(self, airflow, refs):
        airflow.waited(wait(refs[0], *range(12)))
        assert self.last(airflow, ("a", "t")) == {replace(wait(refs[0], *range(10)), date_count=12)}

    def test_one_in_doubt_counts_as_the_last(self, airflow, refs):
        airflow.waited(wait(refs[0], 0))
        airflow.scribble(refs[1], "t")
        assert self.last(airflow, ("a", "t")) == {(refs[1], "t")}


class TestRenderedFields:
    def test_those_that_name_dags_tasks_and_groups(self, airflow):
        airflow.dag(Shape("a", "t; u"))
        one, two = airflow.run("a"), airflow.run("a", day=1)
        airflow.expand(two, "t", 2)
        names = {"external_dag_id": "up", "external_task_ids": ["x", "y"]}
        airflow.rendered(one, "t", **names, external_task_group_id=None, bash_command="echo")
        airflow.rendered(two, "t", map_index=1, trigger_dag_id="b")
        airflow.rendered(one, "u", external_dag_id="other")
        tasks = [("a", "t"), ("b", "u")]
        assert airflow.facts.tasks.rendered_fields(tasks, [one, two, GONE]) == {
            (one, "t", -1): names,
            (two, "t", 1): {"trigger_dag_id": "b"},
        }
        assert airflow.facts.tasks.rendered_fields(tasks, [two]) == {(two, "t", 1): {"trigger_dag_id": "b"}}
        assert airflow.facts.tasks.rendered_fields([], [one]) == airflow.facts.tasks.rendered_fields(tasks, []) == {}
        airflow.delete(one)
        assert set(airflow.facts.tasks.rendered_fields(tasks, [one, two])) == {(two, "t", 1)}


class TestSensorInstances:
    SENSORS = (("a", "t"), ("a", "u"), ("gone", "t"))

    def seen(self, airflow: Stage, **asked: object) -> list[tuple[RunRef, str, int, str | None]]:
        found = airflow.facts.tasks.sensor_instances(self.SENSORS, **asked)
        return [(one.run, one.task_id, one.map_index, one.state) for one in found]

    @pytest.fixture
    def refs(self, airflow: Stage) -> list[RunRef]:
        airflow.dag(Shape("a", "t; u; v", sensors={"t": ("b", None)}))
        return [airflow.run("a", day=day, states={"u": state}) for day, state in enumerate(["failed", None])]

    def test_of_runs(self, airflow, refs):
        airflow.expand(refs[0], "t", 2)
        every = [
            (refs[0], "t", 0, "success"),
            (refs[0], "t", 1, "success"),
            (refs[0], "u", -1, "failed"),
            (refs[1], "t", -1, "success"),
            (refs[1], "u", -1, None),
        ]
        assert self.seen(airflow, refs=[*refs, GONE]) == every
        assert self.seen(airflow, refs=refs[:1]) == every[:3]
        assert self.seen(airflow) == airflow.facts.tasks.sensor_instances([], refs=refs) == []

    def test_those_that_ended_since(self, airflow, refs):
        airflow.put(refs[0], "t", "success", at=NOW - MINUTE)
        airflow.put(refs[0], "u", "failed", at=NOW)
        airflow.put(refs[1], "t", "running", at=NOW)
        assert self.seen(airflow, since=NOW) == [(refs[0], "t", -1, "success"), (refs[0], "u", -1, "failed")]
        assert self.seen(airflow, since=NOW + MINUTE) == [(refs[0], "u", -1, "failed")]
        assert airflow.facts.tasks.sensor_instances([], since=START) == []

    def test_one_that_skipped_itself_and_one_that_was_passed_over(self, airflow):
        airflow.dag(Shape("a", "v >> t; v >> u"))
        player = play(airflow, airflow.run("a", state="running", states=dict.fromkeys("tuv")))
        player.schedule()
        player.start("v")
        player.choose("v", "t")
        player.schedule()
        player.start("t")
        player.end("t", "skipped")
        found = airflow.facts.tasks.sensor_instances(self.SENSORS, refs=[player.ref])
        assert [(one.task_id, one.state, one.skipped_itself) for one in found] == [
            ("t", "skipped", True),
            ("u", "skipped", False),
        ]

    def test_of_which_there_is_a_record(self, airflow, refs):
        assert airflow.facts.tasks.recorded_sensors(since=START) == frozenset()
        airflow.waited(wait(refs[0], 0))
        airflow.waited(wait(refs[1], 0), at=NOW + DAY)
        airflow.scribble(refs[0], "v", at=NOW + MINUTE)
        assert airflow.facts.tasks.recorded_sensors(since=START) == {("a", "t"), ("a", "v")}
        assert airflow.facts.tasks.recorded_sensors(since=NOW + DAY) == {("a", "t")}
        airflow.lose("a")
        assert airflow.facts.tasks.recorded_sensors(since=NOW + DAY) == {("a", "t")}
