"""`make screenshots`: the pictures of the pages in docs/images, taken on the demo's pipeline, in both themes.

A real Airflow is started with the demo's Dags and their history; its pages are opened one after the other in Chromium,
and a rerun is submitted on the way, as a person would.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page, ViewportSize, expect
from rich.console import Console

from dev.airflow_client import Json
from dev.chromium import browser, install
from dev.demo import API, DAILY, WEEKLY, Story, days_of_the_story
from dev.live_airflow import ROOT, LiveAirflow

IMAGES = ROOT / "docs" / "images"
APP = "/rerun-downstream/ui"
THEMES = ("light", "dark")
SIZE: ViewportSize = {"width": 1360, "height": 850}
TIMEOUT = 60_000.0

Ready = Callable[[Page], None]
"""Waits until a page shows what the picture is of."""


class Camera:
    """Takes pictures of one Airflow's pages, in both themes."""

    def __init__(self, chromium: Browser, airflow: LiveAirflow, folder: Path) -> None:
        self.airflow = airflow
        self.folder = folder
        token = airflow.login("admin").http.headers["Authorization"].removeprefix("Bearer ")
        self.pages = {theme: self._page(chromium, theme, token) for theme in THEMES}

    def _page(self, chromium: Browser, theme: str, token: str) -> Page:
        context = chromium.new_context(viewport=SIZE)
        context.add_cookies([{"name": "_token", "value": token, "url": self.airflow.base_url}])
        stored = {"theme": theme, "i18nextLng": "en", "timezone": '"UTC"'}
        context.add_init_script("".join(f"localStorage.setItem('{k}', '{v}');" for k, v in stored.items()))
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        return page

    def take(self, name: str, path: str, ready: Ready) -> None:
        """Take the picture of a page, `<name>-<theme>.png`."""
        for theme, page in self.pages.items():
            page.goto(self.airflow.base_url + path)
            ready(page)
            page.wait_for_timeout(600)  # what moves into its place has arrived
            page.screenshot(path=self.folder / f"{name}-{theme}.png")


def heading(text: str) -> Ready:
    """A page whose heading, and whatever it lists, is there."""

    def ready(page: Page) -> None:
        expect(page.get_by_role("heading", level=1)).to_contain_text(text)
        expect(page.get_by_role("status")).to_have_count(0)

    return ready


def tour(camera: Camera, story: Story, source: Json) -> None:
    """Open every page, before and after the rerun."""
    client = camera.airflow.login("admin")
    dag_id, run_id = source["dag_id"], source["run_id"]
    run = f"dag_id={quote(dag_id)}&run_id={quote(run_id, safe='')}"
    wizard = f"{APP}/rerun?{run}"
    inside = f"/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}/plugin/rerun-downstream-run"

    def framed(page: Page) -> None:
        expect(page.frame_locator("iframe").get_by_role("heading", level=1)).to_contain_text(
            "Rerun Downstream", timeout=TIMEOUT
        )

    camera.take("run-tab", inside, framed)
    camera.take("dag-runs", f"{APP}/dag-runs", heading("Dag Runs"))
    camera.take("wizard-source", f"{wizard}&step=source", heading("Rerun Downstream"))
    camera.take("wizard-flow", f"{wizard}&step=downstream", flow)
    camera.take("wizard-list", f"{wizard}&step=downstream", in_list)
    camera.take("wizard-settings", f"{wizard}&step=settings", heading("Rerun Downstream"))
    camera.take("wizard-review", f"{wizard}&step=review", heading("Rerun Downstream"))
    plan = story.plan(client, source)
    rerun = story.submit(client, source, plan)
    record = f"{APP}/records/{rerun['id']}"
    camera.take("record-running", record, heading(""))
    story.follow(client, rerun["id"])
    for tab in ("graph", "table", "timeline", "events"):
        camera.take(f"record-{tab}", f"{record}?tab={tab}", heading(""))
    client.clear(dag_id, run_id)  # as somebody may: what the others have read is older then
    client.wait_for_run(dag_id, run_id)
    camera.take("record-proof", f"{record}?tab=proof", heading(""))
    camera.take("records", f"{APP}/records", heading("Rerun Records"))


def flow(page: Page) -> None:
    """The step with the graph, drawn."""
    expect(page.locator("[data-card]").first).to_be_visible()


def in_list(page: Page) -> None:
    """The same step as a list."""
    page.get_by_text("List", exact=True).click()
    expect(page.get_by_test_id("table")).to_be_visible()


def main() -> None:
    """Read the command line, start Airflow, take the pictures."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where the pictures go; default: docs/images")
    arguments = parser.parse_args()
    install()
    console = Console()
    with tempfile.TemporaryDirectory(prefix="rerun-screenshots-") as home, browser() as chromium:
        story = Story(console, Path(home), 0, days_of_the_story(datetime.now(timezone.utc)))
        with story.airflow as airflow:
            airflow.wait_for_dags(*DAILY, WEEKLY)
            client = airflow.login("admin")
            story.make_history(client)
            story.correct_the_feed()
            tour(Camera(chromium, airflow, arguments.folder), story, story.source_run(client.dag_runs()))
    console.print(f"The pictures are in {arguments.folder}; API under {API}.")


if __name__ == "__main__":
    main()
