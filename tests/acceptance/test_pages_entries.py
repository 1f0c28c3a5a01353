"""Where people meet the pages: Airflow's menu, its tabs, a task instance's details; below a sub-path too.

These run on every supported Airflow: `make acceptance AIRFLOW=3.1 PART=pages_entries`.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from airflow_rerun_downstream.connection_type import CONN_TYPE, FIELDS, RELABELED
from airflow_rerun_downstream.host import airflow_version
from tests.acceptance.story import DAGS, Story
from tests.live.browser import APP, OpenBrowser, Visit
from tests.live.harness import StartAirflow

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

TITLE = "Rerun Downstream"


@pytest.fixture(scope="module", params=["", "/airflow"], ids=["root", "sub-path"])
def story(request: pytest.FixtureRequest, start_airflow: StartAirflow) -> Story:
    env = {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled"}
    story = Story(start_airflow(dags=[DAGS], sub_path=request.param, env=env))
    story.make_history()
    return story


def run_page(story: Story, dag_id: str = "up") -> str:
    """Address of a run's own page in Airflow."""
    return f"/dags/{dag_id}/runs/{quote(story.run_id(dag_id), safe='')}"


def open_tab(visited: Visit, page: str) -> None:
    """Open one of Airflow's pages, and our tab on it."""
    visited.open_airflow(page)
    visited.page.get_by_role("link", name=TITLE, exact=True).first.click()


def wizard_shows(visited: Visit, story: Story, dag_id: str = "up") -> None:
    """The wizard is there, with the run that the person came from."""
    expect(visited.inside.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(visited.inside.get_by_role("link", name=story.run_id(dag_id), exact=True)).to_be_visible()


def wizard_is_in(visited: Visit) -> None:
    """The wizard is there, in a tab of the page of its run, which names it."""
    expect(visited.inside.get_by_role("heading", level=1)).to_have_text(TITLE)
    expect(visited.inside.get_by_role("heading", level=2, name="Source tasks")).to_be_visible()
    expect(visited.inside.get_by_test_id("source")).to_have_count(0)


def test_the_menu_leads_to_the_list_of_dag_runs(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open_airflow("/")
    here.page.get_by_role("button", name="Browse").click()
    here.page.get_by_role("menuitem", name=TITLE).click()
    expect(here.inside.get_by_role("heading", level=1)).to_have_text("Dag Runs")
    expect(
        here.inside.get_by_role("link", name=re.compile(rf"^Rerun downstream of up {re.escape(story.run_id('up'))}$"))
    ).to_be_visible()


def test_a_runs_tab_opens_the_wizard_for_it(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    open_tab(here, run_page(story))
    wizard_is_in(here)


def test_a_task_instances_tab_preselects_its_task(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    open_tab(here, f"{run_page(story)}/tasks/load")
    wizard_is_in(here)
    expect(here.inside.get_by_role("checkbox", name=re.compile("load")).first).to_be_checked()
    expect(here.inside.get_by_role("checkbox", name=re.compile("extract")).first).not_to_be_checked()


@pytest.mark.parametrize("page", ["/dags/up", "/dags/up/tasks/load"])
def test_the_tabs_of_a_dag_and_of_a_task_list_its_runs(story: Story, visit: OpenBrowser, page: str) -> None:
    here = visit(story.airflow)
    open_tab(here, page)
    table = here.inside.get_by_test_id("table")
    expect(table.get_by_role("link", name=story.run_id("up"), exact=True)).to_be_visible()
    expect(table.get_by_role("link", name="bystander")).to_have_count(0)


def test_a_task_instances_details_have_a_button(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open_airflow(f"{run_page(story)}/tasks/load/details")
    button = here.page.locator(f"a[href*='{APP}/?']")
    expect(button).to_contain_text(TITLE)
    here.open_airflow(str(button.get_attribute("href")).removeprefix(story.airflow.sub_path))
    expect(here.page.get_by_role("link", name=story.run_id("up"), exact=True)).to_be_visible()


def test_a_deep_link_survives_reload_and_back(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open_airflow("/plugin/rerun-downstream")
    here.inside.get_by_role("link", name=re.compile("^Rerun downstream of up ")).click()
    wizard_shows(here, story)
    expect(here.page).to_have_url(re.compile("/plugin/rerun-downstream/.*/rerun\\?"))
    here.page.reload()
    wizard_shows(here, story)
    here.page.go_back()
    expect(here.inside.get_by_role("heading", level=1)).to_have_text("Dag Runs")


def test_a_link_to_airflows_own_page_leads_there_and_back_leads_here(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open_airflow("/plugin/rerun-downstream")
    here.inside.locator("a[href*='/dags/bystander/runs/']").click()
    expect(here.page).to_have_url(re.compile("/dags/bystander/runs/"))
    expect(here.page.locator("iframe")).to_have_count(0)
    here.page.go_back()
    expect(here.inside.get_by_role("heading", level=1)).to_have_text("Dag Runs")


def test_who_isnt_logged_in_logs_in_and_comes_back(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow, None)
    here.expected.append("401")
    here.open_airflow(f"/plugin/rerun-downstream{story.airflow.sub_path}{APP}/records")
    here.page.get_by_label("Username").fill("admin")
    here.page.get_by_label("Password").fill("admin")
    here.page.get_by_role("button", name="Sign in").click()
    expect(here.inside.get_by_role("heading", level=1)).to_have_text("Rerun Records")


def test_a_connection_is_made_by_its_form_and_tried(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open_airflow("/connections")
    here.page.get_by_role("button", name="Add Connection").click()
    form = here.page.get_by_role("dialog")
    form.locator("input[name='connection_id']").fill("right")
    form.get_by_role("combobox").first.fill(TITLE)
    here.page.keyboard.press("Enter")
    at = urlsplit(story.airflow.base_url)
    port = str(at.port)
    url = at._replace(netloc=str(at.hostname)).geturl()
    form.locator("input[name='host']").fill(url)
    form.locator("input[name='port']").fill(port)
    form.locator("input[name='login']").fill("admin")
    form.locator("input[name='password']").fill("admin")
    for label in RELABELED.values():
        expect(form.get_by_text(label, exact=True)).to_be_visible()
    expect(form.get_by_text("Schema", exact=True)).to_have_count(0)
    form.get_by_role("button", name="Extra Fields", exact=True).click()  # it folds the standard ones
    for field in FIELDS.values():
        expect(form.get_by_text(field["label"], exact=True)).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    if airflow_version() < (3, 2):
        pytest.skip("the form is as it should be; Airflow 3.1 tries a connection with its password masked")
    made = {"conn_type": CONN_TYPE, "host": url, "port": int(port), "login": "admin", "password": "admin"}
    for name, wrong in (("password", "wrong"), ("port", 9)):
        body = {**made, name: wrong, "connection_id": f"wrong_{name}"}
        story.client.call("POST", "/api/v2/connections", json=body)
    here.page.reload()
    tried(here, "right", "Rerun Downstream is ")
    tried(here, "wrong_password", "Invalid credentials")
    tried(here, "wrong_port", f"{at._replace(netloc='127.0.0.1:9').geturl()} can't be reached")


def tried(visited: Visit, connection: str, sentence: str) -> None:
    """Airflow's button that tries a connection shows our sentence."""
    row = visited.page.get_by_role("row").filter(has=visited.page.get_by_text(connection, exact=True))
    with visited.page.expect_response("**/api/v2/connections/test") as answer:
        row.get_by_role("button", name="Test Connection").dispatch_event("click")  # a tooltip may lie over it
    assert answer.value.ok, answer.value.text()
    expect(visited.page.get_by_text(re.compile(re.escape(sentence)))).to_be_visible()
