"""The pages in a browser: by keyboard alone, in every look and language, for a user who may not, and with many runs."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.acceptance.story import DAGS, Story
from tests.live.browser import OpenBrowser, Visit
from tests.live.harness import StartAirflow
from tests.live.keyboard import press_until
from tests.live.wizard import at, go_on, start, state_is, wizard_path

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

PLACES = ("/dag-runs", "source", "downstream", "settings", "review", "/records", "graph", "table", "timeline", "events")
"""Every page: addresses, steps of the wizard, and parts of a record."""


@pytest.fixture(scope="module")
def story(start_airflow: StartAirflow) -> Story:
    story = Story(start_airflow(dags=[DAGS]))
    story.make_history()
    return story


@pytest.fixture(scope="module")
def rerun(story: Story) -> int:
    """A rerun that has succeeded."""
    number = int(story.submit(name="By REST")["id"])
    assert story.wait_ended(number)["state"] == "succeeded"
    return number


def path_of(place: str, story: Story, rerun: int) -> str:
    """Address of one of the `PLACES`."""
    if place.startswith("/"):
        return place
    if place in ("source", "downstream", "settings", "review"):
        return wizard_path("up", story.run_id("up"), place)
    return f"/records/{rerun}?tab={place}"


def show(visited: Visit, path: str) -> None:
    """Open a page, and wait until all of it is there."""
    visited.open(path)
    expect(visited.page.get_by_role("heading", level=1)).to_be_visible()
    expect(visited.page.get_by_role("status")).to_have_count(0)


def test_by_keyboard_alone(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open_airflow(f"/dags/up/runs/{quote(story.run_id('up'), safe='')}")
    expect(here.page.get_by_role("link", name="Rerun Downstream", exact=True)).to_be_visible()
    press_until(here.page, "Tab", "Rerun Downstream", then="Enter")
    inside = here.inside
    at(inside, "Source tasks")
    press_until(here.page, "Tab", "Next", then="Enter")
    at(inside, "Downstream")
    expect(inside.get_by_text("5 of 5 downstream runs selected")).to_be_visible()
    press_until(here.page, "Tab", re.compile("^up "))
    press_until(here.page, "ArrowRight", re.compile("^marked |^right |^left "))
    press_until(here.page, "ArrowUp", re.compile("^marked "), then="Space")
    expect(inside.get_by_text("4 of 5 downstream runs selected")).to_be_visible()
    here.page.keyboard.press("Space")
    expect(inside.get_by_text("5 of 5 downstream runs selected")).to_be_visible()
    press_until(here.page, "Tab", "Next", then="Enter")
    at(inside, "Settings")
    press_until(here.page, "Tab", "Name")
    here.page.keyboard.type("By keyboard")
    press_until(here.page, "Tab", "Next", then="Enter")
    at(inside, "Review")
    press_until(here.page, "Tab", "Start rerun", then="Enter")
    expect(inside.get_by_role("heading", level=1)).to_contain_text("By keyboard")
    state_is(inside, "succeeded")
    began = datetime.fromisoformat(story.client.dag_runs("up")[0]["start_date"])
    airflows_header = here.page.get_by_text(began.strftime("%Y-%m-%d %H:%M:%S"), exact=True)
    expect(airflows_header.first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_nothing_serious_is_in_the_way_of_anybody(
    story: Story, rerun: int, visit: OpenBrowser, place: str, theme: str
) -> None:
    here = visit(story.airflow, theme=theme)
    show(here, path_of(place, story, rerun))
    expect(here.page.locator("html")).to_have_class(re.compile(theme))
    assert here.serious() == []


@pytest.mark.parametrize("place", PLACES)
def test_in_chinese_no_word_is_missing(story: Story, rerun: int, visit: OpenBrowser, place: str) -> None:
    here = visit(story.airflow, language="zh-CN")
    show(here, path_of(place, story, rerun))
    expect(here.page.locator("html")).to_have_attribute("lang", "zh-CN")
    text = here.page.locator("body").inner_text()
    assert re.search("[\u4e00-\u9fff]", text)
    assert re.findall(r"\b(?:common|runs|wizard|record):\w+|\b[a-z]+\.[a-z]+[A-Z]\w*", text) == []


def test_dates_are_in_the_persons_time_zone(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow, time_zone="Asia/Shanghai")
    show(here, "/dag-runs")
    expect(here.page.get_by_text("(Asia/Shanghai)").first).to_be_visible()
    midnight = story.client.dag_runs("up")[0]["run_after"]
    expect(here.page.locator(f"time[datetime='{midnight}']").first).to_contain_text("08:00:00")


def test_the_frame_follows_airflows_colours(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow, theme="dark")
    here.open_airflow("/plugin/rerun-downstream")
    expect(here.inside.locator("html")).to_have_class(re.compile("dark"))
    ours, theirs = (
        frame.locator("html").evaluate("(html) => getComputedStyle(html).getPropertyValue('--chakra-colors-bg')")
        for frame in (here.inside, here.page)
    )
    assert ours == theirs != ""


def test_who_may_only_look_may_propose_is_told_why_and_loses_nothing(story: Story, visit: OpenBrowser) -> None:
    before = story.our_rows()
    here = visit(story.airflow, "viewer")
    page = here.page
    here.open(wizard_path("up", story.run_id("up"), "settings"))
    page.get_by_label("Name", exact=True).fill("Not allowed")
    go_on(page, "Review")
    expect(page.get_by_test_id("only-propose")).to_contain_text("You may not rerun")
    expect(page.get_by_role("button", name="Propose", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Start rerun")).to_have_count(0)
    assert story.our_rows() == before
    page.get_by_role("button", name="Back", exact=True).click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Not allowed")


def test_a_plan_that_has_changed_shows_what_and_can_be_accepted(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    page = here.page
    here.open(wizard_path("up", story.run_id("up"), "settings"))
    go_on(page, "Review")
    expect(page.get_by_role("button", name="Start rerun")).to_be_enabled()
    run = story.run_id("marked")
    story.client.clear("marked", run)
    story.client.wait_for_run("marked", run)
    page.get_by_role("button", name="Start rerun").click()
    problem = page.get_by_test_id("problem").first
    expect(problem).to_contain_text("marked")
    page.get_by_role("button", name="Accept the changes").click()
    start(here, page)
    state_is(page, "succeeded")


def test_what_isnt_there_says_so(story: Story, visit: OpenBrowser) -> None:
    here = visit(story.airflow)
    here.open("/records/4711")
    expect(here.page.get_by_text("Rerun not found").first).to_be_visible()
    here.open("/nowhere")
    expect(here.page.get_by_text("Page not found")).to_be_visible()
    here.open("/dag-runs?dag_id=nothing_of_that_name")
    expect(here.page.get_by_text("No run matches these filters")).to_be_visible()


def test_a_lost_server_is_said_and_what_was_there_stays(story: Story, visit: OpenBrowser, rerun: int) -> None:
    here = visit(story.airflow)
    here.expected.append("ERR_|Failed to load")
    show(here, "/records")
    expect(here.page.get_by_role("link", name="By REST").first).to_be_visible()
    here.page.route("**/api/v1/**", lambda route: route.abort())
    expect(here.page.get_by_text("The server can't be reached")).to_be_visible(timeout=60_000)
    expect(here.page.get_by_role("link", name="By REST").first).to_be_visible()
    here.page.unroute("**/api/v1/**")
    expect(here.page.get_by_text("The server can't be reached")).to_have_count(0, timeout=60_000)


def many(plan: dict[str, Any], count: int) -> dict[str, Any]:
    """A plan with so many runs, in ten levels, made of the first of a real one."""
    source, pattern, link = plan["source"], plan["runs"][0], plan["links"][0]
    runs = [{**pattern, "dag_id": f"dag_{n % 200:03}", "run_id": f"scheduled__{n:05}"} for n in range(count)]
    level = max(count // 10, 1)
    links = [
        {
            **link,
            "upstream": {key: (source if n < level else runs[n - level])[key] for key in ("dag_id", "run_id")},
            "downstream": {key: run[key] for key in ("dag_id", "run_id")},
        }
        for n, run in enumerate(runs)
    ]
    # Every third run reads from two levels before, too: those lines have to pass the level between.
    links += [{**links[n], "upstream": links[n - level]["upstream"]} for n in range(2 * level, count, 3)]
    return {**plan, "runs": runs, "links": links, "warnings": []}


@pytest.fixture
def crowd(story: Story, visit: OpenBrowser, request: pytest.FixtureRequest) -> Visit:
    """A browser that gets a plan with as many runs as the test asks for."""
    here = visit(story.airflow)
    answer = json.dumps(many(story.plan(), request.param))
    review = json.dumps({"warnings": [], "waves": [], "stopped": [], "frozen": []})

    def plans(route: Route) -> None:
        route.fulfill(body=answer, content_type="application/json")

    here.page.route("**/api/v1/plans*", plans)
    here.page.route("**/api/v1/reviews*", lambda route: route.fulfill(body=review, content_type="application/json"))
    return here


UNDER_CARDS = """
() => {
  const cards = [...document.querySelectorAll('[data-card]')].map((card) => card.getBoundingClientRect());
  const lines = [...document.querySelectorAll('.react-flow__edge-path')];
  const meets = (line) => {
    const [screen, length] = [line.getScreenCTM(), line.getTotalLength()];
    for (let at = 0; at <= length; at += 20) {
      const { x, y } = line.getPointAtLength(at).matrixTransform(screen);
      const inside = ({ left, right, top, bottom }) => x > left + 1 && x < right - 1 && y > top + 1 && y < bottom - 1;
      if (cards.some(inside)) return true;
    }
    return false;
  };
  return [lines.length, lines.filter(meets).length];
}
"""
"""How many lines are on the screen, and how many of them run under a card."""

FRAMES = """
() => new Promise((done) => {
  const times = []; let last = performance.now(); const end = last + 2000;
  const step = (now) => { times.push(now - last); last = now; now < end ? requestAnimationFrame(step) : done(times); };
  requestAnimationFrame(step);
})
"""


def frames_while(page: Page, move: str) -> list[float]:
    """Milliseconds between frames, for two seconds, while a script moves something at each frame."""
    page.evaluate(f"() => {{ const move = () => {{ {move}; window.moving = requestAnimationFrame(move); }}; move(); }}")
    times = list(page.evaluate(FRAMES))
    page.evaluate("() => cancelAnimationFrame(window.moving)")
    return sorted(times[1:])


def smooth(page: Page, move: str, record: Any) -> None:
    """Frames come nearly as often while something moves as when nothing does: the ratio holds on any machine."""
    idle, moving = frames_while(page, ""), frames_while(page, move)
    told = {
        name: (times[len(times) // 2], times[len(times) * 9 // 10])
        for name, times in (("idle", idle), ("moving", moving))
    }
    record("frames", json.dumps(told))
    print(f"milliseconds between frames, median and ninth decile: {told}")
    assert told["moving"][0] < max(6 * told["idle"][0], 100), moving


@pytest.mark.parametrize("crowd", [1000], indirect=True)
def test_a_thousand_runs_are_drawn_at_once_and_move_smoothly(crowd: Visit, story: Story, record_property: Any) -> None:
    page = crowd.page
    with page.expect_response("**/api/v1/plans*"):
        crowd.open(wizard_path("up", story.run_id("up"), "downstream"))
    answered = page.evaluate("() => performance.now()")
    expect(page.locator("[data-card]").first).to_be_visible()
    drawn = float(page.evaluate("() => performance.now()")) - float(answered)
    record_property("drawn", f"{drawn:.0f} ms")
    print(f"1,000 runs drawn {drawn:.0f} ms after the answer")
    assert drawn < 2000
    box = page.locator(".react-flow__pane").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    wheel = (
        "document.querySelector('.react-flow__pane').dispatchEvent(new WheelEvent('wheel', "
        f"{{deltaX: 6, deltaY: 4, clientX: {x}, clientY: {y}, bubbles: true, cancelable: true}}))"
    )
    smooth(page, wheel, record_property)
    page.get_by_role("combobox", name="How large levels are shown").select_option("All runs")
    page.locator(".react-flow__controls-fitview").click()
    expect(page.locator(".react-flow__minimap-node")).to_have_count(1001)
    lines, under_cards = page.evaluate(UNDER_CARDS)
    assert lines > 100
    assert under_cards == 0


@pytest.mark.parametrize("crowd", [5000], indirect=True)
def test_five_thousand_runs_scroll_smoothly(crowd: Visit, story: Story, record_property: Any) -> None:
    page = crowd.page
    crowd.open(wizard_path("up", story.run_id("up"), "downstream"))
    page.get_by_text("List", exact=True).click()
    table = page.get_by_test_id("table").first
    expect(table.locator("[data-row]").first).to_be_visible()
    smooth(page, "document.querySelector('[data-testid=table]').scrollTop += 40", record_property)
    assert table.locator("[data-row]").count() < 200, "only what is in sight is drawn"
