"""One Airflow for all tests of pages that look at long and odd names."""

from __future__ import annotations

import pytest

from tests.acceptance.named import failed_rerun, named_story
from tests.acceptance.story import Story
from tests.live.harness import StartAirflow, airflows

start_airflow = pytest.fixture(scope="package")(airflows)


@pytest.fixture(scope="package")
def story(start_airflow: StartAirflow) -> Story:
    return named_story(start_airflow)


@pytest.fixture(scope="package")
def rerun(story: Story) -> int:
    return failed_rerun(story)
