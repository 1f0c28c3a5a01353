"""Two thousand random deployments; see ``tests/worlds``."""

from __future__ import annotations

from tests.worlds.checks import database, holds

__all__ = ["database"]

SEEDS = range(1_000, 3_000)


def test_no_link_is_lost_in_silence(database, capsys) -> None:  # type: ignore[no-untyped-def]
    with capsys.disabled():
        holds(database, SEEDS)
