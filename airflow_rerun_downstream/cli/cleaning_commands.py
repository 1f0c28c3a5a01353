"""``db clean`` and what becomes of its archives, in the manner of Airflow's own commands of these names."""

from __future__ import annotations

import csv
import time
from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from airflow_rerun_downstream import host
from airflow_rerun_downstream.cli.backends import os_user
from airflow_rerun_downstream.cli.exit_codes import ExitCode, Usage
from airflow_rerun_downstream.cli.questions import agreed
from airflow_rerun_downstream.cli.streams import answer
from airflow_rerun_downstream.ports.retention import Cleaning
from airflow_rerun_downstream.ports.work import UnitOfWork
from airflow_rerun_downstream.store import archives

BATCH = 1000
"""Rows in a transaction, where nobody says."""

LONGEST_PAUSE = 0.2
"""Seconds between two transactions, at most: whoever waits for SQLite's lock looks only now and then."""

DELETE, DROP = "delete rows", "drop archived tables"

STAYING = {
    "frozen": ("some of its runs are frozen", "some of their runs are frozen"),
    "telling": ("a notification about it is still to be sent", "notifications about them are still to be sent"),
    "making_runs": (
        "it was terminated while tasks that make runs were still running",
        "they were terminated while tasks that make runs were still running",
    ),
    "took_places": (
        "one of its runs took another run's place, and is still there",
        "some of their runs took other runs' places, and are still there",
    ),
}
"""Why a rerun stays, and why several do, for people."""


def clean(args: Namespace) -> int:
    """Remove the records of reruns that ended before a time, or count them."""
    if args.before is None:
        raise Usage("Give --before, such as --before 2026-01-01.")
    before = moment(args.before)
    open_work = host.room("wiring").unit_of_work()
    tell_kept(open_work, before)
    archive = None if args.skip_archive else archives.suffix(datetime.now(timezone.utc))
    cleaning = Cleaning(before, None if args.dry_run else archive, args.dry_run)
    if not args.dry_run and not confirmed(
        f"The records of reruns that ended before {before.isoformat()}", DELETE, args
    ):
        return ExitCode.NEGATIVE
    cleaning = carry_out(open_work, cleaning, args.batch_size or BATCH)
    answer("What would go:" if args.dry_run else "What went:")
    tell_rows(cleaning.rows)
    if cleaning.archive and cleaning.total:
        answer(f"Copies are in the tables {archives.ARCHIVE}…__{cleaning.archive} (`db export-archived`).")
        answer("What an earlier cleaning had begun went into that one's tables, if it had any.")
    return ExitCode.DONE


def moment(text: str) -> datetime:
    """A time, in Airflow's default time zone where it names none."""
    try:
        found: datetime = host.room("configuration").in_default_timezone(datetime.fromisoformat(text))
    except ValueError as error:
        raise Usage(f"{text!r} is no date or time such as 2026-01-01 or 2026-01-01T06:00:00+01:00.") from error
    return found


def carry_out(open_work: UnitOfWork, cleaning: Cleaning, rows: int) -> Cleaning:
    """Clean to the end, a transaction for each batch. However it ends, the audit log gets what has gone."""
    try:
        while not cleaning.done:
            began = time.monotonic()
            with open_work() as work:
                cleaning = work.retention.clean(cleaning, rows=rows)
            time.sleep(min(time.monotonic() - began, LONGEST_PAUSE))
    finally:
        if not cleaning.dry_run:
            with open_work() as work:
                work.retention.note(cleaning, actor=os_user().name)
    return cleaning


def tell_kept(open_work: UnitOfWork, before: datetime) -> None:
    """Say which reruns stay, and why."""
    with open_work() as work:
        kept = work.retention.kept(before)
    for why, number in kept.items():
        if number:
            answer(why_kept(why, number))


def why_kept(why: str, number: int) -> str:
    """A sentence about so many reruns that stay though they ended before."""
    one, several = STAYING[why]
    return f"1 older rerun stays: {one}." if number == 1 else f"{number:,} older reruns stay: {several}."


def tell_rows(rows: Mapping[str, int]) -> None:
    """A line for each table."""
    width = max(map(len, rows), default=0)
    for name, number in sorted(rows.items()):
        answer(f"  {name:<{width}}  {number:>11,}")
    if not rows:
        answer("  nothing")


def confirmed(what: str, words: str, args: Namespace) -> bool:
    """Whether somebody agrees to what can't be undone."""
    look = " See what would go with --dry-run." if args.action == "clean" else ""
    return agreed(f"{what} will be removed for good.{look}", words, yes=args.yes)


def export_archived(args: Namespace) -> int:
    """Write each archive table into a CSV file, and drop it if that is wanted."""
    folder = Path(args.output_path or "")
    if not args.output_path or not folder.is_dir():
        raise Usage("Give --output-path, a folder that is there.")
    engine = host.room("database.our_tables").engine()
    with engine.connect() as connection:
        names = archives.names(connection)
        if args.drop_archives and names and not confirmed(f"{len(names)} archive tables", DROP, args):
            return ExitCode.NEGATIVE
        for name in names:
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(archives.rows(connection, name))
    dropped = names if args.drop_archives else []
    with engine.begin() as connection:
        for name in dropped:
            archives.drop(connection, name)
    answer(f"Exported tables: {len(names)}; dropped tables: {len(dropped)}.")
    return ExitCode.DONE


def drop_archived(args: Namespace) -> int:
    """Drop the archive tables."""
    engine = host.room("database.our_tables").engine()
    with engine.connect() as connection:
        names = archives.names(connection)
    if names and not confirmed(f"{len(names)} archive tables", DROP, args):
        return ExitCode.NEGATIVE
    with engine.begin() as connection:
        for name in names:
            archives.drop(connection, name)
    answer(f"Dropped tables: {len(names)}.")
    return ExitCode.DONE
