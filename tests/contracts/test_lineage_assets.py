"""What every `LineageFacts` promises of assets: who emitted, consumed and reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.definitions import AssetSchedule, InletDefinition, OutletDefinition
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.freeze import WaitingAsset
from airflow_rerun_downstream.domain.lineage_records import AssetConsumption, AssetEmission, TaskStart
from airflow_rerun_downstream.domain.refs import RunRef
from tests.contracts.players import play
from tests.contracts.stages import DAY, GONE, MINUTE, Shape, Stage
from tests.fakes.world import START

ONE, TWO = "test://assets/one", "test://assets/two"


@pytest.fixture
def runs(airflow) -> list[RunRef]:
    """Two runs of the Dag ``a``; ``b`` and ``c`` are started by the asset ``ONE``, ``c`` by ``TWO`` as well."""
    airflow.dag(Shape("a", "t; u", outlets={"t": [ONE], "u": [ONE, TWO]}))
    airflow.dag(Shape("b", starts_with=[ONE]))
    airflow.dag(Shape("c", "read", starts_with=[ONE, TWO]))
    return [airflow.run("a", day=day) for day in range(2)]


class TestConsumptions:
    def test_one(self, airflow, runs):
        consumer = airflow.run("b", by="asset", dated=False)
        number = airflow.emit(runs[0], ONE, consumer, task_id="u", map_index=2)
        told = airflow.facts.runs.among([consumer])[consumer]
        assert airflow.facts.assets.consumptions(runs) == [AssetConsumption(runs[0], "u", 2, number, ONE, told)]

    def test_several_in_the_order_of_the_events_and_the_consumers(self, airflow, runs):
        early, late = (airflow.run(dag_id, by="asset", dated=False) for dag_id in "cb")
        first = airflow.emit(runs[1], TWO, late, early)
        second = airflow.emit(runs[0], ONE, early)
        found = airflow.facts.assets.consumptions(runs)
        assert [(one.producer, one.asset, one.event_id, one.consumer.ref) for one in found] == [
            (runs[1], TWO, first, early),
            (runs[1], TWO, first, late),
            (runs[0], ONE, second, early),
        ]
        assert airflow.facts.assets.consumptions(runs[:1]) == found[2:]

    def test_what_nobody_consumed_or_no_run_emitted(self, airflow, runs):
        airflow.emit(runs[0], ONE)
        airflow.emit(None, ONE, at=START)
        assert airflow.facts.assets.consumptions([*runs, GONE]) == airflow.facts.assets.consumptions([]) == []

    def test_a_producer_that_is_gone_whoever_else_is_asked_about(self, airflow, runs):
        consumer = airflow.run("b", by="asset", dated=False)
        airflow.emit(runs[0], ONE, consumer, at=START + DAY + MINUTE)
        airflow.delete(runs[0])
        assert airflow.facts.assets.consumptions(runs[:1]) == []
        assert airflow.facts.assets.consumptions(runs) == []

    def test_a_consumer_that_is_gone(self, airflow, runs):
        consumer = airflow.run("b", by="asset", dated=False)
        airflow.emit(runs[0], ONE, consumer)
        airflow.delete(consumer)
        assert airflow.facts.assets.consumptions(runs) == []

    def test_a_consumer_whose_dag_is_gone_is_told_so(self, airflow, runs):
        airflow.emit(runs[0], ONE, airflow.run("b", by="asset", dated=False))
        airflow.lose("b")
        assert [one.consumer.dag_gone for one in airflow.facts.assets.consumptions(runs)] == [True]


class TestLedTo:
    """``a`` starts ``b``, and that starts ``c``."""

    @pytest.fixture
    def chain(self, airflow, runs) -> list[RunRef]:
        """A run of each."""
        airflow.dag(Shape("b", "t", outlets={"t": [TWO]}, starts_with=[ONE]))
        chain = [runs[0], *(airflow.run(dag_id, by="asset", dated=False) for dag_id in "bc")]
        for producer, asset, consumer in zip(chain, (ONE, TWO), chain[1:], strict=False):
            airflow.emit(producer, asset, consumer)
        return chain

    def led_to(self, airflow, refs, *, since=START, most=10):
        schedules = airflow.facts.dags.definitions().asset_schedules
        return airflow.facts.assets.led_to(refs, schedules, since=since, most=most)

    def test_the_nearest_first(self, airflow, chain):
        assert self.led_to(airflow, chain[:1]) == chain[1:]
        assert self.led_to(airflow, chain[1:2]) == chain[2:]
        assert self.led_to(airflow, chain[:2]) == chain[2:]
        assert self.led_to(airflow, chain[2:]) == self.led_to(airflow, [GONE]) == []

    def test_no_more_than_are_wanted(self, airflow, chain):
        assert self.led_to(airflow, chain[:1], most=1) == chain[1:2]

    def test_nothing_that_is_older(self, airflow, chain):
        assert self.led_to(airflow, chain[:1], since=START + 2 * DAY) == []

    def test_nothing_where_the_assets_start_no_dag(self, airflow, chain):
        assert airflow.facts.assets.led_to(chain[:1], (), since=START, most=10) == []

    def test_a_consumer_that_is_gone_leads_nowhere(self, airflow, chain):
        airflow.delete(chain[1])
        assert self.led_to(airflow, chain[:1]) == []


class TestEmissions:
    def test_until_another_run_of_the_dag_emits_the_asset(self, airflow, runs):
        one, two = airflow.asset_id(ONE), airflow.asset_id(TWO)
        numbers = [
            airflow.emit(runs[0], ONE),
            airflow.emit(runs[0], ONE, at=START + 2 * MINUTE, task_id="u"),
            airflow.emit(runs[0], TWO, at=START + 3 * MINUTE),
            airflow.emit(runs[1], ONE),
        ]
        later = START + DAY + MINUTE
        assert airflow.facts.assets.emissions(runs, [one, two]) == [
            AssetEmission(runs[0], "t", numbers[0], one, START + MINUTE, later),
            AssetEmission(runs[0], "u", numbers[1], one, START + 2 * MINUTE, later),
            AssetEmission(runs[0], "t", numbers[2], two, START + 3 * MINUTE, None),
            AssetEmission(runs[1], "t", numbers[3], one, later, None),
        ]
        assert [each.asset_id for each in airflow.facts.assets.emissions(runs, [two])] == [two]

    def test_what_others_tell_of_does_not_end_it(self, airflow, runs):
        airflow.emit(runs[0], ONE)
        airflow.emit(None, ONE, at=START + 5 * MINUTE)
        airflow.emit(airflow.run("b", run_id=runs[1].run_id), ONE, at=START + 6 * MINUTE)
        (found,) = airflow.facts.assets.emissions(runs, [airflow.asset_id(ONE)])
        assert found.until is None

    def test_at_the_same_moment_is_not_later(self, airflow, runs):
        airflow.emit(runs[0], ONE)
        airflow.emit(runs[1], ONE, at=START + MINUTE)
        found = airflow.facts.assets.emissions(runs[:1], [airflow.asset_id(ONE)])
        assert [one.until for one in found] == [None]

    def test_nothing(self, airflow, runs):
        airflow.emit(runs[0], ONE)
        one = airflow.asset_id(ONE)
        assert airflow.facts.assets.emissions([], [one]) == airflow.facts.assets.emissions(runs, []) == []
        assert airflow.facts.assets.emissions([GONE], [one]) == airflow.facts.assets.emissions(runs, [one + 999]) == []

    def test_a_producer_that_is_gone_is_none_but_a_reader_saw_its_event(self, airflow, runs):
        airflow.emit(runs[0], ONE)
        airflow.emit(runs[1], ONE, at=START + 2 * MINUTE)
        airflow.delete(runs[1])
        one = airflow.asset_id(ONE)
        (found,) = airflow.facts.assets.emissions(runs, [one])
        assert (found.producer, found.until) == (runs[0], START + 2 * MINUTE)
        assert airflow.facts.assets.emissions(runs[1:], [one]) == []


class TestTaskStarts:
    def test_in_the_order_of_time_from_the_first_moment_on_and_before_the_last(self, airflow, runs):
        for minute, (ref, task_id) in enumerate([(runs[1], "u"), (runs[0], "t"), (runs[0], "u"), (runs[1], "t")]):
            airflow.put(ref, task_id, "success", at=START + DAY + minute * MINUTE)
            airflow.end(ref, "success", at=START + 2 * DAY)
        told = airflow.facts.runs.among(runs)
        begin = START + DAY
        every = [
            TaskStart(told[runs[1]], "u", -1, begin),
            TaskStart(told[runs[0]], "t", -1, begin + MINUTE),
            TaskStart(told[runs[0]], "u", -1, begin + 2 * MINUTE),
            TaskStart(told[runs[1]], "t", -1, begin + 3 * MINUTE),
        ]
        both = [("a", "t"), ("a", "u")]
        assert airflow.facts.tasks.task_starts(both, since=begin, until=None) == every
        assert airflow.facts.tasks.task_starts(both, since=begin + MINUTE, until=begin + 3 * MINUTE) == every[1:3]
        assert airflow.facts.tasks.task_starts([("a", "u"), ("b", "t")], since=begin, until=None) == [
            every[0],
            every[2],
        ]

    def test_nothing(self, airflow, runs):
        assert airflow.facts.tasks.task_starts([], since=START, until=None) == []
        assert airflow.facts.tasks.task_starts([("a", "nothing"), ("gone", "t")], since=START, until=None) == []

    @pytest.mark.parametrize(
        ("state", "counts"),
        [("running", True), ("failed", True), ("success", True), ("skipped", False), ("upstream_failed", False)],
    )
    def test_what_did_nothing_read_nothing(self, airflow, state, counts):
        airflow.dag(Shape("a"))
        airflow.run("a", state="running", states={"t": state})
        assert len(airflow.facts.tasks.task_starts([("a", "t")], since=START, until=None)) == counts

    def test_what_its_run_was_started_with(self, airflow, runs):
        consumer = airflow.run("b", by="asset", dated=False)
        airflow.emit(runs[0], ONE, consumer)
        airflow.emit(runs[0], TWO)
        (found,) = airflow.facts.tasks.task_starts([("b", "t")], since=START, until=None)
        assert found.consumed == {airflow.asset_id(ONE)}

    def test_each_index(self, airflow):
        airflow.dag(Shape("a", mapped={"t"}))
        airflow.expand(airflow.run("a"), "t", 3)
        found = airflow.facts.tasks.task_starts([("a", "t")], since=START, until=None)
        assert sorted(one.map_index for one in found) == [0, 1, 2]

    def test_what_has_not_started(self, airflow):
        airflow.dag(Shape("a"))
        airflow.run("a", state="queued")
        assert airflow.facts.tasks.task_starts([("a", "t")], since=START, until=None) == []


READER = [("r", "read")]
FIRST, LATER, LAST = START + MINUTE, START + 3 * DAY, START + 5 * DAY


class TestStartsOfWhatARerunMadeAnew:
    """Rule 8: a second repair finds the readers of the first."""

    @pytest.fixture
    def reader(self, airflow) -> RunRef:
        """A run that has read at `FIRST`."""
        airflow.dag(Shape("r", "read; aside"))
        ref = airflow.run("r")
        airflow.put(ref, "read", "success", at=FIRST)
        return ref

    def starts(self, airflow, since=START, until=None):
        found = airflow.facts.tasks.task_starts(READER, since=since, until=until)
        return [(one.run.ref.run_id, one.map_index, one.at) for one in found]

    def again(self, airflow, ref: RunRef, at=LATER, state="success") -> None:
        """What was cleared runs."""
        airflow.put(ref, "read", state, at=at)
        airflow.end(ref, "success", at=at + 2 * MINUTE)

    def test_it_is_told_by_its_start_before(self, airflow, reader):
        airflow.rerun(reader, "read")
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)], "it waits to start"
        self.again(airflow, reader)
        assert self.starts(airflow, until=LATER) == [(reader.run_id, -1, FIRST)]
        assert self.starts(airflow, since=FIRST + MINUTE) == []

    def test_however_often_it_is_repaired(self, airflow, reader):
        for number in range(1, 4):
            airflow.rerun(reader, "read", number=number)
            self.again(airflow, reader, at=LATER + number * MINUTE)
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]

    def test_airflows_own_retries_are_the_reruns(self, airflow, reader):
        airflow.rerun(reader, "read")
        work = play(airflow, reader)
        work.schedule()
        work.start("read")
        work.retry("read")
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]
        work.schedule()
        work.start("read")
        work.end("read")
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]

    def test_what_a_rerun_left_as_it_was(self, airflow, reader):
        airflow.put(reader, "aside", "success", at=LATER)
        airflow.rerun(reader, "aside")
        airflow.end(reader, "success", at=LAST)
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]

    @pytest.mark.parametrize("state", ["skipped", "upstream_failed"])
    def test_what_a_rerun_did_not_get_to_holds_what_it_had_read(self, airflow, reader, state):
        airflow.rerun(reader, "read")
        self.again(airflow, reader, state=state)
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]

    def test_what_had_never_started_starts_in_the_rerun(self, airflow):
        airflow.dag(Shape("r", "read; aside"))
        ref = airflow.run("r", state="failed", states={"read": "upstream_failed"})
        airflow.rerun(ref, "read")
        assert self.starts(airflow) == []
        self.again(airflow, ref)
        assert self.starts(airflow) == [(ref.run_id, -1, LATER)]
        airflow.rerun(ref, "read", number=2)
        self.again(airflow, ref, at=LAST)
        assert self.starts(airflow) == [(ref.run_id, -1, LATER)]

    def test_a_person_lets_it_read_once_more(self, airflow, reader):
        airflow.rerun(reader, "read")
        self.again(airflow, reader)
        airflow.clear(reader, "read")
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)], "it hasn't yet"
        self.again(airflow, reader, at=LAST)
        assert self.starts(airflow) == [(reader.run_id, -1, LAST)]
        airflow.rerun(reader, "read", number=2)
        self.again(airflow, reader, at=LAST + DAY)
        assert self.starts(airflow) == [(reader.run_id, -1, LAST)]

    @pytest.mark.parametrize("state", ["skipped", "upstream_failed"])
    def test_a_person_lets_it_read_once_more_that_the_rerun_did_not_get_to(self, airflow, reader, state):
        airflow.rerun(reader, "read")
        self.again(airflow, reader, state=state)
        airflow.clear(reader, "read")
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)], "it hasn't yet"
        self.again(airflow, reader, at=LAST)
        assert self.starts(airflow) == [(reader.run_id, -1, LAST)]

    def test_a_person_skips_it_afterwards(self, airflow, reader):
        airflow.rerun(reader, "read")
        self.again(airflow, reader)
        airflow.clear(reader, "read")
        self.again(airflow, reader, state="skipped")
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]

    def test_a_person_clears_it_for_the_rerun(self, airflow, reader):
        airflow.rerun(reader, "read")
        self.again(airflow, reader, state="failed")
        airflow.clear(reader, "read")
        airflow.take_over(reader, "read")
        self.again(airflow, reader, at=LAST)
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]

    def test_a_person_clears_something_else_for_the_rerun(self, airflow, reader):
        airflow.rerun(reader, "read", number=1)
        self.again(airflow, reader)
        airflow.clear(reader, "read")
        self.again(airflow, reader, at=LAST)
        airflow.rerun(reader, "aside", number=2)
        airflow.put(reader, "aside", "failed", at=LAST + DAY)
        airflow.end(reader, "failed", at=LAST + DAY)
        airflow.clear(reader, "aside")
        airflow.take_over(reader, "aside", "read", number=2)
        assert self.starts(airflow) == [(reader.run_id, -1, LAST)]

    def test_a_run_that_takes_its_place(self, airflow, reader):
        new = airflow.run("r", day=3, by="task", dated=False)
        airflow.put(new, "read", "success", at=LATER)
        airflow.adopt(new, reader)
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST), (new.run_id, -1, FIRST)]
        newer = airflow.run("r", day=5, by="task", dated=False)
        airflow.put(newer, "read", "success", at=LAST)
        airflow.adopt(newer, new)
        assert [at for _, _, at in self.starts(airflow)] == [FIRST] * 3
        airflow.clear(new, "read")
        self.again(airflow, new, at=LAST)
        assert [at for _, _, at in self.starts(airflow)] == [FIRST, FIRST, LAST]

    def test_a_trigger_that_clears_the_run(self, airflow, reader):
        airflow.clear(reader, "read", "aside")
        airflow.put(reader, "read", "running", at=LATER)
        airflow.adopt(reader, reader)
        self.again(airflow, reader)
        assert self.starts(airflow) == [(reader.run_id, -1, FIRST)]

    def test_a_place_that_is_gone(self, airflow, reader):
        new = airflow.run("r", day=3, by="task", dated=False)
        airflow.put(new, "read", "success", at=LATER)
        airflow.adopt(new, GONE)
        assert self.starts(airflow)[1:] == [(new.run_id, -1, LATER)]

    def test_a_run_made_under_a_deleted_ones_id(self, airflow, reader):
        airflow.rerun(reader, "read")
        self.again(airflow, reader)
        airflow.run("r", day=1)
        airflow.delete(reader)
        again = airflow.run("r", run_id=reader.run_id)
        airflow.put(again, "read", "success", at=LATER)
        assert self.starts(airflow)[1:] == [(reader.run_id, -1, LATER)]

    def test_each_index(self, airflow):
        airflow.dag(Shape("r", "read; aside", mapped={"read"}))
        ref = airflow.run("r")
        airflow.expand(ref, "read", 3)
        for index in range(3):
            airflow.put(ref, "read", "success", at=FIRST + index * MINUTE, map_index=index)
        airflow.rerun(ref, "read", index=1)
        airflow.put(ref, "read", "success", at=LATER, map_index=1)
        airflow.end(ref, "success", at=LATER + MINUTE)
        every = [(ref.run_id, index, FIRST + index * MINUTE) for index in range(3)]
        assert self.starts(airflow) == every
        airflow.rerun(ref, "read", number=2)
        for index in range(3):
            airflow.put(ref, "read", "success", at=LAST, map_index=index)
        airflow.grow(ref, "read", 3, at=LAST)
        assert sorted(self.starts(airflow)) == sorted([*every, (ref.run_id, 3, FIRST)])


class TestWaitingAssets:
    def test_until_a_run_has_consumed_it(self, airflow, runs):
        number = airflow.emit(runs[0], ONE, task_id="u", map_index=1)
        waits = WaitingAsset(runs[0], "u", 1, number, ONE, "b")
        assert airflow.facts.assets.waiting(runs) == [waits, replace(waits, dag_id="c")]
        assert airflow.facts.assets.waiting(runs[1:]) == airflow.facts.assets.waiting([]) == []
        airflow.consume(airflow.run("b", by="asset", dated=False, day=1), number)
        assert airflow.facts.assets.waiting([*runs, GONE]) == [replace(waits, dag_id="c")]

    def test_what_was_emitted_before_the_last_run_does_not_wait(self, airflow, runs):
        airflow.emit(runs[0], ONE)
        airflow.emit(runs[1], ONE)
        airflow.run("b", by="asset", dated=False, day=0.5)
        found = airflow.facts.assets.waiting(runs)
        assert [(one.producer, one.dag_id) for one in found] == [(runs[0], "c"), (runs[1], "b"), (runs[1], "c")]

    def test_an_asset_that_starts_nothing_and_a_dag_that_is_gone(self, airflow, runs):
        airflow.emit(runs[0], "test://assets/other")
        airflow.emit(runs[0], TWO)
        airflow.lose("c")
        assert airflow.facts.assets.waiting(runs) == []

    def test_a_paused_dag_waits(self, airflow, runs):
        airflow.emit(runs[0], TWO)
        airflow.pause("c")
        assert [one.dag_id for one in airflow.facts.assets.waiting(runs)] == ["c"]


class TestFlows:
    def flows(self, airflow: Stage, dag_id: str) -> set[AssetFlow]:
        found = airflow.facts.assets.flows(dag_id)
        assert len(found) == len(set(found))
        return set(found)

    def test_from_and_to_a_dag(self, airflow, runs):
        airflow.dag(Shape("r", "see; other", inlets={"see": [TWO]}))
        every = {
            AssetFlow("a", "t", "b", None, ONE),
            AssetFlow("a", "u", "b", None, ONE),
            AssetFlow("a", "t", "c", None, ONE),
            AssetFlow("a", "u", "c", None, ONE),
            AssetFlow("a", "u", "c", None, TWO),
            AssetFlow("a", "u", "r", "see", TWO),
        }
        assert self.flows(airflow, "a") == every
        assert self.flows(airflow, "b") == {flow for flow in every if flow.consumer_dag_id == "b"}
        assert self.flows(airflow, "r") == {flow for flow in every if flow.consumer_dag_id == "r"}
        assert self.flows(airflow, "gone") == set()

    def test_a_dag_that_is_gone_neither_makes_nor_takes(self, airflow, runs):
        airflow.lose("b")
        assert {flow.consumer_dag_id for flow in self.flows(airflow, "a")} == {"c"}
        airflow.lose("a")
        assert self.flows(airflow, "a") == self.flows(airflow, "c") == set()

    def test_what_a_newer_version_does_not_take_any_more(self, airflow, runs):
        airflow.dag(Shape("c", "read", starts_with=[TWO]))
        assert self.flows(airflow, "c") == {AssetFlow("a", "u", "c", None, TWO)}

    def test_a_task_may_read_the_asset_that_starts_its_run(self, airflow, runs):
        airflow.dag(Shape("r", "see", inlets={"see": [ONE]}, starts_with=[ONE]))
        assert self.flows(airflow, "r") == {
            AssetFlow("a", task_id, "r", reader, ONE) for task_id in "tu" for reader in ("see", None)
        }

    def test_what_dags_declare(self, airflow, runs):
        airflow.dag(Shape("r", "see", inlets={"see": [TWO]}))
        airflow.dag(Shape("s", outlets={"t": ["test://assets/three"]}))
        one, two = airflow.asset_id(ONE), airflow.asset_id(TWO)
        found = airflow.facts.dags.definitions()
        assert found.inlets == (InletDefinition("r", "see", two, TWO),)
        assert set(found.asset_schedules) == {AssetSchedule("b", one), AssetSchedule("c", one), AssetSchedule("c", two)}
        taken = {("t", one, ONE), ("u", one, ONE), ("u", two, TWO)}
        assert set(found.outlets) == {OutletDefinition("a", *outlet) for outlet in taken}
        airflow.lose("c")
        airflow.lose("r")
        found = airflow.facts.dags.definitions()
        assert (found.inlets, found.asset_schedules) == ((), (AssetSchedule("b", one),))
        assert set(found.gone_schedules) == {AssetSchedule("c", one), AssetSchedule("c", two)}
        assert set(found.outlets) == {OutletDefinition("a", *outlet) for outlet in taken}, "they may have read it"

    def test_a_dag_that_names_no_asset_any_more(self, airflow, runs):
        """Airflow leaves the rows of what it named before as they are."""
        airflow.dag(Shape("r", "see", inlets={"see": [TWO]}))
        assert len(self.flows(airflow, "r")) == 1
        airflow.dag(Shape("r", "see"))
        assert self.flows(airflow, "r") == set()
        assert airflow.facts.dags.definitions().inlets == ()
        airflow.dag(Shape("a", "t; u"))
        assert self.flows(airflow, "b") == set()
        assert airflow.facts.dags.definitions().outlets == ()
