"""How a recorded wait is shown: the first dates, the one that matters among them, and how many there are."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from airflow_rerun_downstream.domain.lineage_records import RecordedWait
from airflow_rerun_downstream.domain.refs import RunRef

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
DATES = tuple(START + timedelta(days=day) for day in range(12))


@pytest.mark.parametrize(
    ("kept", "count", "date", "shown", "told"),
    [
        (3, None, None, [0, 1, 2], None),
        (10, None, None, list(range(10)), None),
        (11, None, None, list(range(10)), 11),
        (12, None, 11, [*range(9), 11], 12),
        (12, None, 9, list(range(10)), 12),
        (3, 3, 1, [0, 1, 2], None),
        (3, 40, 1, [0, 1, 2], 40),
    ],
)
def test_what_is_shown_of_a_wait(
    kept: int, count: int | None, date: int | None, shown: list[int], told: int | None
) -> None:
    wait = RecordedWait(RunRef("b", "r"), "wait", -1, "a", frozenset(), None, DATES[:kept], count)
    found = wait.shown(None if date is None else DATES[date])
    expected = {"dates": [DATES[number].isoformat() for number in shown]}
    assert found == expected | ({} if told is None else {"date_count": told})
