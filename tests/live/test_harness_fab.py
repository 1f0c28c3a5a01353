"""With the FAB auth manager, users have what `grant` gave them, per Dag."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.live.harness import StartAirflow, wait_until

DAGS = Path(__file__).parent / "dags"

pytestmark = pytest.mark.live


def test_grants_are_per_dag(start_airflow: StartAirflow) -> None:
    airflow = start_airflow(auth="fab", dags=[DAGS])
    airflow.wait_for_dags("count", "add")
    reader = [("can_read", "DAG:count"), ("can_read", "DAG Run:count")]
    airflow.grant(users={"carla": ["counters"]}, roles={"counters": reader})
    carla = airflow.login("carla")
    assert [dag["dag_id"] for dag in carla.dags()] == ["count"]
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        carla.trigger("count")

    airflow.grant(roles={"counters": [*reader, ("can_edit", "DAG:count"), ("can_create", "DAG Run:count")]})
    # FAB keeps a user for a while, whatever is configured.
    assert wait_until(lambda: carla.trigger("count"), 45, "the grant", ignore=(httpx.HTTPStatusError,))
    with pytest.raises(httpx.HTTPStatusError, match="403"):
        carla.trigger("add")
