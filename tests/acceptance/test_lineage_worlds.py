"""Random deployments on a real database: what was really read is in the plan, or the plan says what can't be known.

No Airflow runs here: the histories are written, as in ``tests/worlds``. Two thousand of them are in
``tests/thorough/test_lineage_worlds.py``.
"""

from __future__ import annotations

import pytest

from tests.worlds.checks import database, holds

pytestmark = pytest.mark.acceptance

__all__ = ["database"]

SEEDS = range(100)


def test_no_link_is_lost_in_silence(database, capsys) -> None:  # type: ignore[no-untyped-def]
    with capsys.disabled():
        holds(database, SEEDS)
