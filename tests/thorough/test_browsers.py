"""Open record pages don't take Airflow's api-server away from others: one worker, the default pool, PostgreSQL.

Each measurement with browsers stands between two without.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.history import Shape
from tests.live.harness import LiveAirflow
from tests.thorough.open_record import LARGE, RECORD, OpenRecord, Phase, open_record, p95

pytestmark = [pytest.mark.live, pytest.mark.postgres]

SECONDS, WARM = 40.0, 10.0
LOADED = 45.0
"""Seconds until what so many browsers load first is there."""
POOL = 15
MOST_IN_USE = POOL // 2
DAGS, HEARTBEAT = 1.5, 2.0
"""How many times as long Airflow's own calls may take at most."""


def broken(record: OpenRecord, phase: Phase, without: list[Phase]) -> list[str]:
    """Which promises are broken while browsers look."""
    dags = p95(phase.dags) / p95([took for each in without for took in each.dags])
    heartbeat = p95(phase.heartbeat) / p95([took for each in without for took in each.heartbeat])
    print(f"   GET /dags p95 {dags:.1f} x, a heartbeat's p95 {heartbeat:.1f} x")
    failed = [status for status in phase.crowd.get("statuses", {}) if status != "200"]
    return [
        what
        for what, found in {
            f"GET /dags {dags:.1f} x": dags > DAGS,
            f"heartbeat {heartbeat:.1f} x": heartbeat > HEARTBEAT,
            f"{phase.in_use} connections in use": phase.in_use > MOST_IN_USE,
            f"failed: {phase.failed or failed}": bool(phase.failed or failed),
            "the pool's limit was reached": bool(record.pool_errors()),
        }.items()
        if found
    ]


def interleaved(record: OpenRecord, browsers: int, times: int) -> list[Phase]:
    """Without browsers and with them, in turn; the last one is without."""
    phases = []
    for number in (0, *(browsers, 0) * times):
        phases.append(record.watch(number, seconds=SECONDS, warm=LOADED if number else WARM))
        print(phases[-1], flush=True)
    return phases


@pytest.mark.parametrize(("shape", "browsers"), [(RECORD, 50), (LARGE, 5)], ids=["50 on 1,000", "5 on 10,000"])
def test_airflow_is_as_fast_while_browsers_look(tmp_path: Path, shape: Shape, browsers: int) -> None:
    with open_record(LiveAirflow(tmp_path, database="postgresql"), shape) as record:
        phases = interleaved(record, browsers, 2)
        assert record.state() == "running"
        looking, without = phases[1::2], phases[::2]
        together = Phase(
            browsers,
            *([took for each in looking for took in getattr(each, name)] for name in ("dags", "heartbeat", "failed")),
            max(each.in_use for each in looking),
            max(each.cpu for each in looking),
            {"statuses": {status: 0 for each in looking for status in each.crowd["statuses"]}},
        )
        found = broken(record, together, without)
    assert found == []
    assert all(each.crowd["seconds"] for each in looking)


def test_the_old_ways_would_be_seen(tmp_path: Path) -> None:
    """Two connections for a call, as many calls as come, and all pages at once: the test above can fail.

    They take more than half of the pool. Whether they take all of it and the server then stands still is a matter of
    chance.
    """
    with open_record(LiveAirflow(tmp_path, database="postgresql"), OLD_WAYS="two-connections no-slots") as record:
        without = record.watch(0, seconds=15, warm=5)
        print(without, flush=True)
        five = record.watch(5, seconds=25, warm=5, at_once=True)
        print(five, flush=True)
        found = broken(record, five, [without])
    print(found)
    assert f"{five.in_use} connections in use" in found


def test_two_connections_for_a_call_would_be_seen(tmp_path: Path) -> None:
    """Alone, beside everything else as it is: the calls hold more connections than there are calls at a time.

    All calls at a time have to hold their second one at once for that, so it may take a while.
    """
    with open_record(LiveAirflow(tmp_path, database="postgresql"), OLD_WAYS="two-connections") as record:
        seen = False
        for _ in range(6):
            phase = record.watch(50, seconds=25, warm=5)
            print(phase, flush=True)
            if seen := phase.in_use > MOST_IN_USE:
                break
    assert seen
