"""One Airflow for all tests of pages in which a source waits or fails as the test wants it."""

from __future__ import annotations

import pytest

from tests.acceptance.freezing import Frozen
from tests.live.harness import StartAirflow, airflows

start_airflow = pytest.fixture(scope="package")(airflows)


@pytest.fixture(scope="package")
def frozen(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> Frozen:
    return Frozen(start_airflow, tmp_path_factory.mktemp("pages"), "stubborn")
