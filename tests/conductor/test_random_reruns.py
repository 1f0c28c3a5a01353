"""A few hundred random reruns from top to bottom, judged by what was executed when: see ``tests/reruns``."""

from __future__ import annotations

import pytest

from tests.reruns.by_passages import everywhere, used
from tests.reruns.playing import played

AT_ONCE = 15
BY_PASSAGES = 90
"""How many of them are played once more."""


@pytest.mark.parametrize("first", range(0, 300, AT_ONCE))
def test_a_green_rerun_is_right_or_says_what_is_not_and_a_quiet_one_is_green(first: int) -> None:
    faults = {seed: played(str(seed)).faults for seed in range(first, first + AT_ONCE)}
    assert {seed: some for seed, some in faults.items() if some} == {}


@pytest.mark.parametrize("first", range(0, BY_PASSAGES, AT_ONCE))
def test_so_is_one_whose_members_wait_by_passages(monkeypatch: pytest.MonkeyPatch, first: int) -> None:
    everywhere(monkeypatch)
    plays = {seed: played(str(seed)) for seed in range(first, first + AT_ONCE)}
    assert {seed: one.faults for seed, one in plays.items() if one.faults} == {}
    assert sum(used(one.play) for one in plays.values()) > 3
