"""Printing a proof: the verdict in a sentence, then what isn't proven, with the times that tell so."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.cli.cells import Part, part, table, text
from airflow_rerun_downstream.domain.proof import ProofVerdict
from airflow_rerun_downstream.rest import proof_payloads

VERDICTS = {
    ProofVerdict.VIOLATED: "violated",
    ProofVerdict.OPEN: "not proven, as not every member is right",
    ProofVerdict.NOT_PROVABLE: "not provable in every part",
    ProofVerdict.ACCEPTED: "proven, except for what was accepted",
    ProofVerdict.PROVEN: "proven",
    ProofVerdict.NOTHING_CHECKED: "nothing to check",
}


def proof(of: proof_payloads.Proof) -> list[Part]:
    """What a rerun can show for itself."""
    parts: list[Part] = [f"Rerun {of.rerun_id} at {text(of.at)}: {VERDICTS[of.verdict]}. {checked(of.counts)}"]
    if of.kept is not None:
        then = of.kept
        same = then.counts == of.counts
        what = "the same" if same else f"{VERDICTS[then.verdict]}. {checked(then.counts)}"
        parts.append(f"At its end, {text(then.at)}: {what}{'.' if same else ''}")
    if of.findings:
        rows = [
            (
                f"{text(each.outcome)}: {text(each.reason)}",
                moment(each.reader, "began" if in_one_run(each) else "read", each.read_at),
                moment(each.writer, "ended" if in_one_run(each) else "written", each.written_at),
                each.accepted_by,
            )
            for each in of.findings
        ]
        found = of.counts.violations + of.counts.accepted + of.counts.not_provable
        parts.append(table(f"Not proven{part(len(rows), found)}", ("why", "what", "reads from", "accepted by"), rows))
    if of.older:
        older = [(spot(each), spot(each.because_of), each.accepted_by) for each in of.older]
        title = f"Older data{part(len(older), of.counts.older)}"
        parts.append(table(title, ("what holds it", "older than", "accepted by"), older))
    if of.hidden_runs:
        hidden = of.hidden_findings + of.hidden_older
        runs = number(of.hidden_runs, "run that you may not read", "runs that you may not read")
        parts.append(f"Not shown: {number(hidden, 'finding', 'findings')} about {runs}.")
    return parts


def in_one_run(of: proof_payloads.ProofFinding) -> bool:
    """Whether it is about two tasks of one run."""
    return of.writer is not None and (of.writer.dag_id, of.writer.run_id) == (of.reader.dag_id, of.reader.run_id)


def checked(of: proof_payloads.ProofCounts) -> str:
    """How much a proof has looked at, and what came of it."""
    looked = (
        number(of.links, "link", "links"),
        number(of.tasks, "task", "tasks"),
        number(of.orders, "order of tasks", "orders of tasks"),
    )
    found = [
        f"{of.proven} proven",
        f"{of.not_provable} not provable",
        number(of.violations, "violation", "violations"),
        *([f"{of.accepted} accepted"] if of.accepted else []),
        *([f"{number(of.open, 'member', 'members')} not right"] if of.open else []),
    ]
    return f"{looked[0]}, {looked[1]} and {looked[2]} checked: {', '.join(found)}."


def number(count: int, one: str, many: str) -> str:
    """How many there are of something."""
    return f"{count} {one if count == 1 else many}"


def moment(of: proof_payloads.ProofSpot | None, what: str, at: datetime | None) -> str | None:
    """A run, or a task of it, in a cell, with when it did something."""
    return spot(of) if at is None else f"{spot(of)}\n{what} {at.isoformat(sep=' ', timespec='milliseconds')}"


def spot(of: proof_payloads.ProofSpot | proof_payloads.ProofOlder | None) -> str | None:
    """A run, or a task of it, in a cell."""
    if of is None:
        return None
    run = f"{of.dag_id} / {of.run_id}"
    return run if of.task_id is None else f"{of.task_id} of {run}"
