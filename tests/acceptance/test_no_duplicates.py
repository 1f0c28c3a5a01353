"""A rerun of producers starts no run that had run before, and leaves the next natural cycle alone.

One live Airflow per database carries a consumer of each kind. At its end the asset manager is switched off, and the
very same rerun does the harm that it prevents.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.acceptance.factory import DAGS, Factory, Run, of, sources
from tests.live.harness import Json, StartAirflow

pytestmark = pytest.mark.acceptance

PARTITIONS = not version("apache-airflow-core").startswith("3.1.")
CONSUMERS = [
    "single",
    "second",
    "both",
    "aliased",
    pytest.param(
        "partitioned",
        marks=pytest.mark.skipif(not PARTITIONS, reason="Airflow 3.1 has no partitioned assets"),
    ),
]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """While this file isn't there, the patient task goes on."""
    return tmp_path_factory.mktemp("gate") / "open"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def factory(request: pytest.FixtureRequest, start_airflow: StartAirflow, gate: Path) -> Factory:
    gate.unlink(missing_ok=True)
    airflow = start_airflow(dags=[DAGS], database=request.param, env={"GATE": str(gate)})
    return Factory(airflow, partitions=PARTITIONS)


@dataclass
class Outcome:
    """What a rerun of both producers did, and the natural cycle after it. Runs are given by their Dags."""

    first: dict[str, str]
    plans: list[Json]
    members: dict[str, Json]
    extra: set[Run]
    queued: list[str]
    partition_rows: int
    consumed: dict[str, list[Run]]
    outdated: dict[str, int]
    early: set[Run]
    then: dict[str, str]
    consumed_then: dict[str, list[Run]]
    queued_then: list[str]


def natural_cycle(factory: Factory) -> dict[str, str]:
    """A run of every producer and consumer; of the partitions the one that is scheduled."""
    before = factory.counts()
    made = factory.cycle("other")
    made |= factory.cycle("make", "single", "second", "aliased")
    made |= factory.next_runs(before, {"both": "success"})
    return made | factory.scheduled_partition()


def producers(cycle: dict[str, str]) -> list[Json]:
    """The runs to repair."""
    return [{"dag_id": dag_id, "run_id": cycle[dag_id]} for dag_id in ("make", "parts") if dag_id in cycle]


@pytest.fixture(scope="module")
def outcome(factory: Factory) -> Outcome:
    first = natural_cycle(factory)
    factory.settle()
    before, rows = factory.runs(), factory.partition_rows()
    assert factory.queued() == []
    plans = [factory.plan(source=source) for source in producers(first)]
    ended = [factory.rerun(**source) for source in producers(first)]
    members = {dag_id: member for rerun in ended for dag_id, member in factory.members(rerun["id"]).items()}
    extra, queued, rows = factory.runs() - before, factory.queued(), factory.partition_rows() - rows
    consumed = {dag_id: factory.consumed(dag_id, first[dag_id]) for dag_id in members}
    outdated = {dag_id: factory.outdated(dag_id, first[dag_id]) for dag_id in members}

    counts = factory.counts()
    then = factory.cycle("make", "single", "second", "aliased")
    then |= factory.next_partition()
    factory.settle()
    early = {("both", run_id) for run_id in of(factory.runs() - before, "both")}
    then |= factory.cycle("other")
    then |= factory.next_runs(counts, {"both": "success"})
    factory.settle()
    consumed_then = {dag_id: factory.consumed(dag_id, run_id) for dag_id, run_id in then.items()}
    return Outcome(
        first, plans, members, extra, queued, rows, consumed, outdated, early, then, consumed_then, factory.queued()
    )


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_rerun_starts_no_run_that_had_run_before(outcome: Outcome, consumer: str) -> None:
    assert outcome.members[consumer]["state"] == "succeeded"
    assert outcome.members[consumer]["run_id"] == outcome.first[consumer]
    assert of(outcome.extra, consumer) == set()
    assert consumer not in outcome.queued


def test_a_rerun_leaves_nothing_behind_anywhere(outcome: Outcome) -> None:
    assert outcome.extra == set()
    assert outcome.queued == []
    assert outcome.partition_rows == 0
    assert [warning for plan in outcome.plans for warning in plan["warnings"]] == []


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_consumer_sees_the_repeated_event_in_place_of_the_original(outcome: Outcome, consumer: str) -> None:
    first = outcome.first
    assert outcome.outdated[consumer] == 0
    assert (
        outcome.consumed[consumer]
        == {
            "single": lambda: sources(make=(first["make"], 1)),
            "second": lambda: sources(single=(first["single"], 1)),
            "both": lambda: sources(make=(first["make"], 1), other=(first["other"], 1)),
            "aliased": lambda: sources(make=(first["make"], 1)),
            "partitioned": lambda: sources(parts=(first["parts"], 1)),
        }[consumer]()
    )


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_the_next_cycle_consumes_exactly_its_own_events(outcome: Outcome, consumer: str) -> None:
    then = outcome.then
    assert (
        outcome.consumed_then[consumer]
        == {
            "single": lambda: sources(make=(then["make"], 1)),
            "second": lambda: sources(single=(then["single"], 1)),
            "both": lambda: sources(make=(then["make"], 1), other=(then["other"], 1)),
            "aliased": lambda: sources(make=(then["make"], 1)),
            "partitioned": lambda: sources(parts=(then["parts"], 1)),
        }[consumer]()
    )


def test_a_condition_of_two_assets_waits_for_both_again(outcome: Outcome) -> None:
    assert outcome.early == set()
    assert outcome.queued_then == []


def test_a_consumer_that_is_no_member_gets_no_run(factory: Factory) -> None:
    cycle = natural_cycle(factory)
    before, tries = factory.runs(), factory.tries()
    only = {"members": [{"dag_id": "aliased", "run_id": cycle["aliased"], "task_ids": None}]}
    rerun = factory.rerun("make", cycle["make"], **only)
    left_out = {(dag_id, cycle[dag_id]) for dag_id in ("single", "second", "both")}
    told = [(one["dag_id"], one["run_id"]) for one in rerun["warnings"] if one["code"] == "stays_polluted"]
    assert sorted(told) == sorted(left_out)
    assert factory.runs() == before
    assert factory.queued() == []
    after = factory.tries()
    for key, one in after.items():
        if (key[0], key[1]) in left_out:
            assert one == tries[key], "a run that stays polluted was touched"


def test_a_task_that_had_never_emitted_starts_its_consumers(factory: Factory) -> None:
    run_id = factory.cycle("moody", state="failed")["moody"]
    factory.settle()
    assert factory.counts()["first_time"] == 0
    factory.rerun("moody", run_id)
    (first,) = factory.client.wait_for_runs("first_time", 1)
    assert factory.consumed("first_time", first["dag_run_id"]) == sources(moody=(run_id, 1))
    factory.rerun("moody", run_id, task_ids=["fail_first"])
    assert factory.counts()["first_time"] == 1, "from then on it repeats itself"
    assert factory.consumed("first_time", first["dag_run_id"]) == sources(moody=(run_id, 1))
    assert factory.outdated("first_time", first["dag_run_id"]) == 0
    assert factory.queued() == []


def test_a_task_that_outlives_its_rerun_makes_no_duplicates(factory: Factory, gate: Path) -> None:
    cycle = factory.cycle("patient", "patient_reader")
    source = {"dag_id": "patient", "run_id": cycle["patient"]}
    rerun = factory.submit(source=source, settings={"stop_running_on_terminate": False})["id"]
    factory.wait_task(**source, state="running")
    factory.call("POST", f"/reruns/{rerun}/terminate")
    assert factory.wait_ended(rerun)["state"] == "terminated"
    assert factory.task_state(**source) == "running", "it goes on"
    gate.touch()
    factory.wait_task(**source, state="success")
    factory.settle()
    assert of(factory.runs(), "patient_reader") == {cycle["patient_reader"]}
    assert factory.consumed("patient_reader", cycle["patient_reader"]) == sources(patient=(cycle["patient"], 1))
    assert factory.outdated("patient_reader", cycle["patient_reader"]) == 1, "it hasn't been rerun: its history stands"
    assert factory.queued() == []


def test_without_the_asset_manager_all_of_that_goes_wrong(factory: Factory) -> None:
    """The last one: it leaves the Airflow without the asset manager."""
    factory.serve(asset_manager=False)
    factory.wait_known(active=False)
    cycle = natural_cycle(factory)
    factory.settle()
    before, rows, counts = factory.runs(), factory.partition_rows(), factory.counts()
    assert factory.queued() == []
    for source in producers(cycle):
        status, refusal = factory.refused("POST", "/reruns", json={"source": source})
        assert (status, refusal["reason"]) == (409, "asset_manager_inactive")
        factory.rerun(**source, settings={"accept_duplicate_runs": True})
    extra = factory.runs() - before
    hurt = ["single", "second", "aliased", *(["partitioned"] if PARTITIONS else [])]
    for consumer in hurt:
        assert of(extra, consumer), f"{consumer} has no extra run: the tests above prove nothing"
    assert factory.partition_rows() - rows == (1 if PARTITIONS else 0)
    assert factory.queued() == ["both"], "half a condition is left"
    # The next cycle starts too early, with what the rerun left.
    other = factory.cycle("other", "both")
    assert counts["both"] + 1 == factory.counts()["both"]
    assert ("make", cycle["make"]) in factory.consumed("both", other["both"])
