"""Large histories on PostgreSQL, written once; in each of them every run is downstream of one source run."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.airflow3 import database as databases
from tests.airflow3 import scene
from tests.bench.history import LargeHistory, Shape

databases.configure()
os.environ["AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE"] = "unlimited"

MAIN = Shape("bench", dags=51, runs=20, tasks=10, width=25)
SMALL = Shape("small", dags=201, runs=5, tasks=5, width=20)
DEEP = Shape("deep", dags=201, runs=5, tasks=5, width=10)
LARGE = Shape("large", dags=201, runs=50, tasks=10, width=20)
EVENTS = 1_000_000


@pytest.fixture(scope="session")
def database() -> databases.Database:
    """A database of Airflow's and ours."""
    made = databases.make("postgres")
    made.use()
    scene.migrate(made)
    return made


@pytest.fixture(scope="module", autouse=True)
def schema_known(database: databases.Database) -> Iterator[None]:
    """What is counted doesn't hang on when it is."""
    from tests.bench import reruns  # after `databases.configure`

    with reruns.schema_known():
        yield


@pytest.fixture(autouse=True)
def what_was_before() -> None:
    """Nothing that pytest, other benches and the fixtures leave behind counts."""
    set_aside()


@contextmanager
def instead_of(shared: databases.Database, backend: str, name: str) -> Iterator[databases.Database]:
    """A database of its own that takes the place of the one that all files share, which then gets it back."""
    from tests.bench import reruns  # after `databases.configure`

    made = databases.make(backend, name)
    made.use()
    try:
        scene.migrate(made)
        with reruns.schema_known():
            yield made
    finally:
        shared.use()


def written(database: databases.Database, shape: Shape) -> LargeHistory:
    """A history of that shape."""
    made = LargeHistory(database, shape)
    made.write()
    set_aside()
    return made


def set_aside() -> None:
    """Let what is on the heap by now be walked no more in the middle of a measurement."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def history(database: databases.Database) -> LargeHistory:
    """A thousand runs."""
    return written(database, MAIN)


@pytest.fixture(scope="session")
def small(database: databases.Database) -> LargeHistory:
    """A thousand runs of 200 Dags on ten levels."""
    return written(database, SMALL)


@pytest.fixture(scope="session")
def deep(database: databases.Database) -> LargeHistory:
    """A thousand runs of 200 Dags on twenty levels."""
    return written(database, DEEP)


@pytest.fixture(scope="session")
def large(database: databases.Database) -> LargeHistory:
    """Ten thousand runs of 200 Dags on ten levels, beside a million asset events of earlier runs of them."""
    made = written(database, LARGE)
    made.add_events(EVENTS)
    return made
