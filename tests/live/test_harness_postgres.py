"""On PostgreSQL, with two api-server workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.harness import StartAirflow

DAGS = Path(__file__).parent / "dags"

pytestmark = [pytest.mark.live, pytest.mark.postgres]


def test_a_killed_api_server_comes_back_to_the_same_database(start_airflow: StartAirflow) -> None:
    airflow = start_airflow(database="postgresql", api_workers=2, dags=[DAGS])
    airflow.wait_for_dags("count", "add")
    airflow.login().make_history({"count": 3})
    airflow.kill9("api-server")
    airflow.start("api-server")
    assert len(airflow.login().dag_runs("count", state="success")) == 3
