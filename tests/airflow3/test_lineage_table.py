"""The lineage table: Dags, history, source, and exactly the links that the plan then has.

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

from airflow_rerun_downstream.domain.plan import Link, LinkKind, Plan, PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.refs import TaskRef
from airflow_rerun_downstream.domain.rerun import Actor
from tests.airflow3 import database as databases
from tests.airflow3 import scene
from tests.airflow3.conftest import emptied
from tests.airflow3.lineage_history import History
from tests.airflow3.lineage_rows import ROWS, Row

if TYPE_CHECKING:
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
OF_A_ROW = ("dagrun_asset_event", "asset_event", "xcom", "rendered_task_instance_fields", "task_instance", "dag_run")


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
    from airflow import plugins_manager

    from airflow_rerun_downstream.airflow3 import wiring

    for module in (plugins_manager, wiring):
        for value in list(vars(module).values()):
            if hasattr(value, "cache_clear"):
                value.cache_clear()
    for name in ("plugins", "timetable_classes"):  # Airflow 3.1
        if name in vars(plugins_manager):
            setattr(plugins_manager, name, None)


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


def plan(row: Row, past: History) -> Plan:
    """The plan, as the service makes it for a person at the machine."""
    from airflow_rerun_downstream.airflow3 import wiring

    tasks = None if row.tasks is None else tuple(map(TaskRef, row.tasks))
    request = PlanRequest(past.names[row.source], tasks, options=PlanOptions(include_manual=row.manual))
    return wiring.local_service().plan(Actor("1", "ada"), request)


def written(link: Link, past: History) -> str:
    """A link in the words of the table."""
    tasks = [f".{task_id}" if task_id else "" for task_id in (link.from_task_id, link.to_task_id)]
    ends = f"{past.name(link.upstream)}{tasks[0]} > {past.name(link.downstream)}{tasks[1]}"
    return f"{ends}: {link.kind.value} {link.evidence.value}"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_lineage(row: Row, session: Session) -> None:
    if row.partitions and not PARTITIONS:
        pytest.skip("Airflow 3.1 has no partitions")
    past = History(session)
    past.write(row.runs, row.past)
    found = plan(row, past)
    made = [link for link in found.links if link.downstream not in found.by_future]
    assert sorted(written(link, past) for link in made) == sorted(row.links)


def test_every_kind_has_rows() -> None:
    assert {row.kind for row in ROWS} == {kind.value for kind in LinkKind}
