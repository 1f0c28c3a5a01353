"""Where things are on a page's screen."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def box(located: Locator) -> Box:
    """Where something is on the screen."""
    found = located.bounding_box()
    assert found is not None
    return found["x"], found["y"], found["x"] + found["width"], found["y"] + found["height"]


def within(inner: Box, outer: Box) -> bool:
    """Whether all of something is inside something else; a pixel is nothing."""
    edges = (outer[0] - 1 <= inner[0], outer[1] - 1 <= inner[1], inner[2] <= outer[2] + 1, inner[3] <= outer[3] + 1)
    return all(edges)


def screen(page: Page) -> Box:
    """What the window shows."""
    size = page.viewport_size
    assert size is not None
    return 0, 0, size["width"], size["height"]
