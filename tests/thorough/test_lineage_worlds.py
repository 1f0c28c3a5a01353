"""Two thousand random deployments, and whether they would tell if any care were missing; see ``tests/worlds``.

``make thorough PART=lineage_worlds AIRFLOW=3.1`` tries them on another Airflow, ``WORLDS_DATABASE=postgres`` before it
on another database, ``WORLDS_SEEDS=0-300`` with other seeds; ``ARGS="-k silence"`` leaves out the second half.
"""

from __future__ import annotations

import pytest

from tests.airflow3.database import Database
from tests.worlds.checks import database, fails, holds, seeds_of

__all__ = ["database"]

SEEDS = range(1_000, 3_000)
ENOUGH = range(200)
"""So many worlds are enough to tell that a kind of care is missing."""


def test_no_link_is_lost_in_silence(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        seeds = seeds_of(SEEDS)
        holds(database, seeds, least=0.02 if len(seeds) >= 1_000 else 0.01)


def test_each_kind_of_care_is_missed(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.worlds.switches import SWITCHES

    with capsys.disabled():
        told = {name: fails(database, ENOUGH, switch) for name, switch in SWITCHES.items()}
    assert [name for name, seed in told.items() if seed is None] == []
