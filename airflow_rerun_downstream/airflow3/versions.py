"""What Airflow 3's minor versions do differently, each difference by its name. Nothing else in here looks for one.

A difference is told by what Airflow has, not by its number: a patch release may bring a thing earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from typing import Any

from airflow.models import asset, log
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.timetables.base import Timetable

HAS_PARTITIONS = hasattr(asset, "AssetPartitionDagRun")
"""Runs, asset events and what is queued for Dags may have a partition key. Since 3.2."""

PARTITIONS_HAVE_DATES = HAS_PARTITIONS and "partition_date" in asset.AssetPartitionDagRun.__table__.c
"""A partition that is queued for a Dag may have a date. Since 3.3."""

WATCHERS_ARE_MODELS = hasattr(asset, "AssetWatcherModel")
"""What watches an asset has a model; before 3.2 it is a row of an association table."""

RUNS_KEEP_CREATED_AT = "created_at" in DagRun.__table__.c
"""A run says when it was made. Since 3.2."""

TIMETABLES_SEE_RUNS = hasattr(Timetable, "next_dagrun_info_v2")
"""A timetable is shown the last run, and makes the next one's id from its ready time. Before 3.2 it is shown the last
data interval only, and makes the id from the logical date.
"""

DAGS_DRAIN = "is_draining" in DagModel.__table__.c
"""A Dag may be closed for new runs while those that it has go on. No version up to 3.3."""

TRIES_ARE_ROWS = "working_set" in TaskInstance.__table__.c
"""Each try of a task is a row of its own, which has its number before the try begins. Since 3.4."""

QUEUED_BY_EVENT = "asset_event_id" in asset.AssetDagRunQueue.__table__.c
"""What is queued for a Dag has a row for each asset event, and its next run consumes these. Before 3.4 it has one for
each asset, and its next run consumes all events since the last one.
"""

EVENTS_COME_ALONE = hasattr(Timetable, "batch_asset_events")
"""A Dag that assets start may have one run for each event. Since 3.4."""

DAGS_HAVE_GATES = "timetable_asset_gated" in DagModel.__table__.c
"""Runs of a timetable may wait for assets before they are made. Since 3.4."""

LOGS_HAVE_TEAMS = "team_name" in log.Log.__table__.c
"""A line of Airflow's audit log says to which team its Dag belongs. Since 3.4."""


def team_of(dag_id: str, *, session: Any) -> str | None:
    """What a line of Airflow's audit log about a Dag has for a team: Airflow's ORM finds it by itself, SQL doesn't."""
    found: str | None = vars(log)["resolve_team_name"](dag_id, session=session) if LOGS_HAVE_TEAMS else None
    return found


LOOP_GATE = "LoopGateOperator"
"""The class of the task that ends each round of a loop. Since 3.4."""


def rule_of_latest_version() -> Callable[..., bool] | None:
    """What decides whether a cleared run moves to its Dag's latest version, where Dags and the configuration say so.

    A function, for Airflow's lies among its web modules.
    """
    try:
        from airflow.api_fastapi.common.dagbag import resolve_run_on_latest_version
    except ImportError:
        return None
    found: Callable[..., bool] = resolve_run_on_latest_version
    return found


def task_state_model() -> Any:
    """The model of what tasks keep for their later tries, None before 3.3."""
    try:
        return import_module("airflow.models.task_state_store").TaskStateStoreModel
    except ImportError:
        return None


def airflow_stats() -> Any:
    """Airflow's client for metrics, ready for use in this process.

    Before 3.2 it sets itself up when it is used first. Since then each of Airflow's processes does that; where this one
    hasn't (an api-server of 3.2, a conductor of its own), it is done here in Airflow's way.
    """
    try:
        stats: Any = import_module("airflow._shared.observability.metrics.stats")
    except ImportError:
        return import_module("airflow.stats").Stats
    from airflow.configuration import conf

    factory: Any = import_module("airflow.observability.metrics.stats_utils").get_stats_factory
    if signature(factory).parameters:  # 3.2, where the client is a class
        if stats.Stats.factory in (None, stats.NoStatsLogger):  # the latter, where it was used before that
            stats.Stats.initialize(factory=factory(stats.Stats))
    elif stats._factory is None:
        stats.initialize(factory=factory(), export_legacy_names=conf.getboolean("metrics", "legacy_names_on"))
    return stats.Stats


@contextmanager
def tracer_with_ids(name: str, trace_id: int, span_id: int) -> Iterator[Any]:
    """Airflow's own tracer, whose next span has these ids. Ask only where tracing is on: it imports the SDK."""
    try:
        from airflow._shared.observability.traces import override_ids
    except ImportError:  # 3.1, which keeps its tracers to itself
        tracers: Any = import_module("airflow.traces.tracer").Trace
        yield tracers.get_tracer(component=name, trace_id=trace_id, span_id=span_id)
        return
    from opentelemetry import trace

    with override_ids(trace_id, span_id):
        yield trace.get_tracer(name)
