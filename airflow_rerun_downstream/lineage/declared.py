"""Links of the kind ``declared``: what nobody can see, written down by those who run the deployment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePath

from airflow_rerun_downstream.domain.facts import DeclaredLink, RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.lineage.found import Found, Surroundings, by_dag, unresolved
from airflow_rerun_downstream.lineage.offsets import consumer_date


class DeclaredLineage:
    """The run at the declared offset from a run is downstream of it."""

    kind = LinkKind.DECLARED

    def __call__(self, runs: Sequence[RunFacts], around: Surroundings) -> Iterable[Found]:
        """The runs that the file names for ``runs``, and the links of which no date can be told."""
        mine = by_dag(runs)
        found: list[Found] = []
        dated: list[tuple[RunFacts, DeclaredLink, datetime]] = []
        for declared in around.definitions.declared:
            for run in mine.get(declared.upstream_dag_id, ()):
                date = consumer_date(run.logical_date, declared.offset)
                if date is None:
                    found.append(open_edge(run, declared))
                else:
                    dated.append((run, declared, date))
        wanted: dict[str, set[datetime]] = {}
        for _, declared, date in dated:
            wanted.setdefault(declared.downstream_dag_id, set()).add(date)
        at = {(r.ref.dag_id, r.logical_date): r for r in around.facts.runs_at(wanted)} if wanted else {}
        for run, declared, date in dated:
            if (consumer := at.get((declared.downstream_dag_id, date))) is not None:
                found.append(declared_link(run, declared, consumer, date))
        return found


def seen(declared: DeclaredLink) -> dict[str, object]:
    """Where a link is declared, and why. The file's folder is the server's own affair."""
    return {
        "file": PurePath(declared.file).name,
        "line": declared.line,
        "reason": declared.reason or None,
        "offset": declared.offset_text,
    }


def declared_link(run: RunFacts, declared: DeclaredLink, consumer: RunFacts, date: datetime) -> Found:
    """The link from a run to the one that is declared to read it."""
    link = Link(
        run.ref,
        consumer.ref,
        LinkKind.DECLARED,
        Evidence.DECLARED,
        {**seen(declared), "dates": [date.isoformat()]},
        from_task_id=declared.upstream_task_id,
        to_task_id=declared.downstream_task_id,
    )
    origin = declared.upstream_task_id
    return Found(link, frozenset({origin}) if origin else None, declared.downstream_task_id, consumer)


def open_edge(run: RunFacts, declared: DeclaredLink) -> Found:
    """A declared link of a run that has no logical date to count from, or whose date lies outside the calendar."""
    tasks = {"from_task_id": declared.upstream_task_id, "to_task_id": declared.downstream_task_id}
    via = {**seen(declared), "why": f"{run.ref} has no logical date from which the offset could be counted"}
    given = {name: task for name, task in tasks.items() if task}
    return unresolved(run, declared.downstream_dag_id, LinkKind.DECLARED, via, **given)
