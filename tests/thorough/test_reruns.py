"""Twenty thousand random reruns, and whether they would tell if any rule were missing; see ``tests/reruns``.

``RERUNS_SEEDS=0-300 make thorough PART=reruns`` tries other seeds; ``ARGS="-k green"`` leaves out the second half.
"""

from __future__ import annotations

import pytest

from tests.reruns.checks import holds, noticed, seeds_of
from tests.reruns.switches import RULES

SEEDS = range(1_000, 21_000)
ENOUGH = range(1_000)
"""So many examples are enough to tell that a rule is missing."""


def test_a_green_rerun_is_right_or_says_what_is_not_and_a_quiet_one_is_green(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        holds(seeds_of(SEEDS), least=1)


def test_each_rule_is_missed(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        told = {rule: noticed(rule, switch, ENOUGH) for rule, switch in RULES.items()}
    assert [rule for rule, seed in told.items() if seed is None] == []
