"""Links of the kind ``declared``: what nobody can see, written down by those who run the deployment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import PurePath

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import DeclaredLink
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import RunFacts, UndatedRun
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import EdgeContext, FoundLink, LineageContext, by_dag, unresolved
from airflow_rerun_downstream.lineage.macros import CannotRender
from airflow_rerun_downstream.lineage.offsets import consumer_date
from airflow_rerun_downstream.lineage.templates import rendered


class DeclaredLinks:
    """The run at the declared offset from a run is downstream of it."""

    kind = LinkKind.DECLARED
    foresees = True

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """The runs that the file names for ``runs``, and the links of which no date can be told."""
        mine = by_dag(runs)
        pairs = [(run, one) for one in context.definitions.declared for run in mine.get(one.upstream_dag_id, ())]
        found = list(by_logical_date(pairs, context))
        reached = {(each.link.upstream, each.link.via.get("line"), each.link.via.get("file")) for each in found}
        rest = [(run, one) for run, one in pairs if (run.ref, one.line, seen(one)["file"]) not in reached]
        return [*found, *without_date(rest, context)]

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """The edges that the file names."""
        return map(declared_edge, context.definitions.declared)


Pairs = Sequence[tuple[RunFacts, DeclaredLink]]


def by_logical_date(pairs: Pairs, context: LineageContext) -> Iterator[FoundLink]:
    """The runs of the very dates."""
    dated = [
        (run, one, date) for run, one in pairs if (date := consumer_date(run.logical_date, one.offset)) is not None
    ]
    wanted: dict[str, set[datetime]] = {}
    for _, declared, date in dated:
        wanted.setdefault(declared.downstream_dag_id, set()).add(date)
    at = {(r.ref.dag_id, r.logical_date): r for r in context.facts.runs.at(wanted)} if wanted else {}
    for run, declared, date in dated:
        if (consumer := at.get((declared.downstream_dag_id, date))) is not None:
            yield declared_link(run, declared, consumer, [date])


def without_date(pairs: Pairs, context: LineageContext) -> Iterator[FoundLink]:
    """The runs without a logical date that the file tells; and open edges where it doesn't, or where there is none."""
    told = [(run, one, window) for run, one in pairs if (window := window_of(run, one)) is not None]
    windows: dict[str, tuple[datetime, datetime]] = {}
    for _, declared, (since, until) in told:
        first, last = windows.get(declared.downstream_dag_id, (since, until))
        windows[declared.downstream_dag_id] = min(first, since), max(last, until)
    undated: dict[str, list[UndatedRun]] = {}
    for each in context.facts.runs.undated(windows) if windows else ():
        undated.setdefault(each.run.ref.dag_id, []).append(each)
    for run, declared, (since, until) in told:
        within = [one for one in undated.get(declared.downstream_dag_id, ()) if since <= one.run.run_after <= until]
        try:
            consumers = chosen(run, declared, within)
        except CannotRender as problem:
            yield open_edge(run, declared, Sentence("link.cannot_render", problem=problem.why), Advice.SIMPLER_TEMPLATE)
            continue
        yield from (declared_link(run, declared, one.run, []) for one in consumers)
        if not consumers:
            yield open_edge(run, declared, Sentence("link.none_ready", since_at=since, until_at=until))
    others = [(run, one) for run, one in pairs if one.within is None]
    newest = context.facts.runs.last_undated({one.downstream_dag_id for _, one in others}) if others else {}
    for run, declared in others:
        if consumer_date(run.logical_date, declared.offset) is None:
            yield open_edge(run, declared, Sentence("link.no_logical_date", run=f"{run.ref}"))
        elif (at := newest.get(declared.downstream_dag_id)) is not None and at >= run.run_after - MARGIN:
            yield open_edge(run, declared, Sentence("link.undated_runs", dag=declared.downstream_dag_id))


MARGIN = timedelta(days=1)
"""How long before the upstream run a run may have been ready that has read it."""


def window_of(run: RunFacts, declared: DeclaredLink) -> tuple[datetime, datetime] | None:
    """When the consumer of a run is ready, if it has no logical date and the file says how it is told."""
    since = consumer_date(run.run_after, declared.offset) if declared.within is not None else None
    until = consumer_date(since, declared.within) if since is not None and declared.within is not None else None
    return None if since is None or until is None else (since, until)


def chosen(run: RunFacts, declared: DeclaredLink, within: Sequence[UndatedRun]) -> Sequence[UndatedRun]:
    """Those of the runs in the window that are meant. Raises `CannotRender`."""
    if declared.run_id is None and not declared.conf:
        return within[:1]
    run_id = None if declared.run_id is None else rendered(declared.run_id, run)
    conf = {name: rendered(text, run) for name, text in declared.conf.items()}
    return [
        one
        for one in within
        if (run_id is None or fnmatchcase(one.run.ref.run_id, run_id.replace("[", "[[]")))
        and all(one.conf.get(name) == text for name, text in conf.items())
    ]


def seen(declared: DeclaredLink) -> dict[str, object]:
    """Where a link is declared, and why. The file's folder is the server's own affair."""
    return {
        "file": PurePath(declared.file).name,
        "line": declared.line,
        "reason": declared.reason or None,
        "offset": declared.offset_text,
    }


def declared_link(run: RunFacts, declared: DeclaredLink, consumer: RunFacts, dates: Sequence[datetime]) -> FoundLink:
    """The link from a run to the one that is declared to read it."""
    link = Link(
        run.ref,
        consumer.ref,
        LinkKind.DECLARED,
        Evidence.DECLARED,
        {**seen(declared), **({"dates": [date.isoformat() for date in dates]} if dates else {})},
        from_task_id=declared.upstream_task_id,
        to_task_id=declared.downstream_task_id,
    )
    origin = declared.upstream_task_id
    return FoundLink(link, frozenset({origin}) if origin else None, declared.downstream_task_id, consumer)


def open_edge(
    run: RunFacts, declared: DeclaredLink, why: Sentence, to_do: Advice = Advice.TELL_RUNS_APART
) -> FoundLink:
    """A declared link of which no run can be told."""
    return unresolved(
        run.ref,
        declared.downstream_dag_id,
        LinkKind.DECLARED,
        seen(declared),
        why=why,
        to_do=[to_do],
        from_task_id=declared.upstream_task_id,
        to_task_id=declared.downstream_task_id,
    )


BY_FILE = Sentence("link.by_file")


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
