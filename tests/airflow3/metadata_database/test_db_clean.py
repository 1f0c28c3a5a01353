"""``db clean`` as somebody types it, and what becomes of its archives."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.database import old_records
from airflow_rerun_downstream.airflow3.database.transactions import Transactions
from airflow_rerun_downstream.cli import cleaning_commands
from airflow_rerun_downstream.cli.main import main
from airflow_rerun_downstream.domain.states import RerunState
from tests.airflow3 import scene
from tests.airflow3.conftest import rewire
from tests.store.test_rows import wide

LONG_AGO = datetime(2026, 3, 1, tzinfo=timezone.utc)
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def old(database: Any) -> int:
    """A rerun of three runs that ended long ago, beside one that goes on."""
    scene.migrate(database)
    rewire()
    open_work = wiring.AirflowUnitOfWork(Transactions())
    with open_work() as work:
        work.store.add(wide(2, "going_on"), now=LONG_AGO)
        old = work.store.add(wide(3), now=LONG_AGO)
    with open_work() as work:
        for state in (RerunState.TERMINATING, RerunState.TERMINATED):
            assert work.store.move_rerun(old, after=state, reason=None, now=LONG_AGO)
    return old


def there(*numbers: int) -> list[bool]:
    with wiring.AirflowUnitOfWork(Transactions())() as work:
        return [work.store.get(number) is not None for number in numbers]


def test_a_dry_run_says_what_would_go(old: int, capsys: Captured) -> None:
    assert main(["db", "clean", "--before", "2026-03-02", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "What would go:" in said
    assert "rerun_downstream_member" in said
    assert there(old) == [True]


def test_what_went_is_printed_archived_exported_and_dropped(old: int, capsys: Captured, tmp_path: Path) -> None:
    assert main(["db", "clean", "--before", "2026-03-02", "--batch-size", "2", "--yes"]) == 0
    said = capsys.readouterr().out
    rows = {line.split()[0]: int(line.split()[1]) for line in said.splitlines() if line.startswith("  rerun_")}
    assert rows["rerun_downstream_rerun"] == 1
    assert rows["rerun_downstream_member"] == 3
    assert there(old, old - 1) == [False, True]
    assert main(["db", "export-archived", "--output-path", str(tmp_path), "--drop-archives", "--yes"]) == 0
    files = {file.name.split("__")[1]: file for file in tmp_path.glob("*.csv")}
    assert set(files) == set(rows)
    head, *members = csv.reader(files["rerun_downstream_member"].open())
    assert head[0] == "id"
    assert len(members) == 3
    assert main(["db", "drop-archived", "--yes"]) == 0
    assert "Dropped tables: 0." in capsys.readouterr().out


def test_why_reruns_stay_is_said_of_one_as_of_many() -> None:
    assert [cleaning_commands.why_kept(why, 1) for why in ("frozen", "telling", "making_runs", "took_places")] == [
        "1 older rerun stays: some of its runs are frozen.",
        "1 older rerun stays: a notification about it is still to be sent.",
        "1 older rerun stays: it was terminated while tasks that make runs were still running.",
        "1 older rerun stays: one of its runs took another run's place, and is still there.",
    ]
    assert cleaning_commands.why_kept("frozen", 12) == "12 older reruns stay: some of their runs are frozen."
    assert set(cleaning_commands.STAYING) == set(old_records.STAYING)


def test_without_an_archive_none_is_made(old: int, capsys: Captured) -> None:
    assert main(["db", "clean", "--clean-before-timestamp", "2026-03-02T00:00:00+08:00", "--skip-archive", "-y"]) == 0
    assert there(old) == [False]
    assert main(["db", "drop-archived", "--yes"]) == 0
    assert "Dropped tables: 0." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Give --before"),
        (("--before", "yesterday"), "'yesterday' is no date or time"),
        (("--before", "2026-03-02"), "There is no terminal to ask"),
    ],
)
def test_what_cannot_be_understood_changes_nothing(
    old: int, capsys: Captured, arguments: tuple[str, ...], said: str
) -> None:
    assert main(["db", "clean", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert there(old) == [True]


@pytest.mark.parametrize(("typed", "code"), [("delete rows", 0), ("y", 1)])
def test_somebody_has_to_type_the_words(
    old: int, capsys: Captured, monkeypatch: pytest.MonkeyPatch, typed: str, code: int
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: f"{typed}\n")
    assert main(["db", "clean", "--before", "2026-03-02", "--skip-archive"]) == code
    assert there(old) == [code == 1]


def test_a_time_without_a_zone_is_in_airflows(old: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow.settings.TIMEZONE", timezone(timedelta(hours=8)))
    assert cleaning_commands.moment("2026-03-02").utcoffset() == timedelta(hours=8)
    assert cleaning_commands.moment("2026-03-02T00:00:00+00:00").utcoffset() == timedelta()


def test_an_interrupted_cleaning_is_in_the_audit_log(old: int, monkeypatch: pytest.MonkeyPatch, database: Any) -> None:
    import json

    from airflow.models.log import Log
    from sqlalchemy import select

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cleaning_commands.time, "sleep", interrupted)
    assert main(["db", "clean", "--before", "2026-03-02", "--skip-archive", "--batch-size", "2", "-y"]) == 130
    with database.session() as session:
        (extra,) = session.execute(select(Log.extra).where(Log.event == "rerun_downstream.db_clean")).scalars()
    told = json.loads(extra)
    assert (told["done"], sum(told["rows"].values())) == (False, 2)
    assert there(old) == [False]
