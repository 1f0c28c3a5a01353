"""Typed settings of the ``[rerun_downstream]`` section, their defaults and limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from datetime import timezone as timezones
from typing import Any

SECTION = "rerun_downstream"

DURATION = re.compile(
    r"^P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)

MAX_TEXT = 500
"""Longest name and reason of a rerun, in characters."""


class InvalidSetting(ValueError):
    """An option of the section that can't be understood; the message names it."""


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds. Raises ValueError."""
    match = DURATION.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as P30D or PT12H")
    return timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})


@dataclass(frozen=True)
class Settings:
    """The deployment's settings. Durations are timedeltas; ``timezone`` is Airflow's default one."""

    source_ready_since: str = "yesterday"
    poll_interval: timedelta = timedelta(seconds=1)
    conductor: str = "api_server"
    max_active_members: int = 32
    max_plan_runs: int = 10_000
    declared_links_file: str | None = None
    freeze_max_age: timedelta | None = None
    release_batch: int = 10
    notification_targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    timezone: tzinfo = timezones.utc

    def window_start(self, now: datetime) -> datetime | None:
        """The earliest ready time of a source run (R4); None: unlimited."""
        if self.source_ready_since == "unlimited":
            return None
        if self.source_ready_since == "yesterday":
            yesterday = now.astimezone(self.timezone).date() - timedelta(days=1)
            return datetime.combine(yesterday, time.min, tzinfo=self.timezone)
        return now - duration(self.source_ready_since)

    @classmethod
    def read(cls, get: Callable[[str], str | None], *, timezone: tzinfo = timezones.utc) -> Settings:
        """Settings from the section's options; ``get`` answers an option's text or None.

        Raises `InvalidSetting`, which names the option.
        """
        texts = {name: text for name in OPTIONS if (text := (get(name) or "").strip())}
        values: dict[str, Any] = {}
        for name, text in texts.items():
            try:
                values[name] = OPTIONS[name](text)
            except ValueError as error:
                raise InvalidSetting(f"[{SECTION}] {name}: {error}") from error
        return cls(**values, timezone=timezone)


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise ValueError(f"{number} is not above 0")
    return number


def seconds(text: str) -> timedelta:
    """A number of seconds above 0."""
    number = float(text)
    if not 0 < number < 86_400:
        raise ValueError(f"{text} is not a number of seconds between 0 and a day")
    return timedelta(seconds=number)


def ready_since(text: str) -> str:
    """``yesterday``, ``unlimited`` or a duration."""
    if text not in ("yesterday", "unlimited"):
        duration(text)
    return text


def host(text: str) -> str:
    """Where the conductor runs."""
    if text not in ("api_server", "scheduler", "external"):
        raise ValueError(f"{text!r} is none of api_server, scheduler, external")
    return text


def targets(text: str) -> Mapping[str, Mapping[str, Any]]:
    """JSON: name → kind and its settings."""
    found = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(v, dict) and v.get("kind") for v in found.values()):
        raise ValueError('not a JSON object of {"name": {"kind": …}}')
    return found


OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "source_ready_since": ready_since,
    "poll_interval": seconds,
    "conductor": host,
    "max_active_members": positive,
    "max_plan_runs": positive,
    "declared_links_file": str,
    "freeze_max_age": duration,
    "release_batch": positive,
    "notification_targets": targets,
}
