"""A large history on PostgreSQL: 50 Dags with 20 runs of 10 tasks each, every run downstream of one source run."""

from __future__ import annotations

import gc
import os

import pytest

from tests.airflow3 import database as databases
from tests.airflow3 import scene
from tests.bench.history import DAGS, LargeHistory

databases.configure()
os.environ["AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE"] = "unlimited"


@pytest.fixture(scope="session")
def history() -> LargeHistory:
    """The history, written once."""
    database = databases.make("postgres")
    database.use()
    scene.migrate(database)
    made = LargeHistory(database)
    made.write(DAGS)
    # What pytest and the writing left on the heap would be walked again and again in the middle of a measurement.
    gc.collect()
    gc.freeze()
    return made
