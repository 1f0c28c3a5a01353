"""The lineage table: Dags, history, source, and exactly the links that the plan then has, in one process and over REST.

The Dags are files that Airflow's own Dag processor parses; the history of each row is written by hand. The same Dags
with a history that the scheduler makes are in ``tests/acceptance/test_lineage.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_rerun_downstream.airflow3.versions import TRIES_ARE_ROWS
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, LinkKind, Plan, PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import Actor
from tests.airflow3 import database as databases
from tests.airflow3 import logins, scene
from tests.airflow3.conftest import emptied, forget_plugins, rewire
from tests.airflow3.lineage_history import History
from tests.airflow3.lineage_rows import ROWS, Row

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session

ACCEPTANCE = Path(__file__).resolve().parents[1] / "acceptance"
DAGS, PLUGINS = ACCEPTANCE / "dags_lineage", ACCEPTANCE / "plugins_lineage"
BEFORE = ACCEPTANCE / "dags_lineage_before"
"""What some of the Dags were before they were changed."""

SETTINGS = {
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
    "AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE": "unlimited",
    "AIRFLOW__RERUN_DOWNSTREAM__DECLARED_LINKS_FILE": str(ACCEPTANCE / "lineage_links.yaml"),
}
PARTITIONS = not version("apache-airflow-core").startswith("3.1.")
WRITTEN = ("xcom_v2", "rtif_v2") if TRIES_ARE_ROWS else ("xcom", "rendered_task_instance_fields")
OF_A_ROW = ("dagrun_asset_event", "asset_event", *WRITTEN, "task_instance", "dag_run")


@pytest.fixture(scope="module", autouse=True)
def configured() -> Iterator[None]:
    """The deployment's plugin and its file of declared links."""
    from airflow import settings

    with pytest.MonkeyPatch.context() as patch:
        for name, value in SETTINGS.items():
            patch.setenv(name, value)
        patch.setattr(settings, "PLUGINS_FOLDER", str(PLUGINS))
        patch.syspath_prepend(str(PLUGINS))
        forget()
        yield
    sys.modules.pop("lineage_timetable", None)
    forget()


def forget() -> None:
    """Let Airflow look for its plugins anew, and us for our settings."""
    forget_plugins()
    rewire()


@cache
def parsed(folder: Path = DAGS) -> list[Any]:
    """The Dags, as Airflow's Dag processor hands them over."""
    import structlog
    from airflow.dag_processing.processor import DagFileParseRequest, _parse_file

    found = []
    for file in sorted(folder.glob("*.py")):
        where = {"file": str(file), "bundle_path": folder, "bundle_name": scene.BUNDLE}
        fields = {name: value for name, value in where.items() if name in DagFileParseRequest.model_fields}
        result = _parse_file(DagFileParseRequest(**fields), structlog.get_logger())
        assert result is not None
        assert not result.import_errors, result.import_errors
        found += result.serialized_dags
    return found


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def stored(request: pytest.FixtureRequest, configured: None) -> databases.Database:
    """A database that knows the Dags."""
    database = emptied(request.param)
    scene.migrate(database)
    with database.session() as session:
        scene.store(parsed(BEFORE), session=session)
        for dag in parsed(BEFORE):  # Airflow writes a version anew in its place until a run has it
            scene.create_run(dag.dag_id, session=session)
        scene.store(parsed(), session=session)
    return database


@pytest.fixture
def session(stored: databases.Database) -> Iterator[Session]:
    """A session on a database without any run."""
    from sqlalchemy import text

    with stored.session() as opened:
        for table in OF_A_ROW:
            opened.execute(text(f"DELETE FROM {table}"))
        opened.execute(text("UPDATE dag SET is_stale = false"))
        opened.commit()
        yield opened


@pytest.fixture(scope="module")
def client(stored: databases.Database) -> Iterator[TestClient]:
    """The API as the api-server has it, for somebody who may see everything."""
    from fastapi.testclient import TestClient

    from airflow_rerun_downstream.airflow3.web.app import make_app

    with pytest.MonkeyPatch.context() as patch, logins.simple(patch, stored) as login:
        headers = {"authorization": f"Bearer {login(logins.EVERYTHING)}"}
        yield TestClient(make_app(), headers=headers)


def plan(row: Row, past: History) -> Plan:
    """The plan, as the service makes it for a person at the machine."""
    from airflow_rerun_downstream.airflow3 import wiring

    tasks = None if row.tasks is None else tuple(map(TaskRef, row.tasks))
    request = PlanRequest(past.names[row.source], tasks, options=PlanOptions(include_manual=row.manual))
    return wiring.local_service().plan(Actor("1", "ada"), request)


def in_one_process(row: Row, past: History) -> list[str]:
    """The links of the plan, in the words of the table; without those to runs that are to come."""
    found = plan(row, past)
    made = [link for link in found.links if link.downstream not in {run.ref for run in found.upcoming}]
    return [
        written(past, link.upstream, link.from_task_id, link.downstream, link.to_task_id, link.kind, link.evidence)
        for link in made
    ]


def over_rest(row: Row, past: History, client: TestClient) -> list[str]:
    """The same, as the API answers it."""
    source = past.names[row.source]
    body = {
        "source": {"dag_id": source.dag_id, "run_id": source.run_id},
        "task_ids": None if row.tasks is None else list(row.tasks),
        "options": {"include_manual": row.manual},
    }
    answer = client.post("/api/v1/plans", json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    to_come = [named(run) for run in found["runs"] if not run["exists"]]
    return [
        written(
            past,
            ref_of(link["upstream"]),
            link["from_task_id"],
            ref_of(link["downstream"]),
            link["to_task_id"],
            LinkKind(link["kind"]),
            Evidence(link["evidence"]),
        )
        for link in found["links"]
        if named(link["downstream"]) not in to_come
    ]


NAMES = ("dag_id", "run_id", "logical_date", "partition_key", "next")


def named(run: dict[str, Any]) -> dict[str, Any]:
    """What names a run in an answer; a run to come by one of several things."""
    by = {name: run[name] for name in NAMES if run.get(name)}
    if "partition_key" in by or "next" in by:
        by.pop("logical_date", None)
    return by


def ref_of(run: dict[str, Any]) -> RunRef | FutureRef:
    """The run that an answer names, as far as the table names it."""
    return RunRef(run["dag_id"], run["run_id"]) if run.get("run_id") else FutureRef(run["dag_id"])


def written(
    past: History,
    upstream: RunRef | FutureRef,
    from_task: str | None,
    downstream: RunRef | FutureRef,
    to_task: str | None,
    kind: LinkKind,
    evidence: Evidence,
) -> str:
    """A link in the words of the table."""
    one, two = (
        f"{past.name(ref)}{f'.{task}' if task else ''}" for ref, task in ((upstream, from_task), (downstream, to_task))
    )
    return f"{one} > {two}: {kind.value} {evidence.value}"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_lineage(row: Row, session: Session, client: TestClient) -> None:
    if row.partitions and not PARTITIONS:
        pytest.skip("Airflow 3.1 has no partitions")
    past = History(session)
    past.write(row.runs, row.past)
    assert sorted(in_one_process(row, past)) == sorted(row.links)
    assert sorted(over_rest(row, past, client)) == sorted(row.links)


def test_every_kind_has_rows() -> None:
    assert {row.kind for row in ROWS} == {kind.value for kind in LinkKind}
