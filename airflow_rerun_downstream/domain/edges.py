"""What the definitions of Dags say of one another, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airflow_rerun_downstream.domain.advice import Advice, sentences
from airflow_rerun_downstream.domain.plan import Evidence, LinkKind
from airflow_rerun_downstream.domain.sentence import Sentence, quoted, sentence_in


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
    ``to_do`` what would make it known better, or keep it known. A Dag of None is named by a template, which is in
    ``via``; ``missing`` are Dags that are named but not there.
    """

    upstream_dag_id: str | None
    downstream_dag_id: str | None
    kind: LinkKind
    evidence: Evidence
    why: str
    to_do: tuple[Advice, ...] = ()
    via: Mapping[str, Any] = field(default_factory=dict)
    from_task_id: str | None = None
    to_task_id: str | None = None
    missing: frozenset[str] = frozenset()

    @property
    def advice(self) -> str | None:
        """What to do in sentences, if there is anything."""
        return sentences(self.to_do) or None

    @property
    def sentence(self) -> Sentence | None:
        """The why as its code and parameters."""
        return sentence_in(self.why)

    @property
    def dag_ids(self) -> frozenset[str]:
        """The Dags that are known by name."""
        return frozenset(dag_id for dag_id in (self.upstream_dag_id, self.downstream_dag_id) if dag_id is not None)

    def without(self, missing: frozenset[str]) -> DagEdge:
        """The edge, open, because some of its Dags aren't there, or may not be read: the one looks like the other."""
        first, *others = (quoted(each) for each in sorted(missing))
        if others:
            why = Sentence("link.no_such_dags", first=first, second=others[0])
        else:
            why = Sentence("link.no_such_dag", dags=first)
        return replace(self, evidence=Evidence.UNRESOLVED, why=why, to_do=(Advice.CORRECT_NAME,), missing=missing)

    @property
    def written_in(self) -> str | None:
        """The Dag whose definition names the other one; None: neither does."""
        if self.kind is LinkKind.SENSOR:
            return self.downstream_dag_id
        return self.upstream_dag_id if self.kind in (LinkKind.TRIGGER, LinkKind.MARKER) else None
