"""The section's options: defaults, bad values, the window of source runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from airflow_rerun_downstream.settings import InvalidSetting, Settings, duration

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=timezone.utc)


def read(**options: str) -> Settings:
    return Settings.read(options.get)


def test_defaults_are_the_contracts() -> None:
    settings = read()
    assert (settings.source_ready_since, settings.poll_interval, settings.conductor) == (
        "yesterday",
        timedelta(seconds=1),
        "api_server",
    )
    assert (settings.max_active_members, settings.max_plan_runs, settings.release_batch) == (32, 10_000, 10)
    assert settings.notification_targets == {}


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("source_ready_since", "last week"),
        ("poll_interval", "0"),
        ("poll_interval", "soon"),
        ("conductor", "worker"),
        ("max_active_members", "0"),
        ("max_plan_runs", "-1"),
        ("freeze_max_age", "P"),
        ("notification_targets", '{"a": 1}'),
        ("notification_targets", "nonsense"),
    ],
)
def test_a_bad_value_names_its_option(option: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=option):
        read(**{option: text})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P30D", timedelta(days=30)),
        ("PT12H", timedelta(hours=12)),
        ("P1W", timedelta(weeks=1)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
    ],
)
def test_durations_are_iso_8601(text: str, expected: timedelta) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "30D", "P1H", "-P1D"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        duration(text)


def test_the_window_starts_at_midnight_of_yesterday_in_airflows_time_zone() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    start = Settings.read({}.get, timezone=shanghai).window_start(NOW)
    assert start == datetime(2026, 11, 22, tzinfo=shanghai)


def test_the_window_can_be_a_duration_or_open() -> None:
    assert read(source_ready_since="P2D").window_start(NOW) == NOW - timedelta(days=2)
    assert read(source_ready_since="unlimited").window_start(NOW) is None
