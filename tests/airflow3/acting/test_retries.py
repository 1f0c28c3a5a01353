"""A retry clears a part of a run as Airflow clears one: with setups, teardowns and all that follows."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection
from datetime import datetime, timezone
from typing import Any

import pytest

from airflow_rerun_downstream.domain.again import to_clear_again
from airflow_rerun_downstream.domain.facts import DagStructure, TaskInstanceFacts
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.airflow3 import scene
from tests.airflow3.conducting import Conducted
from tests.airflow3.database import Database

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def random_dag(rng: random.Random) -> Any:
    """Up to ten tasks in a random order, with up to two pairs of setup and teardown around some of them."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG("d", schedule=None, start_date=START) as made:
        work = [EmptyOperator(task_id=f"t{number}") for number in range(rng.randint(2, 6))]
        for one, two in itertools.combinations(work, 2):
            if rng.random() < 0.35:
                one >> two
        for pair in range(rng.randint(0, 2)):
            inside = rng.sample(work, rng.randint(1, len(work)))
            up, down = (EmptyOperator(task_id=f"{kind}{pair}") for kind in ("up", "down"))
            up.as_setup()
            for one in inside:
                up >> one >> down
            down.as_teardown(setups=up)
    return made


def serialized(dag: Any) -> tuple[Any, DagStructure]:
    """A Dag as Airflow reads it from its database, and as we do."""
    from airflow.serialization.serialized_objects import LazyDeserializedDAG

    from airflow_rerun_downstream.airflow3.lineage_facts.serialized_dag import parse

    lazy = LazyDeserializedDAG.from_dag(dag)
    return lazy._real_dag, parse("d", lazy.data["dag"]).structure


def cleared_by_airflow(dag: Any, task_ids: Collection[str]) -> set[str]:
    """What Airflow's own clear with "downstream" takes, done again for all that it took until nothing more comes."""
    found: set[str] = set(task_ids)
    while True:
        part = dag.partial_subset(task_ids=found, include_downstream=True, include_upstream=False)
        if set(part.task_dict) <= found:
            return found
        found |= set(part.task_dict)


@pytest.mark.parametrize("seed", range(60))
def test_what_a_retry_clears_is_what_airflow_clears(seed: int) -> None:
    rng = random.Random(seed)
    dag, structure = serialized(random_dag(rng))
    failed = {task_id for task_id in structure.tasks if rng.random() < 0.25} or {"t0"}
    instances = [
        TaskInstanceFacts(task_id, -1, "failed" if task_id in failed else "success") for task_id in structure.tasks
    ]
    found = to_clear_again(tuple(TaskRef(task_id) for task_id in structure.tasks), structure, instances)
    assert {task_id for task_id, _ in found} == cleared_by_airflow(dag, failed)


def test_mapped_groups_are_told() -> None:
    from airflow.sdk import DAG, task, task_group

    with DAG("d", schedule=None, start_date=START) as dag:

        @task
        def one(n):
            return n

        @task_group
        def inner(n):
            one(n)

        @task_group
        def outer(n):
            inner(n)

        outer.expand(n=[1, 2])
        inner.override(group_id="plain")(3)
    assert serialized(dag)[1].mapped_groups == {"outer"}


@pytest.fixture
def conducted(database: Database) -> Conducted:
    return Conducted(database)


def cluster(dag_id: str) -> Any:
    """make >> work >> tell (all_done), and drop; beside them a task of its own."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(dag_id, schedule=None, start_date=START) as made:
        up, down = EmptyOperator(task_id="make").as_setup(), EmptyOperator(task_id="drop")
        work, tell = EmptyOperator(task_id="work"), EmptyOperator(task_id="tell", trigger_rule="all_done")
        up >> work >> [down, tell]
        down.as_teardown(setups=up)
        EmptyOperator(task_id="aside")
    return made


def failed_once(conducted: Conducted, **more: Any) -> RunRef:
    """A member that has failed in its middle; what follows ended green on the failure."""
    ref = conducted.run("d")
    conducted.submit({ref: ()}, **more)
    conducted.tick()
    conducted.put(ref, "success", only={"make", "drop", "tell", "aside"})
    conducted.put(ref, "failed", only={"work"}, run_state="failed")
    conducted.tick()
    assert conducted.members() == {"d": ("failed", "tasks_failed")}
    return ref


def retry(conducted: Conducted) -> None:
    from airflow_rerun_downstream.domain.states import MemberState, RerunState

    with conducted.unit_of_work() as work:
        (member,) = work.store.members(conducted.id)
        now = conducted.clock.now()
        assert work.store.move_member(member.id, after=MemberState.PENDING, reason=None, now=now)
        work.store.move_rerun(conducted.id, before=[RerunState.FAILED], after=RerunState.RUNNING, reason=None, now=now)
    conducted.tick()


def test_a_retry_makes_the_cluster_works_and_drops_it(conducted: Conducted) -> None:
    conducted.save(cluster("d"))
    ref = failed_once(conducted)
    retry(conducted)
    assert conducted.states(ref) == {"make": None, "work": None, "drop": None, "tell": None, "aside": "success"}
    conducted.finish(ref)
    conducted.tick()
    assert conducted.state() == "succeeded"


def test_what_was_not_selected_stays_but_for_the_cluster(conducted: Conducted) -> None:
    conducted.save(cluster("d"))
    ref = conducted.run("d")
    conducted.submit({ref: ()}, tasks={ref: ["work"]})
    conducted.tick()
    conducted.put(ref, "failed", only={"work"}, run_state="failed")
    conducted.tick()
    retry(conducted)
    assert conducted.states(ref) == {"make": None, "work": None, "drop": None, "tell": "success", "aside": "success"}


def test_the_version_that_will_run_says_what_follows(conducted: Conducted) -> None:
    """In the latest version nothing follows work; the run's own one, of a bundle with versions, is what runs."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with conducted.database.session() as session:
        scene.save(cluster("d"), session=session, bundle_version="1")
    ref = failed_once(conducted)
    with conducted.database.session() as session, DAG("d", schedule=None, start_date=START) as loose:
        for task_id in ("make", "drop", "work", "tell", "aside"):
            EmptyOperator(task_id=task_id)
        scene.save(loose, session=session, bundle_version="2")
    retry(conducted)
    assert conducted.states(ref) == {"make": None, "work": None, "drop": None, "tell": None, "aside": "success"}
