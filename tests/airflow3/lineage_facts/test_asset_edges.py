"""Who makes the assets that others take, as active Dags define it, and what sensors recorded last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.database.sensor_marks import WAITED_KEY, waited_value
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.lineage_records import RecordedWait
from tests.airflow3 import history, scene

ONE, TWO = "x://one/all", "x://two/all"


@pytest.fixture
def facts(session):
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    return readers(session)


def asset(uri: str = ONE) -> Any:
    from airflow.sdk import Asset

    return Asset(uri.split("/")[2], uri=uri)


def task(task_id: str = "make", *, mapped: bool = False, **ports: Any) -> Callable[[], None]:
    from airflow.providers.standard.operators.bash import BashOperator

    def build() -> None:
        if mapped:
            BashOperator.partial(task_id=task_id, **ports).expand(bash_command=["a", "b"])
        else:
            BashOperator(task_id=task_id, bash_command="true", **ports)

    return build


def through_alias(name: str, uri: str, ref: Any, *, session: Any, task_id: str = "make") -> int:
    """An event that a task emitted through an alias, as Airflow stores it."""
    from airflow.models.asset import AssetAliasModel, AssetEvent
    from sqlalchemy import select

    event_id = history.emit(ref, session=session, asset=uri, task_id=task_id)
    alias = session.scalar(select(AssetAliasModel).where(AssetAliasModel.name == name))
    event = session.get(AssetEvent, event_id)
    alias.asset_events.append(event)
    if history.model(uri, session=session) not in alias.assets:
        alias.assets.append(history.model(uri, session=session))
    session.commit()
    return event_id


def test_an_asset_that_schedules_a_dag(facts, session):
    from airflow.models.dag import DagModel
    from airflow.sdk import Asset
    from sqlalchemy import select

    scene.save(
        history.dag("makes", task(outlets=[asset(), asset(TWO)])),
        history.dag("maps", task(outlets=[asset()], mapped=True)),
        history.dag("by_asset", schedule=[asset()]),
        history.dag("by_any", schedule=asset() | asset(TWO)),
        history.dag("by_name", schedule=[Asset.ref(name="one")]),
        history.dag("by_uri", schedule=[Asset.ref(uri=ONE)]),
        history.dag("stale", task(outlets=[asset()]), schedule=[asset()]),
        session=session,
    )
    session.scalar(select(DagModel).where(DagModel.dag_id == "stale")).is_stale = True
    session.commit()
    consumers = ("by_any", "by_asset", "by_name", "by_uri")
    of_one = [AssetFlow("makes", "make", dag_id, None, ONE) for dag_id in consumers]
    assert set(facts.assets.flows("makes")) == {*of_one, AssetFlow("makes", "make", "by_any", None, TWO)}
    assert set(facts.assets.flows("maps")) == {AssetFlow("maps", "make", dag_id, None, ONE) for dag_id in consumers}
    assert set(facts.assets.flows("by_uri")) == {
        AssetFlow("makes", "make", "by_uri", None, ONE),
        AssetFlow("maps", "make", "by_uri", None, ONE),
    }
    assert facts.assets.flows("stale") == facts.assets.flows("gone") == []


def test_an_asset_that_a_task_reads(facts, session):
    scene.save(
        history.dag("makes", task(outlets=[asset()])),
        history.dag("reads", task("read", inlets=[asset(), asset(TWO)])),
        history.dag("both", task(inlets=[asset()], outlets=[asset()])),
        session=session,
    )
    assert facts.assets.flows("reads") == [
        AssetFlow("both", "make", "reads", "read", ONE),
        AssetFlow("makes", "make", "reads", "read", ONE),
    ]
    assert AssetFlow("both", "make", "both", "make", ONE) in facts.assets.flows("both")


@pytest.mark.parametrize("by", ["name", "uri"])
def test_an_outlet_that_a_task_only_names(facts, session, by):
    from airflow.sdk import Asset

    named = {"name": Asset.ref(name="one"), "uri": Asset.ref(uri=ONE)}[by]
    scene.save(
        history.dag("makes", task(outlets=[named])), history.dag("by_asset", schedule=[asset()]), session=session
    )
    assert facts.assets.flows("makes") == [AssetFlow("makes", "make", "by_asset", None, ONE)]


@pytest.fixture
def aliased(session) -> Any:
    """A Dag that makes assets through an alias, with a run; takers by the alias, by an asset and as an inlet."""
    from airflow.sdk import AssetAlias

    scene.save(
        history.dag("makes", task(outlets=[AssetAlias("some")])),
        history.dag("other", task(outlets=[asset()])),
        history.dag("by_alias", schedule=[AssetAlias("some")]),
        history.dag("by_asset", schedule=[asset()]),
        history.dag("reads", task("read", inlets=[asset()])),
        session=session,
    )
    return scene.create_run("makes", session=session)


def test_an_alias_through_which_nothing_came_yet(facts, aliased):
    assert facts.assets.flows("makes") == [AssetFlow("makes", "make", "by_alias", None, None, "some")]
    assert facts.assets.flows("by_alias") == facts.assets.flows("makes")


def test_what_came_through_an_alias(facts, session, aliased):
    """Who takes an asset gets it whichever way it came; who takes an alias gets only what came through it."""
    through_alias("some", ONE, aliased, session=session)
    last = through_alias("some", ONE, aliased, session=session)
    two = through_alias("some", TWO, aliased, session=session)
    found = {
        AssetFlow("makes", "make", "by_alias", None, ONE, "some", last),
        AssetFlow("makes", "make", "by_alias", None, TWO, "some", two),
    }
    assert set(facts.assets.flows("by_alias")) == found
    taken = {
        AssetFlow("makes", "make", "by_asset", None, ONE, "some", last),
        AssetFlow("makes", "make", "reads", "read", ONE, "some", last),
    }
    assert set(facts.assets.flows("makes")) == found | taken
    for flow in taken:
        assert flow in facts.assets.flows(flow.consumer_dag_id)
    assert {flow.consumer_dag_id for flow in facts.assets.flows("other")} == {"by_asset", "reads"}


def test_an_outlet_that_names_the_asset_needs_no_alias(facts, session):
    from airflow.sdk import AssetAlias

    scene.save(
        history.dag("makes", task(outlets=[asset(), AssetAlias("some")])),
        history.dag("by_asset", schedule=[asset()]),
        session=session,
    )
    through_alias("some", ONE, scene.create_run("makes", session=session), session=session)
    assert facts.assets.flows("makes") == [AssetFlow("makes", "make", "by_asset", None, ONE)]


def test_statements_do_not_grow_with_dags(facts, session, aliased, database):
    def count() -> int:
        facts.assets.flows("makes")  # the Dags are read once
        with database.counted() as statements:
            facts.assets.flows("makes")
        return len(statements)

    through_alias("some", ONE, aliased, session=session)
    few = count()
    scene.save(*(history.dag(f"more_{number}", schedule=[asset()]) for number in range(20)), session=session)
    assert len(facts.assets.flows("makes")) == 23
    assert count() == few <= 10


def test_what_sensors_recorded_last(facts, session):
    scene.save(history.dag("a"), history.dag("b", task("wait", mapped=True)), session=session)
    old, new, newest = (scene.create_run("b", session=session, day=day) for day in range(3))
    dates = [scene.START + timedelta(days=index) for index in range(2)]
    for ref in (old, new):
        for index, date in enumerate(dates):
            value = waited_value("a", ["t"], None, [date])
            history.xcom(ref, "wait", WAITED_KEY, value, session=session, map_index=index)
    history.xcom(newest, "wait", "another", 1, session=session, map_index=0)
    assert facts.tasks.last_waits({("b", "wait"), ("a", "gone")}) == [
        RecordedWait(new, "wait", index, "a", frozenset({"t"}), None, (date,)) for index, date in enumerate(dates)
    ]
    assert facts.tasks.last_waits([]) == []
