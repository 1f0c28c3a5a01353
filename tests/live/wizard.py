"""The words in which tests go through the wizard and look at records, in a page or in Airflow's frame."""

from __future__ import annotations

import re
from urllib.parse import quote

from playwright.sync_api import FrameLocator, Page, expect

from tests.live.browser import Visit

Shown = Page | FrameLocator
"""Where the pages are: by themselves, or in a frame."""
RERUN_TIMEOUT = 240_000.0
"""Milliseconds that a rerun may take."""


def wizard_path(dag_id: str, run_id: str, step: str = "source") -> str:
    """Address of the wizard for a run, below the pages' root."""
    return f"/rerun?dag_id={quote(dag_id)}&run_id={quote(run_id, safe='')}&step={step}"


def go_on(shown: Shown, step: str) -> None:
    """Press Next; the heading of the step that comes then."""
    shown.get_by_role("button", name="Next", exact=True).click()
    at(shown, step)


def at(shown: Shown, step: str) -> None:
    """Wait until the wizard is at a step."""
    expect(shown.get_by_role("heading", level=2, name=step, exact=True)).to_be_visible()


def start(visit: Visit, shown: Shown) -> int:
    """Submit what the review shows; the id of the rerun, whose record is shown then."""
    shown.get_by_role("button", name="Start rerun").click()
    expect(shown.get_by_test_id("rerun-state")).to_be_visible()
    address = visit.page.url if isinstance(shown, Page) else shown.locator("html").evaluate("() => location.href")
    return int(str(re.search(r"/records/(\d+)", str(address)).group(1)))  # type: ignore[union-attr]


def state_is(shown: Shown, state: str) -> None:
    """Wait, without loading the page again, until the record says so."""
    expect(shown.get_by_test_id("rerun-state")).to_have_text(state, timeout=RERUN_TIMEOUT)


def act(shown: Shown, action: str) -> None:
    """Press a button of the record and agree to what it says it will do."""
    shown.get_by_role("button", name=action, exact=True).first.click()
    shown.get_by_test_id("confirm").click()
    expect(shown.get_by_role("alertdialog")).to_have_count(0)
