"""What the policy and the worker listener leave of an ExternalTaskSensor, and how it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

OFFSET_ATTRIBUTE = "rerun_downstream_offset"
"""Attribute of a sensor, serialized with its Dag: ``{"seconds": number}``, ``{"relative": {unit: number}}`` or
``{"date_function": name}``. It holds no text with a template in it."""

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


def waited_value(
    external_dag_id: str, task_ids: Iterable[Any] | None, group_id: str | None, dates: Sequence[datetime]
) -> dict[str, Any]:
    """What the listener writes under `WAITED_KEY`, for `stored.read_waited`: plain JSON, dates in ISO 8601 and UTC."""
    return {
        "external_dag_id": external_dag_id,
        "task_ids": sorted(str(task_id) for task_id in task_ids or ()),
        "group_id": group_id,
        "dates": [date.astimezone(timezone.utc).isoformat() for date in dates],
    }
