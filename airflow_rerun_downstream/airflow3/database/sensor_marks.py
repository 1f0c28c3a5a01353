"""What the policy and the worker listener leave of an ExternalTaskSensor, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

OFFSET_ATTRIBUTE = "rerun_downstream_offset"
"""Attribute of a sensor, serialized with its Dag: ``{"seconds": number}``, ``{"relative": {unit: number}}`` or
``{"date_function": name}``; of a class with code of its own ``{"own_class": name, …}``, see `OwnCode`. It holds no text
with a template in it."""

RESET_ARGUMENT = "reset_dag_run"
RESET_ATTRIBUTE = "rerun_downstream_resets"
"""Attribute of a TriggerDagRun task, serialized with its Dag: whether it clears the run that it would make, if that
exists. Airflow serializes the argument itself only for mapped tasks."""

WAITED_KEY = "rerun_downstream_waited_for"
"""XCom key of a sensor's task instance: what it waited for, written once when it succeeded."""

STANDARD_SENSOR = ("airflow.providers.standard.sensors.external_task", "ExternalTaskSensor")
"""Module and name of Airflow's own sensor."""

STANDARD_TRIGGER = ("airflow.providers.standard.operators.trigger_dagrun", "TriggerDagRunOperator")
"""Module and name of Airflow's own operator that makes runs."""

UNITS = ("years", "months", "days", "hours", "minutes", "seconds", "microseconds")
FIXED_UNITS = ("year", "month", "day", "weekday", "hour", "minute", "second", "microsecond")


@dataclass(frozen=True)
class Offset:
    """How far a sensor looks back: seconds or units of a calendar. Not ``known``: nobody wrote it down.

    ``by_function``: a function of the Dag's author decides, or something that can't be reckoned back.
    """

    offset: float | Mapping[str, float] = 0.0
    known: bool = False
    by_function: bool = False


@dataclass(frozen=True)
class OwnCode:
    """What is known of a sensor whose class decides by code of its own what it waits for.

    ``recorded``: it is made from Airflow's own, so that the listener records what it waited for. ``dag_ids``: Dags that
    it names in an argument that isn't serialized. ``more``: it names others, too, in a form that can't be read.
    """

    name: str
    recorded: bool = False
    dag_ids: tuple[str, ...] = ()
    more: bool = False

    @property
    def mark(self) -> dict[str, Any]:
        """In the form of `OFFSET_ATTRIBUTE`."""
        ids = {"dag_ids": list(self.dag_ids)} if self.dag_ids else {}
        return {"own_class": self.name, "recorded": self.recorded, **ids, **({"more": True} if self.more else {})}


def read_own_code(mark: Any) -> OwnCode | None:
    """What a mark says of a class with code of its own; None for any other mark."""
    if not isinstance(mark, Mapping) or not isinstance(mark.get("own_class"), str):
        return None
    ids = mark.get("dag_ids")
    named = tuple(each for each in ids if isinstance(each, str)) if isinstance(ids, list) else ()
    return OwnCode(mark["own_class"], bool(mark.get("recorded")), named, bool(mark.get("more")))


DATES = ("_get_dttm_filter", "_get_logical_date", "_handle_execution_date_fn")
"""The methods of Airflow's sensor that reckon the dates; a subclass that has its own may find any."""

METHODS = ("execute", "execute_complete", "pre_execute", "poke", "_poke_af3", "render_template_fields")
ARGUMENTS = (
    *("external_dag_id", "external_task_id", "external_task_ids", "external_task_group_id"),
    *("execution_delta", "execution_date_fn"),
)
"""What a subclass must have from Airflow's sensor for its arguments to say what it waits for."""

NAMES_DAGS = ("external_dag_id", "external_dag_ids")
"""The arguments by which a sensor of somebody's own names Dags."""

MAX_DAGS, MAX_ID = 1_000, 250


def own_code(task: Any, base: type) -> str | None:
    """What a sensor does otherwise than Airflow's class ``base``, of which it is made: the name of a method."""
    between = [vars(cls) for cls in type(task).__mro__ if cls not in base.__mro__]
    if getattr(task, "_pre_execute_hook", None) is not None:
        return "pre_execute"
    own = (name for name in (*METHODS, *ARGUMENTS) if any(name in each for each in between))
    given = (name for name in METHODS if name in vars(task))
    return next(own, None) or next(given, None)


def dates_by(task: Any, base: type) -> Any:
    """The function, if it isn't Airflow's, by which a sensor finds its dates."""
    between = [cls for cls in type(task).__mro__ if cls not in base.__mro__]
    own = (vars(cls)[name] for name in DATES for cls in between if name in vars(cls))
    return next(own, None) or getattr(task, "execution_date_fn", None)


def named_dags(task: Any) -> OwnCode | None:
    """What a sensor that isn't made from Airflow's says of Dags in its arguments; None: it names none.

    An argument that is a template field is serialized as it is, and isn't repeated here: this is rendered, too.
    """
    given = {name: getattr(task, name, None) for name in NAMES_DAGS}
    values = {name: value for name, value in given.items() if value}
    if not values:
        return None
    said: list[Any] = []
    for name, value in values.items():
        if name not in task.template_fields:
            said += list(value) if isinstance(value, (list, tuple, set, frozenset, dict)) else [value]
    endings = tuple(getattr(task, "template_ext", None) or ())
    ids = {each for each in said if is_literal(each, endings)}
    few = sorted(ids)[:MAX_DAGS]
    return OwnCode(class_name(task), dag_ids=tuple(few), more=len(few) < len(set(map(repr, said))))


def is_literal(value: Any, endings: tuple[str, ...]) -> bool:
    """Whether a value is the id of a Dag that rendering leaves as it is: no template, and no template's file."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID:
        return False
    return not any(sign in value for sign in ("{{", "{%", "{#")) and not value.endswith(endings or ("\0",))


def class_name(task: Any) -> str:
    """A class's name, if it is a plain one."""
    name = type(task).__name__
    return name if name.isidentifier() and len(name) <= MAX_ID else "?"


def sensor_class(cls: type) -> type | None:
    """The ExternalTaskSensor among a class and its bases, told by name: nothing is imported for it."""
    return standard_base(cls, STANDARD_SENSOR)


def standard_base(cls: type, named: tuple[str, str]) -> type | None:
    """A class of Airflow's, by its module and name, among a class and its bases."""
    return next((base for base in cls.__mro__ if (base.__module__, base.__name__) == named), None)


def offset_mark(delta: Any, date_function: Any) -> dict[str, Any]:
    """A sensor's offset in the form of `OFFSET_ATTRIBUTE`.

    What can't be reckoned back from the date waited for, such as "the last Friday", counts as a function.
    """
    if date_function is not None:
        return {"date_function": str(getattr(date_function, "__name__", type(date_function).__name__))}
    if not delta:
        return {"seconds": 0.0}
    if any(getattr(delta, unit, None) is not None for unit in FIXED_UNITS) or getattr(delta, "leapdays", None):
        return {"date_function": type(delta).__name__}
    if isinstance(delta, timedelta) and not (getattr(delta, "years", None) or getattr(delta, "months", None)):
        return {"seconds": delta.total_seconds()}
    return calendar_mark(delta) if hasattr(delta, "months") else {"date_function": type(delta).__name__}


def calendar_mark(delta: Any) -> dict[str, Any]:
    """The units of a relativedelta, or of a pendulum duration with years or months in it."""
    if hasattr(delta, "start") and hasattr(delta, "end"):  # an interval between two moments
        return {"date_function": type(delta).__name__}
    found = {unit: getattr(delta, unit, 0) for unit in UNITS}
    if isinstance(delta, timedelta):
        found["days"] = delta.remaining_days + 7 * delta.weeks  # type: ignore[attr-defined]
        found["seconds"] = delta.remaining_seconds  # type: ignore[attr-defined]
    return {"relative": {unit: number for unit, number in found.items() if number}}


def read_offset(mark: Any) -> Offset:
    """What a mark says; of anything that isn't one: not known."""
    if not isinstance(mark, Mapping):
        return Offset()
    if isinstance(mark.get("relative"), Mapping):
        return Offset(dict(mark["relative"]), known=True)
    if isinstance(mark.get("seconds"), (int, float)):
        return Offset(float(mark["seconds"]), known=True)
    return Offset(known="date_function" in mark, by_function="date_function" in mark)


def mapped_offset(delta: Any, date_function: Any) -> Offset:
    """The offset that the serialized arguments of a mapped sensor tell: seconds, or a relativedelta's units."""
    if date_function is not None:
        return Offset(known=True, by_function=True)
    if delta is None or isinstance(delta, (int, float)):
        return Offset(float(delta or 0.0), known=True)
    if isinstance(delta, Mapping) and set(delta) <= set(UNITS):
        return Offset(dict(delta), known=True)
    return Offset(known=True, by_function=True)


def is_waited_value(value: Any) -> bool:
    """Whether a value has the form of `waited_value`."""
    return isinstance(value, Mapping) and set(value) == {"external_dag_id", "task_ids", "group_id", "dates"}


def waited_value(
    external_dag_id: str, task_ids: Iterable[Any] | None, group_id: str | None, dates: Sequence[datetime]
) -> dict[str, Any]:
    """What the listener writes under `WAITED_KEY`, for `untrusted_values.read_waited`: JSON, dates in UTC."""
    return {
        "external_dag_id": external_dag_id,
        "task_ids": sorted(str(task_id) for task_id in task_ids or ()),
        "group_id": group_id,
        "dates": [date.astimezone(timezone.utc).isoformat() for date in dates],
    }
