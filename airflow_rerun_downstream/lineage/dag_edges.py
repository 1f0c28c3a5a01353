"""The edges between a Dag and others, told without a run: who is upstream and downstream of it, and how that is known.

This is what a person looks at to find out why a run is, or isn't, in a plan.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from airflow_rerun_downstream.domain.definitions import DeclaredLink
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.sentence import Sentence, quoted
from airflow_rerun_downstream.lineage.kinds import KINDS
from airflow_rerun_downstream.lineage.kinds.base import EdgeContext
from airflow_rerun_downstream.lineage.templates import is_template, may_name
from airflow_rerun_downstream.ports.lineage import LineageFacts


def dag_edges(dag_id: str, facts: LineageFacts, declared: Sequence[DeclaredLink]) -> list[DagEdge]:
    """Every edge of a Dag, those that lead to it first. A few statements. Raises `NotFound` for an unknown Dag."""
    context = EdgeContext(dag_id, facts, replace(facts.dags.definitions(), declared=tuple(declared)))
    every = [edge for kind in KINDS for edge in kind.edges(context)]
    found = [
        edge for edge in every if may_name(edge.upstream_dag_id, dag_id) or may_name(edge.downstream_dag_id, dag_id)
    ]
    named = [without_templates(edge) for edge in found]
    known = facts.dags.structures({dag_id}.union(*(edge.dag_ids for edge in named)))
    if dag_id not in known:
        raise no_dag(dag_id)
    told = [checked(edge, known) for edge in named]
    return sorted(told, key=lambda edge: (edge.downstream_dag_id != dag_id, *map(str, place(edge))))


def no_dag(dag_id: str) -> NotFound:
    """The refusal for a Dag that isn't there, or may not be read."""
    return NotFound(Sentence("refusal.unknown_dag", dag=quoted(dag_id)))


def place(edge: DagEdge) -> tuple[object, ...]:
    """Where an edge stands among those of its direction."""
    return (
        edge.upstream_dag_id or "",
        edge.downstream_dag_id or "",
        edge.kind.value,
        edge.from_task_id or "",
        edge.to_task_id or "",
        sorted(edge.via.items(), key=str),
    )


def without_templates(edge: DagEdge) -> DagEdge:
    """The edge with only names of Dags for names."""
    upstream, downstream = edge.upstream_dag_id, edge.downstream_dag_id
    return replace(
        edge,
        upstream_dag_id=None if upstream is None or is_template(upstream) else upstream,
        downstream_dag_id=None if downstream is None or is_template(downstream) else downstream,
    )


def checked(edge: DagEdge, known: Collection[str]) -> DagEdge:
    """The edge, open if it names a Dag that isn't there."""
    missing = edge.dag_ids.difference(known)
    return edge.without(missing) if missing else edge
