"""From a plan's answer to a graph that can be moved, in a real browser; and the list of ten thousand. `make bench`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from dev.chromium import MISSING, browser, chromium
from tests.bench import pages

SIZES = (200, 2_000)
MAX_RATIO = 12.0
"""How many times as much ten times as many runs may take."""
ROUNDS = 3
LIST = 10_000
MAX_ROWS = 200
PATIENCE = 120_000
"""Milliseconds that something may take at all before the test gives up."""

MOVABLE = """
(since) => new Promise((done) => {
  const view = () => document.querySelector('.react-flow__viewport')?.style.transform;
  let moved;  // where it stood when it was pushed
  const look = () => {
    const pane = document.querySelector('.react-flow__pane');
    if (moved !== undefined && view() !== moved) {
      const answered = performance.getEntriesByType('resource').filter(({ name }) => name.includes('/api/v1/plans'));
      done(performance.now() - (since ?? answered.at(-1).responseEnd));
      return;
    }
    if (pane && document.querySelector('[data-card]')) {
      const { x, y, width, height } = pane.getBoundingClientRect();
      const at = { clientX: x + width / 2, clientY: y + height / 2 };
      moved = view();
      pane.dispatchEvent(new WheelEvent('wheel', { deltaY: 40, ...at, bubbles: true, cancelable: true }));
    }
    requestAnimationFrame(look);
  };
  look();
})
"""
"""Milliseconds from the plan's answer, or from `since`, until cards are drawn and a turn of the wheel moves them."""

CHOOSE = """
([field, way]) => {
  const since = performance.now();
  Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(field, way);
  field.dispatchEvent(new Event('change', { bubbles: true }));
  return since;
}
"""
"""Choose how large levels are shown; when that was."""


@pytest.fixture(scope="module", autouse=True)
def schema_known() -> None:
    """The database of the other benches isn't needed here."""


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip(MISSING)
    with browser() as found:
        yield found


def opened(started: Browser, count: int) -> Page:
    """The wizard at the runs downstream, with so many of them."""
    page = started.new_context(viewport={"width": 1440, "height": 900}, locale="en-US").new_page()
    page.set_default_timeout(PATIENCE)
    pages.answer_plan(page, count)
    page.goto(pages.WIZARD, wait_until="commit")
    return page


def first(started: Browser, count: int) -> float:
    """From the answer on, the large levels folded as they are at first."""
    page = opened(started, count)
    taken = float(page.evaluate(MOVABLE))
    expect(page.get_by_text(f"{count} of {count} downstream runs selected")).to_be_visible()
    assert page.locator("[data-group]").count() > 0
    page.context.close()
    return taken


def unfolded(started: Browser, count: int) -> float:
    """From the choice of all runs on."""
    page = opened(started, count)
    page.evaluate(MOVABLE)
    taken = changed(page, "none")
    page.locator(".react-flow__controls-fitview").click()
    drawn = page.locator(".react-flow__minimap-node")
    expect(drawn).to_have_count(count + 1, timeout=PATIENCE)
    page.context.close()
    return taken


def folded_again(started: Browser, count: int) -> float:
    """From the choice of groups by state on, where all runs were shown."""
    page = opened(started, count)
    page.evaluate(MOVABLE)
    changed(page, "none")
    taken = changed(page, "state")
    assert page.locator("[data-group]").count() > 0
    page.context.close()
    return taken


def changed(page: Page, way: str) -> float:
    """Milliseconds until a graph whose large levels are shown in another way can be moved."""
    field = page.get_by_role("combobox", name="How large levels are shown").element_handle()
    return float(page.evaluate(MOVABLE, page.evaluate(CHOOSE, [field, way])))


WAYS: dict[str, Callable[[Browser, int], float]] = {
    "from the answer": first,
    "all runs": unfolded,
    "folded again": folded_again,
}


@pytest.mark.parametrize("way", WAYS)
def test_ten_times_as_many_runs_can_be_moved_after_at_most_twelve_times_as_long(
    benchmark: Any, started: Browser, way: str
) -> None:
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(ROUNDS):
        for size in SIZES:
            times[size].append(WAYS[way](started, size))
    least = {size: min(taken) for size, taken in times.items()}
    ratio = least[SIZES[1]] / least[SIZES[0]]
    print(f"\n{way}: {', '.join(f'{size} runs {taken:.0f} ms' for size, taken in least.items())}; {ratio:.2f} x")
    benchmark.extra_info.update(times=times, ratio=ratio)
    assert ratio <= MAX_RATIO
    benchmark.pedantic(lambda: None, rounds=1)


def test_ten_thousand_runs_open_in_the_list(benchmark: Any, started: Browser) -> None:
    page = opened(started, LIST)
    page.get_by_text("List", exact=True).click()
    table = page.get_by_test_id("table").first
    expect(table.locator("[data-row]").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text(f"{LIST} of {LIST} downstream runs selected")).to_be_visible()
    assert table.locator("[data-row]").count() < MAX_ROWS, "only what is in sight is drawn"
    table.evaluate("(rows) => { rows.scrollTop = rows.scrollHeight; }")
    last = pages.ref(LIST - 1, LIST // pages.LEVELS)["run_id"]
    expect(table.get_by_text(last)).to_be_visible()
    benchmark.pedantic(lambda: None, rounds=1)
