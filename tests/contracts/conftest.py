"""The stages on which what a port promises is tested: the fake, and Airflow on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.airflow3.conftest import emptied
from tests.contracts.stages import FakeStage, Stage

BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=["fake", *BACKENDS])
def airflow(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """An empty Airflow."""
    if request.param == "fake":
        yield FakeStage()
        return
    database = emptied(request.param)
    from tests.contracts.airflow_stage import AirflowStage

    with database.session() as session:
        yield AirflowStage(session)
