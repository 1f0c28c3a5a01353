"""Room on the pages: what is in sight on small screens, at 200 % zoom and beside names of any length.

One Airflow, whose plan and review get more warnings on the way to the browser; measured are boxes on the screen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.acceptance.boxes import box, screen, within
from tests.acceptance.named import LONG
from tests.acceptance.story import Story
from tests.live.browser import APP, OpenBrowser, Visit
from tests.live.harness import wait_until
from tests.live.wizard import Shown, at, go_on, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

ZOOMED: ViewportSize = {"width": 720, "height": 450}
"""What a browser makes of a window of 1440 by 900 at 200 % zoom."""
PHONE: ViewportSize = {"width": 390, "height": 844}
WIDE: ViewportSize = {"width": 1440, "height": 900}
WARNED = {"order_lost": 1, "stays_polluted": 2, "upcoming_run": 5, "unresolved_link": 1}
"""How many warnings of which kind."""


def warn(visited: Visit) -> None:
    """Let plans and reviews have many warnings."""
    detail = "The run of stock of 2026-11-30 22:35 will read wrong data: finish the rerun first, or freeze that run."
    warnings = [
        {"code": code, "dag_id": "stock", "run_id": None, "detail": detail}
        for code, count in WARNED.items()
        for _ in range(count)
    ]

    def more(route: Route) -> None:
        answer = route.fetch()
        body = {**answer.json(), "warnings": warnings} if answer.ok else answer.json()
        route.fulfill(response=answer, body=json.dumps(body))

    visited.page.route("**/api/v1/plans*", more)
    visited.page.route("**/api/v1/reviews*", more)


def open_tab(story: Story, visited: Visit) -> Shown:
    """Our tab on the source's page, at the step Downstream."""
    run = quote(story.run_id("sales"), safe="")
    visited.open_airflow(f"/dags/sales/runs/{run}/plugin/rerun-downstream-run")
    at(visited.inside, "Source tasks")
    go_on(visited.inside, "Downstream")
    expect(visited.inside.locator("[data-card]").first).to_be_visible()
    return visited.inside


def cards_in_sight(visited: Visit, shown: Shown) -> int:
    """How many cards are visible as a whole: in the graph, in the frame and on the screen."""
    frames = [box(shown.get_by_test_id("graph")), screen(visited.page)]
    if not isinstance(shown, Page):
        frames.append(box(visited.page.locator("iframe")))
    return sum(all(within(box(card), frame) for frame in frames) for card in shown.locator("[data-card]").all())


def reflows(page: Page) -> None:
    """Nothing has to be scrolled sideways."""
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1366, 768), (1440, 900)])
def test_cards_are_in_sight_in_a_tab(story: Story, visit: OpenBrowser, width: int, height: int) -> None:
    here = visit(story.airflow)
    here.page.set_viewport_size({"width": width, "height": height})
    inside = open_tab(story, here)
    assert cards_in_sight(here, inside) >= 3


def test_a_tab_has_one_line_above_the_step(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    inside = open_tab(story, here)
    expect(inside.get_by_role("navigation")).to_have_count(1)  # the steps
    expect(inside.get_by_test_id("source")).to_have_count(0)
    head, toolbar = box(inside.get_by_test_id("page-head")), box(inside.get_by_role("radio", name="Flow"))
    assert toolbar[1] - box(here.page.locator("iframe"))[1] < 70, "one line"
    inside.get_by_role("link", name="Open in full width").click()
    at(here.inside, "Downstream")
    frame = box(here.page.locator("iframe"))
    assert frame[2] - frame[0] > 1300 > head[2] - head[0]
    here.page.go_back()
    at(here.inside, "Downstream")


def test_every_warning_is_in_sight_in_a_tab(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    warn(here)
    inside = open_tab(story, here)
    groups = inside.get_by_test_id("warnings").locator("> li")
    expect(groups).to_have_count(len(WARNED))
    left, top, right, _ = box(here.page.locator("iframe"))
    in_sight = (left, top, right, box(inside.locator("footer"))[1])
    assert [within(box(group), in_sight) for group in groups.all()] == [True] * len(WARNED)


@pytest.mark.parametrize("size", [ZOOMED, PHONE], ids=["200 %", "phone"])
@pytest.mark.parametrize("step", ["source", "downstream", "settings", "review"])
def test_the_wizard_scrolls_as_a_whole(story: Story, visit: OpenBrowser, step: str, size: ViewportSize) -> None:
    here = visit(story.airflow)
    here.page.set_viewport_size(size)
    warn(here)
    here.open(wizard_path("sales", story.run_id("sales"), step))
    expect(here.page.get_by_role("heading", level=1)).to_be_visible()
    expect(here.page.get_by_test_id("tally")).to_be_visible()  # there is a plan
    expect(here.page.get_by_role("status")).to_have_count(0)
    reflows(here.page)
    if step == "source":
        row = here.page.get_by_test_id("table").locator("tbody tr").first
        row.scroll_into_view_if_needed()
        _, top, _, bottom = box(row)
        assert 0 <= top < bottom <= screen(here.page)[3]
    if step == "downstream":
        graph = here.page.get_by_test_id("graph")
        graph.scroll_into_view_if_needed()
        _, top, _, bottom = box(graph)
        assert min(bottom, screen(here.page)[3]) - max(top, 0) >= 250
        assert box(here.page.get_by_test_id("warnings"))[1] < top, "warnings come first"
    footer = here.page.locator("footer")
    footer.scroll_into_view_if_needed()
    assert within(box(footer), screen(here.page))
    here.page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("step", ["source", "downstream", "settings", "review"])
def test_a_phone_has_room_for_the_step_itself(story: Story, visit: OpenBrowser, step: str) -> None:
    here = visit(story.airflow)
    here.page.set_viewport_size(PHONE)
    here.open(wizard_path("sales", story.run_id("sales"), step))
    expect(here.page.get_by_test_id("tally")).to_be_visible()
    _, top, _, bottom = box(here.page.locator("footer"))
    assert bottom - top <= 64
    source = here.page.get_by_test_id("source")
    _, top, _, bottom = box(source)
    assert bottom - top <= 40, "one line"
    source.locator("summary").click()
    expect(source.get_by_text("Run after")).to_be_visible()
    reflows(here.page)
    assert here.serious() == []


def test_nothing_overlaps_in_the_review_on_a_phone(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.page.set_viewport_size(PHONE)
    here.open(wizard_path("sales", story.run_id("sales"), "review"))
    rows = here.page.get_by_role("region", name="Rerun in this order").get_by_role("listitem").locator("ul > li")
    expect(rows).to_have_count(4)
    for row in rows.all():
        parts = [box(part) for part in row.locator("> *").all()]
        assert [right - left > 40 for left, _, right, _ in parts] == [True] * 4
        for (_, _, right, bottom), (left, top, _, _) in pairwise(parts):
            assert right <= left + 1 or bottom <= top + 1


TABLES = ("/dag-runs", "/records/{}?tab=table")
"""Lists with a Dag of the longest name, and an action in a row."""


@pytest.mark.parametrize("path", TABLES)
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_long_name_changes_no_row_and_no_column(
    story: Story, rerun: int, visit: OpenBrowser, path: str, size: ViewportSize
) -> None:
    here = visit(story.airflow)
    page = here.page
    page.set_viewport_size(size)
    here.open(path.format(rerun))
    table = page.get_by_test_id("table")
    rows = table.locator("tbody tr[data-row]")
    expect(rows).to_have_count(4)
    reflows(page)
    heights = [bottom - top for _, top, _, bottom in map(box, rows.all())]
    assert max(heights) - min(heights) <= 1
    assert max(heights) < 60
    window = screen(page)
    actions = [box(cell) for cell in table.locator("td[data-stays]").all()]
    assert [0 <= left < right <= window[2] for left, _, right, _ in actions] == [True] * 4
    long = rows.filter(has_text=LONG).locator("a, button").first
    page.keyboard.press("Tab")
    long.focus()
    expect(page.get_by_role("tooltip").get_by_text(LONG, exact=True)).to_be_visible()
    assert within(box(page.get_by_role("tooltip")), window)


@pytest.mark.parametrize("size", [WIDE, ZOOMED, PHONE], ids=["wide", "200 %", "phone"])
def test_a_record_with_long_names_is_read_without_scrolling_sideways(
    story: Story, rerun: int, visit: OpenBrowser, size: ViewportSize
) -> None:
    here = visit(story.airflow)
    page = here.page
    page.set_viewport_size(size)
    here.open(f"/records/{rerun}?tab=details")
    expect(page.get_by_test_id("failed-tasks")).to_have_count(1)
    rows = page.get_by_test_id("dags").locator("tbody tr")
    expect(rows).to_have_count(4)
    reflows(page)
    assert here.serious() == []
    widths = [right - left for left, _, right, _ in map(box, rows.first.locator("td").all())]
    assert min(widths) > 150, "no id is broken to pieces"


def test_why_a_run_cant_be_a_source_is_not_cut_off(story: Story, rerun: int, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open("/dag-runs")
    reasons = here.page.get_by_test_id("table").locator("td[data-stays] p")
    expect(reasons).to_have_count(4)
    wide, seen = "(cell) => cell.scrollWidth", "(cell) => cell.clientWidth"
    assert [reason.evaluate(wide) <= reason.evaluate(seen) for reason in reasons.all()] == [True] * 4


def test_every_state_has_an_address_and_a_title_in_a_tab(story: Story, rerun: int, visit: OpenBrowser) -> None:
    here = visit(story.airflow, permissions=["clipboard-read", "clipboard-write"])
    inside = open_tab(story, here)
    expect(here.page).to_have_title("Downstream - sales - Rerun Downstream")
    go_on(inside, "Settings")
    here.page.reload()
    at(inside, "Settings")
    here.page.go_back()
    at(inside, "Downstream")
    inside.get_by_test_id("earlier-reruns").get_by_role("link").first.click()
    expect(inside.get_by_test_id("rerun-state")).to_have_text("failed")
    expect(here.page).to_have_title(f"#{rerun} failed 3/4 - Rerun Downstream")
    inside.get_by_test_id("copy-link").click()
    expect(inside.get_by_test_id("copy-link")).to_have_text("Copied")
    other = visit(story.airflow)
    other.page.goto(here.page.evaluate("navigator.clipboard.readText()"))
    expect(other.inside.get_by_test_id("rerun-state")).to_have_text("failed")
    expect(other.page).to_have_url(re.compile(rf"/plugin/rerun-downstream-run#/records/{rerun}"))
    for step in ("Downstream", "Source tasks"):
        here.page.go_back()
        at(inside, step)
    here.page.get_by_role("link", name="Details", exact=True).click()
    expect(here.page).not_to_have_title(re.compile("Rerun Downstream"))


def test_the_view_and_the_focus_stay_where_they_are(story: Story, visit: OpenBrowser) -> None:
    page = (here := visit(story.airflow)).page
    here.open(wizard_path("sales", story.run_id("sales"), "downstream"))
    expect(page.locator("[data-card]").first).to_be_visible()
    search = page.get_by_role("searchbox", name="Search runs by Dag, run ID or date")
    search.fill("report")
    search.press("Enter")
    expect(page.get_by_text("1 of 1", exact=True)).to_be_visible()
    left, top, right, bottom = box(page.get_by_test_id("graph"))
    page.mouse.move((left + right) / 2, (top + bottom) / 2)
    page.mouse.wheel(40, 30)
    seen = resting(page)
    refresh = page.get_by_role("button", name="Refresh plan")
    for change in (lambda: search.fill(""), lambda: search.fill("stock"), refresh.focus, choose_nothing(page)):
        change()
        assert resting(page) == seen
    refresh.focus()
    with page.expect_response("**/api/v1/plans*"):
        page.keyboard.press("Enter")
    expect(page.get_by_text("Finding downstream runs…")).to_have_count(0)
    assert resting(page) == seen
    expect(refresh).to_be_focused()


def choose_nothing(page: Page) -> Callable[[], None]:
    """The button that deselects every run."""
    return page.get_by_role("group", name="Select several").get_by_role("button", name="Select none", exact=True).click


def resting(page: Page) -> str:
    """Where the graph stands once it has come to rest."""
    seen = [""]

    def rests() -> bool:
        seen.append(str(page.locator(".react-flow__viewport").get_attribute("style")))
        page.wait_for_timeout(100)
        return len(seen) > 3 and len(set(seen[-3:])) == 1

    wait_until(rests, 20, "the graph to stand still")
    return seen[-1]


def test_a_timeline_goes_by_start(story: Story, rerun: int, visit: OpenBrowser) -> None:
    page = (here := visit(story.airflow)).page
    here.open(f"/records/{rerun}?tab=timeline")
    page.get_by_role("combobox", name="Order").select_option("By start")
    members = story.call("GET", f"/reruns/{rerun}/members")["members"]
    names = [one["dag_display_name"] for one in sorted(members, key=lambda one: str(one["dispatched_at"]))]
    expect(page.get_by_test_id("timeline").get_by_role("listitem")).to_contain_text(names)


def test_nothing_is_blank_while_a_page_loads(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.page.route("**/assets/*.js", lambda route: None)  # on its way
    here.page.goto(f"{story.airflow.base_url}{APP}/records", wait_until="commit")
    line = here.page.locator("[aria-busy] > i").first
    expect(line).to_be_visible()
    _, top, _, bottom = box(line)
    assert bottom - top > 20, "its style isn't refused"
    here.page.unroute_all()


@pytest.mark.parametrize("size", [WIDE, ZOOMED, PHONE], ids=["wide", "200 %", "phone"])
@pytest.mark.parametrize("place", ["wizard", "record"])
def test_the_graph_is_drawn_in_its_whole_frame(
    story: Story, rerun: int, visit: OpenBrowser, place: str, size: ViewportSize
) -> None:
    here = visit(story.airflow)
    here.page.set_viewport_size(size)
    here.open(wizard_path("sales", story.run_id("sales"), "downstream") if place == "wizard" else f"/records/{rerun}")
    frame, drawing = here.page.get_by_test_id("graph"), here.page.locator(".react-flow")
    card = drawing.locator("[data-card]").first
    expect(card).to_be_visible()
    wait_until(lambda: within(box(card), box(drawing)), 20, "a whole card to be in the drawing")
    left, top, right, bottom = (abs(one - other) for one, other in zip(box(frame), box(drawing), strict=True))
    assert max(left, top, right, bottom) <= 2, "nothing but the frame's line stands around it"
