"""The story of the pages, told once: from a run's own page in Airflow to a repaired pipeline, by mouse."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from dev.demo import SOURCE, TABLES
from tests.live.browser import OpenBrowser, Visit
from tests.live.shop import Shop
from tests.live.wizard import Shown, go_on, start, state_is

pytestmark = [pytest.mark.live, pytest.mark.browser]


def test_from_a_runs_page_to_a_repaired_pipeline(shop: Shop, visit: OpenBrowser) -> None:
    here = visit(shop.airflow)
    here.open_airflow(f"/dags/{SOURCE}/runs/{quote(shop.run_id, safe='')}")
    here.page.get_by_role("link", name="Rerun Downstream", exact=True).click()
    inside = here.inside
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
    proof_is_shown(here, inside, shop, rerun)


def proof_is_shown(here: Visit, inside: Shown, shop: Shop, rerun: int) -> None:
    """The rerun is proven; when times are other ones later, the page says what is wrong now, beside what was found."""
    inside.get_by_role("tab", name="Proof").click()
    expect(inside.get_by_test_id("verdict")).to_have_text("Proven")
    proven = shop.call("GET", f"/reruns/{rerun}/proof")["counts"]["proven"]
    *_, last = csv.DictReader(saved(here, inside, "CSV").read_text().splitlines())
    assert (last["outcome"], last["count"]) == ("proven", str(proven))
    with shop.airflow.db().begin() as connection:
        late = text("update task_instance set end_date = '2100-01-01 00:00:00' where dag_id = :dag and run_id = :run")
        connection.execute(late, {"dag": SOURCE, "run": shop.run_id})
    inside.get_by_role("button", name="Check again").click()
    expect(inside.get_by_test_id("proof-now").get_by_test_id("verdict")).to_have_text("Violated")
    expect(inside.get_by_test_id("proof-kept").get_by_test_id("verdict")).to_have_text("Proven")
    found = inside.get_by_test_id("findings").get_by_role("listitem").filter(has_text="read too early").first
    expect(found).to_contain_text("Written: 2100-01-01 00:00:00.000")
    found.get_by_role("link").first.click()
    expect(inside.get_by_test_id("member-drawer")).to_be_visible()
    here.open(f"/records/{rerun}?tab=proof")
    expect(here.page.get_by_test_id("proof-kept")).to_be_visible()
    assert here.serious() == []
    findings = json.loads(saved(here, here.page, "JSON").read_text())["findings"]
    assert {one["reason"] for one in findings} >= {"read_too_early"}


def saved(here: Visit, shown: Shown, link: str) -> Path:
    """The file that a link saves."""
    with here.page.expect_download() as waiting:
        shown.get_by_role("link", name=link, exact=True).click()
    return Path(waiting.value.path())
