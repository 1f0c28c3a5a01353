"""The proof of a rerun, as a user may see it: computed over everything, shown with the user's eyes."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_rerun_downstream.conductor.proof import proof_of
from airflow_rerun_downstream.domain.proof import Finding, Older, Proof, Spot
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Actor, Rerun
from airflow_rerun_downstream.ports.installation import Clock
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service.reading import Reading
from airflow_rerun_downstream.service.views import ProofView


def proof(reading: Reading, clock: Clock, actor: Actor, work: Work, rerun_id: int) -> ProofView:
    """The proof as everything stands now. What is about a run that the user may not read is counted, never named."""
    rerun = reading.rerun(actor, work, rerun_id)
    return shown(actor, work, rerun, proof_of(work, rerun, clock.now()))


def shown(actor: Actor, work: Work, rerun: Rerun, made: Proof) -> ProofView:
    """A proof with only what the user may read."""
    everything: list[Finding | Older] = [*made.findings, *made.older]
    named = {ref for one in everything for ref in refs(one)}
    readable = work.permissions.readable(actor, {ref.dag_id for ref in named}) if named else frozenset()
    hidden = {ref for ref in named if ref.dag_id not in readable}
    findings = tuple(one for one in made.findings if hidden.isdisjoint(refs(one)))
    older = tuple(one for one in made.older if hidden.isdisjoint(refs(one)))
    return ProofView(
        rerun,
        made,
        findings,
        older,
        hidden_runs=len(hidden),
        hidden_findings=len(made.findings) - len(findings),
        hidden_older=len(made.older) - len(older),
    )


def refs(one: Finding | Older) -> frozenset[RunRef]:
    """The runs that are named in a part of a proof."""
    spots: Iterable[Spot | None] = (one.reader, one.writer) if isinstance(one, Finding) else (one.spot, one.because_of)
    return frozenset(spot.ref for spot in spots if spot is not None)
