"""What every `LineageFacts` promises of what Dags, tasks and runs are called, and of notes."""

from __future__ import annotations

from airflow_rerun_downstream.domain.labels import LONGEST
from airflow_rerun_downstream.ports.lineage import RunFilter
from tests.contracts.stages import GONE, Shape


def test_dags_and_tasks_are_called_by_their_ids_as_a_rule(airflow):
    airflow.dag(Shape("a", "t >> u"))
    ref = airflow.run("a")
    assert airflow.facts.dags.display_names(["a", "gone"]) == {}
    assert {task.display_name for task in airflow.facts.tasks.task_instances([ref])[ref]} == {None}


def test_a_display_name_is_told(airflow):
    airflow.dag(Shape("a", "t >> u"))
    airflow.dag(Shape("b"))
    ref = airflow.run("a")
    airflow.call("a", "每日销售汇总", t="读取")
    assert airflow.facts.dags.display_names(["a", "b"]) == {"a": "每日销售汇总"}
    called = {task.task_id: task.display_name for task in airflow.facts.tasks.task_instances([ref])[ref]}
    assert called == {"t": "读取", "u": None}


def test_a_dag_is_found_by_either_of_its_names(airflow):
    airflow.dag(Shape("a"))
    airflow.dag(Shape("b"))
    run, _ = airflow.run("a"), airflow.run("b")
    airflow.call("a", "Daily sales")
    for pattern in ("sales", "DAILY%", "nothing|sales"):
        found, total = airflow.facts.runs.page(RunFilter(dag_id_pattern=pattern))
        assert ([one.ref for one in found], total) == ([run], 1)


def test_the_notes_of_runs(airflow):
    airflow.dag(Shape("a"))
    noted, other = airflow.run("a"), airflow.run("a", day=1)
    airflow.note(noted, "wrong rate")
    assert airflow.facts.runs.notes([noted, other, GONE]) == {noted: "wrong rate"}


def test_a_name_is_no_longer_than_an_id(airflow):
    airflow.dag(Shape("a"))
    airflow.call("a", "x" * 300)
    name = airflow.facts.dags.display_names(["a"])["a"]
    assert (len(name), name[-2:]) == (LONGEST, "x…")
