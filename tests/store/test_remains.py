"""A downgrade doesn't take away what something still needs, and no rerun's id comes back after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import MetaData, Table, insert, inspect, text
from sqlalchemy.engine import Engine

from airflow_rerun_downstream.domain.errors import TablesInUse
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, RerunState
from airflow_rerun_downstream.store import remains, schema
from airflow_rerun_downstream.store.moments import moment
from airflow_rerun_downstream.store.schema import SchemaState
from airflow_rerun_downstream.store.tables import hold, member, parked, parked_event, rerun
from tests.store.databases import REAL, numbered_anew


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest) -> Engine:
    return numbered_anew(request.param)


def add_rerun(engine: Engine, state: RerunState) -> int:
    values: dict[str, Any] = {"settings": {}, "options": {}, "notifications": [], "warnings": []}
    values |= {"source_dag_id": "a", "source_run_id": "r", "created_by": "ann", "created_by_id": "1"}
    with engine.begin() as connection:
        row = insert(rerun).values(state=state.value, freeze_mode=True, created_at=moment(), **values)
        return int(connection.execute(row).inserted_primary_key[0])


def add_hold(engine: Engine, run_id: str | None = "scheduled__x") -> None:
    number = add_rerun(engine, RerunState.SUCCEEDED)
    values = {"rerun_id": number, "dag_id": "frozen", "run_id": run_id}
    with engine.begin() as connection:
        one = insert(member).values(**values, role="frozen", state="frozen", tasks=[], depth=0, attempt=0)
        member_id = connection.execute(one).inserted_primary_key[0]
        connection.execute(insert(hold).values(**values, member_id=member_id, assets=run_id is None))


def add_parked(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(parked).values(dag_id="consumer", asset_id=1, created_at=moment()))


def add_parked_event(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(parked_event).values(dag_id="consumer", event_id=1, created_at=moment()))


def content(engine: Engine) -> dict[str, list[Any]]:
    """Every table with every row."""
    with engine.connect() as connection:
        names = sorted(inspect(connection).get_table_names())
        return {name: list(connection.execute(text(f"SELECT * FROM {name}"))) for name in names}


@pytest.mark.parametrize("to", [schema.BASE, *schema.REVISIONS[:-1]])
@pytest.mark.parametrize(
    ("add", "said"),
    [
        (lambda engine: add_rerun(engine, RerunState.RUNNING), "or terminate them: 1 (`terminate ID`)"),
        (lambda engine: add_rerun(engine, RerunState.FAILED), "or terminate them: 1 (`terminate ID`)"),
        (add_hold, "frozen / scheduled__x (rerun 1) (`release --all --wait`)"),
        (lambda engine: add_hold(engine, None), "frozen / to come (rerun 1) (`release --all --wait`)"),
        (add_parked, "the asset events of consumer (`release --all --wait`)"),
        (add_parked_event, "the asset events of consumer (`release --all --wait`)"),
    ],
    ids=["running", "failed", "hold", "asset hold", "parked", "parked event"],
)
def test_a_downgrade_is_refused(engine: Engine, add: Callable[[Engine], object], said: str, to: str) -> None:
    add(engine)
    before = content(engine)
    with pytest.raises(TablesInUse) as refused:
        schema.downgrade(engine, to)
    assert said in refused.value.detail
    assert "nothing was changed" in refused.value.detail
    assert content(engine) == before


@pytest.mark.parametrize("state", RerunState)
def test_every_active_state_is_in_the_way(engine: Engine, state: RerunState) -> None:
    add_rerun(engine, state)
    with engine.connect() as connection:
        assert bool(remains.remains(connection)) == (state in ACTIVE_RERUN_STATES)


def test_what_is_over_is_not_in_the_way(engine: Engine) -> None:
    for state in set(RerunState) - ACTIVE_RERUN_STATES:
        add_rerun(engine, state)
    schema.downgrade(engine, schema.BASE)
    with engine.connect() as connection:
        assert schema.state(connection) is SchemaState.MISSING


def test_a_lost_table_does_not_hide_the_others(engine: Engine) -> None:
    add_hold(engine)
    with engine.begin() as connection:
        connection.execute(text(f"DROP TABLE {parked.name}"))
    with pytest.raises(TablesInUse, match="frozen / scheduled__x"):
        schema.downgrade(engine, schema.BASE)


def test_long_lists_are_cut(engine: Engine) -> None:
    for _ in range(remains.MAX_NAMED + 3):
        add_rerun(engine, RerunState.RUNNING)
    with engine.connect() as connection, pytest.raises(TablesInUse, match=r"19, 20 and 3 more \(`terminate"):
        remains.refuse_unless_empty(connection)


def test_ids_begin_after_the_last_one_that_something_names(engine: Engine) -> None:
    schema.downgrade(engine, schema.BASE)
    schema.upgrade(engine, last_id=lambda _connection: 41)
    assert add_rerun(engine, RerunState.RUNNING) == 42
    schema.upgrade(engine, last_id=lambda _connection: 99)
    assert add_rerun(engine, RerunState.RUNNING) == 43


def test_so_they_do_where_the_table_was_lost(engine: Engine) -> None:
    with engine.begin() as connection:
        for name in sorted(schema.TABLES):
            cascade = " CASCADE" if engine.dialect.name == "postgresql" else ""
            connection.execute(text(f"DROP TABLE {Table(name, MetaData()).name}{cascade}"))
    schema.upgrade(engine, last_id=lambda _connection: 7)
    assert add_rerun(engine, RerunState.RUNNING) == 8
