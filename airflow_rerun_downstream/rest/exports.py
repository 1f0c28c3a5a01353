"""A proof as a file for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from airflow_rerun_downstream.rest import proof_payloads

COLUMNS = (
    *("outcome", "reason", "dag_id", "run_id", "task_id"),
    *("other_dag_id", "other_run_id", "other_task_id", "read_at", "written_at", "accepted_by"),
    "count",
)

FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""With these, also in their wide forms, a spreadsheet takes a cell for a formula."""

FORMULA_INSIDE = re.compile(r"""([;\t\r\n]"*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])""")
"""Where a list is separated by semicolons or tabs, a spreadsheet begins a cell behind them, and behind a line's end."""


def proof_csv(of: proof_payloads.Proof) -> str:
    """The findings of a proof, and what holds older data (``older``), a line each; then what there is no line for.

    ``count`` is what a line stands for: checks that are ``proven``, members that are ``open``, findings and older data
    that are ``hidden`` because of runs that whoever asks may not read, and ``left_out`` because they were too many.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(each) for each in row] for row in rows(of))
    return out.getvalue()


def rows(of: proof_payloads.Proof) -> Iterator[tuple[object, ...]]:
    """The lines."""
    yield from ((*each, 1) for each in named(of))
    counts, hidden = of.counts, of.hidden_findings + of.hidden_older
    found = counts.violations + counts.accepted + counts.not_provable + counts.older
    left_out = found - hidden - len(of.findings) - len(of.older)
    rest = {"proven": counts.proven, "open": counts.open, "hidden": hidden, "left_out": left_out}
    yield from ((outcome, *[None] * (len(COLUMNS) - 2), count) for outcome, count in rest.items() if count)


def named(of: proof_payloads.Proof) -> Iterator[tuple[object, ...]]:
    """What is about a run, or a task of it."""
    for each in of.findings:
        ends = (*spot(each.reader), *spot(each.writer))
        yield each.outcome.value, each.reason.value, *ends, each.read_at, each.written_at, each.accepted_by
    for one in of.older:
        here = (one.dag_id, one.run_id, one.task_id, *spot(one.because_of))
        yield "older", "", *here, None, None, one.accepted_by


def spot(of: proof_payloads.ProofSpot | None) -> tuple[str | None, str | None, str | None]:
    """One end of a finding."""
    return (None, None, None) if of is None else (of.dag_id, of.run_id, of.task_id)


def cell(value: object) -> str:
    """A value as text, which no spreadsheet takes for a formula; the same as in the files of the web pages."""
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    inside = FORMULA_INSIDE.sub(r"\1'", text)
    return f"'{inside}" if FORMULA.match(text) else inside
