"""With the FAB auth manager, where roles differ in what they may do.

Who may only read the Dags proposes in the wizard, and another decides in the record; the role User doesn't see what
plugins add to Airflow's menus.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.story import DAGS, DIAMOND, Story
from tests.acceptance.test_permissions import grants
from tests.live.browser import APP, OpenBrowser
from tests.live.harness import StartAirflow, wait_until
from tests.live.wizard import at, state_is, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow) -> Story:
    story = Story(start_airflow(dags=[DAGS], auth="fab"))
    story.make_history()
    story.airflow.grant(
        users={"reader": ["reads"], "approver": ["edits"], "ursula": ["User"]},
        roles={"reads": grants(DIAMOND, "can_read"), "edits": grants(DIAMOND, "can_read", "can_edit")},
    )
    for name in ("reader", "approver", "ursula"):
        wait_until(lambda name=name: story.airflow.login(name), 60, f"the user {name}", ignore=(Exception,))
    return story


def propose(page: Page) -> int:
    """Propose what the review shows; the number of the proposal, whose record is shown then."""
    expect(page.get_by_test_id("only-propose")).to_contain_text("You may not rerun")
    expect(page.get_by_test_id("start-rerun")).to_have_count(0)
    page.get_by_test_id("propose-rerun").click()
    state_is(page, "proposed")
    return int(str(re.search(r"/records/(\d+)", page.url).group(1)))  # type: ignore[union-attr]


def test_proposed_by_a_reader_and_decided_on_by_another(story: Story, visit: OpenBrowser) -> None:
    reader, approver = (
        visit(story.airflow, "reader"),
        visit(story.airflow, "approver", permissions=["clipboard-read", "clipboard-write"]),
    )
    before = story.airflow_rows()
    theirs, ours = reader.page, approver.page
    numbers = []
    for _ in range(2):
        reader.open(wizard_path("up", story.run_id("up"), "review"))
        numbers.append(propose(theirs))
    first, second = numbers

    # The proposer sees what would be done, and can't do it.
    expect(theirs.get_by_test_id("proposal-standing")).to_contain_text("Nothing has changed since it was proposed")
    expect(theirs.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    expect(theirs.get_by_role("button", name="Withdraw")).to_be_visible()
    assert reader.serious() == []

    # Another finds them in the list, and rejects one with a reason.
    approver.open("/records?state=proposed")
    expect(ours.get_by_test_id("rerun-state")).to_have_text(["proposed", "proposed"])
    ours.locator(f"a[href$='/records/{first}']").click()
    ours.get_by_role("button", name="Reject", exact=True).click()
    ours.get_by_label("Reason (optional)").fill("the feed is still wrong")
    ours.get_by_test_id("confirm").click()
    state_is(ours, "terminated")
    expect(ours.get_by_test_id("rerun-reason")).to_contain_text("Rejected by approver: the feed is still wrong")
    assert story.airflow_rows() == before

    # The other is no longer what was proposed: that is said, and accepted.
    marked = story.run_id("marked")
    story.client.clear("marked", marked)
    story.client.wait_for_run("marked", marked)
    approver.open(f"/records/{second}")
    standing = ours.get_by_test_id("proposal-standing")
    expect(standing).to_contain_text("It is no longer what was proposed")
    expect(standing.get_by_test_id("proposal-news")).to_contain_text("marked")
    assert approver.serious() == []
    ours.get_by_role("button", name="Copy as…").click()
    ours.get_by_role("tab", name="Command line").click()
    expect(ours.get_by_test_id("copy-text")).to_contain_text("airflow-rerun-downstream propose")
    ours.get_by_role("button", name="Copy", exact=True).click()
    expect(ours.get_by_role("button", name="Copied")).to_be_visible()
    assert ours.evaluate("navigator.clipboard.readText()") == ours.get_by_test_id("copy-text").text_content()
    ours.keyboard.press("Escape")
    expect(ours.get_by_test_id("copy-as")).to_have_count(0)
    ours.get_by_role("button", name="Approve", exact=True).click()
    ours.get_by_role("alertdialog").get_by_role("button", name="Approve with these changes").click()
    state_is(ours, "succeeded")
    expect(ours.get_by_text("Approved By").locator("xpath=following-sibling::*[1]")).to_have_text("approver")
    assert story.call("GET", f"/reruns/{second}")["proposed_by"] == "reader"


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
