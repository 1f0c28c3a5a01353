"""Links of the kind ``marker``: an ExternalTaskMarker names the task and logical date that depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.facts import MarkerDefinition, RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.lineage.found import Found, Surroundings, unresolved
from airflow_rerun_downstream.lineage.macros import CannotRender
from airflow_rerun_downstream.lineage.templates import rendered, rendered_date


class MarkerLineage:
    """The run at a marker's rendered logical date is downstream of the marker's run."""

    kind = LinkKind.MARKER

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs that markers of ``runs`` name, and the markers that can't be rendered."""
        found: list[Found] = []
        dated: list[tuple[RunFacts, MarkerDefinition, datetime]] = []
        for run, marker in markers_of(runs, around):
            try:
                dated.append((run, filled_in(marker, run), rendered_date(marker, run)))
            except CannotRender as problem:
                found.append(open_edge(run, marker, str(problem)))
        wanted: dict[str, set[datetime]] = {}
        for _, marker, date in dated:
            wanted.setdefault(marker.external_dag_id, set()).add(date)
        at = {(r.ref.dag_id, r.logical_date): r for r in around.facts.runs_at(wanted)} if wanted else {}
        for run, marker, date in dated:
            if (target := at.get((marker.external_dag_id, date))) is not None:
                found.append(marker_link(run, marker, target, date))
        return found


def markers_of(runs: Sequence[RunFacts], around: Surroundings) -> Iterator[tuple[RunFacts, MarkerDefinition]]:
    """The markers of runs, as each run's own version of its Dag has them."""
    latest: dict[str, list[MarkerDefinition]] = {}
    for marker in around.definitions.markers:
        latest.setdefault(marker.dag_id, []).append(marker)
    for run in runs:
        own = around.structures.own.get(run.ref)
        for marker in latest.get(run.ref.dag_id, ()) if own is None else own.definitions.markers:
            yield run, marker


def filled_in(marker: MarkerDefinition, run: RunFacts) -> MarkerDefinition:
    """A marker with the names that it has in a run. Raises `CannotRender`."""
    return replace(
        marker,
        external_dag_id=rendered(marker.external_dag_id, run),
        external_task_id=rendered(marker.external_task_id, run),
    )


def marker_link(run: RunFacts, marker: MarkerDefinition, target: RunFacts, date: datetime) -> Found:
    """The link from a marker's run to the run that it names."""
    via = {
        "task_id": marker.task_id,
        "external_task_id": marker.external_task_id,
        "logical_date": marker.logical_date,
        "dates": [date.isoformat()],
    }
    link = Link(
        run.ref,
        target.ref,
        LinkKind.MARKER,
        Evidence.DERIVED,
        via,
        from_task_id=marker.task_id,
        to_task_id=marker.external_task_id,
    )
    return Found(link, frozenset({marker.task_id}), marker.external_task_id, target)


def open_edge(run: RunFacts, marker: MarkerDefinition, why: str) -> Found:
    """A marker whose template needs what only a running task knows."""
    return unresolved(
        run.ref,
        marker.external_dag_id,
        LinkKind.MARKER,
        {"task_id": marker.task_id, "logical_date": marker.logical_date},
        why=why,
        to_do=[Advice.SIMPLER_TEMPLATE],
        from_task_id=marker.task_id,
        to_task_id=marker.external_task_id,
    )
