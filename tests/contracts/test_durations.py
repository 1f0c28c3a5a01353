"""What every `Durations` promises."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.refs import RunRef
from tests.contracts.players import play
from tests.contracts.stages import DAY, MINUTE, START, Shape, Stage

TU = frozenset({"t", "u"})


def ran(airflow: Stage, day: float, *, dag_id: str = "d", state: str = "success", **begins: float) -> RunRef:
    """A run whose tasks began so many minutes after it, each for a minute."""
    ref = airflow.run(dag_id, day=day, state="running", states=dict.fromkeys(begins))
    for task_id, minutes in begins.items():
        airflow.put(ref, task_id, "success", at=START + day * DAY + minutes * MINUTE)
    airflow.end(ref, state)
    return ref


def again(airflow: Stage, ref: RunRef, day: float, **begins: float) -> None:
    """Tasks of a run are cleared, and run once more on another day."""
    airflow.clear(ref, *begins)
    airflow.begin(ref, at=START + day * DAY)
    for task_id, minutes in begins.items():
        airflow.put(ref, task_id, "success", at=START + day * DAY + minutes * MINUTE)
    airflow.end(ref, "success")


def minutes(airflow: Stage, *task_ids: str, dag_id: str = "d") -> list[float]:
    kind = dag_id, frozenset(task_ids)
    return [seconds / 60 for seconds in airflow.durations.times([kind]).get(kind, ())]


@pytest.fixture
def d(airflow: Stage) -> Stage:
    airflow.dag(Shape("d", "t >> u"))
    return airflow


def test_nothing_is_asked(airflow):
    assert airflow.durations.times([]) == {}


def test_a_dag_that_never_ran_has_no_time(d):
    assert d.durations.times([("d", TU), ("gone", TU)]) == {}


def test_from_the_first_start_to_the_last_end_of_the_tasks_latest_run_first(d):
    ran(d, 0, t=1, u=5)
    ran(d, 1, t=1, u=10)
    assert minutes(d, "t", "u") == [10, 5]
    assert minutes(d, "u") == [1, 1]


def test_each_dag_and_each_selection_by_itself(d):
    d.dag(Shape("e", "t >> u"))
    ran(d, 0, t=1, u=5)
    ran(d, 0, dag_id="e", t=0, u=29)
    kinds = {("d", TU): 5.0, ("d", frozenset("t")): 1.0, ("e", TU): 30.0}
    assert d.durations.times(kinds) == {kind: (60 * lasted,) for kind, lasted in kinds.items()}


def test_a_run_that_failed_counts_where_the_tasks_succeeded(d):
    ref = ran(d, 0, state="failed", t=1, u=5)
    d.put(ref, "u", "failed", at=START + 5 * MINUTE)
    assert (minutes(d, "t"), minutes(d, "u"), minutes(d, "t", "u")) == ([1], [], [])


def test_a_run_that_goes_on_does_not(d):
    d.run("d", day=3, state="running", states={"t": "success", "u": "running"})
    assert minutes(d, "t") == []


def test_a_run_without_one_of_the_tasks_does_not(d):
    ran(d, 0, t=1, u=5)
    assert minutes(d, "t", "u", "v") == []


def test_all_indexes_of_a_mapped_task(airflow):
    airflow.dag(Shape("d", "t", mapped={"t"}))
    ref = airflow.run("d")
    airflow.expand(ref, "t", 2)
    airflow.grow(ref, "t", 2, at=START + 7 * MINUTE)
    assert minutes(airflow, "t") == [8]


def test_an_index_that_has_not_succeeded_is_no_time(airflow):
    airflow.dag(Shape("d", "t", mapped={"t"}))
    ref = airflow.run("d")
    airflow.expand(ref, "t", 2)
    airflow.put(ref, "t", "failed", at=START, map_index=1)
    assert minutes(airflow, "t") == []


def test_what_only_a_sensor_waited_for_does_not_count(airflow):
    airflow.dag(Shape("e"))
    airflow.dag(Shape("d", "t >> u; v", sensors={"t": ("e", "t")}))
    ran(airflow, 0, t=0, u=5, v=9)
    assert minutes(airflow, "t", "u") == [5]  # a minute of the sensor, and four until u begins: those were no sensor's
    assert minutes(airflow, "t", "v") == [9]


def test_a_task_that_was_cleared_since_counts_as_it_first_ran(d):
    again(d, ran(d, 0, t=1, u=5), 30, u=0)
    assert minutes(d, "t", "u") == [5]


def test_and_as_it_ran_again_if_all_of_it_did(d):
    again(d, ran(d, 0, t=1, u=5), 30, t=1, u=2)
    assert minutes(d, "t", "u") == [2, 5]


def test_three_that_ran_again_count_alone(d):
    for day in range(3):
        again(d, ran(d, day, t=1, u=5), 30 + day, t=1, u=2 + day)
    ran(d, 9, t=0, u=20)
    assert minutes(d, "t", "u") == [4, 3, 2]


def test_a_rerun_s_own_runs_count_as_those_that_ran_again(d):
    ref = ran(d, 0, t=1, u=5)
    d.rerun(ref, "t", "u")
    d.begin(ref, at=START + 30 * DAY)
    for task_id, begins in {"t": 1, "u": 3}.items():
        d.put(ref, task_id, "success", at=START + 30 * DAY + begins * MINUTE)
    d.end(ref, "success")
    assert minutes(d, "t", "u") == [3, 5]


def test_a_try_that_failed_and_was_cleared_is_no_time(d):
    ref = ran(d, 0, state="failed", t=1, u=5)
    d.put(ref, "u", "failed", at=START + 5 * MINUTE)
    again(d, ref, 30, u=0)
    assert minutes(d, "t", "u") == []
    assert minutes(d, "u") == [1]


def test_a_try_that_airflow_tried_again_belongs_to_the_time(d):
    player = play(d, d.run("d", state="running", states={"t": None, "u": None}))
    player.schedule()
    player.start("t")
    player.retry("t")
    player.schedule()
    player.start("t")
    player.end("t")
    player.schedule()
    player.start("u")
    player.end("u")
    d.end(player.ref, "success")
    assert len(minutes(d, "t", "u")) == 1


def test_ten_times_at_most_of_the_latest_runs(d):
    for day in range(14):
        ran(d, day, t=0, u=day)
    assert minutes(d, "t", "u") == [day + 1 for day in range(13, 3, -1)]
