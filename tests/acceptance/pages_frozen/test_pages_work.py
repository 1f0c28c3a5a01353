"""What people do with records, in a real browser: find, save, comment, repair several runs at once, and rerun again."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from tests.acceptance.freezing import Frozen
from tests.live.browser import OpenBrowser, Visit
from tests.live.wizard import act, at, go_on, start, state_is, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

NAME = "Wechselkurs 5% zu hoch, 汇率"
PROPOSED = re.compile(r"^wrong \d{4}-\d\d-\d\d")

HEARD = """
  window.heard = [];
  window.Notification = class {
    static permission = "granted";
    static requestPermission = () => Promise.resolve("granted");
    constructor(title, { body }) { window.heard.push(`${title} (${body})`); }
    close() {}
  };
"""
"""A headless browser shows no notifications; what the page asks for is kept."""


@pytest.fixture
def here(frozen: Frozen, visit: OpenBrowser) -> Iterator[Visit]:
    """A browser, and a source whose task waits; nothing goes on after the test."""
    frozen.file("wait").touch()
    yield visit(frozen.airflow)
    frozen.calm_down()


def submit(frozen: Frozen, here: Visit, name: str | None = None) -> int:
    """Go through the wizard with the name that is proposed, or with another one."""
    page = here.page
    here.open(wizard_path("wrong", frozen.run_id("wrong"), "settings"))
    field = page.get_by_label("Name", exact=True)
    expect(field).to_have_value(PROPOSED)
    if name is not None:
        field.fill(name)
    go_on(page, "Review")
    return start(here, page)


def saved(page: Page, button: str) -> Download:
    """What a button saves."""
    with page.expect_download() as found:
        page.get_by_role("button", name=button, exact=True).click()
    return found.value


def rows_of(file: Download) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    return list(csv.DictReader(io.StringIO(Path(file.path()).read_bytes().decode("utf-8-sig"))))


def test_found_again_saved_and_filters_that_stay(frozen: Frozen, here: Visit) -> None:
    page = here.page
    rerun = submit(frozen, here, NAME)
    act(page, "Terminate")
    state_is(page, "terminated")
    here.open("/records")
    page.get_by_label("Name or reason").fill("wechselKURS 5%")
    expect(page.get_by_role("link", name=NAME)).to_have_count(1)
    expect(page).to_have_url(re.compile("search="))
    expect(page.get_by_test_id("table").locator("tbody tr[data-row]")).to_have_count(1)
    file = saved(page, "CSV")
    assert re.fullmatch(r"reruns-\d{8}T\d{6}Z\.csv", file.suggested_filename)
    assert [(row["id"], row["name"]) for row in rows_of(file)] == [(str(rerun), NAME)]
    here.open("/dag-runs")
    here.open("/records")
    expect(page.get_by_label("Name or reason")).to_have_value("wechselKURS 5%")
    page.get_by_role("button", name="Clear filters").first.click()
    expect(page.get_by_label("Name or reason")).to_have_value("")
    here.open("/records")
    expect(page.get_by_label("Name or reason")).to_have_value("")
    assert here.serious() == []


def test_a_record_is_commented_saved_and_its_owners_are_told(frozen: Frozen, here: Visit) -> None:
    page = here.page
    rerun = submit(frozen, here)
    act(page, "Terminate")
    state_is(page, "terminated")
    here.open(f"/records/{rerun}?tab=events")
    page.get_by_label(re.compile("^Comment, for everybody")).fill("The feed is right\nsince nine")
    page.get_by_role("button", name="Add comment").click()
    expect(page.get_by_test_id("comments").get_by_role("listitem")).to_contain_text("The feed is right")
    page.get_by_role("button", name="JSON", exact=True).wait_for()
    events = json.loads(Path(saved(page, "JSON").path()).read_text(encoding="utf-8"))["items"]
    assert [one["detail"] for one in events if one["action"] == "commented"] == ["The feed is right\nsince nine"]
    assert frozen.rows("select 1 from log where event = 'rerun_downstream.commented'") != []
    here.open(f"/records/{rerun}?tab=details")
    expect(page.get_by_test_id("dags")).to_contain_text("airflow")
    here.open(f"/records/{rerun}?tab=table")
    members = rows_of(saved(page, "CSV"))
    assert {row["state"] for row in members} == {"terminated"}
    assert "wrong" in {row["dag_id"] for row in members}
    assert here.serious() == []


def test_failed_runs_are_retried_together_and_an_end_is_told(frozen: Frozen, here: Visit) -> None:
    page = here.page
    page.add_init_script(HEARD)
    frozen.file("fail").touch()
    rerun = submit(frozen, here)
    page.get_by_text("Notify me at the end", exact=True).click()
    frozen.go_on()
    state_is(page, "failed")
    page.wait_for_function("() => window.heard.some((one) => one.includes(': failed'))")
    here.open(f"/records/{rerun}?tab=table")
    page.get_by_role("checkbox", name=re.compile("^Choose (all|the) ")).check()
    frozen.file("fail").unlink()
    page.get_by_role("button", name=re.compile(r"^Retry \d+ run")).click()
    page.get_by_test_id("confirm").click()
    expect(page.get_by_test_id("repaired")).to_contain_text("Done for 1 run.")
    state_is(page, "succeeded")
    page.wait_for_function("() => window.heard.some((one) => one.includes(': succeeded'))")
    (member,) = [one for one in frozen.members(rerun).values() if one["dag_id"] == "wrong"]
    here.open(f"/records/{rerun}?tab=details&member={member['id']}")
    attempts = page.get_by_test_id("attempts").get_by_role("row")
    expect(attempts).to_have_count(3)
    expect(attempts.nth(1)).to_contain_text("Run failed")
    expect(attempts.nth(2)).to_contain_text("Run succeeded")


def test_a_rerun_is_done_again_as_it_was(frozen: Frozen, here: Visit) -> None:
    page = here.page
    submit(frozen, here, NAME)
    act(page, "Terminate")
    state_is(page, "terminated")
    page.get_by_role("link", name="Rerun again").click()
    at(page, "Source tasks")
    expect(page.get_by_test_id("again")).to_contain_text("again")
    expect(page.get_by_test_id("again")).to_contain_text("Consents given then aren't taken over.")
    for step in ("Downstream", "Settings"):
        go_on(page, step)
    expect(page.get_by_label("Name", exact=True)).to_have_value(NAME)
    go_on(page, "Review")
    expect(page.get_by_role("button", name="Start rerun")).to_be_enabled()
    assert here.serious() == []
    start(here, page)
    act(page, "Terminate")
    state_is(page, "terminated")
