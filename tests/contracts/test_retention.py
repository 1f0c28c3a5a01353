"""What every `Retention` promises: the fake, and Airflow on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.retention import Cleaning
from tests.contracts.conftest import Installation
from tests.store.test_rows import wide

LONG_AGO = datetime(2026, 3, 1, tzinfo=timezone.utc)
BEFORE = LONG_AGO + timedelta(days=1)
WAYS = {
    RerunState.TERMINATED: (RerunState.TERMINATING, RerunState.TERMINATED),
    RerunState.FAILED: (RerunState.FAILED,),
    RerunState.RUNNING: (),
}


def rerun(installed: Installation, number: int, state: RerunState, at: datetime) -> int:
    """A rerun of its own runs, in a state since then."""
    with installed.unit_of_work() as work:
        rerun_id = work.store.add(wide(1, f"d{number}"), now=LONG_AGO)
    with installed.unit_of_work() as work:
        for each in WAYS[state]:
            assert work.store.move_rerun(rerun_id, after=each, reason=None, now=at)
    return rerun_id


def clean(installed: Installation, cleaning: Cleaning) -> Cleaning:
    while not cleaning.done:
        with installed.unit_of_work() as work:
            cleaning = work.retention.clean(cleaning, rows=2)
    return cleaning


class TestRetention:
    def test_what_ended_before_goes_and_nothing_else(self, installed: Installation) -> None:
        old = rerun(installed, 1, RerunState.TERMINATED, LONG_AGO)
        others = [
            rerun(installed, 2, RerunState.TERMINATED, BEFORE),
            rerun(installed, 3, RerunState.RUNNING, LONG_AGO),
            rerun(installed, 4, RerunState.FAILED, LONG_AGO),
        ]
        told = clean(installed, Cleaning(BEFORE, dry_run=True))
        done = clean(installed, Cleaning(BEFORE))
        assert told.rows["rerun_downstream_rerun"] == done.rows["rerun_downstream_rerun"] == 1
        assert told.rows["rerun_downstream_member"] == done.rows["rerun_downstream_member"] > 0
        with installed.unit_of_work() as work:
            assert work.store.get(old) is None
            assert all(work.store.get(each) for each in others)
            assert len(work.store.active()) == 2
            assert not any(work.retention.kept(BEFORE).values())
        assert clean(installed, Cleaning(BEFORE)).total == 0

    def test_nothing_to_do_is_done_soon(self, installed: Installation) -> None:
        assert clean(installed, Cleaning(BEFORE)).rows == {}
