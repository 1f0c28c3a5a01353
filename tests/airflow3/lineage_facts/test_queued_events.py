"""Asset events for which a Dag has no run yet, as Airflow's own asset manager queued them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.models.asset import AssetDagRunQueue
from sqlalchemy import delete, insert

from airflow_rerun_downstream.airflow3.lineage_facts import readers
from airflow_rerun_downstream.airflow3.versions import HAS_PARTITIONS, QUEUED_BY_EVENT
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.tables import parked
from tests.airflow3 import assets, history, scene, scheduler

by_event = pytest.mark.skipif(not QUEUED_BY_EVENT, reason="Airflow's queue has a row for each asset")


def waiting(session: Any, *producers: RunRef) -> list[tuple[str, str, str | None]]:
    found = readers(session).assets.waiting(producers)
    return [(one.asset, one.dag_id, one.partition_key) for one in found]


@pytest.fixture(autouse=True)
def tables(database) -> None:
    scene.migrate(database)


@pytest.fixture
def producer(session) -> RunRef:
    one, two = assets.asset("one"), assets.asset("two")
    scene.save(
        history.dag("p", schedule="@daily"),
        history.dag("c", schedule=[one]),
        history.dag("both", schedule=[one, two]),
        session=session,
    )
    return scene.create_run("p", session=session)


def test_an_event_waits_until_a_run_has_consumed_it(session, producer):
    assert waiting(session, producer) == []
    assets.emit(producer, "one", session=session)
    found = [("test://assets/one", "both", None), ("test://assets/one", "c", None)]
    assert waiting(session, producer) == found
    scheduler.make_runs(session=session)
    assert waiting(session, producer) == found[:1]
    (run,) = readers(session).assets.consumptions([producer])
    assert run.consumer.ref.dag_id == "c"
    assets.emit(producer, "one", session=session)
    (event,) = [one for one in readers(session).assets.waiting([producer]) if one.dag_id == "c"]
    assert (event.producer, event.task_id, event.map_index) == (producer, "t", -1)
    assert event.event_id != run.event_id


def test_a_paused_dag_waits_too_where_its_next_run_takes_all_since_the_last_one(session, producer):
    from airflow.models.dag import DagModel

    session.get(DagModel, "c").is_paused = True
    session.commit()
    assets.emit(producer, "one", session=session)
    expected = ["both"] if QUEUED_BY_EVENT else ["both", "c"]
    assert [dag_id for _, dag_id, _ in waiting(session, producer)] == expected


@by_event
def test_a_dag_that_catches_up_waits_for_all_that_it_has_not_consumed(session, producer):
    from airflow.models.dag import DagModel

    scene.save(history.dag("c", schedule=[assets.asset("one")], catchup=True), session=session)
    session.get(DagModel, "c").is_paused = True
    session.commit()
    missed = assets.emit(producer, "one", session=session)
    session.get(DagModel, "c").is_paused = False
    session.commit()
    assert [one.event_id for one in readers(session).assets.waiting([producer]) if one.dag_id == "c"] == [missed]
    assets.emit(producer, "one", session=session)
    scheduler.make_runs(session=session)
    assert {missed} in [{event.id for event in run.consumed_asset_events} for run in runs("c", session)]
    assert [dag_id for _, dag_id, _ in waiting(session, producer)] == ["both", "both"]


@by_event
def test_what_a_run_has_not_consumed_waits_although_a_later_run_is_there(session, producer):
    """Each event gets a run of its own, in whichever order the scheduler comes to it."""
    event = assets.emit(producer, "one", session=session)
    create_later_run(session)
    assert [one.event_id for one in readers(session).assets.waiting([producer]) if one.dag_id == "c"] == [event]
    scheduler.make_runs(session=session)
    assert [dag_id for _, dag_id, _ in waiting(session, producer)] == ["both"]


def create_later_run(session: Any) -> None:
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    later = scheduler.due_in(timedelta(hours=1))
    scene.latest("c", session=session).create_dagrun(
        run_id="later", logical_date=None, data_interval=None, run_after=later, run_type=DagRunType.ASSET_TRIGGERED,
        triggered_by=DagRunTriggeredByType.ASSET, state="queued", session=session,
    )  # fmt: skip
    session.commit()


def runs(dag_id: str, session: Any) -> list[Any]:
    return [scene.run_of(ref, session=session) for ref in scheduler.refs(dag_id, session=session)]


@by_event
def test_what_was_parked_before_airflow_was_upgraded_waits(session, producer):
    event = assets.emit(producer, "one", session=session)
    (row,) = scene.rows("asset_dag_run_queue", session=session, target_dag_id="c")
    session.execute(delete(AssetDagRunQueue))
    assert waiting(session, producer) == []
    values = {"asset_id": row["asset_id"], "created_at": scheduler.due_in(timedelta())}
    session.execute(insert(parked).values(dag_id="c", **values))
    assert [one.event_id for one in readers(session).assets.waiting([producer])] == [event]


def test_a_dag_that_is_gone_does_not_wait(session, producer):
    from airflow.models.dag import DagModel

    session.get(DagModel, "c").is_stale = True
    session.commit()
    assets.emit(producer, "one", session=session)
    assert [dag_id for _, dag_id, _ in waiting(session, producer)] == ["both"]


def test_an_event_through_an_alias(session):
    from airflow.sdk import AssetAlias

    scene.save(history.dag("p", schedule="@daily"), history.dag("c", schedule=[AssetAlias("alias")]), session=session)
    scene.save(history.dag("other", schedule=[assets.asset("one")]), session=session)
    ref = scene.create_run("p", session=session)
    assets.emit(ref, "one", session=session, source_alias_names=["alias"])
    assert [dag_id for _, dag_id, _ in waiting(session, ref)] == ["c", "other"]


@pytest.mark.skipif(not HAS_PARTITIONS, reason="Airflow 3.1 has no partitions")
def test_a_partitioned_dag_waits_with_its_key(session):
    scene.save(history.dag("p", schedule="@daily"), assets.partitioned("c", "one", "two"), session=session)
    ref = scene.create_run("p", session=session)
    assets.emit(ref, "one", session=session, partition_key="k")
    assert waiting(session, ref) == [("test://assets/one", "c", "k")]
    assets.emit(ref, "two", session=session, partition_key="k")
    scheduler.make_runs(session=session)
    assert waiting(session, ref) == []


def test_a_few_statements_for_many(database, session, producer):
    others = [scene.create_run("p", session=session, day=day) for day in range(1, 6)]
    for ref in (producer, *others):
        assets.emit(ref, "one", session=session)
    with database.counted() as statements:
        assert len(waiting(session, producer, *others)) == 12
    assert len(statements) <= 6
