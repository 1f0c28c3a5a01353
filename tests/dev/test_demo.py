"""The demo's story happens on days that have passed, whatever today is."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from dev.demo import days_of_the_story

NOON = datetime(2026, 11, 16, 12, tzinfo=timezone.utc)  # a Monday


@pytest.mark.parametrize("later", range(7))
def test_it_ends_with_the_last_monday(later: int) -> None:
    assert days_of_the_story(NOON + timedelta(days=later)) == ["2026-11-14", "2026-11-15", "2026-11-16"]


@pytest.mark.parametrize(("hour", "ends"), [(3, "2026-11-09"), (4, "2026-11-09"), (5, "2026-11-16")])
def test_a_monday_counts_when_its_last_run_is_due(hour: int, ends: str) -> None:
    assert days_of_the_story(NOON.replace(hour=hour))[-1] == ends
    assert date.fromisoformat(ends).weekday() == 0
