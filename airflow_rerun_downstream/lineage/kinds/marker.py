"""Links of the kind ``marker``: an ExternalTaskMarker names the task and logical date that depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import MarkerDefinition
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import WHICH_DAG, EdgeContext, FoundLink, LineageContext, unresolved
from airflow_rerun_downstream.lineage.macros import CannotRender
from airflow_rerun_downstream.lineage.templates import is_template, may_name, rendered, rendered_date


class MarkerLinks:
    """The run at a marker's rendered logical date is downstream of the marker's run."""

    kind = LinkKind.MARKER
    foresees = True

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """The runs that markers of ``runs`` name, and the markers that can't be rendered."""
        found: list[FoundLink] = []
        dated: list[tuple[RunFacts, MarkerDefinition, datetime]] = []
        for run, marker in markers_of(runs, context):
            try:
                dated.append((run, filled_in(marker, run), rendered_date(marker, run)))
            except CannotRender as problem:
                found.append(open_edge(run, marker, Sentence("link.cannot_render_marker", problem=problem.why)))
        wanted: dict[str, set[datetime]] = {}
        for _, marker, date in dated:
            wanted.setdefault(marker.external_dag_id, set()).add(date)
        at = {(r.ref.dag_id, r.logical_date): r for r in context.facts.runs.at(wanted)} if wanted else {}
        for run, marker, date in dated:
            if (target := at.get((marker.external_dag_id, date))) is not None:
                found.append(marker_link(run, marker, target, date))
        return found

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """From the Dags with a marker to those that it names."""
        # Of a marker's template something is reckoned: only for the Dag that is asked for.
        mine = (
            m
            for m in context.definitions.markers
            if context.dag_id == m.dag_id or may_name(m.external_dag_id, context.dag_id)
        )
        return map(marker_edge, mine)


def markers_of(runs: Sequence[RunFacts], context: LineageContext) -> Iterator[tuple[RunFacts, MarkerDefinition]]:
    """The markers of runs, as each run's own version of its Dag has them."""
    latest: dict[str, list[MarkerDefinition]] = {}
    for marker in context.definitions.markers:
        latest.setdefault(marker.dag_id, []).append(marker)
    for run in runs:
        own = context.structures.own.get(run.ref)
        for marker in latest.get(run.ref.dag_id, ()) if own is None else own.definitions.markers:
            yield run, marker


def filled_in(marker: MarkerDefinition, run: RunFacts) -> MarkerDefinition:
    """A marker with the names that it has in a run. Raises `CannotRender`."""
    return replace(
        marker,
        external_dag_id=rendered(marker.external_dag_id, run),
        external_task_id=rendered(marker.external_task_id, run),
    )


def marker_link(run: RunFacts, marker: MarkerDefinition, target: RunFacts, date: datetime) -> FoundLink:
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
    return FoundLink(link, frozenset({marker.task_id}), marker.external_task_id, target)


def open_edge(run: RunFacts, marker: MarkerDefinition, why: Sentence) -> FoundLink:
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


DAY = datetime(2000, 1, 1, tzinfo=timezone.utc)


BY_TEMPLATE = Sentence("link.by_marker")


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
        why = Sentence("link.marker_not_rendered", problem=problem.why)
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
