"""Waiting ends with what was found, or with what was seen last."""

from __future__ import annotations

import pytest

from dev.waiting import wait_until


def test_returns_what_is_found_at_last() -> None:
    answers = iter([None, [], "found"])
    assert wait_until(lambda: next(answers), 5, "an answer", interval=0) == "found"


def test_says_what_was_waited_for_and_seen() -> None:
    with pytest.raises(TimeoutError, match=r"waited 0 s for the moon; last seen: \[\]"):
        wait_until(list, 0, "the moon", interval=0)


def test_errors_are_ignored_only_if_named() -> None:
    def broken() -> bool:
        raise KeyError("x")

    with pytest.raises(TimeoutError, match=r"last seen: KeyError\('x'\)"):
        wait_until(broken, 0, "the moon", interval=0, ignore=(LookupError,))
    with pytest.raises(KeyError):
        wait_until(broken, 0, "the moon", interval=0)
