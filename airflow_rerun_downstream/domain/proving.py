"""Makes the proof of a rerun, from facts alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from airflow_rerun_downstream.domain.proof import Counts, Facts, Finding, Outcome, Proof, counted
from airflow_rerun_downstream.domain.proof_links import Between
from airflow_rerun_downstream.domain.proof_older import Remains
from airflow_rerun_downstream.domain.proof_pairs import Pairs
from airflow_rerun_downstream.domain.proof_places import InPlace
from airflow_rerun_downstream.domain.proof_scene import ENDED, Scene
from airflow_rerun_downstream.domain.proof_tasks import InRun
from airflow_rerun_downstream.domain.proof_tries import Relied

GRAVEST_FIRST = (Outcome.VIOLATION, Outcome.ACCEPTED, Outcome.NOT_PROVABLE)


def prove(facts: Facts, at: datetime) -> Proof:
    """Check everything that the facts of a rerun allow to check.

    Each pair of members that a link joins: the read came after the write. Each two selected tasks of a run of which
    one waits for the other: it did. Each other run in a member's place: it was over, or came later. Each selected task:
    it was made anew. What follows one and wasn't selected: it was told. What can't be told from the facts is
    `not_provable`, never a violation.
    """
    scene = Scene(facts)
    pairs = Pairs(scene)
    relied = Relied(scene, pairs)
    within, between = InRun(scene, relied), Between(scene, pairs, relied)
    right = [member for member in facts.members if member.state == "succeeded" and member.ref in facts.runs]
    anew = [one for member in right for one in within.made_anew(member)]
    orders = [one for member in right for one in within.in_order(member)]
    untold = [one for member in right for one in within.left_untold(member)]
    alone = [one for member in right for one in InPlace(scene).alone(member)]
    links = list(between.checked())
    found = [one for one in (*links, *orders, *anew, *untold, *alone) if one is not None]
    found += between.resting([one for one in found if one.outcome is Outcome.VIOLATION])
    older = Remains(scene, pairs).older()
    outcomes = counted(found)
    counts = Counts(
        links=len(links),
        tasks=len(anew),
        orders=len(orders),
        proven=sum(one is None for one in (*links, *anew, *orders)),
        not_provable=outcomes[Outcome.NOT_PROVABLE],
        violations=outcomes[Outcome.VIOLATION],
        accepted=outcomes[Outcome.ACCEPTED],
        open=sum(member.state not in ENDED for member in facts.members),
        older=len(older),
    )
    return Proof(at, counts, tuple(in_order(found)), tuple(older))


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings, the gravest first, then by run and task."""
    return sorted(
        findings,
        key=lambda one: (GRAVEST_FIRST.index(one.outcome), one.reader.ref, one.reader.task_id or "", one.reason),
    )
