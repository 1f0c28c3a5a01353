"""The tables that hold task instances, their earlier tries and what each has written down, the same on every version.

Up to Airflow 3.3 a task instance has one row, and its earlier tries are in ``task_instance_history``. Since 3.4 each
try is a row of ``task_instance``, of which one is live; what a try has written down is its own and stays. SQL that
names the table itself sees all of them, for only Airflow's ORM leaves the others out. So nothing else in here names
it: what is read is read through these. All are for reading only, and have the columns that Airflow 3.3's tables have.

Numbers of tries count the tries that have begun, as up to 3.3: since 3.4 a task instance that is cleared, or waits for
its next try, already has the number of that.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.models import renderedtifields, taskinstance
from airflow.models.dagrun import DagRun
from airflow.models.renderedtifields import RenderedTaskInstanceFields
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import and_, case, exists, or_, select, union_all

from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS

WAITS_FOR_NEXT_TRY = "up_for_retry"

KEY = ("dag_id", "run_id", "task_id", "region_id", "region_index")
"""What the tries of one task instance have in common since 3.4."""


def tries_begun(task_instance: Any) -> int:
    """The number of the last try that has begun of a `TaskInstance`, 0 if there is none."""
    number: int = task_instance.try_number or 0
    state = task_instance.state
    if TRIES_ARE_ROWS and number and (state is None or state == WAITS_FOR_NEXT_TRY):
        return number - 1
    return number


def live_tries() -> Any:
    """The live tries as 3.3 has task instances."""
    table: Any = TaskInstance.__table__.c
    waits = and_(or_(table.state.is_(None), table.state == WAITS_FOR_NEXT_TRY), table.try_number > 0)
    begun = case((waits, table.try_number - 1), else_=table.try_number)
    return (
        select(
            *(each for each in table if each.name not in ("try_number", "region_index", "region_id", "working_set")),
            table.region_index.label("map_index"),
            begun.label("try_number"),
        )
        .where(table.working_set.is_(True))
        .subquery("live_try")
    )


def archived_tries() -> Any:
    """The other tries as 3.3 has them in the history. ``replaced``: of task instances that are no more, for others have
    come in their place: a loop's later rounds, and the indexes of mapped tasks from before 3.4.
    """
    tries: Any = TaskInstance.__table__
    table, live = tries.c, tries.alias("live")
    there = exists().where(*(live.c[name] == table[name] for name in KEY), live.c.working_set.is_(True))
    names = ("dag_id", "run_id", "task_id", "try_number", "state", "start_date", "end_date", "max_tries", "operator")
    return (
        select(
            *(table[name] for name in names),
            table.hostname,
            table.region_index.label("map_index"),
            table.id.label("task_instance_id"),
            (~there).label("replaced"),
        )
        .where(table.working_set.is_(None))
        .subquery("earlier_try")
    )


def of_last_started(source: Any, attempt_id: Any, *columns: Any) -> Any:
    """Rows that belong to tries, of the last one of each task instance that was started.

    A try that hasn't been started has the start of the one before it: Airflow makes it as that one's copy.
    """
    tries: Any = TaskInstance.__table__
    mine, live, later = tries.alias("mine"), tries.alias("live"), tries.alias("later")
    started_later = exists().where(
        *(later.c[name] == mine.c[name] for name in KEY),
        later.c.try_number > mine.c.try_number,
        later.c.start_date != mine.c.start_date,
    )
    same = [live.c[name] == mine.c[name] for name in KEY]
    run: Any = DagRun.__table__
    key = mine.c.dag_id, mine.c.run_id, mine.c.task_id, mine.c.region_index.label("map_index")
    return (
        select(*key, run.c.id.label("dag_run_id"), *columns)
        .select_from(
            source.join(mine, mine.c.id == attempt_id)
            .join(live, and_(*same, live.c.working_set.is_(True)))
            .join(run, and_(run.c.dag_id == mine.c.dag_id, run.c.run_id == mine.c.run_id))
        )
        .where(~started_later)
    )


def from_both(name: str, present: Any, legacy: Any, columns: tuple[str, ...], key: str | None) -> Any:
    """Rows that are kept by try, and those from before 3.4, which have an owner among the tries; not both."""
    owner: Any = vars(taskinstance)["LegacyTaskDataOwner"].__table__
    place = [owner.c[each] == legacy.c[each] for each in ("dag_id", "task_id", "run_id", "map_index")]
    same_key = [] if key is None else [present.c[key] == legacy.c[key]]
    replaced = exists().where(present.c.task_instance_id == owner.c.task_instance_id, *same_key)
    new = of_last_started(present, present.c.task_instance_id, *(present.c[each] for each in columns))
    old = of_last_started(
        owner.join(legacy, and_(*place)), owner.c.task_instance_id, *(legacy.c[each] for each in columns)
    ).where(~replaced)
    return union_all(new, old).subquery(name)


def xcoms() -> Any:
    """XComs; they and the next are kept apart from Airflow's own view of both, which shows tries that aren't live."""
    models: Any = import_module("airflow.models.xcom")
    columns = ("key", "value", "timestamp", "mapped_length")
    return from_both("xcom", models.XComModelV2.__table__, models.XComModelV1.__table__, columns, "key")


def rendered_fields() -> Any:
    """Rendered fields."""
    legacy: Any = vars(renderedtifields)["LegacyRenderedTaskInstanceFields"].__table__
    return from_both("rendered", RenderedTaskInstanceFields.__table__, legacy, ("rendered_fields",), None)


def map_lengths() -> Any:
    """How many indexes the tasks that are mapped over a task's result have."""
    return (
        select(XCOM.c.dag_id, XCOM.c.run_id, XCOM.c.task_id, XCOM.c.map_index, XCOM.c.mapped_length.label("length"))
        .where(XCOM.c.mapped_length.is_not(None))
        .subquery("map_length")
    )


TASK: Any
"""Task instances as they are now."""
EARLIER: Any
"""Their earlier tries, as ``task_instance_history`` has them."""
XCOM: Any
"""The XComs of each task instance's last try that was started."""
RENDERED: Any
"""What was rendered for that try."""
MAP_LENGTH: Any
"""The lengths of results over which tasks are mapped."""

if TRIES_ARE_ROWS:
    TASK, EARLIER = live_tries(), archived_tries()
    XCOM, RENDERED = xcoms(), rendered_fields()
    MAP_LENGTH = map_lengths()
else:
    from airflow.models.taskinstancehistory import TaskInstanceHistory
    from airflow.models.taskmap import TaskMap
    from airflow.models.xcom import XComModel

    TASK, EARLIER = TaskInstance.__table__, TaskInstanceHistory.__table__
    XCOM, RENDERED = XComModel.__table__, RenderedTaskInstanceFields.__table__
    MAP_LENGTH = TaskMap.__table__
