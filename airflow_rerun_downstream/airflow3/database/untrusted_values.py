"""What tasks have written into Airflow's tables, XComs and rendered fields, read as what it is: anything at all.

An author, or whoever may write XComs, decides what stands there. It is cut off in the database, before it is read;
nothing here raises because of what it says but `Unreadable`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from airflow_rerun_downstream.domain.sentence import Sentence

if TYPE_CHECKING:
    from sqlalchemy.sql import ColumnElement

TRIGGER_KEY = "trigger_run_id"
"""The XCom of a TriggerDagRun task that names the run it made. No column of that run names the task."""

LINK_KEY = "_link_TriggerDagRunLink"
"""The XCom behind the operator's link in the UI: an address that names the Dag which was triggered."""

LINKED_RUN = re.compile(r"/dags/([^/]+)/runs/([^/?#]*)")

MAX_RECORD = 128 * 1024
"""Longest JSON text of a record that is read, in characters."""

AT_ONCE = {"yield_per": 500}
"""Rows are read a few hundred at a time: each may be as long as `MAX_RECORD`."""

MAX_DATES, MAX_NAMES = 1_000, 1_000
"""How many dates, and ids of tasks or other names, one record may hold."""

MAX_ID = 250
"""Longest id that Airflow takes."""

MAX_ADDRESS = 2_000
MAX_DATE = 64

FIELDS_READ = ("external_dag_id", "external_task_id", "external_task_ids", "external_task_group_id", "trigger_dag_id")
"""The rendered fields that matter here."""


class Unreadable(Exception):
    """A record that isn't in its form; the message goes on from "it"."""


@dataclass(frozen=True)
class Waited:
    """What the listener has written of a sensor; each date stands there once."""

    external_dag_id: str
    task_ids: frozenset[str]
    group_id: str | None
    dates: tuple[datetime, ...]


def text_of(column: ColumnElement[Any]) -> ColumnElement[str | None]:
    """A JSON column as its text; NULL where that is longer than `MAX_RECORD`, or nested deeper than Python reads."""
    from sqlalchemy import Text, case, cast, func

    text = cast(column, Text)
    return case((func.length(text) <= MAX_RECORD, text)).label("value")


def read_json(text: Any) -> Any:
    """What a JSON text says, also one inside another, as Airflow's own code writes it; None for what isn't JSON."""
    found = loaded(text)
    if isinstance(found, str) and found[:1] in ('"', "{", "["):
        inside = loaded(found)
        return found if inside is None else inside
    return found


def loaded(text: Any) -> Any:
    """JSON of a bounded length; None for anything else."""
    if not isinstance(text, str) or len(text) > MAX_RECORD:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_id(text: Any) -> str | None:
    """The id that a JSON text is, plain or as JSON inside JSON; None for anything else."""
    found = loaded(text)
    if isinstance(found, str) and found[:1] == '"' and isinstance(inside := loaded(found), str):
        found = inside
    return found if is_id(found) else None


def read_address(text: Any) -> str | None:
    """The address that a JSON text is; None for anything else."""
    found = loaded(text)
    if isinstance(found, str) and found[:1] == '"' and isinstance(inside := loaded(found), str):
        found = inside
    return found if isinstance(found, str) and len(found) <= MAX_ADDRESS else None


def linked_run(text: Any) -> tuple[str, str | None] | None:
    """The Dag, and the id of its run, that a link's address names; None: no Dag."""
    match = LINKED_RUN.search(read_address(text) or "")
    dag_id, run_id = map(unquote, match.groups()) if match else ("", "")
    return (dag_id, run_id if is_id(run_id) else None) if is_id(dag_id) else None


def is_id(value: Any) -> bool:
    """Whether a value may be the id of a Dag, a run or a task."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID


def read_waited(text: Any) -> Waited:
    """What `sensor_marks.waited_value` has made. Raises `Unreadable` for anything else."""
    value = read_json(text)
    if not isinstance(value, Mapping):
        raise Unreadable(Sentence("part.no_object", limit=MAX_RECORD))
    dag_id, group_id = value.get("external_dag_id"), value.get("group_id")
    if not isinstance(dag_id, str) or not is_id(dag_id):
        raise Unreadable(Sentence("part.no_external_dag_id"))
    if group_id is not None and not is_id(group_id):
        raise Unreadable(Sentence("part.no_group_id"))
    return Waited(
        dag_id, frozenset(ids(value.get("task_ids") or [])), group_id, tuple(dict.fromkeys(dates(value.get("dates"))))
    )


def ids(value: Any) -> list[str]:
    """A list of ids. Raises `Unreadable`."""
    if not isinstance(value, list) or len(value) > MAX_NAMES or not all(map(is_id, value)):
        raise Unreadable(Sentence("part.no_task_ids", limit=MAX_NAMES))
    return value


def dates(value: Any) -> Iterable[datetime]:
    """A list of dates, in UTC. Raises `Unreadable`."""
    if not isinstance(value, list) or len(value) > MAX_DATES:
        raise Unreadable(Sentence("part.no_dates", limit=MAX_DATES))
    for each in value:
        try:
            found = datetime.fromisoformat(each[:MAX_DATE])
            if found.tzinfo is None:
                raise ValueError
            yield found.astimezone(timezone.utc)
        except (TypeError, ValueError, OverflowError, KeyError):
            raise Unreadable(Sentence("part.no_date")) from None


def read_choice(text: Any) -> tuple[frozenset[str] | None, frozenset[str]] | None:
    """Whom a task that chooses has followed (None: it doesn't say) and skipped; None for what isn't in that form."""
    value = read_json(text)
    if not isinstance(value, Mapping):
        return None
    try:
        followed = frozenset(ids(value["followed"])) if "followed" in value else None
        return followed, frozenset(ids(value.get("skipped") or []))
    except Unreadable:
        return None


def read_fields(text: Any) -> dict[str, object] | None:
    """Those of a task's rendered fields that matter here, as far as they are ids; None if nothing can be read."""
    fields = read_json(text)
    if not isinstance(fields, Mapping):
        return None
    return {name: value for name in FIELDS_READ if (value := field_of(fields.get(name))) is not None}


def field_of(value: Any) -> object:
    """An id, or a list of ids, which may be kept as its text; None for anything else."""
    if isinstance(value, str) and value[:1] == "[":
        value = loaded(value)
    if isinstance(value, list) and len(value) <= MAX_NAMES and all(map(is_id, value)):
        return value
    return value if is_id(value) else None
