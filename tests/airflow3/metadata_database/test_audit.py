"""The rows that reruns leave in Airflow's audit log."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.models.dag import DagModel
from airflow.models.log import Log
from sqlalchemy import select

from airflow_rerun_downstream.airflow3.database import audit
from airflow_rerun_downstream.airflow3.versions import LOGS_HAVE_TEAMS
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import history, scene

pytestmark = pytest.mark.skipif(not LOGS_HAVE_TEAMS, reason="Airflow's audit log has no teams")


@pytest.fixture(autouse=True)
def cached() -> Any:
    """Airflow remembers a Dag's team."""
    DagModel.get_team_name.cache_clear()
    yield
    DagModel.get_team_name.cache_clear()


@pytest.mark.parametrize("multi_team", [True, False])
def test_a_row_has_the_team_that_airflows_own_have(session, monkeypatch, multi_team):
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.team import Team

    monkeypatch.setenv("AIRFLOW__CORE__MULTI_TEAM", str(multi_team))
    scene.save(history.dag("d"), session=session)
    bundle = session.get(DagBundleModel, scene.BUNDLE)
    bundle.teams.append(Team(name="shop"))
    session.commit()

    values = {"logical_date": None, "now": scene.START, "session": session}
    audit.log_event(RunRef("d", "r"), "submit", rerun_id=1, actor="ann", **values)
    session.add(Log(event="own", dag_id="d", owner="ann"))
    session.commit()

    teams = dict(session.execute(select(Log.event, Log.team_name).where(Log.dag_id == "d")).all())
    assert teams == dict.fromkeys(["rerun_downstream.submit", "own"], "shop" if multi_team else None)
