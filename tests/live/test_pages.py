"""The story of the pages, told once: from a run's own page in Airflow to a repaired pipeline, by mouse."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from dev.demo import SOURCE, TABLES
from tests.live.browser import OpenBrowser
from tests.live.shop import Shop
from tests.live.wizard import go_on, start, state_is

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_from_a_runs_page_to_a_repaired_pipeline(shop: Shop, visit: OpenBrowser) -> None:
    here = visit(shop.airflow)
    here.open_airflow(f"/dags/{SOURCE}/runs/{quote(shop.run_id, safe='')}")
    here.page.get_by_role("link", name="Rerun Downstream", exact=True).click()
    inside = here.inside
    expect(inside.get_by_role("link", name=shop.run_id, exact=True)).to_be_visible()
    go_on(inside, "Downstream")
    expect(inside.locator(".react-flow__minimap-node")).to_have_count(len(TABLES))
    inside.get_by_text("List", exact=True).click()
    taken = inside.get_by_test_id("table").get_by_role("checkbox", checked=True)
    expect(taken).to_have_count(len(TABLES) - 1)
    go_on(inside, "Settings")
    inside.get_by_label("Name", exact=True).fill("Right rate")
    inside.get_by_label("Reason", exact=True).fill("The feed came with a wrong exchange rate")
    go_on(inside, "Review")
    before = {(run["dag_id"], run["dag_run_id"]) for run in shop.client.dag_runs()}
    rerun = start(here, inside)
    expect(inside.get_by_role("heading", level=1)).to_contain_text("Right rate")
    state_is(inside, "succeeded")
    assert shop.is_right()
    assert {(run["dag_id"], run["dag_run_id"]) for run in shop.client.dag_runs()} == before
    told = shop.call("GET", f"/reruns/{rerun}")
    assert (told["name"], told["counts"]["succeeded"]) == ("Right rate", len(TABLES))
