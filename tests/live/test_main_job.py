"""The main job, told once on a live Airflow: the full set of stories is in tests/acceptance."""

from __future__ import annotations

import pytest

from tests.acceptance.order import rerun_in_order_once
from tests.acceptance.story import DAGS, Story
from tests.live.harness import StartAirflow

pytestmark = pytest.mark.live


def test_a_polluted_diamond_is_repaired(start_airflow: StartAirflow) -> None:
    story = Story(start_airflow(dags=[DAGS]))
    story.make_history()
    rerun_in_order_once(story)
