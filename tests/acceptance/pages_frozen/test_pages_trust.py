"""What a record, the list of records and the wizard say while something is wrong around them.

The scheduler is away, the api-server is, a proxy answers in its place, another person acts, a login doesn't help.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from dev.live_airflow import stopped
from tests.acceptance.freezing import Frozen
from tests.live.browser import OpenBrowser, Visit
from tests.live.harness import Json, wait_until
from tests.live.wizard import RERUN_TIMEOUT, at, state_is, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

PROXY = "<html><body><h1>502 Bad Gateway</h1><p>nginx/1.25 at 10.1.2.3</p></body></html>"
SERVER_AWAY = r"status of 50|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET"


@pytest.fixture
def here(frozen: Frozen, visit: OpenBrowser) -> Iterator[Visit]:
    """A browser whose person lives in Shanghai. Nothing goes on after the test."""
    visited = visit(frozen.airflow, time_zone="Asia/Shanghai")
    yield visited
    frozen.calm_down()


def submit(frozen: Frozen) -> int:
    """A rerun of the source alone."""
    return int(frozen.call("POST", "/reruns", json={"source": frozen.source(), "members": []})["id"])


def failed(frozen: Frozen) -> int:
    """A rerun whose only member has failed."""
    frozen.file("fail").touch()
    rerun = submit(frozen)
    assert frozen.wait_ended(rerun)["state"] == "failed"
    return rerun


def answer_for_the_server(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body=PROXY)


class TestScheduler:
    def test_what_is_queued_does_not_run_and_the_silence_is_said(self, frozen: Frozen, here: Visit) -> None:
        page = here.page
        with stopped(frozen.airflow, "scheduler"):
            rerun = submit(frozen)
            wait_until(lambda: frozen.members(rerun)["wrong"]["state"] == "running", 60, "the source to be dispatched")
            assert frozen.members(rerun)["wrong"]["live"]["state"] == "queued"
            here.open(f"/records/{rerun}?tab=table")
            expect(page.get_by_test_id("member-state")).to_have_text("queued in Airflow")
            expect(page.get_by_role("progressbar")).to_have_attribute(
                "aria-valuetext", "0 of 1 done, 1 queued in Airflow"
            )
            silence = page.get_by_test_id("scheduler-silent")
            expect(silence).to_contain_text("hasn't been heard since", timeout=RERUN_TIMEOUT)
            expect(silence).to_contain_text("(Asia/Shanghai); nothing moves")
            page.get_by_role("tab", name="Graph").click()
            expect(page.locator("[data-member]").get_by_text("queued in Airflow")).to_be_visible()
            page.get_by_role("tab", name="Timeline").click()
            expect(
                page.get_by_test_id("timeline").get_by_role("button", name="queued in Airflow since")
            ).to_be_visible()
            here.open("/records")
            expect(page.get_by_test_id("scheduler-silent")).to_be_visible()
            here.open(wizard_path("wrong", frozen.run_id("wrong"), "review"))
            at(page, "Review")
            expect(page.get_by_test_id("scheduler-silent")).to_be_visible()
            here.open(f"/records/{rerun}?tab=table")
            expect(page.get_by_test_id("scheduler-silent")).to_be_visible()
        expect(page.get_by_test_id("rerun-state")).to_have_text(re.compile("^succeeded"), timeout=RERUN_TIMEOUT)
        expect(page.get_by_test_id("scheduler-silent")).to_have_count(0)
        expect(page.get_by_test_id("member-state")).to_have_text("succeeded")


class TestServer:
    def test_a_record_follows_again_after_the_server_was_away(self, frozen: Frozen, here: Visit) -> None:
        here.expected.append(SERVER_AWAY)
        frozen.file("wait").touch()
        rerun = submit(frozen)
        here.open(f"/records/{rerun}")
        state_is(here.page, "running")
        with stopped(frozen.airflow, "api-server"):
            problem = here.page.get_by_test_id("problem")
            expect(problem).to_contain_text("The server can't be reached", timeout=RERUN_TIMEOUT)
            expect(problem).to_contain_text("This page keeps asking.")
        expect(here.page.get_by_test_id("problem")).to_have_count(0, timeout=RERUN_TIMEOUT)
        frozen.file("wait").unlink()
        frozen.wait_ended(rerun)

    def test_a_proxys_page_is_not_printed_and_a_question_is_asked_again(self, frozen: Frozen, here: Visit) -> None:
        here.expected.append(SERVER_AWAY)
        page = here.page
        rerun = failed(frozen)
        page.route("**/reruns/*/changes*", answer_for_the_server)
        here.open(f"/records/{rerun}")
        problem = page.get_by_test_id("problem")
        expect(problem).to_contain_text("The server doesn't answer at the moment")
        expect(problem).to_contain_text("(HTTP 502)")
        expect(page.get_by_text("nginx")).to_have_count(0)
        page.unroute("**/reruns/*/changes*")
        state_is(page, "failed")
        expect(problem).to_have_count(0)

    def test_an_order_is_given_once_and_nothing_is_said_to_be_tried_again(self, frozen: Frozen, here: Visit) -> None:
        here.expected.append(SERVER_AWAY)
        page = here.page
        rerun = failed(frozen)
        ordered: list[str] = []

        def lose(route: Route) -> None:
            ordered.append(route.request.url)
            answer_for_the_server(route)

        page.route("**/members/*/skip", lose)
        here.open(f"/records/{rerun}")
        page.get_by_role("button", name="Skip", exact=True).first.click()
        page.get_by_test_id("confirm").click()
        problem = page.get_by_role("alertdialog").get_by_test_id("problem")
        expect(problem).to_contain_text("It may have been carried out all the same.")
        page.wait_for_timeout(5_000)
        assert len(ordered) == 1
        expect(problem).not_to_contain_text("keeps asking")

    def test_a_login_that_does_not_help_is_not_asked_again_and_again(self, frozen: Frozen, here: Visit) -> None:
        page = here.page
        logins: list[str] = []

        def straight_back(route: Route) -> None:
            logins.append(route.request.url)
            back = "<script>location.replace(new URLSearchParams(location.search).get('next'))</script>"
            route.fulfill(status=200, content_type="text/html", body=back)

        page.route("**/api/v2/auth/login*", straight_back)
        page.route("**/rerun-downstream/api/v1/reruns*", lambda route: route.fulfill(status=401, json={"detail": "No"}))
        here.open("/records")
        expect(page.get_by_test_id("problem")).to_contain_text("You aren't logged in")
        page.wait_for_timeout(3_000)
        assert len(logins) == 1
        page.get_by_role("button", name="Log in again").click()
        wait_until(lambda: len(logins) == 2, 30, "the login")


class TestTwoPeople:
    def test_an_old_dialog_says_what_has_happened_instead_of_doing_it(self, frozen: Frozen, here: Visit) -> None:
        page = here.page
        rerun = failed(frozen)
        member = frozen.members(rerun)["wrong"]
        here.open(f"/records/{rerun}")
        page.get_by_role("button", name="Skip", exact=True).first.click()
        expect(page.get_by_test_id("confirm")).to_be_enabled()
        frozen.call("POST", f"/reruns/{rerun}/members/{member['id']}/retry")
        frozen.wait_members(rerun, lambda members: has_failed_again(members["wrong"]), "the second attempt to fail")
        meanwhile = page.get_by_test_id("changed-meanwhile")
        expect(meanwhile).to_contain_text("admin: Retry requested")
        expect(page.get_by_test_id("confirm")).to_be_disabled()
        assert frozen.members(rerun)["wrong"]["state"] == "failed"

    def test_the_server_is_as_careful_where_the_page_is_slower(self, frozen: Frozen, here: Visit) -> None:
        page = here.page
        rerun = failed(frozen)
        member = frozen.members(rerun)["wrong"]
        here.open(f"/records/{rerun}")
        page.get_by_role("button", name="Skip", exact=True).first.click()
        expect(page.get_by_test_id("confirm")).to_be_enabled()
        page.route("**/reruns/*/changes*", lambda route: route.fulfill(status=304))
        frozen.call("POST", f"/reruns/{rerun}/members/{member['id']}/retry")
        frozen.wait_members(rerun, lambda members: has_failed_again(members["wrong"]), "the second attempt to fail")
        status, refusal = frozen.refused("POST", f"/reruns/{rerun}/members/{member['id']}/skip", json={"attempt": 1})
        assert (status, refusal["reason"], refusal["attempt"]) == (409, "changed_meanwhile", 2)
        assert frozen.members(rerun)["wrong"]["state"] == "failed"


def has_failed_again(member: Json) -> bool:
    return bool(member["attempt"] == 2 and member["state"] == "failed")


class TestFailures:
    def test_a_failed_member_names_its_tasks_and_shows_the_end_of_a_log(self, frozen: Frozen, here: Visit) -> None:
        page = here.page
        rerun = failed(frozen)
        here.open(f"/records/{rerun}")
        tasks = page.get_by_test_id("failed-tasks")
        expect(tasks.get_by_text("@task")).to_be_visible()
        log = tasks.get_by_role("link", name="Log of make in Airflow")
        assert "/dags/wrong/runs/" in str(log.get_attribute("href"))
        tasks.get_by_role("button", name="Show last lines").click()
        expect(page.get_by_test_id("last-lines")).to_contain_text("as arranged")


class TestPlaces:
    def test_a_tab_is_as_it_was_left(self, frozen: Frozen, here: Visit) -> None:
        page = here.page
        rerun = failed(frozen)
        here.open(f"/records/{rerun}?tab=table")
        search = page.get_by_role("searchbox", name=re.compile("^Search Dags"))
        search.fill("wrong")
        page.get_by_role("tab", name="Events").click()
        page.get_by_role("tab", name="Table").click()
        expect(search).to_have_value("wrong")

    def test_whatever_was_stored_the_wizard_begins_and_can_begin_anew(self, frozen: Frozen, here: Visit) -> None:
        page = here.page
        path = wizard_path("wrong", frozen.run_id("wrong"))
        here.open(path)
        at(page, "Source tasks")
        for stored in ("{", "[]", '{"version": 1, "draft": 7}', '{"version": 2, "draft": {"source": null}}'):
            spoil(page, stored)
            here.open(path)
            at(page, "Source tasks")
            expect(page.get_by_role("button", name="Start over")).to_be_visible()


def spoil(page: Page, stored: str) -> None:
    """Let every draft in the browser be another text."""
    page.evaluate(
        """text => {
            const key = Object.keys(sessionStorage).find(key => key.startsWith("rerun-downstream:draft:"));
            sessionStorage.setItem(key ?? "rerun-downstream:draft:wrong", text);
        }""",
        stored,
    )
