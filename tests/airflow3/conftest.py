"""Fixtures over real Airflow databases. A test that takes ``database`` or ``session`` runs once on each backend."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from tests.airflow3 import database as databases

databases.configure()

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

make_once = cache(databases.make)


def emptied(backend: str) -> databases.Database:
    """An empty, migrated Airflow database, the same for the whole process, that Airflow itself uses from now on."""
    found = make_once(backend)
    found.use()
    found.empty()
    return found


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ]
)
def database(request: pytest.FixtureRequest) -> databases.Database:
    """An empty, migrated Airflow database that Airflow itself uses for as long as the test runs."""
    return emptied(request.param)


@pytest.fixture
def session(database: databases.Database) -> Iterator[Session]:
    """A session on `database`, of Airflow's own kind. What isn't committed is rolled back."""
    with database.session() as opened:
        yield opened


def forget(module: ModuleType) -> None:
    """Empty what a module's cached functions remember."""
    for value in list(vars(module).values()):
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def forget_plugins() -> None:
    """Let Airflow look for its plugins anew."""
    from airflow import plugins_manager

    forget(plugins_manager)
    for name in ("plugins", "timetable_classes", "priority_weight_strategy_classes"):  # Airflow 3.1
        if name in vars(plugins_manager):
            setattr(plugins_manager, name, None)


def rewire() -> None:
    """Let everything that is wired once for a process be wired anew, with what is configured then."""
    from airflow_rerun_downstream.airflow3 import configuration, wiring
    from airflow_rerun_downstream.airflow3.database import clock, transactions
    from airflow_rerun_downstream.airflow3.installation import process_reports

    for module in (wiring, configuration, clock, transactions, process_reports):
        forget(module)


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs of any age can be sources; what other tests have wired doesn't count."""
    monkeypatch.setenv("AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE", "unlimited")
    rewire()
    yield
    rewire()
