"""The Dags of `dags_room`, one with as long an id as may be, and a rerun of them, for several tests of pages."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.story import Story
from tests.live.harness import StartAirflow

DAGS = Path(__file__).parent / "dags_room"
LONG = "long_" + "x" * 245
NAME = "Rate " + "n" * 150
"""A name of a rerun, most of it one word."""


def named_story(start_airflow: StartAirflow) -> Story:
    """An Airflow with a run of each."""
    story = Story(start_airflow(dags=[DAGS]))
    names = ("sales", "stock", "report", LONG)
    story.airflow.wait_for_dags(*names)
    # Airflow can't write a log of a Dag with so long an id.
    story.client.make_history(dict.fromkeys(names, 1), failures=True)
    return story


def failed_rerun(story: Story) -> int:
    """A rerun of everything, which the long name fails."""
    body = {"source": story.source("sales"), "name": NAME}
    number = int(story.call("POST", "/reruns", json=body)["id"])
    assert story.wait_ended(number)["state"] == "failed"
    return number
