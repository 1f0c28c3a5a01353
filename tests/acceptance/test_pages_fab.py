"""With the FAB auth manager, whose role User doesn't see what plugins add to Airflow's menus."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.acceptance.story import DAGS, Story
from tests.live.browser import APP, OpenBrowser
from tests.live.harness import StartAirflow, wait_until
from tests.live.wizard import at, state_is, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow) -> Story:
    story = Story(start_airflow(dags=[DAGS], auth="fab"))
    story.make_history()
    story.airflow.grant(users={"ursula": ["User"]})
    wait_until(lambda: story.airflow.login("ursula"), 60, "the user ursula", ignore=(Exception,))
    return story


def test_who_doesnt_see_plugin_items_takes_the_button_of_a_task_instance(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow, "ursula")
    here.expected.append("403")
    page = here.page
    run = quote(story.run_id("up"), safe="")
    here.open_airflow(f"/dags/up/runs/{run}/tasks/load/details")
    button = page.locator(f"a[href*='{APP}/?']")
    expect(button).to_be_visible()
    expect(page.locator("a[href*='/plugin/rerun-downstream-ti']")).to_have_count(0)
    here.open_airflow(str(button.get_attribute("href")))
    at(page, "Source tasks")
    expect(page.get_by_role("checkbox", name=re.compile("load")).first).to_be_checked()
    here.open(wizard_path("up", story.run_id("up"), "review"))
    page.get_by_role("button", name="Start rerun").click()
    state_is(page, "succeeded")
