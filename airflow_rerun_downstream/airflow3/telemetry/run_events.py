"""OpenLineage run events of reruns, through Airflow's own provider: a catalogue shows what a rerun has repaired.

Where the provider isn't installed, is disabled, or tells only of Dags that ask for it, nothing is sent. Events are made
and sent in a lane: whoever tells of a rerun waits for no catalogue.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import cache, partial
from importlib.util import find_spec
from typing import Any

from airflow_rerun_downstream import __version__
from airflow_rerun_downstream.airflow3.telemetry.lane import Lane
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.harmless import harmless

PROVIDER = "airflow.providers.openlineage"
PRODUCER = f"https://pypi.org/project/airflow-rerun-downstream/{__version__}"

ENDED_AS = {RerunState.SUCCEEDED: "COMPLETE", RerunState.FAILED: "FAIL", RerunState.TERMINATED: "ABORT"}
"""The type of the event that ends a run."""


@harmless("telemetry", otherwise=False)
def switched_on() -> bool:
    """Whether this Airflow sends events to a catalogue, about every Dag.

    Where only that is told of which its author has asked for it, nothing is sent: a rerun's events name its source and
    tell of many Dags.
    """
    if find_spec(PROVIDER) is None:
        return False
    from airflow.providers.openlineage import conf

    return not (conf.is_disabled() or conf.selective_enable())


def sent_by_the_provider(event: Any) -> None:
    """Send an event as Airflow's are sent: to the same place, with the same time-outs, with secrets masked."""
    adapter().emit(event)


@cache
def adapter() -> Any:
    """The provider's own client."""
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter

    return OpenLineageAdapter()


class RunEvents:
    """Sends events. ``send`` is called in the lane's thread."""

    def __init__(self, lane: Lane, send: Callable[[Any], None] = sent_by_the_provider) -> None:
        self.lane = lane
        self.send = send

    def submitted(self, rerun: Rerun, source: RunFacts) -> None:
        """A rerun begins; its parent is the source, as it was when it was submitted."""
        self.lane.put(partial(self._deliver, began, rerun, source))

    def ended(self, rerun: Rerun) -> None:
        """A rerun has ended."""
        self.lane.put(partial(self._deliver, over, rerun))

    def dispatched(self, rerun: Rerun, member: Member, clear_number: int) -> None:
        """A Dag run is run again by a rerun."""
        self.lane.put(partial(self._deliver, repaired, rerun, member, clear_number, datetime.now(timezone.utc)))

    def _deliver(self, make: Callable[..., Any], *about: Any) -> None:
        if (event := make(*about)) is not None:
            self.send(event)


def began(rerun: Rerun, source: RunFacts) -> Any:
    """The event that begins a rerun's run."""
    from openlineage.client.facet_v2 import parent_run

    dag_id, when = rerun.source.dag_id, source.logical_date or source.run_after
    run, job = parent_run.Run(dag_run_id(dag_id, when, source.clear_number)), parent_run.Job(namespace(), dag_id)
    parent = parent_run.ParentRunFacet(run=run, job=job)
    return of_rerun("START", rerun, rerun.created_at, {"parent": parent})


def over(rerun: Rerun) -> Any:
    """The event that ends a rerun's run; one that has failed and goes on may end again."""
    from openlineage.client.facet_v2 import error_message_run

    failed = rerun.counts.get(MemberState.FAILED, 0)
    message = f"{failed} of {sum(rerun.counts.values())} members failed"
    more = {"errorMessage": error_message_run.ErrorMessageRunFacet(message, "python")} if failed else {}
    return of_rerun(ENDED_AS[rerun.state], rerun, rerun.ended_at or rerun.created_at, more)


def repaired(rerun: Rerun, member: Member, clear_number: int, at: datetime) -> Any:
    """More about the run of a Dag, which Airflow's own events begin and end. It stays out of the job's name.

    None for a run without a date: the provider can't tell its id.
    """
    when = member.logical_date or member.run_after
    if when is None:
        return None
    run_id = dag_run_id(member.ref.dag_id, when, clear_number)
    return run_event("OTHER", run_id, member.ref.dag_id, at, {**tags(rerun), "rerunDownstream": facet(rerun)})


def of_rerun(kind: str, rerun: Rerun, at: datetime, more: Mapping[str, Any]) -> Any:
    """An event about a rerun's own run."""
    from openlineage.client.facet_v2 import job_type_job

    job_facets = {"jobType": job_type_job.JobTypeJobFacet("BATCH", "AIRFLOW", "RERUN")}
    facets = {**tags(rerun), "rerunDownstream": facet(rerun), **more}
    return run_event(kind, run_id_of(rerun), job_name(rerun), at, facets, job_facets)


def run_event(
    kind: str,
    run_id: str,
    job: str,
    at: datetime,
    facets: Mapping[str, Any],
    job_facets: Mapping[str, Any] | None = None,
) -> Any:
    """An event."""
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

    return RunEvent(
        eventType=RunState[kind],
        eventTime=at.isoformat(),
        run=Run(run_id, dict(facets)),
        job=Job(namespace(), job, dict(job_facets or {})),
        inputs=[],
        outputs=[],
        producer=PRODUCER,
    )


def run_id_of(rerun: Rerun) -> str:
    """The id of a rerun's run: the same in every process, and another one where an id is given away anew."""
    created = rerun.created_at.astimezone(timezone.utc).isoformat()
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"rerun_downstream/{namespace()}/{rerun.id}/{created}"))


def job_name(rerun: Rerun) -> str:
    """The job that reruns from a Dag are runs of. It begins with the Dag's, as those of its tasks do."""
    return f"{rerun.source.dag_id}.rerun_downstream"


def namespace() -> str:
    """The namespace of all of Airflow's jobs."""
    from airflow.providers.openlineage import conf

    return str(conf.namespace())


def dag_run_id(dag_id: str, when: datetime | None, clear_number: int) -> str:
    """The id that the provider gives to a run of a Dag."""
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter

    return str(OpenLineageAdapter.build_dag_run_id(dag_id=dag_id, logical_date=when, clear_number=clear_number))


def tags(rerun: Rerun) -> dict[str, Any]:
    """What a catalogue shows beside a run."""
    from openlineage.client.facet_v2 import tags_run

    tag = tags_run.TagsRunFacetFields("repaired_by", f"rerun {rerun.id}", "AIRFLOW_RERUN_DOWNSTREAM")
    return {"tags": tags_run.TagsRunFacet([tag])}


def facet(rerun: Rerun) -> Any:
    """What a program reads of it."""
    return facet_class()(
        rerunId=rerun.id,
        state=rerun.state.value,
        sourceDagId=rerun.source.dag_id,
        sourceRunId=rerun.source.run_id,
        runId=run_id_of(rerun),
        job=job_name(rerun),
        members={state.value: count for state, count in rerun.counts.items() if count},
    )


@cache
def facet_class() -> Any:
    """Our own facet's class: its base comes with the provider."""
    import attr
    from openlineage.client.generated.base import RunFacet

    fields = ("rerunId", "state", "sourceDagId", "sourceRunId", "runId", "job", "members")
    made: Any = attr.make_class("RerunDownstreamRunFacet", fields, bases=(RunFacet,))
    made._additional_skip_redact = list(fields)
    return made
