"""Freeze mode, pause, resume, terminate, retry, skip and release, by the buttons of the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.freezing import Frozen
from tests.acceptance.story import AWAY
from tests.live.browser import OpenBrowser, Visit
from tests.live.harness import Json, wait_until
from tests.live.wizard import act, at, go_on, start, state_is, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

LEAD = timedelta(seconds=35)
"""How long before its time a run must be known, for a person to click through the wizard before it is made."""


@pytest.fixture
def page(frozen: Frozen, visit: OpenBrowser) -> Iterator[Page]:
    """A browser, and a source whose task waits; nothing goes on after the test."""
    frozen.file("wait").touch()
    here = visit(frozen.airflow)
    yield here.page
    frozen.client.pause("minutely")
    frozen.calm_down()


def submit(frozen: Frozen, page: Page) -> int:
    """Go through the wizard and leave everything as it is proposed."""
    here = Visit(page, frozen.airflow)
    here.open(wizard_path("wrong", frozen.run_id("wrong"), "review"))
    at(page, "Review")
    return start(here, page)


def is_idle(frozen: Frozen) -> bool:
    """Whether no run of the Dag that runs every minute is on its way."""
    return frozen.rows("select 1 from dag_run where dag_id = 'minutely' and state in ('queued', 'running')") == []


def held_minute(frozen: Frozen, rerun: int) -> Json | None:
    """A frozen member whose run has been made; earlier runs of the Dag are members as well, and are rerun."""
    found = frozen.call("GET", f"/reruns/{rerun}/members", params={"limit": 100})["members"]
    made = [one for one in found if one["role"] == "frozen" and one["dag_id"] == "minutely" and one["run_id"]]
    return made[0] if made else None


def accept_changes(page: Page) -> None:
    """Wait until the rerun can be started; if something has changed meanwhile, accept it."""
    begin = page.get_by_role("button", name="Start rerun")
    accept = page.get_by_role("button", name="Accept the changes")

    def ready() -> bool:
        if accept.is_visible():
            accept.click()
        return begin.is_enabled()

    wait_until(ready, 60, "the rerun to be ready")


def test_pause_resume_and_terminate(frozen: Frozen, page: Page) -> None:
    submit(frozen, page)
    state_is(page, "running")
    act(page, "Pause")
    state_is(page, "paused")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_have_count(0)
    act(page, "Resume")
    state_is(page, "running")
    page.get_by_role("button", name="Terminate", exact=True).click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("is stopped")
    dialog.get_by_role("button", name="Cancel").click()
    state_is(page, "running")
    act(page, "Terminate")
    state_is(page, "terminated")
    expect(page.get_by_text("This record is final")).to_be_visible()


def test_a_failed_member_is_retried(frozen: Frozen, page: Page) -> None:
    frozen.file("fail").touch()
    rerun = submit(frozen, page)
    frozen.go_on()
    state_is(page, "failed")
    frozen.file("fail").unlink()
    act(page, "Retry")
    state_is(page, "succeeded")
    Visit(page, frozen.airflow).open(f"/records/{rerun}?tab=table")
    page.get_by_role("button", name="wrong", exact=True).click()
    tries = page.get_by_test_id("tries")
    tries.get_by_text("Tries of each task").click()
    expect(tries.get_by_role("row").nth(1)).to_contain_text(re.compile(r"1 try, failed.*1 try, success"))


def test_a_failed_member_is_skipped(frozen: Frozen, page: Page) -> None:
    frozen.file("fail").touch()
    rerun = submit(frozen, page)
    frozen.go_on()
    state_is(page, "failed")
    act(page, "Skip")
    frozen.wait_ended(rerun)
    left = frozen.call("GET", f"/reruns/{rerun}/not-made-anew")
    state_is(page, f"succeeded, {left['total_entries']} not made anew")
    members = frozen.members(rerun)
    assert members["wrong"]["state"] == "skipped"
    said = {(one["dag_id"], one["reason"], (one["because_of"] or {}).get("dag_id")) for one in left["not_made_anew"]}
    readers = {(dag_id, "rebuilt_on_polluted", "wrong") for dag_id in members.keys() - {"wrong"}}
    assert said == {("wrong", "skipped_by_user", None)} | readers


def test_freeze_mode_holds_what_is_to_come_and_a_person_releases_it(frozen: Frozen, page: Page) -> None:
    frozen.client.unpause("minutely")
    wait_until(lambda: frozen.client.dag_runs("minutely") and is_idle(frozen), 180, "the minutes before to be over")
    frozen.next_runs("minutely", lead=LEAD)
    here = Visit(page, frozen.airflow)
    here.open(wizard_path("wrong", frozen.run_id("wrong"), "downstream"))
    page.get_by_text("Freeze mode", exact=True).click()
    expect(page.get_by_role("heading", name="Frozen until the rerun ends")).to_be_visible()
    go_on(page, "Settings")
    go_on(page, "Review")
    accept_changes(page)
    expect(page.get_by_text("They don't start until the rerun as a whole has succeeded")).to_be_visible()
    rerun = start(here, page)
    expect(page.get_by_text("pending unfreeze").first).to_be_visible()
    held = wait_until(lambda: held_minute(frozen, rerun), 180, "the next minute to be made, held", ignore=AWAY)
    assert frozen.never_started("minutely", held["run_id"])
    act(page, "Release")
    expect(page.get_by_text("pending unfreeze")).to_have_count(0)
    wait_until(lambda: frozen.succeeded("minutely", held["logical_date"]), 120, "it to run", ignore=AWAY)
    frozen.go_on()
    state_is(page, "succeeded")
