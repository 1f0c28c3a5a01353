"""A live Airflow tells of reruns: metrics to StatsD and to OpenTelemetry, a span with links, lines of the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from airflow_rerun_downstream.airflow3.telemetry.spans import nanoseconds
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.metrics import METRICS, Delivery, ErrorKind, ended, errors, notifications
from tests.acceptance.story import DAGS, Story, moment
from tests.airflow3.telemetry.receivers import Collector, StatsDServer, attributes, collector, statsd_server
from tests.live.harness import DAY, StartAirflow, wait_until

pytestmark = pytest.mark.acceptance

ELSEWHERE = {
    *(errors(kind) for kind in ErrorKind),
    *(notifications(result) for result in Delivery),
    ended(RerunState.FAILED),
}
"""What takes a failure: `tests/airflow3/telemetry` shows that it arrives, by the same client."""

EXPECTED = {f"airflow.{one.name}" for one in METRICS if one.name not in ELSEWHERE}


@dataclass
class Watched:
    """A live Airflow, and what watches it."""

    story: Story
    statsd: StatsDServer
    collector: Collector


@pytest.fixture(scope="module")
def watched(start_airflow: StartAirflow) -> Iterator[Watched]:
    with statsd_server() as statsd, collector() as found:
        env = {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_PORT": str(statsd.port),
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__OTEL_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__OTEL_PORT": str(found.port),
            "AIRFLOW__METRICS__OTEL_INTERVAL_MILLISECONDS": "500",
            "AIRFLOW__TRACES__OTEL_ON": "True",
            "AIRFLOW__TRACES__OTEL_HOST": "127.0.0.1",
            "AIRFLOW__TRACES__OTEL_PORT": str(found.port),
            "OTEL_TRACES_EXPORTER": "otlp_proto_http",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
        }
        story = Story(start_airflow(dags=[DAGS], database="postgresql", env=env))
        story.make_history()
        yield Watched(story, statsd, found)


@pytest.fixture(scope="module")
def rerun(watched: Watched) -> int:
    """A rerun of the diamond, which has ended, and one that was terminated."""
    story = watched.story
    story.plan()
    number = int(story.submit()["id"])
    assert story.wait_ended(number)["state"] == "succeeded"
    return number


def test_every_metric_reaches_a_statsd_server(watched: Watched, rerun: int) -> None:
    story = watched.story
    other = story.call("POST", "/reruns", json={"source": story.source("bystander")})["id"]
    story.call("POST", f"/reruns/{other}/terminate")
    story.wait_ended(int(other))
    wait_until(lambda: watched.statsd.names >= EXPECTED, 20, "every metric")
    assert watched.statsd.values("airflow.rerun_downstream.reruns.succeeded") == [1.0]
    assert max(watched.statsd.values("airflow.rerun_downstream.active_reruns.running")) == 1.0
    assert max(watched.statsd.values("airflow.rerun_downstream.members.running")) >= 1.0
    wait_until(lambda: watched.statsd.values("airflow.rerun_downstream.members.succeeded")[-1] == 0, 20, "zeros")


def test_its_span_is_linked_to_the_task_instances_that_it_made_anew(watched: Watched, rerun: int) -> None:
    story = watched.story
    wait_until(lambda: watched.collector.named("rerun"), 20, "the span")
    span = next(one for one in watched.collector.named("rerun") if attributes(one)["rerun_downstream.id"] == rerun)
    told = attributes(span)
    members = story.members(rerun)
    assert (told["rerun_downstream.state"], told["rerun_downstream.source.dag_id"]) == ("succeeded", "up")
    assert told["rerun_downstream.members"] == told["rerun_downstream.members.succeeded"] == len(members)
    stored = story.rows(
        "select coalesce(i.context_carrier #>> '{__var,traceparent}', r.context_carrier #>> '{__var,traceparent}') "
        "from task_instance i join dag_run r using (dag_id, run_id) "
        "join rerun_downstream_dispatched_task d using (dag_id, run_id, task_id, map_index) "
        f"where d.rerun_id = {rerun} and i.try_number >= d.first_try"
    )
    linked = {f"00-{one.trace_id.hex()}-{one.span_id.hex()}" for one in span.links}
    assert linked == {text.rpartition("-")[0] for (text,) in stored if text}
    assert len(linked) >= 4
    # Not all have arrived: Airflow runs no process for the marker, and 3.1 sends a run's span when it is over.
    wait_until(lambda: len(linked & spans_of(watched.collector)) >= len(linked) // 2, 20, "the linked spans")
    record = story.call("GET", f"/reruns/{rerun}")
    assert span.start_time_unix_nano == nanoseconds(moment(record["created_at"]) or DAY)
    assert span.end_time_unix_nano == nanoseconds(moment(record["ended_at"]) or DAY)


def spans_of(found: Collector) -> set[str]:
    """Every span that came in, as a trace context names it."""
    return {f"00-{one.trace_id.hex()}-{one.span_id.hex()}" for one in list(found.spans)}


def test_the_log_has_a_line_for_each_event_with_its_rerun(watched: Watched, rerun: int) -> None:
    log = (watched.story.airflow.logs_folder / "api-server.log").read_text()
    lines = [line for line in log.splitlines() if f"rerun_id={rerun}" in line]
    for action in ("submit", "member_dispatched", "member_succeeded", "rerun_succeeded"):
        assert any(action in line for line in lines), action
    members = watched.story.members(rerun)
    assert sum(" member_dispatched " in line for line in lines) >= len(members)


def test_every_metric_reaches_an_opentelemetry_collector(watched: Watched) -> None:
    story = watched.story
    story.airflow.env = {
        **story.airflow.env,
        "AIRFLOW__METRICS__STATSD_ON": "False",
        "AIRFLOW__METRICS__OTEL_ON": "True",
    }
    story.airflow.restart("api-server")
    story.client = story.airflow.login("admin")
    for ends in ("succeeded", "terminated"):
        number = story.call("POST", "/reruns", json={"source": story.source("bystander")})["id"]
        if ends == "terminated":
            story.call("POST", f"/reruns/{number}/terminate")
        assert story.wait_ended(int(number))["state"] == ends
    wait_until(lambda: watched.collector.metrics >= EXPECTED, 20, "every metric")
