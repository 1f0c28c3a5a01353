"""Random deployments on a real database: what was really read is in the plan, or the plan says what can't be known.

No Airflow runs here: the histories are written, as in ``tests/worlds``. Two thousand of them are in
``tests/thorough/test_lineage_worlds.py``.
"""

from __future__ import annotations

import pytest

from tests.airflow3.database import Database
from tests.worlds.checks import database, holds

pytestmark = pytest.mark.acceptance

__all__ = ["database"]

SEEDS = range(100)


def test_no_link_is_lost_in_silence(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        holds(database, SEEDS, least=0.01)
