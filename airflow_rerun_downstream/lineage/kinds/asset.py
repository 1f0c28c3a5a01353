"""Links of the kind ``asset``: recorded by Airflow whenever an asset event starts a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.edges import AssetFlow, DagEdge
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.lineage_records import AssetConsumption
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import EdgeContext, FoundLink, LineageContext, refs


class AssetLinks:
    """A run that was started with an asset event of another run read what that run made."""

    kind = LinkKind.ASSET
    foresees = False

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """One link for each pair of runs, producing task and asset, however many events there were."""
        groups: dict[tuple[object, ...], list[AssetConsumption]] = {}
        for seen in context.facts.assets.consumptions(refs(runs)):
            groups.setdefault((seen.producer, seen.consumer.ref, seen.task_id, seen.asset), []).append(seen)
        return [link_of(events) for events in groups.values()]

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """From the Dags that make an asset to those that it schedules."""
        flows = [flow for flow in context.asset_flows if flow.consumer_task_id is None]
        return edges_of_flows(flows, LinkKind.ASSET, Evidence.RECORDED, BY_EVENT)


def link_of(events: Sequence[AssetConsumption]) -> FoundLink:
    """The link that the events of one task and asset make between two runs."""
    first = min(events, key=lambda event: event.event_id)
    via: dict[str, object] = {"asset": first.asset, "event_id": first.event_id, "task_id": first.task_id}
    if len(events) > 1:
        via["event_ids"] = sorted(event.event_id for event in events)
    link = Link(first.producer, first.consumer.ref, LinkKind.ASSET, Evidence.RECORDED, via, from_task_id=first.task_id)
    return FoundLink(link, frozenset({first.task_id}), None, first.consumer)


SHOWN_ASSETS = 10
"""How many assets are named of those that came through an alias."""


BY_EVENT = Sentence("link.by_event")


def edges_of_flows(flows: Iterable[AssetFlow], kind: LinkKind, evidence: Evidence, why: Sentence) -> Iterator[DagEdge]:
    """Edges over assets; what comes through one alias is one edge."""
    groups: dict[tuple[object, ...], list[AssetFlow]] = {}
    for flow in flows:
        through = ("alias", flow.alias) if flow.alias else ("asset", flow.asset)
        ends = (flow.producer_dag_id, flow.producer_task_id, flow.consumer_dag_id, flow.consumer_task_id)
        groups.setdefault((*ends, *through), []).append(flow)
    for some in groups.values():
        first = some[0]
        yield DagEdge(
            first.producer_dag_id,
            first.consumer_dag_id,
            kind,
            evidence,
            why if first.asset is not None else Sentence("link.no_event_yet", how=why),
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
