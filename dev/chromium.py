"""The browser of the tests and screenshots: Debian's Chromium, driven by Playwright.

`python -m dev.chromium` installs it where that is possible (as root, with apt-get), and says so where it isn't:
then everything that needs a browser is skipped, visibly.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PACKAGES = ("chromium", "fonts-noto-cjk")
"""What Debian calls the browser, and letters for its Chinese pages."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = "no Chromium: install it, or name one in CHROMIUM"


def chromium() -> str | None:
    """Path of the browser; None if there is none."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """Start the browser, without a window. Raises RuntimeError if there is none."""
    path = chromium()
    if path is None:
        raise RuntimeError(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()


def install() -> None:
    """Install the browser, unless it is there or can't be."""
    if chromium() is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"{MISSING}; the tests of the pages are skipped", file=sys.stderr)
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", *arguments], env=environment, check=False, stdout=subprocess.DEVNULL)
    if chromium() is None:
        print("Chromium could not be installed; the tests of the pages are skipped", file=sys.stderr)


if __name__ == "__main__":
    install()
