"""What the shop's Dags share: their assets, their database and the feed that they are fed from.

The database is one SQLite file (`RERUN_DEMO_DB`). Every table has the same columns: day, name, euros.
The feed of a day is `feed/<day>.json` beside the database: an exchange rate and orders in dollars.

`python shop.py` writes the feeds of the last seven days, the last one with a wrong exchange rate;
`python shop.py --correct` writes them all right.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

DATABASE = Path(os.environ.get("RERUN_DEMO_DB", "/tmp/rerun-demo/shop.db"))

RIGHT_RATE = 0.92  # euros per dollar
WRONG_RATE = 9.2  # somebody's finger slipped

Row = tuple[str, float]


def _day_from_environment(name: str, default: date | None) -> date | None:
    return date.fromisoformat(os.environ[name]) if name in os.environ else default


_today = datetime.now(timezone.utc).date()
FIRST_DAY = _day_from_environment("RERUN_DEMO_FIRST_DAY", _today - timedelta(days=7))
LAST_DAY = _day_from_environment("RERUN_DEMO_LAST_DAY", None)

# The arguments that all Dags with a clock share: one run after the other, from the first day on.
BY_THE_CLOCK = {
    "start_date": datetime.combine(FIRST_DAY, time.min, timezone.utc),
    "end_date": LAST_DAY and datetime.combine(LAST_DAY, time.max, timezone.utc),
    "catchup": True,
    "max_active_runs": 1,
    "tags": ["shop"],
}


def feed_of(day: str) -> Path:
    """Path of a day's feed; it may not have arrived yet."""
    return DATABASE.parent / "feed" / f"{day}.json"


def send_feed(day: str, rate: float) -> None:
    """Write a day's feed: seven orders, one of them cancelled."""
    number = date.fromisoformat(day).toordinal()
    orders = [
        {"customer": ["Ada", "Bo", "Cy"][index % 3], "dollars": 10 * (index + 1) + number % 7, "cancelled": index == 4}
        for index in range(7)
    ]
    path = feed_of(day)
    path.parent.mkdir(parents=True, exist_ok=True)
    arriving = path.with_suffix(".arriving")
    arriving.write_text(json.dumps({"rate": rate, "orders": orders}))
    arriving.replace(path)  # at once, so that nobody reads half a file


def write(table: str, day: str, rows: Iterable[Row]) -> None:
    """Replace a table's rows of one day: a task that runs again leaves no trace of its first try."""
    with _connected() as connection:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (day TEXT, name TEXT, euros REAL)")
        connection.execute(f"DELETE FROM {table} WHERE day = ?", [day])
        connection.executemany(f"INSERT INTO {table} VALUES (?, ?, ?)", [(day, *row) for row in rows])


def read(table: str, day: str) -> list[Row]:
    """Read a table's rows of one day; none while there is no such table."""
    with _connected() as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table]).fetchone():
            return []
        return connection.execute(f"SELECT name, euros FROM {table} WHERE day = ?", [day]).fetchall()


def total(table: str, day: str) -> float:
    """Sum a table's euros of one day."""
    return round(sum(euros for _, euros in read(table, day)), 2)


@contextmanager
def _connected() -> Iterator[sqlite3.Connection]:
    DATABASE.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(DATABASE, timeout=30)) as connection, connection:
        yield connection


def main() -> None:
    """Write the feeds of the last seven days."""
    last_rate = RIGHT_RATE if "--correct" in sys.argv[1:] else WRONG_RATE
    for ago in range(7, -1, -1):
        send_feed(str(_today - timedelta(days=ago)), RIGHT_RATE if ago else last_rate)


if __name__ == "__main__":
    main()
