"""A Dag's edges as text: what is upstream and downstream of it, how that is known, and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from airflow_rerun_downstream.cli.cells import Part, Table, table
from airflow_rerun_downstream.rest import plan_payloads

IN_THE_HEADING = ("task_id", "external_dag_id", "external_task_id", "external_task_ids", "trigger_dag_id")


def edges(of: plan_payloads.DagEdges) -> list[Part]:
    """The edges of a Dag, and what one should know."""
    upstream = [each for each in of.edges if each.downstream_dag_id == of.dag_id]
    downstream = [each for each in of.edges if each.downstream_dag_id != of.dag_id]
    parts: list[Part] = []
    for title, some in ((f"Upstream of {of.dag_id}", upstream), (f"Downstream of {of.dag_id}", downstream)):
        parts.append(listed(title, some) if some else f"{title}: nothing is known.")
    parts += [f"{warning.code}: {warning.detail}" for warning in of.warnings]
    if of.hidden_dags:
        parts.append(f"{of.hidden_dags} more Dags are not shown to you.")
    return parts


def listed(title: str, of: Iterable[plan_payloads.DagEdge]) -> Table:
    """Some edges; the sentences stand under the names, so that they fit into a narrow terminal."""
    rows = ((each.kind, each.evidence, "\n".join(lines(each))) for each in of)
    return table(title, ("kind", "evidence", "edge"), rows)


def lines(of: plan_payloads.DagEdge) -> Iterator[str]:
    """An edge: its ends, how it is known, what to do, what was seen."""
    yield f"{end(of.upstream_dag_id, of.from_task_id, of)} -> {end(of.downstream_dag_id, of.to_task_id, of)}"
    yield of.why
    if of.advice:
        yield f"What to do: {of.advice}"
    seen = [
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in of.via.items()
        if value is not None and name not in IN_THE_HEADING
    ]
    if seen:
        yield "; ".join(seen)


def end(dag_id: str | None, task_id: str | None, of: plan_payloads.DagEdge) -> str:
    """A Dag, and which task of it; of a Dag that only a run can tell, what its definition says."""
    name = dag_id or str(of.via.get("external_dag_id") or of.via.get("trigger_dag_id"))
    several = of.via.get("external_task_ids", []) if dag_id == of.upstream_dag_id else []
    return f"{name}.{task_id}" if task_id else f"{name}.({', '.join(several)})" if several else name
