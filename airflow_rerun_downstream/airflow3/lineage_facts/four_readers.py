"""The readers, put together from the files beside this one: which function answers what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.orm import Session

from airflow_rerun_downstream.airflow3.lineage_facts import inlets, latest_dags
from airflow_rerun_downstream.airflow3.lineage_facts.accounts import accounts
from airflow_rerun_downstream.airflow3.lineage_facts.asset_edges import asset_flows
from airflow_rerun_downstream.airflow3.lineage_facts.consumptions import asset_consumptions, led_to
from airflow_rerun_downstream.airflow3.lineage_facts.dag_owners import ownership
from airflow_rerun_downstream.airflow3.lineage_facts.display_names import display_names, notes
from airflow_rerun_downstream.airflow3.lineage_facts.inlets import asset_emissions
from airflow_rerun_downstream.airflow3.lineage_facts.latest_dags import structures
from airflow_rerun_downstream.airflow3.lineage_facts.obstacles import obstacles
from airflow_rerun_downstream.airflow3.lineage_facts.queued_events import waiting_assets
from airflow_rerun_downstream.airflow3.lineage_facts.run_list import page
from airflow_rerun_downstream.airflow3.lineage_facts.run_versions import earlier_definitions, own_versions
from airflow_rerun_downstream.airflow3.lineage_facts.runs import (
    confs,
    last_undated,
    later_runs,
    runs,
    runs_at,
    runs_now,
    task_instances,
    undated_runs,
)
from airflow_rerun_downstream.airflow3.lineage_facts.schedules import schedules
from airflow_rerun_downstream.airflow3.lineage_facts.sensor_instances import sensor_instances
from airflow_rerun_downstream.airflow3.lineage_facts.task_records import (
    last_waits,
    recorded_sensors,
    recorded_waits,
    rendered_fields,
)
from airflow_rerun_downstream.airflow3.lineage_facts.task_starts import task_starts
from airflow_rerun_downstream.airflow3.lineage_facts.task_tries import tries
from airflow_rerun_downstream.airflow3.lineage_facts.triggered_runs import (
    orphaned_dags,
    triggered_runs,
    triggering_runs,
)
from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.ports.lineage import LineageFacts

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


class Reader:
    """Reads on one session."""

    def __init__(self, session: Session) -> None:
        self._session = session


def reads(function: Callable[Concatenate[Session, Asked], Answer]) -> Callable[Concatenate[Reader, Asked], Answer]:
    """A function that takes a session first, as a method of a reader."""

    @wraps(function)
    def method(self: Reader, /, *args: Asked.args, **more: Asked.kwargs) -> Answer:
        return function(self._session, *args, **more)

    return method


class AirflowRuns(Reader):
    """`Runs` on Airflow 3."""

    among = reads(runs)
    confs = reads(confs)
    now = reads(runs_now)
    at = reads(runs_at)
    undated = reads(undated_runs)
    last_undated = reads(last_undated)
    later = reads(later_runs)
    notes = reads(notes)
    page = reads(page)


class AirflowDags(Reader):
    """`Dags` on Airflow 3."""

    display_names = reads(display_names)
    structures = reads(structures)
    own_versions = reads(own_versions)

    def definitions(self) -> Definitions:
        """See `Dags.definitions`."""
        every, rows = latest_dags.active(self._session)
        dags = latest_dags.readable(every)
        takers = inlets.takers(self._session, dags)
        return replace(
            latest_dags.all_of([each.definitions for each in dags]),
            inlets=takers.inlets,
            outlets=inlets.outlets_among((outlet for each in dags for outlet in each.outlets), takers.known),
            asset_schedules=takers.schedules,
            gone_schedules=takers.gone,
            unreadable=latest_dags.unreadable(every.items()),
            structures=latest_dags.with_rows(every, rows),
        )

    earlier_definitions = reads(earlier_definitions)
    ownership = reads(ownership)
    schedules = reads(schedules)


class AirflowAssetEvents(Reader):
    """`AssetEvents` on Airflow 3."""

    consumptions = reads(asset_consumptions)
    led_to = reads(led_to)
    emissions = reads(asset_emissions)
    waiting = reads(waiting_assets)
    flows = reads(asset_flows)


class AirflowTaskRecords(Reader):
    """`TaskRecords` on Airflow 3."""

    task_instances = reads(task_instances)
    accounts = reads(accounts)
    tries = reads(tries)
    task_starts = reads(task_starts)
    triggered_runs = reads(triggered_runs)
    triggering_runs = reads(triggering_runs)
    orphaned_dags = reads(orphaned_dags)
    recorded_waits = reads(recorded_waits)
    last_waits = reads(last_waits)
    recorded_sensors = reads(recorded_sensors)
    sensor_instances = reads(sensor_instances)
    rendered_fields = reads(rendered_fields)
    obstacles = reads(obstacles)


def readers(session: Session) -> LineageFacts:
    """The four, bound to one session. They only read."""
    return LineageFacts(
        AirflowRuns(session), AirflowDags(session), AirflowAssetEvents(session), AirflowTaskRecords(session)
    )
