"""What the tests of pages with long and odd names begin with: an Airflow each, in which nothing is rerun yet."""

from __future__ import annotations

import pytest

from tests.acceptance.named import failed_rerun, named_story
from tests.acceptance.story import Story
from tests.live.harness import StartAirflow


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow) -> Story:
    return named_story(start_airflow)


@pytest.fixture(scope="module")
def rerun(story: Story) -> int:
    return failed_rerun(story)
