"""What people are told by name, by ear and before they submit: display names, freeze mode's choice, a live region."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.acceptance.story import Story
from tests.live.browser import OpenBrowser
from tests.live.wizard import at, go_on, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

CALLED, TASK_CALLED = "Daily sales (华东区)", "Load the day"
PHONE: ViewportSize = {"width": 390, "height": 844}


def freeze(page: Page) -> Locator:
    """Switch freeze mode on; the part of the page that is about it."""
    page.get_by_text("Freeze mode", exact=True).first.click()
    part = page.get_by_role("region", name="Freeze mode")
    expect(part.get_by_role("button", name="All", exact=True)).to_be_visible()
    return part


def test_freeze_mode_takes_no_regular_run_by_itself(story: Story, visit: OpenBrowser) -> None:
    page = (here := visit(story.airflow)).page
    here.open(wizard_path("sales", story.run_id("sales"), "downstream"))
    part = freeze(page)
    ticks = part.get_by_role("listitem").get_by_role("checkbox")
    expect(ticks).to_have_count(3)
    assert [tick.is_checked() for tick in ticks.all()] == [False] * 3
    expect(part.get_by_text("not known to read wrong data")).to_have_count(3)
    part.get_by_role("button", name="All", exact=True).click()
    expect(page.get_by_test_id("tally")).to_contain_text("3 frozen")
    go_on(page, "Settings")
    go_on(page, "Review")
    held = page.get_by_role("region", name="Frozen: 3 runs")
    expect(held).to_contain_text("until the rerun as a whole has succeeded, is terminated")
    expect(held).to_contain_text("these regular runs are held back")
    order = page.get_by_role("region", name="Rerun in this order")
    below, above = held.bounding_box(), order.bounding_box()
    assert below is not None
    assert above is not None
    assert below["y"] >= above["y"] + above["height"]


FILTERS = {"Run ID": ("scheduled__", "run=scheduled__"), "Tag": ("shop", "tag=shop"), "Owner": ("ad", "owner=ad")}
"""What is written into a filter that only the run of sales fits, and what the address says then."""


@pytest.mark.parametrize("label", FILTERS)
def test_runs_are_found_by_run_id_tag_and_owner_after_a_reload_too(
    story: Story, visit: OpenBrowser, label: str
) -> None:
    text, written = FILTERS[label]
    page = (here := visit(story.airflow)).page
    rows = page.get_by_test_id("table").locator("tbody tr[data-row]")
    field = page.get_by_role("search").get_by_label(label, exact=True)
    here.open("/dag-runs")
    expect(rows).to_have_count(4)
    field.fill(text)
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(CALLED)
    expect(page).to_have_url(re.compile(written))
    page.reload()
    expect(field).to_have_value(text)
    expect(rows).to_have_count(1)
    here.open("/dag-runs")  # without an address of its own
    expect(field).to_have_value(text)
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Clear filters").first.click()
    expect(rows).to_have_count(4)
    page.reload()
    expect(field).to_have_value("")
    expect(rows).to_have_count(4)


def test_dags_and_tasks_have_the_names_that_airflow_shows(story: Story, rerun: int, visit: OpenBrowser) -> None:
    page = (here := visit(story.airflow)).page
    here.open("/dag-runs?dag=华东")
    row = page.get_by_test_id("table").locator("tbody tr[data-row]")
    expect(row).to_have_count(1)
    expect(row).to_contain_text(CALLED)
    expect(row.get_by_test_id("id-of-name")).to_have_text("sales")
    here.open(wizard_path("sales", story.run_id("sales")))
    at(page, "Source tasks")
    expect(page.get_by_test_id("table")).to_contain_text(f"{TASK_CALLED} load")
    here.open(f"/records/{rerun}?tab=table")
    page.get_by_role("button", name=CALLED).click()
    drawer = page.get_by_test_id("member-drawer")
    expect(drawer.get_by_role("heading", name=f"{CALLED} sales")).to_be_visible()
    expect(drawer.get_by_role("button", name="Copy the ID sales")).to_be_visible()
    expect(drawer.get_by_test_id("note")).to_contain_text(f"{rerun}")
    drawer.get_by_text("Tasks in the Dag, as they are now").click()
    card = drawer.get_by_role("group", name=f"{TASK_CALLED} (load)")
    expect(card).to_contain_text("success")
    here.open(f"/records/{rerun}?tab=events")
    expect(page.get_by_test_id("table").get_by_role("button", name=CALLED).first).to_be_visible()


@pytest.mark.parametrize("path", ["/dag-runs", "/records", "/records/{}?tab=table", "/records/{}?tab=events"])
def test_ids_are_not_broken_to_pieces_on_a_phone(story: Story, rerun: int, visit: OpenBrowser, path: str) -> None:
    page = (here := visit(story.airflow)).page
    page.set_viewport_size(PHONE)
    here.open(path.format(rerun))
    expect(page.get_by_test_id("table").locator("tbody tr").first).to_be_visible()
    for cell in page.get_by_test_id("table").locator("tbody a, tbody button").all():
        found = cell.bounding_box()
        assert found is None or found["height"] < 60, cell.text_content()
