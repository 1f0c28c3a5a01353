"""Links of the kind ``asset``: recorded by Airflow whenever an asset event starts a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_rerun_downstream.domain.facts import AssetConsumption, RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.lineage.found import Found, Surroundings, refs


class AssetLineage:
    """A run that was started with an asset event of another run read what that run made."""

    kind = LinkKind.ASSET

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """One link for each pair of runs, producing task and asset, however many events there were."""
        groups: dict[tuple[object, ...], list[AssetConsumption]] = {}
        for seen in around.facts.asset_consumptions(refs(runs)):
            groups.setdefault((seen.producer, seen.consumer.ref, seen.task_id, seen.asset), []).append(seen)
        return [link_of(events) for events in groups.values()]


def link_of(events: Sequence[AssetConsumption]) -> Found:
    """The link that the events of one task and asset make between two runs."""
    first = min(events, key=lambda event: event.event_id)
    via: dict[str, object] = {"asset": first.asset, "event_id": first.event_id, "task_id": first.task_id}
    if len(events) > 1:
        via["event_ids"] = sorted(event.event_id for event in events)
    link = Link(first.producer, first.consumer.ref, LinkKind.ASSET, Evidence.RECORDED, via, from_task_id=first.task_id)
    return Found(link, frozenset({first.task_id}), None, first.consumer)
