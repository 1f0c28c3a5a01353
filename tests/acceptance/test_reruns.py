"""Whole reruns with an oracle: a thousand random ones, in which anything may happen; see ``tests/reruns``.

No Airflow runs here: its part is played, rule by rule, over the world in memory. Twenty thousand examples, and whether
they would tell if a rule were missing, are in ``tests/thorough/test_reruns.py``.
"""

from __future__ import annotations

import pytest

from tests.reruns.checks import holds

pytestmark = pytest.mark.acceptance

SEEDS = range(1_000)


def test_a_green_rerun_is_right_or_says_what_is_not_and_a_quiet_one_is_green(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        holds(SEEDS, least=10)
