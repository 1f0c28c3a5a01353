"""A person without a mouse: presses a key until what has the focus is what they want."""

from __future__ import annotations

import re

from playwright.sync_api import Page

FOCUSED = """
() => {
  let element = document.activeElement;
  while (element?.tagName === 'IFRAME') element = element.contentDocument?.activeElement;
  if (!element) return '';
  const label = element.labels?.[0]?.innerText;
  return (element.getAttribute('aria-label') || label || element.innerText || '').trim();
}
"""
PATIENCE = 150
"""Presses after which a person would give up."""


def focused(page: Page) -> str:
    """The name of what has the focus, in a frame too."""
    return str(page.evaluate(FOCUSED))


def press_until(page: Page, key: str, wanted: str | re.Pattern[str], *, then: str | None = None) -> None:
    """Press a key until something of that name has the focus; ``then`` press another one."""
    seen = []
    for _ in range(PATIENCE):
        name = focused(page)
        if re.search(wanted, name) if isinstance(wanted, re.Pattern) else name == wanted:
            break
        seen.append(name.splitlines()[0][:40] if name else "")
        page.keyboard.press(key)
    else:
        raise AssertionError(f"{key} doesn't lead to {wanted!r}; it led to {seen[:40]}")
    if then is not None:
        page.keyboard.press(then)
