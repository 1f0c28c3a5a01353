"""A proof as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from airflow_rerun_downstream.rest import payloads

COLUMNS = (
    *("outcome", "reason", "dag_id", "run_id", "task_id"),
    *("other_dag_id", "other_run_id", "other_task_id", "read_at", "written_at", "accepted_by"),
)

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""With these, a spreadsheet takes a cell for a formula."""


def proof_csv(of: payloads.Proof) -> str:
    """The findings of a proof, and what holds older data (``older``), a line each."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(each) for each in row] for row in rows(of))
    return out.getvalue()


def rows(of: payloads.Proof) -> Iterator[tuple[object, ...]]:
    """The lines."""
    for each in of.findings:
        ends = (*spot(each.reader), *spot(each.writer))
        yield each.outcome.value, each.reason, *ends, each.read_at, each.written_at, each.accepted_by
    for one in of.older:
        here = (one.dag_id, one.run_id, one.task_id, *spot(one.because_of))
        yield "older", "", *here, None, None, one.accepted_by


def spot(of: payloads.ProofSpot | None) -> tuple[str | None, str | None, str | None]:
    """One end of a finding."""
    return (None, None, None) if of is None else (of.dag_id, of.run_id, of.task_id)


def cell(value: object) -> str:
    """A value as text, which no spreadsheet takes for a formula."""
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
