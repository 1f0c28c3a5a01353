"""What travels over HTTP: what reruns can show for themselves. As of plans, field names stay."""

from __future__ import annotations

from datetime import datetime

from airflow_rerun_downstream.domain.proof import Outcome as ProofOutcome
from airflow_rerun_downstream.domain.proof import ProofReason, ProofVerdict
from airflow_rerun_downstream.rest.fields import Payload


class ProofCounts(Payload):
    """How much a proof looked at, and what came of it: of everything, whoever asks.

    ``links``: pairs of members that links join. ``tasks``: selected task instances. ``orders``: pairs of tasks of one
    run. ``open``: members of which it is too early to say anything. ``older``: runs, or tasks of them, that hold data
    older than what is there now.
    """

    links: int
    tasks: int
    orders: int
    proven: int
    not_provable: int
    violations: int
    accepted: int
    open: int
    older: int


class ProofSpot(Payload):
    """A run; ``task_id`` null: as a whole."""

    dag_id: str
    run_id: str
    task_id: str | None


class ProofFinding(Payload):
    """A check that isn't proven. ``reader`` began at ``read_at``, or ended then, if it is a sensor; ``writer`` ended at
    ``written_at``. Null: nobody knows, or there is none.

    ``outcome`` violation: it is wrong. accepted: it is wrong, and ``accepted_by`` knew. not_provable: it can't be told.
    """

    outcome: ProofOutcome
    reason: ProofReason
    reader: ProofSpot
    writer: ProofSpot | None
    read_at: datetime | None
    written_at: datetime | None
    accepted_by: str | None


class ProofOlder(Payload):
    """A run, or a task of it, that holds data older than what ``because_of`` holds now."""

    dag_id: str
    run_id: str
    task_id: str | None
    because_of: ProofSpot
    accepted_by: str | None


class KeptProof(Payload):
    """What the proof has counted that was made when the rerun ended, or was about to."""

    at: datetime
    verdict: ProofVerdict
    counts: ProofCounts


class Proof(Payload):
    """What a rerun can show for itself, at the moment ``at``; ``kept``: what it could at its end, null before that.

    ``verdict`` is the gravest word that applies: violated, something is wrong and nobody has accepted it; open, members
    aren't right yet, or never will be; not_provable, something can't be told; accepted, what is wrong was accepted;
    proven; nothing_checked.
    ``findings``, the gravest first, and ``older`` are at most as many as were asked for, and about runs that whoever
    asks may read; ``hidden_findings`` and ``hidden_older`` count those about others, ``hidden_runs`` these runs.
    """

    rerun_id: int
    at: datetime
    verdict: ProofVerdict
    counts: ProofCounts
    findings: list[ProofFinding]
    older: list[ProofOlder]
    hidden_runs: int
    hidden_findings: int
    hidden_older: int
    kept: KeptProof | None
