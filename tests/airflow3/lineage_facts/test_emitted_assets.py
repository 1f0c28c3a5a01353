"""Which assets Dags have emitted, as a process learns it from the events."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.lineage_facts import emitted_assets
from airflow_rerun_downstream.airflow3.lineage_facts.consumptions import asset_consumptions
from tests.airflow3 import history, scene


@pytest.fixture
def memory() -> emitted_assets.EmittedAssets:
    return emitted_assets.EmittedAssets()


def known(memory: emitted_assets.EmittedAssets, session: Any, dag_ids: list[str]) -> set[int] | None:
    """What is known once the last events are."""
    memory.learn(session)
    return memory.assets(dag_ids)


def event(session: Any, dag_id: str | None, asset: str, number: int | None = None) -> int:
    """An event of a Dag; ``number``: its id."""
    from airflow.models.asset import AssetEvent

    asset_id: int = history.model(asset, session=session).id
    session.add(AssetEvent(id=number, asset_id=asset_id, source_dag_id=dag_id, extra={}))
    session.commit()
    return asset_id


def test_every_event_is_learned_once_it_is_there(memory, session):
    assert known(memory, session, ["a"]) == set()
    one, two = event(session, "a", "s3://one"), event(session, "b", "s3://two")
    event(session, None, "s3://told-over-rest")
    assert known(memory, session, ["a"]) == {one}
    three = event(session, "a", "s3://three")
    assert known(memory, session, ["a", "b", "gone"]) == {one, two, three}


def test_an_event_that_is_committed_late_is_learned_too(memory, session):
    one = event(session, "a", "s3://one", 5_000)
    assert known(memory, session, ["a"]) == {one}
    late = event(session, "a", "s3://late", 5_000 - emitted_assets.UNSETTLED + 1)
    assert known(memory, session, ["a"]) == {one, late}


def test_old_events_are_not_read_again(memory, session):
    event(session, "a", "s3://old", 1)
    event(session, "a", "s3://new", 5_000)
    known(memory, session, ["a"])
    old = event(session, "b", "s3://old", 2)
    assert known(memory, session, ["b"]) == set()
    assert known(emitted_assets.EmittedAssets(), session, ["b"]) == {old}


def test_another_database_is_learned_from_the_beginning(memory, session):
    from airflow.models.asset import AssetEvent
    from sqlalchemy import delete

    event(session, "a", "s3://one", 5_000)
    known(memory, session, ["a"])
    session.execute(delete(AssetEvent))
    other = event(session, "b", "s3://other", 1)
    assert known(memory, session, ["b"]) == {other}


def test_a_dag_with_an_asset_for_each_file_is_read_without_the_memory(session, monkeypatch):
    monkeypatch.setattr(emitted_assets, "MOST", 2)
    monkeypatch.setattr(emitted_assets, "MEMORY", {})
    scene.save(history.dag("a"), history.dag("b"), session=session)
    producer, reader = scene.create_run("a", session=session), history.run("b", "reads", session=session, by="asset")
    for number in range(4):
        history.emit(producer, reader, session=session, asset=f"s3://files/{number}")
    assert emitted_assets.emitted_assets(session, ["a"]) is None
    assert emitted_assets.emitted_assets(session, ["b"]) == set()
    assert len(asset_consumptions(session, [producer])) == 4
