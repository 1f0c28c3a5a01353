"""The pages in a real browser, on a real Airflow: fixtures, and the words in which tests drive them.

A `conftest.py` gets the fixtures with `from tests.live.browser import chromium, pages`. What a page complains of in
its console, and what it asks of another host, fails the test that opened it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, Request, expect

from dev.chromium import MISSING, browser
from dev.chromium import chromium as chromium_path
from tests.live.harness import LiveAirflow, wait_until

APP = "/rerun-downstream/ui"
TIMEOUT = 30_000.0
"""Milliseconds that a page gets to show what a test waits for: a busy machine is slow."""
expect.set_options(timeout=TIMEOUT)
IFRAME = "iframe[src*='rerun-downstream']"
SERIOUS = frozenset({"serious", "critical"})

Theme = str
"""`light` or `dark`."""


AT_REST = """document.getAnimations().every((one) =>
  one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""
"""Whether nothing on a page changes its looks, but for what does so as long as it is there."""


class Visit:
    """One person's browser at one Airflow. `page` is Playwright's."""

    def __init__(self, page: Page, airflow: LiveAirflow) -> None:
        self.page = page
        self.airflow = airflow
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.expected: list[str] = []
        page.set_default_timeout(TIMEOUT)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        # A refusal is an answer like others here, but the browser calls it an error.
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme.startswith("http") and url.netloc != urlsplit(self.airflow.base_url).netloc:
            self.strangers.append(request.url)

    def open(self, path: str) -> None:
        """Open a page of this package by itself, below `/rerun-downstream/ui`."""
        self.page.goto(f"{self.airflow.base_url}{APP}{path}")

    def open_airflow(self, path: str) -> None:
        """Open a page of Airflow."""
        self.page.goto(f"{self.airflow.base_url}{path}")

    @property
    def inside(self) -> FrameLocator:
        """What Airflow shows of this package in its frame."""
        return self.page.frame_locator(IFRAME)

    def serious(self) -> list[str]:
        """What axe finds serious on the page that is shown, a line each. Colours that change are waited for."""
        wait_until(lambda: self.page.evaluate(AT_REST), 20, "the page's colours to rest")
        found = Axe().run(self.page).response["violations"]
        return [
            f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in SERIOUS
        ]


OpenBrowser = Callable[..., Visit]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start the browser; where there is none the test is skipped, and says so."""
    if chromium_path() is None:
        pytest.skip(MISSING)
    with browser() as started:
        yield started


@pytest.fixture
def visit(chromium: Browser) -> Iterator[OpenBrowser]:
    """Log a person in: `visit(airflow, "viewer", theme="dark", language="zh-CN")`.

    Without a name nobody is logged in. After the test the pages must not have complained.
    """
    visits: list[Visit] = []
    contexts = []

    def log_in(
        airflow: LiveAirflow,
        username: str | None = "admin",
        *,
        theme: Theme = "light",
        language: str = "en",
        time_zone: str = "UTC",
        **options: Any,
    ) -> Visit:
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, **options)
        contexts.append(context)
        stored = {"theme": theme, "i18nextLng": language, "timezone": f'"{time_zone}"'}
        context.add_init_script(
            "".join(f"localStorage.getItem('{k}') ?? localStorage.setItem('{k}', '{v}');" for k, v in stored.items())
        )
        if username is not None:
            token = airflow.login(username).http.headers["Authorization"].removeprefix("Bearer ")
            context.add_cookies([{"name": "_token", "value": token, "url": airflow.base_url}])
        visits.append(Visit(context.new_page(), airflow))
        return visits[-1]

    yield log_in
    for context in contexts:
        context.close()
    for one in visits:
        unexpected = [line for line in one.complaints if not any(re.search(known, line) for known in one.expected)]
        assert unexpected == [], "the browser's console"
        assert one.strangers == [], "another host was asked"
