"""What every `LineageFacts` promises of runs and their task instances."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.errors import Invalid
from airflow_rerun_downstream.domain.facts import RunConf, RunFacts, RunNow
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.values import UNTOLD
from airflow_rerun_downstream.ports.lineage import RunFilter, SourceRule
from tests.contracts.stages import DAY, GONE, MINUTE, Shape, Stage
from tests.fakes.world import START


def facts_of(airflow: Stage, ref: RunRef) -> RunFacts:
    return airflow.facts.runs.among([ref])[ref]


def ids(runs: list[RunFacts]) -> list[str]:
    return [run.ref.run_id for run in runs]


class TestRuns:
    def test_all_that_a_run_s_row_says(self, airflow):
        airflow.dag(Shape("a"))
        ref = airflow.run("a", day=1, state="running")
        date = START + DAY
        assert airflow.facts.runs.among([ref]) == {
            ref: RunFacts(ref, "scheduled", "running", date, date, 0, date, date, start_date=date)
        }

    def test_nothing_and_what_is_not_there(self, airflow):
        airflow.dag(Shape("a"))
        airflow.dag(Shape("b"))
        ref = airflow.run("a")
        assert airflow.facts.runs.among([]) == airflow.facts.runs.now([]) == {}
        unknown = [GONE, RunRef("b", ref.run_id), RunRef("a", "nowhere")]
        assert airflow.facts.runs.among(unknown) == airflow.facts.runs.now(unknown) == {}
        assert set(airflow.facts.runs.among([ref, ref, *unknown])) == set(airflow.facts.runs.now([ref, GONE])) == {ref}
        airflow.delete(ref)
        assert airflow.facts.runs.among([ref]) == airflow.facts.runs.now([ref]) == {}

    def test_where_they_stand_now(self, airflow):
        airflow.dag(Shape("a"))
        states = ["queued", "running", "success", "failed"]
        refs = [airflow.run("a", day=day, state=state) for day, state in enumerate(states)]
        found = airflow.facts.runs.now(refs)
        assert found == {ref: RunNow(states[day], START + day * DAY) for day, ref in enumerate(refs)}
        assert found == {ref: RunNow(run.state, run.run_after) for ref, run in airflow.facts.runs.among(refs).items()}

    @pytest.mark.parametrize(
        ("by", "online", "backfill"),
        [("scheduler", True, False), ("asset", True, False), ("backfill", False, True), ("person", False, False)],
    )
    def test_who_made_it(self, airflow, by, online, backfill):
        airflow.dag(Shape("a"))
        run = facts_of(airflow, airflow.run("a", by=by))
        assert (run.online, run.backfill, run.made_by_task) == (online, backfill, False)

    def test_a_run_without_a_date(self, airflow):
        airflow.dag(Shape("a"))
        run = facts_of(airflow, airflow.run("a", day=1, by="person", dated=False))
        assert (run.logical_date, run.data_interval_start, run.data_interval_end) == (None, None, None)
        assert run.run_after == START + DAY

    def test_a_dag_that_is_gone(self, airflow):
        airflow.dag(Shape("a"))
        airflow.dag(Shape("b"))
        lost, other = airflow.run("a"), airflow.run("b")
        airflow.lose("a")
        found = airflow.facts.runs.among([lost, other])
        assert [found[ref].dag_gone for ref in (lost, other)] == [True, False]
        later = airflow.run("a", day=1)
        assert facts_of(airflow, later).dag_gone

    def test_a_cleared_run_stands_as_new(self, airflow):
        airflow.dag(Shape("a"))
        ref = airflow.run("a", state="running")
        airflow.mark_failed(ref)
        assert facts_of(airflow, ref).terminated
        airflow.clear(ref, "t")
        run = facts_of(airflow, ref)
        assert (run.state, run.clear_number, run.terminated, run.start_date) == ("queued", 1, False, None)

    def test_a_run_that_failed_was_not_stopped(self, airflow):
        airflow.dag(Shape("a"))
        assert not facts_of(airflow, airflow.run("a", state="failed")).terminated


class TestMadeByTasks:
    """A run is what the run is whose task made it, however far up; where that can't be told it counts as online."""

    @pytest.fixture
    def chain(self, airflow) -> list[RunRef]:
        airflow.dag(Shape("a", triggers={"t": "b"}))
        airflow.dag(Shape("b", triggers={"t": "c"}))
        airflow.dag(Shape("c"))
        refs = [airflow.run("a"), airflow.run("b", by="task", run_id="same"), airflow.run("c", by="task")]
        airflow.made(refs[0], "t", refs[1])
        airflow.made(refs[1], "t", refs[2])
        return refs

    def online(self, airflow: Stage, *refs: RunRef) -> list[bool]:
        found = airflow.facts.runs.among(refs)
        assert all(run.made_by_task == (run.ref.dag_id != "a") for run in found.values())
        return [found[ref].online for ref in refs]

    def test_of_a_scheduled_run(self, airflow, chain):
        assert self.online(airflow, *chain) == [True, True, True]
        assert self.online(airflow, chain[2]) == [True]

    def test_of_a_person_s_run(self, airflow):
        airflow.dag(Shape("a", triggers={"t": "b"}))
        airflow.dag(Shape("b"))
        parent, child = airflow.run("a", by="person"), airflow.run("b", by="task")
        airflow.made(parent, "t", child)
        assert self.online(airflow, child) == [False]

    def untold(self, airflow: Stage, *refs: RunRef) -> bool:
        found = airflow.facts.runs.among(refs)
        assert {run.online for run in found.values()} == {True}
        return all(run.maker_untold for run in found.values())

    def test_nobody_knows_of_which(self, airflow):
        airflow.dag(Shape("b"))
        assert self.untold(airflow, airflow.run("b", by="task"))

    def test_the_run_that_made_it_is_gone(self, airflow, chain):
        assert not any(run.maker_untold for run in airflow.facts.runs.among(chain).values())
        airflow.delete(chain[0])
        assert self.untold(airflow, *chain[1:])

    def test_a_run_of_another_dag_with_the_same_id(self, airflow, chain):
        assert self.untold(airflow, airflow.run("c", by="task", run_id="same", dated=False))

    @pytest.mark.parametrize("by", ["clock", "person"])
    def test_however_long_the_chain(self, airflow, by):
        airflow.dag(Shape("a", triggers={"t": "a"}))
        refs = [airflow.run("a") if by == "clock" else airflow.run("a", by="person")]
        for number in range(30):
            refs.append(airflow.run("a", by="task", run_id=f"again_{number}", dated=False))
            airflow.made(refs[-2], "t", refs[-1])
        last = airflow.facts.runs.among([refs[-1]])[refs[-1]]
        assert (last.online, last.maker_untold) == (by == "clock", False)

    def test_two_that_made_each_other(self, airflow):
        airflow.dag(Shape("b", triggers={"t": "c"}))
        airflow.dag(Shape("c", triggers={"t": "b"}))
        one, two = airflow.run("b", by="task"), airflow.run("c", by="task")
        airflow.made(one, "t", two)
        airflow.made(two, "t", one)
        assert self.untold(airflow, one, two)

    def test_a_task_that_triggers_another_dag_since(self, airflow, chain):
        airflow.dag(Shape("a", triggers={"t": "c"}))
        assert self.online(airflow, *chain) == [True, True, True]

    def test_the_dag_that_made_it_is_gone(self, airflow, chain):
        airflow.lose("a")
        assert self.online(airflow, *chain) == [True, True, True]


class TestConfs:
    def test_what_runs_were_made_with(self, airflow):
        airflow.dag(Shape("a"))
        plain, given = airflow.run("a"), airflow.run("a", day=1)
        airflow.configure(given, {"dag": "b", "n": 1, "more": ["x"], "none": None})
        assert airflow.facts.runs.confs([plain, given, GONE]) == {
            plain: RunConf({}),
            given: RunConf({"dag": "b", "n": 1, "more": UNTOLD, "none": None}),
        }
        assert airflow.facts.runs.confs([]) == {}


class TestByDate:
    @pytest.fixture
    def refs(self, airflow) -> dict[str, RunRef]:
        airflow.dag(Shape("a"))
        airflow.dag(Shape("b"))
        return {
            "a0": airflow.run("a"),
            "a2": airflow.run("a", day=2),
            "a1": airflow.run("a", day=1),
            "b1": airflow.run("b", day=1),
            "undated": airflow.run("a", day=1, by="person", dated=False),
        }

    def test_at_dates(self, airflow, refs):
        found = airflow.facts.runs.at({"a": [START, START + DAY, START + DAY, START + 9 * DAY], "gone": [START]})
        assert {run.ref for run in found} == {refs["a0"], refs["a1"]}
        assert len(found) == 2
        assert found == [facts_of(airflow, run.ref) for run in found]

    def test_a_date_is_asked_of_its_dag_only(self, airflow, refs):
        found = airflow.facts.runs.at({"a": [START], "b": [START + DAY]})
        assert {run.ref for run in found} == {refs["a0"], refs["b1"]}

    def test_those_without_a_date_count_by_their_ready_time(self, airflow, refs):
        found = airflow.facts.runs.at({"a": [START + DAY], "b": [START]}, undated=True)
        assert {run.ref for run in found} == {refs["a1"], refs["undated"]}

    def test_no_dates(self, airflow, refs):
        assert airflow.facts.runs.at({}) == airflow.facts.runs.at({"a": []}, undated=True) == []
        assert airflow.facts.runs.later({}, limit=10) == []

    def test_later_ones(self, airflow, refs):
        found = airflow.facts.runs.later({"a": START, "b": START + DAY, "gone": START}, limit=10)
        assert [run.ref for run in found] == [refs["a1"], refs["a2"]]
        assert found == [facts_of(airflow, run.ref) for run in found]

    def test_no_more_than_the_limit(self, airflow, refs):
        found = airflow.facts.runs.later({"a": START - DAY}, limit=2)
        assert [run.ref for run in found] == [refs["a0"], refs["a1"]]
        assert airflow.facts.runs.later({"a": START}, limit=0) == []


class TestTaskInstances:
    def test_in_the_order_of_tasks_and_indexes_removed_ones_too(self, airflow):
        airflow.dag(Shape("a", "z >> m >> b", mapped={"m"}))
        ref = airflow.run("a", states={"b": "removed"})
        airflow.expand(ref, "m", 3)
        found = airflow.facts.tasks.task_instances([ref, GONE])
        assert set(found) == {ref}
        assert [(ti.task_id, ti.map_index, ti.state) for ti in found[ref]] == [
            ("b", -1, "removed"),
            *(("m", index, "success") for index in range(3)),
            ("z", -1, "success"),
        ]
        assert [(ti.operator, ti.try_number) for ti in found[ref]] == [
            ("PythonOperator", 0),
            *[("PythonOperator", 1)] * 4,
        ]

    def test_without_their_dates(self, airflow):
        airflow.dag(Shape("a"))
        ref = airflow.run("a")
        (found,) = airflow.facts.tasks.task_instances([ref])[ref]
        assert (found.start_date, found.end_date, found.cut_off) == (None, None, False)

    def test_a_run_without_any_is_left_out(self, airflow):
        airflow.dag(Shape("a"))
        ref = airflow.run("a")
        airflow.drop_tasks(ref)
        assert airflow.facts.tasks.task_instances([ref]) == airflow.facts.tasks.task_instances([]) == {}


class TestPage:
    @pytest.fixture
    def refs(self, airflow) -> dict[str, RunRef]:
        airflow.dag(Shape("a", triggers={"t": "B_1"}))
        airflow.dag(Shape("B_1"))
        made = {
            "made": airflow.run("B_1", by="task", run_id="made"),
            "first": airflow.run("a", run_id="first"),
            "orphan": airflow.run("B_1", by="task", run_id="orphan", dated=False),
            "mine": airflow.run("a", by="person", run_id="mine", day=1, dated=False),
            "failed": airflow.run("B_1", run_id="failed", day=2, state="failed"),
            "queued": airflow.run("B_1", run_id="queued", day=3, state="queued"),
        }
        airflow.made(made["first"], "t", made["made"])
        return made

    def page(self, airflow: Stage, **wanted: object) -> list[str]:
        found, total = airflow.facts.runs.page(RunFilter(**wanted))
        everything = replace(RunFilter(**wanted), limit=50, offset=0)
        assert total == len(airflow.facts.runs.page(everything)[0])
        assert found == [facts_of(airflow, run.ref) for run in found]
        return ids(found)

    def test_newest_first(self, airflow, refs):
        assert self.page(airflow) == ["queued", "failed", "mine", "orphan", "first", "made"]

    def test_a_part(self, airflow, refs):
        assert self.page(airflow, limit=2, offset=1) == ["failed", "mine"]
        assert self.page(airflow, offset=6) == self.page(airflow, limit=0) == []

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"dag_ids": frozenset({"a", "gone"})}, {"mine", "first"}),
            ({"dag_ids": frozenset()}, set()),
            ({"dag_id_pattern": "A"}, {"mine", "first"}),
            ({"dag_id_pattern": "b%1"}, {"queued", "failed", "orphan", "made"}),
            ({"dag_id_pattern": "b__ | a"}, {"queued", "failed", "mine", "orphan", "first", "made"}),
            ({"dag_id_pattern": "____"}, set()),
            ({"states": frozenset({"failed", "queued"})}, {"queued", "failed"}),
            ({"states": frozenset()}, set()),
            ({"run_types": frozenset({"scheduled"})}, {"queued", "failed", "first"}),
            ({"run_after_gte": START + DAY, "run_after_lte": START + 2 * DAY}, {"mine", "failed"}),
            ({"online": True}, {"queued", "failed", "first", "made", "orphan"}),
            ({"online": False}, {"mine"}),
            ({"online": True, "dag_ids": frozenset({"B_1"}), "states": frozenset({"success"})}, {"made", "orphan"}),
        ],
    )
    def test_what_is_asked_for(self, airflow, refs, wanted, found):
        assert set(self.page(airflow, **wanted)) == found

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({"owner_pattern": "ADA"}, {"mine", "first"}),
            ({"owner_pattern": "nobody"}, set()),
            ({"tags": frozenset({"shop", "none"})}, {"mine", "first"}),
            ({"tags": frozenset({"sho"})}, set()),
            ({"tags": frozenset({"shop"}), "states": frozenset({"failed"})}, set()),
        ],
    )
    def test_what_is_asked_of_its_dag(self, airflow, refs, wanted, found):
        airflow.label("a", owners="bob, Ada", tags=("shop", "daily"))
        assert set(self.page(airflow, **wanted)) == found

    def test_a_part_of_its_id(self, airflow, refs):
        first = refs["first"].run_id
        assert {"first"} <= set(self.page(airflow, run_id_pattern=first[1:-1]))
        assert self.page(airflow, run_id_pattern="nothing of that name") == []

    def test_what_may_be_a_source(self, airflow, refs):
        rule = SourceRule(now=START + 2 * DAY, window_start=None, taken=frozenset({refs["made"]}))
        assert set(self.page(airflow, source_rule=rule)) == {"failed", "first", "orphan"}
        rest = {"queued", "mine", "made"}
        assert set(self.page(airflow, source_rule=replace(rule, matches=False))) == rest
        assert self.page(airflow, source_rule=replace(rule, window_start=START + MINUTE)) == ["failed"]
        assert set(self.page(airflow, source_rule=replace(rule, now=START + DAY))) == {"first", "orphan"}
        airflow.lose("a")
        assert set(self.page(airflow, source_rule=rule)) == {"failed", "orphan"}
        assert set(self.page(airflow, source_rule=replace(rule, matches=False))) == rest | {"first"}

    @pytest.mark.parametrize(
        "name", ["run_after", "logical_date", "dag_id", "run_id", "state", "start_date", "run_type"]
    )
    def test_an_order_goes_both_ways_and_what_has_no_value_comes_last(self, airflow, refs, name):
        up, down = self.page(airflow, order_by=name), self.page(airflow, order_by=f"-{name}")
        without = {"logical_date": ["orphan", "mine"], "start_date": ["queued"]}.get(name, [])
        assert up[len(up) - len(without) :] == without
        assert down[len(down) - len(without) :] == without[::-1]
        assert [each for each in up if each not in without] == [each for each in reversed(down) if each not in without]

    def test_equals_are_in_the_order_in_which_they_were_made(self, airflow, refs):
        assert self.page(airflow, order_by="run_after")[:3] == ["made", "first", "orphan"]
        assert self.page(airflow, order_by="logical_date") == ["made", "first", "failed", "queued", "orphan", "mine"]

    @pytest.mark.parametrize("name", ["conf", "", "-", "--run_after", "id", "ref"])
    def test_an_order_that_there_is_not(self, airflow, name):
        with pytest.raises(Invalid, match="ordered by"):
            airflow.facts.runs.page(RunFilter(order_by=name))
