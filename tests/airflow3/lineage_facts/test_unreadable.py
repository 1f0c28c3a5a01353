"""Serialized Dags that can't be read, or not in whole: the others are told, and that these aren't."""

from __future__ import annotations

import json

import pytest
from airflow.models.serialized_dag import SerializedDagModel
from sqlalchemy import select, update

from airflow_rerun_downstream.ports.lineage import LineageFacts
from tests.airflow3 import history, scene
from tests.airflow3.lineage_facts.test_links import new_facts

SERIALIZED = SerializedDagModel.__table__.c


@pytest.fixture
def broken(session):
    """Two Dags, and a way to spoil what is stored of the first."""
    scene.save(history.dag("broken"), history.dag("whole"), session=session)
    session.commit()

    def spoil(change) -> LineageFacts:
        row = session.execute(select(SERIALIZED.id, SERIALIZED.data).where(SERIALIZED.dag_id == "broken")).one()
        data = json.loads(row.data) if isinstance(row.data, str) else row.data
        changed = update(SerializedDagModel.__table__).where(SERIALIZED.id == row.id)
        session.execute(changed.values(data=change(data), dag_hash="spoiled"))
        session.commit()
        return new_facts(session)

    return spoil


def test_all_is_well(session, broken):
    assert broken(lambda data: data).dags.definitions().unreadable == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: {"dag": {**data["dag"], "tasks": 5}},
        lambda data: {"nothing": 1},
        lambda data: {**data, "dag": {**data["dag"], "tasks": [*data["dag"]["tasks"], {"__var": 5}]}},
    ],
    ids=["no list of tasks", "no Dag", "a task that is none"],
)
def test_one_that_is_spoiled_is_named_and_the_other_is_told(session, broken, change):
    facts = broken(change)
    assert facts.dags.definitions().unreadable == {"broken"}
    assert facts.dags.structures(["broken", "whole"])["whole"].tasks.keys() == {"t"}
