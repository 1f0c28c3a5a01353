"""A few hundred random reruns from top to bottom, judged by what was executed when: see ``tests/reruns``."""

from __future__ import annotations

import pytest

from tests.reruns.playing import played

AT_ONCE = 15


@pytest.mark.parametrize("first", range(0, 300, AT_ONCE))
def test_a_green_rerun_is_right_or_says_what_is_not_and_a_quiet_one_is_green(first: int) -> None:
    faults = {seed: played(str(seed)).faults for seed in range(first, first + AT_ONCE)}
    assert {seed: some for seed, some in faults.items() if some} == {}
