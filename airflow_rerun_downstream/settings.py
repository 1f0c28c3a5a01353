"""Typed settings of the ``[rerun_downstream]`` section, their defaults and limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from datetime import timezone as timezones
from difflib import get_close_matches
from typing import Any

from airflow_rerun_downstream.domain.sentence import Sentence

SECTION = "rerun_downstream"

DURATION = re.compile(
    r"^P(?=.)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)

MAX_TEXT = 500
"""Longest name and reason of a rerun, in characters."""

MAX_SHOWN = 100
"""How much of a wrong value is shown, in characters."""

MOST = 1_000_000
LONGEST = timedelta(days=36_525)
"""The largest number and the longest duration that an option may have."""

MASKED = "***"

SUFFIXES = ("_cmd", "_secret")
"""What stands after a sensitive option's name where a command or a secrets backend has its value."""


@dataclass(frozen=True)
class WrongOption:
    """An option that can't be used, and a sentence about it: its value as it may be shown, and what is right."""

    name: str
    detail: Sentence


class InvalidSetting(ValueError):
    """Options of the section that can't be used, all of them; the message names each with its value."""

    def __init__(self, wrong: Sequence[WrongOption]) -> None:
        super().__init__(" ".join(each.detail for each in wrong))
        self.wrong = tuple(wrong)

    @property
    def names(self) -> list[str]:
        """The options' names, without the values: those aren't for everybody."""
        return [each.name for each in self.wrong]


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of weeks, days, hours, minutes and seconds. Raises ValueError."""
    match = DURATION.match(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as P30D or PT12H")
    try:
        return timedelta(**{unit: int(number) for unit, number in match.groupdict().items() if number})
    except OverflowError as error:
        raise ValueError(f"{text[:MAX_SHOWN]!r} is longer than Python can reckon with") from error


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
    frozen_too_long_after: timedelta = timedelta(days=1)
    retention: timedelta | None = None
    proposal_max_age: timedelta = timedelta(days=7)
    notification_targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notification_targets_file: str | None = None
    notification_targets_conn_id: str | None = None
    timezone: tzinfo = timezones.utc

    @property
    def frozen_patience(self) -> timedelta:
        """How long a run may be frozen before that is told; told in any case before it is released for that."""
        return min(self.frozen_too_long_after, self.freeze_max_age or timedelta.max)

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

        Raises `InvalidSetting`, which names every option that is wrong, or that ``get`` couldn't read.
        """
        values: dict[str, Any] = {}
        wrong: list[WrongOption] = []
        for name, option in OPTIONS.items():
            try:
                text = (get(name) or "").strip()
            except Exception as error:  # the text of an error may hold what a command has printed
                unread = Sentence("option.unread", name=name, error=type(error).__name__)
                wrong.append(WrongOption(name, unread))
                continue
            try:
                values |= {name: option.parse(text)} if text else {}
            except Exception:
                detail = Sentence("option.wrong", name=name, value=option.shown(text), right=option.right)
                wrong.append(WrongOption(name, detail))
        if wrong:
            raise InvalidSetting(wrong)
        return cls(**values, timezone=timezone)


def positive(text: str) -> int:
    """A whole number above 0."""
    return within(int(text), 1, MOST)


def within(number: int, least: int, most: int) -> int:
    """The number, if it is one of these. Raises ValueError."""
    if not least <= number <= most:
        raise ValueError(f"{number} is not from {least} to {most}")
    return number


def seconds(text: str) -> timedelta:
    """A number of seconds above 0."""
    number = float(text)
    if not 0 < number < 86_400:
        raise ValueError(f"{text} is not a number of seconds between 0 and a day")
    return timedelta(seconds=number)


def span(text: str) -> timedelta:
    """A duration that can be taken from today's date."""
    found = duration(text)
    if found > LONGEST:
        raise ValueError(f"{text} is longer than {LONGEST}")
    return found


def lasting(text: str) -> timedelta:
    """A duration in which something can be done."""
    found = span(text)
    if not found:
        raise ValueError(f"{text} is no time at all")
    return found


def at_least_a_day(text: str) -> timedelta:
    """A duration after which something goes for good."""
    found = span(text)
    if found < timedelta(days=1):
        raise ValueError(f"{text} is less than a day")
    return found


def ready_since(text: str) -> str:
    """``yesterday``, ``unlimited`` or a duration."""
    if text not in ("yesterday", "unlimited"):
        span(text)
    return text


def host(text: str) -> str:
    """Where the conductor runs."""
    if text not in ("api_server", "external"):
        raise ValueError(f"{text!r} is neither api_server nor external")
    return text


def targets(text: str) -> Mapping[str, Mapping[str, Any]]:
    """JSON: name → kind and its settings."""
    found = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(v, dict) and v.get("kind") for v in found.values()):
        raise ValueError('not a JSON object of {"name": {"kind": …}}')
    return found


@dataclass(frozen=True)
class Option:
    """How an option's text is read, and what is right, as it follows the word "give". ``kind`` and ``sensitive`` are
    those that Airflow is told; of a sensitive option no value is shown.
    """

    parse: Callable[[str], Any]
    right: Sentence
    kind: str = "string"
    sensitive: bool = False

    def shown(self, text: str) -> str:
        """A value as it may be shown."""
        if self.sensitive:
            return MASKED
        return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…")


NUMBER = Sentence("option.number", most=f"{MOST:,}")
DURATION_TEXT, PATH = Sentence("option.duration"), Sentence("option.path")
HOST = Sentence("option.either", first="api_server", second="external")
TARGETS = Sentence("option.json_object", example='{"data-team": {"kind": "webhook"}}')

OPTIONS: Mapping[str, Option] = {
    "source_ready_since": Option(ready_since, Sentence("option.ready_since")),
    "poll_interval": Option(seconds, Sentence("option.seconds"), kind="float"),
    "conductor": Option(host, HOST),
    "max_active_members": Option(positive, NUMBER, kind="integer"),
    "max_plan_runs": Option(positive, NUMBER, kind="integer"),
    "declared_links_file": Option(str, PATH),
    "freeze_max_age": Option(span, DURATION_TEXT),
    "release_batch": Option(positive, NUMBER, kind="integer"),
    "frozen_too_long_after": Option(span, DURATION_TEXT),
    "retention": Option(at_least_a_day, Sentence("option.a_day_at_least")),
    "proposal_max_age": Option(lasting, Sentence("option.above_nothing")),
    "notification_targets": Option(targets, TARGETS, sensitive=True),
    "notification_targets_file": Option(str, PATH),
    "notification_targets_conn_id": Option(str, Sentence("option.connection")),
}


def unknown_options(written: Iterable[str]) -> list[Sentence]:
    """A sentence about each name in the section that no option has, with the nearest that one has.

    Airflow also reads ``NAME_cmd`` and ``NAME_secret``, but of sensitive options only.
    """
    hidden = [name for name, option in OPTIONS.items() if option.sensitive]
    known = {*OPTIONS, *(f"{name}{suffix}" for name in hidden for suffix in SUFFIXES)}
    return [unknown_option(name, hidden) for name in sorted(set(written) - known)]


def unknown_option(name: str, hidden: Sequence[str]) -> Sentence:
    """Why a name does nothing, and what may have been meant."""
    for suffix in SUFFIXES:
        if name.lower().removesuffix(suffix) in OPTIONS and name.lower().endswith(suffix):
            return Sentence("option.only_for_sensitive", name=name, names=hidden)
    if name != name.lower() and name.lower() in OPTIONS:
        return Sentence("option.in_capitals", name=name, lower=name.lower(), upper=name.upper())
    if near := get_close_matches(name.lower(), OPTIONS, n=1):
        return Sentence("option.misspelled", name=name, near=near[0])
    return Sentence("option.unknown", name=name, names=list(OPTIONS))
