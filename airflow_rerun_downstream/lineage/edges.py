"""The edges between a Dag and others, told without a run: who is upstream and downstream of it, and how that is known.

This is what a person looks at to find out why a run is, or isn't, in a plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.edges import AssetFlow, DagEdge
from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.facts import (
    DeclaredLink,
    MarkerDefinition,
    PastDependency,
    RunFacts,
    TriggerDefinition,
)
from airflow_rerun_downstream.domain.plan import Evidence, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, shown
from airflow_rerun_downstream.lineage.declared import seen
from airflow_rerun_downstream.lineage.macros import CannotRender
from airflow_rerun_downstream.lineage.previous_run import rule_of
from airflow_rerun_downstream.lineage.sensor_edges import edges_of_sensors
from airflow_rerun_downstream.lineage.templates import is_template, may_name, rendered_date
from airflow_rerun_downstream.ports.lineage import LineageFacts

SHOWN_ASSETS = 10
"""How many assets are named of those that came through an alias."""

DAY = datetime(2000, 1, 1, tzinfo=timezone.utc)

BY_EVENT = (
    "Airflow records which asset event started which run. Where it has cleaned events away, the link is unresolved."
)
NO_EVENT_YET = "Nothing has come through the alias so far."
BY_TIME = (
    "Of each Dag that makes the asset, the task read the last run before it started, "
    "unless events of the asset started its own run: then these tell. Where Airflow has cleaned events away, the link "
    "is unresolved."
)
BY_XCOM = (
    "The task records the run that it makes, in the XCom trigger_run_id. Where Airflow has cleaned that away, the link "
    "is unresolved."
)
BY_TEMPLATE = "The logical date that the marker names is rendered for each run."
BY_ORDER = "The task waits for the Dag's previous run."
BY_FILE = "Those who run the deployment declared it."
WHICH_DAG = "Which Dag it names is decided in each run: the name is a template, or mapped."


def dag_edges(dag_id: str, facts: LineageFacts, declared: Sequence[DeclaredLink]) -> list[DagEdge]:
    """Every edge of a Dag, those that lead to it first. A few statements. Raises `NotFound` for an unknown Dag."""
    definitions = replace(facts.definitions(), declared=tuple(declared))
    sensors = [
        each
        for each in definitions.sensors
        if each.dag_id == dag_id or may_name(each.external_dag_id, dag_id) or not each.tells_its_dag
    ]
    waits = facts.last_waits({(s.dag_id, s.task_id) for s in sensors}) if sensors else []
    # Of a marker's template something is reckoned: only for the Dag that is asked for.
    markers = [m for m in definitions.markers if m.dag_id == dag_id or may_name(m.external_dag_id, dag_id)]
    every = [
        *asset_edges(facts.asset_flows(dag_id)),
        *edges_of_sensors(sensors, waits),
        *map(trigger_edge, definitions.triggers),
        *map(marker_edge, markers),
        *map(past_edge, definitions.past_dependencies),
        *map(declared_edge, definitions.declared),
    ]
    found = [
        edge for edge in every if may_name(edge.upstream_dag_id, dag_id) or may_name(edge.downstream_dag_id, dag_id)
    ]
    named = [without_templates(edge) for edge in found]
    known = facts.structures({dag_id}.union(*(edge.dag_ids for edge in named)))
    if dag_id not in known:
        raise no_dag(dag_id)
    told = [checked(edge, known) for edge in named]
    return sorted(told, key=lambda edge: (edge.downstream_dag_id != dag_id, *map(str, place(edge))))


def no_dag(dag_id: str) -> NotFound:
    """The refusal for a Dag that isn't there, or may not be read."""
    return NotFound(f"There is no Dag {shown(dag_id)!r}.")


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


def asset_edges(flows: Iterable[AssetFlow]) -> Iterator[DagEdge]:
    """Edges over assets; what comes through one alias is one edge."""
    groups: dict[tuple[object, ...], list[AssetFlow]] = {}
    for flow in flows:
        through = ("alias", flow.alias) if flow.alias else ("asset", flow.asset)
        ends = (flow.producer_dag_id, flow.producer_task_id, flow.consumer_dag_id, flow.consumer_task_id)
        groups.setdefault((*ends, *through), []).append(flow)
    for some in groups.values():
        first = some[0]
        read = first.consumer_task_id is not None
        nothing = " " + NO_EVENT_YET if first.asset is None else ""
        yield DagEdge(
            first.producer_dag_id,
            first.consumer_dag_id,
            LinkKind.INLET if read else LinkKind.ASSET,
            Evidence.DERIVED if read else Evidence.RECORDED,
            (BY_TIME if read else BY_EVENT) + nothing,
            (Advice.KEEP_ASSET_EVENTS,) if first.asset is not None else (),
            via=seen_assets(some),
            from_task_id=first.producer_task_id,
            to_task_id=first.consumer_task_id,
        )


def seen_assets(flows: Sequence[AssetFlow]) -> dict[str, object]:
    """The asset, or the alias and what came through it."""
    if flows[0].alias is None:
        return {"asset": flows[0].asset}
    assets = sorted({flow.asset for flow in flows if flow.asset is not None})
    via: dict[str, object] = {"alias": flows[0].alias}
    if assets:
        last = max(flow.event_id or 0 for flow in flows)
        via |= {"assets": assets[:SHOWN_ASSETS], "asset_count": len(assets), "event_id": last}
    return via


def trigger_edge(trigger: TriggerDefinition) -> DagEdge:
    """A task that makes runs of a Dag."""
    open_name = is_template(trigger.trigger_dag_id)
    return DagEdge(
        trigger.dag_id,
        trigger.trigger_dag_id,
        LinkKind.TRIGGER,
        Evidence.UNRESOLVED if open_name else Evidence.RECORDED,
        WHICH_DAG if open_name else BY_XCOM,
        (Advice.ASK_A_PLAN,) if open_name else (Advice.KEEP_XCOMS,),
        {"task_id": trigger.task_id, "trigger_dag_id": trigger.trigger_dag_id},
        from_task_id=trigger.task_id,
    )


def marker_edge(marker: MarkerDefinition) -> DagEdge:
    """A marker and the task that it names."""
    evidence, why = Evidence.DERIVED, BY_TEMPLATE
    to_do: tuple[Advice, ...] = ()
    run = RunFacts(
        RunRef(marker.dag_id, f"scheduled__{DAY.isoformat()}"), "scheduled", "success", DAY, DAY,
        data_interval_start=DAY, data_interval_end=DAY,
    )  # fmt: skip
    try:
        rendered_date(marker, run)
    except CannotRender as problem:
        why = f"Its logical date can't be rendered without a running task: {problem}."
        evidence, to_do = Evidence.UNRESOLVED, (Advice.SIMPLER_TEMPLATE,)
    else:
        if is_template(marker.external_dag_id):
            evidence, why, to_do = Evidence.UNRESOLVED, WHICH_DAG, (Advice.ASK_A_PLAN,)
    via = {
        "task_id": marker.task_id,
        "external_dag_id": marker.external_dag_id,
        "external_task_id": marker.external_task_id,
        "logical_date": marker.logical_date,
    }
    return DagEdge(
        marker.dag_id,
        marker.external_dag_id,
        LinkKind.MARKER,
        evidence,
        why,
        to_do,
        via,
        from_task_id=marker.task_id,
        to_task_id=marker.external_task_id,
    )


def past_edge(dependency: PastDependency) -> DagEdge:
    """A task that waits for the previous run of its own Dag."""
    waits = len(dependency.waits_for) > 1
    return DagEdge(
        dependency.dag_id,
        dependency.dag_id,
        LinkKind.PREVIOUS_RUN,
        Evidence.DERIVED,
        BY_ORDER,
        via={
            "task_id": dependency.task_id,
            "rule": rule_of(dependency),
            "waits_for": sorted(dependency.waits_for),
        },
        from_task_id=None if waits else dependency.task_id,
        to_task_id=dependency.task_id,
    )


def declared_edge(declared: DeclaredLink) -> DagEdge:
    """What the deployment's file says."""
    return DagEdge(
        declared.upstream_dag_id,
        declared.downstream_dag_id,
        LinkKind.DECLARED,
        Evidence.DECLARED,
        BY_FILE,
        via=seen(declared),
        from_task_id=declared.upstream_task_id,
        to_task_id=declared.downstream_task_id,
    )
