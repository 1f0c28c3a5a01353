"""Of which versions of their Dags runs are, as Airflow's own rows say."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.lineage_facts import readers
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import history, scene


def chain(*names: str, sensor_of: str | None = None) -> Any:
    """A Dag's tasks, one after the other; the first one may be a sensor."""

    def build() -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator
        from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

        tasks: list[Any] = [EmptyOperator(task_id=name) for name in names]
        if sensor_of:
            tasks.insert(0, ExternalTaskSensor(task_id="wait", external_dag_id=sensor_of))
        for one, two in itertools.pairwise(tasks):
            one >> two

    return build


def save(session: Any, *names: str, version: str | None = None, **more: Any) -> None:
    scene.save(history.dag("d", chain(*names, **more)), session=session, bundle_version=version)


def after(version: Any) -> dict[str, set[str]]:
    return {task_id: set(node.followers) for task_id, node in version.structure.tasks.items()}


def test_a_run_of_an_earlier_version_is_told_and_one_of_the_latest_is_not(session: Any) -> None:
    save(session, "a", "old", "z", sensor_of="up")
    earlier = scene.create_run("d", session=session)
    save(session, "a", "new", "z", sensor_of="other")
    latest = scene.create_run("d", session=session, day=1)
    facts = readers(session)
    found = facts.dags.own_versions([earlier, latest, RunRef("d", "gone"), RunRef("none", "r")])
    assert set(found) == {earlier}
    assert after(found[earlier]) == {"wait": {"a"}, "a": {"old"}, "old": {"z"}, "z": set()}
    assert [each.external_dag_id for each in found[earlier].definitions.sensors] == ["up"]
    assert (facts.dags.structures(["d"])["d"].version, found[earlier].structure.version) == (2, 2)
    assert facts.dags.own_versions([]) == {}


def test_of_a_run_of_both_each_task_is_told_as_it_is(session: Any) -> None:
    """What Airflow leaves of a run in which one task was cleared and has run on the latest version."""
    save(session, "a", "b", "c")
    ref = scene.create_run("d", session=session)
    save(session, "a", "c", "b")
    other = scene.create_run("d", session=session, day=1)
    latest = scene.instance(other, "a", session=session).dag_version_id
    scene.instance(ref, "a", session=session).dag_version_id = latest
    session.commit()
    found = readers(session).dags.own_versions([ref])[ref]
    assert after(found) == {"a": {"c"}, "b": {"c"}, "c": set()}


def test_tasks_that_name_no_version_are_of_the_latest(session: Any) -> None:
    save(session, "a", "b")
    ref = scene.create_run("d", session=session)
    save(session, "b", "a")
    for ti in scene.instances(ref, session=session).values():
        ti.dag_version_id = None
    session.commit()
    assert readers(session).dags.own_versions([ref]) == {}


@pytest.mark.parametrize("version", [None, "v1"])
def test_a_run_of_a_versioned_bundle_is_pinned(session: Any, version: str | None) -> None:
    save(session, "a", version=version)
    ref = scene.create_run("d", session=session)
    scene.run_of(ref, session=session).bundle_version = version
    session.commit()
    assert readers(session).runs.among([ref])[ref].pinned is (version is not None)


def test_what_was_declared_before_is_told_as_far_back_as_is_asked(session: Any) -> None:
    save(session, "a", sensor_of="up")
    scene.create_run("d", session=session)
    save(session, "a", "b", sensor_of="other")
    scene.create_run("d", session=session, day=1)
    facts = readers(session)
    created = scene.version("d", 2, session=session).created_at
    found = facts.dags.earlier_definitions(since=created)
    assert [each.external_dag_id for each in found.sensors] == ["up"]
    assert found.changed == {"d"}
    assert facts.dags.earlier_definitions(since=created + timedelta(seconds=1)).changed == frozenset()


def test_the_inlets_of_an_earlier_version_are_told(session: Any) -> None:
    def reading(*assets: Any) -> Any:
        def build() -> None:
            from airflow.providers.standard.operators.empty import EmptyOperator

            EmptyOperator(task_id="read", inlets=list(assets))

        return build

    from airflow.sdk import Asset

    scene.save(history.dag("d", reading(Asset("s3://one"), Asset.ref(name="s3://two"))), session=session)
    history.model("s3://two", session=session)
    session.commit()
    ref = scene.create_run("d", session=session)
    scene.save(history.dag("d", reading(Asset("s3://three"))), session=session)
    facts = readers(session)
    assert {each.asset for each in facts.dags.own_versions([ref])[ref].definitions.inlets} == {"s3://one/", "s3://two"}
    assert {each.asset for each in facts.dags.definitions().inlets} == {"s3://three/"}
    created = scene.version("d", 2, session=session).created_at
    assert {each.task_id for each in facts.dags.earlier_definitions(since=created).inlets} == {"read"}


def test_the_statements_do_not_grow_with_the_runs(session: Any, database: Any) -> None:
    save(session, "a", "b")
    refs = history.many_runs("d", 30, session=session, tasks=["a", "b"])
    old = scene.create_run("d", session=session, day=40)
    save(session, "b", "a")
    facts = readers(session)

    def count(some: list[RunRef]) -> int:
        with database.counted() as statements:
            facts.dags.own_versions(some)
        return len(statements)

    facts.dags.own_versions([old])
    assert count([old]) == count([old, *refs])
