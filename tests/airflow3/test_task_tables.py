"""What is read of task instances is the same on every version, whatever Airflow keeps in which table."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

import airflow_rerun_downstream.airflow3
from airflow_rerun_downstream.airflow3 import task_tables
from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import history, scene, task_rows

ROOM = Path(airflow_rerun_downstream.airflow3.__file__).parent
MODELS = {"TaskInstance", "TaskInstanceHistory", "TaskMap", "XComModel", "RenderedTaskInstanceFields"}
MAY = {"task_tables.py", "versions.py"}


@pytest.mark.parametrize("path", sorted(ROOM.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOM)))
def test_nothing_else_names_the_tables(path: Path) -> None:
    if path.name in MAY:
        return
    named = {
        node.value.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "__table__" and isinstance(node.value, ast.Name)
    }
    assert not named & MODELS


@pytest.fixture
def ref(session: Any) -> RunRef:
    """A run whose task ``t`` succeeded in its second try, and left an XCom and rendered fields."""

    def build() -> None:
        from airflow.providers.standard.operators.python import PythonOperator

        PythonOperator(task_id="t", python_callable=print, retries=3)

    scene.save(history.dag("d", build), session=session)
    ref = scene.create_run("d", session=session, tries=2)
    history.xcom(ref, "t", "note", "of the second", session=session)
    where = {"dag_id": "d", "run_id": ref.run_id, "task_id": "t", "map_index": -1}
    task_rows.add_rendered([{**where, "rendered_fields": {"op_args": "second"}}], session=session)
    session.commit()
    return ref


def clear(ref: RunRef, *, session: Any) -> None:
    from airflow.models.taskinstance import clear_task_instances

    clear_task_instances(list(scene.instances(ref, session=session).values()), session)
    session.commit()


def start(ref: RunRef, *, session: Any, state: str = "running") -> None:
    """The scheduler schedules the task, and a worker begins it."""
    ti = scene.instance(ref, "t", session=session)
    number = max(ti.try_number, 1) if TRIES_ARE_ROWS else ti.try_number + 1
    where = {"dag_id": ref.dag_id, "run_id": ref.run_id, "task_id": "t", "map_index": -1}
    values = {"state": state, "try_number": number, "start_date": scene.START.replace(hour=5)}
    task_rows.write(where, values, session=session)
    session.commit()


def tasks(*, session: Any) -> list[tuple[Any, ...]]:
    table = task_tables.TASK.c
    rows = session.connection().execute(select(table.task_id, table.map_index, table.state, table.try_number)).all()
    return [tuple(row) for row in rows]


def earlier(*, session: Any) -> list[tuple[Any, ...]]:
    table = task_tables.EARLIER.c
    return [tuple(row) for row in session.connection().execute(select(table.state, table.try_number)).all()]


def values(*, session: Any) -> tuple[list[Any], list[Any]]:
    """The XComs and the rendered fields, read past the ORM."""
    xcoms, rendered = task_tables.XCOM.c, task_tables.RENDERED.c
    connection = session.connection()
    return (
        [row[0] for row in connection.execute(select(xcoms.value).where(xcoms.key == "note"))],
        [row[0] for row in connection.execute(select(rendered.rendered_fields))],
    )


OF_SECOND = (["of the second"], [{"op_args": "second"}])


def test_a_clear_leaves_one_task_instance_and_an_earlier_try(session: Any, ref: RunRef) -> None:
    assert tasks(session=session) == [("t", -1, "success", 2)]
    assert earlier(session=session) == []
    clear(ref, session=session)
    assert tasks(session=session) == [("t", -1, None, 2)]
    assert earlier(session=session) == [("success", 2)]
    start(ref, session=session)
    assert tasks(session=session) == [("t", -1, "running", 3)]
    assert task_tables.tries_begun(scene.instance(ref, "t", session=session)) == 3


def test_what_a_try_wrote_down_counts_until_the_next_one_begins(session: Any, ref: RunRef) -> None:
    assert values(session=session) == OF_SECOND
    clear(ref, session=session)
    assert values(session=session) == OF_SECOND
    clear(ref, session=session)
    assert values(session=session) == OF_SECOND


@pytest.mark.skipif(not TRIES_ARE_ROWS, reason="before Airflow 3.4 the worker's start deletes what was there")
def test_then_it_is_gone_and_comes_back_for_a_try_that_never_began(session: Any, ref: RunRef) -> None:
    clear(ref, session=session)
    ti = scene.instance(ref, "t", session=session)
    ti.set_state("skipped", session=session)
    session.commit()
    assert values(session=session) == OF_SECOND
    clear(ref, session=session)
    assert values(session=session) == OF_SECOND
    start(ref, session=session)
    assert values(session=session) == ([], [])
    history.xcom(ref, "t", "note", "of the fourth", session=session)
    assert values(session=session) == (["of the fourth"], [])


@pytest.mark.skipif(not TRIES_ARE_ROWS, reason="there is nothing from before Airflow 3.4")
def test_what_is_from_before_34_counts_as_its_owners(session: Any, ref: RunRef) -> None:
    import importlib

    from airflow.models import renderedtifields, taskinstance

    xcom: Any = importlib.import_module("airflow.models.xcom")
    where = {"dag_id": "d", "run_id": ref.run_id, "task_id": "t", "map_index": -1}
    ti = scene.instance(ref, "t", session=session)
    task_rows.delete_xcoms(where, session=session)
    session.execute(renderedtifields.RenderedTaskInstanceFields.__table__.delete())
    session.execute(insert(vars(taskinstance)["LegacyTaskDataOwner"]).values(**where, task_instance_id=ti.id))
    now = {"dag_run_id": scene.run_of(ref, session=session).id, "timestamp": scene.START}
    session.execute(insert(xcom.XComModelV1.__table__).values(**where, **now, key="note", value="of the second"))
    legacy: Any = vars(renderedtifields)["LegacyRenderedTaskInstanceFields"].__table__
    session.execute(insert(legacy).values(**where, rendered_fields={"op_args": "second"}))
    session.commit()
    assert values(session=session) == OF_SECOND
    clear(ref, session=session)
    assert values(session=session) == OF_SECOND
    start(ref, session=session)
    assert values(session=session) == ([], [])


def test_a_retry_that_waits_has_begun_no_more_tries(session: Any, ref: RunRef) -> None:
    ti = scene.instance(ref, "t", session=session)
    ti.state = "up_for_retry"
    ti.prepare_db_for_next_try(session)
    session.commit()
    if not TRIES_ARE_ROWS:
        session.execute(update(task_rows.task_instances()).values(state="up_for_retry"))
        session.commit()
    assert tasks(session=session) == [("t", -1, "up_for_retry", 2)]
    assert task_tables.tries_begun(scene.instance(ref, "t", session=session)) == 2
    assert [number for _, number in earlier(session=session)] == [2]
    assert values(session=session) == OF_SECOND
