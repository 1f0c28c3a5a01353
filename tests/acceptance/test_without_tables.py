"""Installed but not migrated, downgraded, tables dropped: Airflow works as before, and ours says what to do."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.acceptance.story import API, DAGS, Story
from tests.live.harness import Json, StartAirflow, wait_until

pytestmark = pytest.mark.acceptance

CALLS = [
    ("POST", "/plans", {"source": {"dag_id": "up", "run_id": "x"}}),
    ("POST", "/reruns", {"source": {"dag_id": "up", "run_id": "x"}}),
    ("GET", "/reruns", None),
    ("GET", "/reruns/1", None),
    ("GET", "/reruns/1/members", None),
    ("POST", "/reruns/1/pause", None),
    ("POST", "/reruns/1/members/1/retry", None),
    ("GET", "/dag-runs", None),
    ("GET", "/dag-runs/up/x/task-instances", None),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def story(request: pytest.FixtureRequest, start_airflow: StartAirflow) -> Story:
    story = Story(start_airflow(dags=[DAGS], database=request.param))
    story.make_history()
    return story


def drop_tables(story: Story) -> None:
    """Drop what we have, but leave the note of the version: what a careless clean-up leaves behind."""
    with story.airflow.db().begin() as connection:
        names = (
            story.rows("select name from sqlite_master where name like 'rerun_downstream%'")
            if (connection.dialect.name == "sqlite")
            else story.rows("select tablename from pg_tables where tablename like 'rerun_downstream%'")
        )
        cascade = "" if connection.dialect.name == "sqlite" else " cascade"
        for (name,) in names:
            connection.execute(text(f"drop table {name}{cascade}"))


def downgrade(story: Story) -> None:
    story.airflow.run_module("airflow_rerun_downstream.cli.main", "db", "downgrade", "--revision", "base", "--yes")


def upgrade(story: Story) -> None:
    story.airflow.run_module("airflow_rerun_downstream.cli.main", "db", "migrate")


@pytest.mark.parametrize("damage", [downgrade, drop_tables])
def test_airflow_goes_on_and_every_call_says_what_to_do(story: Story, damage) -> None:  # type: ignore[no-untyped-def]
    damage(story)
    left = len(story.client.dag_runs("left"))
    made = story.client.trigger("up", logical_date=None)
    assert story.client.wait_for_run("up", made["dag_run_id"])["state"] == "success"
    story.client.wait_for_runs("left", left + 1, states=("success",))
    health = wait_until(lambda: unhealthy(story), 60, "the damage to be noticed")
    assert "db migrate" in health["components"]["database"]["detail"]
    for method, path, body in CALLS:
        status, refusal = story.refused(method, path, json=body)
        assert (status, refusal["reason"]) == (503, "database_not_migrated"), path
        assert "db migrate" in refusal["detail"]
    assert story.client.http.get(API + "/health").status_code == 200


def unhealthy(story: Story) -> Json | None:
    health = story.call("GET", "/health")
    return health if health["components"]["database"]["status"] == "unhealthy" else None


def test_after_a_migration_everything_works_without_a_restart(story: Story) -> None:
    with story.airflow.db().begin() as connection:
        connection.execute(text("drop table if exists alembic_version_rerun_downstream"))
    upgrade(story)
    wait_until(lambda: story.call("GET", "/health")["status"] != "unhealthy", 60, "health")
    source = story.client.wait_for_runs("marked", 1, states=("success",))[0]
    body = {"source": {"dag_id": "marked", "run_id": source["dag_run_id"]}}
    rerun = story.call("POST", "/reruns", json=body)["id"]
    assert story.wait_ended(rerun)["state"] == "succeeded"


def test_a_fresh_database_that_was_never_migrated(start_airflow: StartAirflow) -> None:
    """The api-server's start heals it by itself; what schedules and parses never needed it."""
    story = Story(start_airflow(dags=[DAGS]))
    story.airflow.stop("api-server")
    downgrade(story)
    story.airflow.start("api-server")
    assert wait_until(
        lambda: story.call("GET", "/health")["components"]["database"]["status"] == "healthy", 60, "health"
    )
