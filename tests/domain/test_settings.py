"""The section's options: defaults, bad values, the window of source runs."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from airflow_rerun_downstream.settings import OPTIONS, InvalidSetting, Settings, duration, unknown_options

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
        ("freeze_max_age", "P99999999999999999999D"),
        ("source_ready_since", "P999999D"),
        ("release_batch", "1000001"),
        ("conductor", "scheduler"),
        ("notification_targets", '{"a": 1}'),
        ("notification_targets", "nonsense"),
    ],
)
def test_a_bad_value_names_its_option(option: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=option):
        read(**{option: text})


def test_all_that_is_wrong_is_told_at_once_with_what_would_be_right() -> None:
    def get(name: str) -> str | None:
        if name == "freeze_max_age":
            raise RuntimeError("a command printed: hunter2")
        return {
            "poll_interval": "soon",
            "release_batch": "x" * 1000,
            "notification_targets": "hunter2",
            "max_plan_runs": "9",
        }.get(name)

    with pytest.raises(InvalidSetting) as raised:
        Settings.read(get)
    assert raised.value.names == ["poll_interval", "freeze_max_age", "release_batch", "notification_targets"]
    assert [each.detail for each in raised.value.wrong] == [
        "[rerun_downstream] poll_interval = 'soon': give seconds, above 0 and below 86400, such as 1.0.",
        "[rerun_downstream] freeze_max_age = ?: reading it failed (RuntimeError); look at its command, its "
        "secret or its % signs.",
        f"[rerun_downstream] release_batch = '{'x' * 100}…': give a whole number from 1 to 1,000,000.",
        '[rerun_downstream] notification_targets = ***: give a JSON object such as {"data-team": {"kind": "webhook"}}.',
    ]
    assert "hunter2" not in str(raised.value)


HOSTILE = ("[" * 100_000, "9" * 10_000, "P" + "9" * 400 + "D", "nan", "-1", "\x00", "{}", "\ud800")


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_does_more_than_be_wrong(name: str, text: str) -> None:
    with suppress(InvalidSetting):
        read(**{name: text}).window_start(NOW)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pol_interval", "Did you mean poll_interval?"),
        ("max_runs", "Did you mean max_plan_runs?"),
        ("Poll_Interval", "write it as poll_interval in a file, and as POLL_INTERVAL in a variable's name."),
        ("poll_interval_cmd", "Airflow reads a command or a secret only for notification_targets"),
        ("zzz", "There are source_ready_since, poll_interval,"),
    ],
)
def test_a_name_that_no_option_has_is_told_with_the_nearest(name: str, said: str) -> None:
    (found,) = unknown_options(["conductor", name, "notification_targets_secret"])
    assert found.startswith(f"[rerun_downstream] {name} is not an option and does nothing")
    assert said in found


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
