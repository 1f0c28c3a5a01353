"""The demo's pipeline on a live Airflow, its last day polluted: what the tests of the pages look at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from rich.console import Console

from dev.airflow_client import AirflowClient, Json
from dev.demo import API, DAILY, TABLES, WEEKLY, Story, days_of_the_story
from dev.live_airflow import LiveAirflow


class Shop:
    """Nine Dags, three days of history; the feed of the last day is right again, the tables aren't yet."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.airflow: LiveAirflow = story.airflow
        self.client: AirflowClient = self.airflow.login("admin")
        story.make_history(self.client)
        story.correct_the_feed()
        self.source: Json = story.source_run(self.client.dag_runs())

    @property
    def run_id(self) -> str:
        """The id of the source run."""
        return str(self.source["run_id"])

    def call(self, method: str, path: str, **options: object) -> Json:
        """A call of our API that must succeed."""
        return self.client.call(method, API + path, **options)

    def is_right(self) -> bool:
        """Whether every table of the polluted day is right."""
        shop, day = self.story.shop, self.story.polluted_day
        return all(abs(shop.total(name, day) - self.story.expected(name)) < 0.05 for name in TABLES)


def days() -> list[str]:
    """The days of the story, as the demo has them."""
    return days_of_the_story(datetime.now(timezone.utc))


@pytest.fixture(scope="module")
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Start it, once for a module; if one of its tests has failed, the ends of the logs are printed."""
    failed_before = request.session.testsfailed
    story = Story(Console(quiet=True), tmp_path_factory.mktemp("shop"), 0, days())
    with story.airflow as airflow:
        airflow.wait_for_dags(*DAILY, WEEKLY)
        yield Shop(story)
        if request.session.testsfailed > failed_before:
            print(airflow.log_tails(), file=sys.stderr)
