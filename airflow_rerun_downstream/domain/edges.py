"""What the definitions of Dags say of one another, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_rerun_downstream.domain.plan import Evidence, LinkKind


@dataclass(frozen=True, slots=True)
class AssetFlow:
    """A task that makes an asset, and who takes it: a Dag that is scheduled by it, or one of its tasks that reads it.

    ``alias``: the asset goes through it; then ``event_id`` is the last event that did, and ``asset`` None says that
    nothing has come through it yet.
    """

    producer_dag_id: str
    producer_task_id: str
    consumer_dag_id: str
    consumer_task_id: str | None
    asset: str | None
    alias: str | None = None
    event_id: int | None = None


@dataclass(frozen=True)
class DagEdge:
    """Runs of ``downstream_dag_id`` read what runs of ``upstream_dag_id`` make; a link is that between two runs.

    ``evidence`` is what a link of this edge has at best. ``why`` says in a sentence how it is known, or why it isn't;
    ``advice`` what would make it known better. A Dag of None is named by a template, which is in ``via``; ``missing``
    are Dags that are named but not there.
    """

    upstream_dag_id: str | None
    downstream_dag_id: str | None
    kind: LinkKind
    evidence: Evidence
    why: str
    advice: str | None = None
    via: Mapping[str, Any] = field(default_factory=dict)
    from_task_id: str | None = None
    to_task_id: str | None = None
    missing: frozenset[str] = frozenset()

    @property
    def dag_ids(self) -> frozenset[str]:
        """The Dags that are known by name."""
        return frozenset(dag_id for dag_id in (self.upstream_dag_id, self.downstream_dag_id) if dag_id is not None)

    @property
    def seen_by_readers_of(self) -> frozenset[str]:
        """The Dags that one has to read to see the edge. What a Dag names in vain is no more than its own text."""
        return self.dag_ids if self.kind is LinkKind.DECLARED else self.dag_ids - self.missing
