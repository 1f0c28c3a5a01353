"""The check over many worlds, for the tests that run it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest

from tests.airflow3 import database as databases
from tests.airflow3 import scene
from tests.airflow3.conftest import make_once

DATABASE, SEEDS = "WORLDS_DATABASE", "WORLDS_SEEDS"
"""The environment variables that choose a database (``sqlite`` or ``postgres``) and seeds (such as ``1000-1300``)."""


def seeds_of(usual: range) -> range:
    """The seeds that somebody has asked for, or the usual ones."""
    first, _, last = os.environ.get(SEEDS, "").partition("-")
    return range(int(first), int(last)) if first else usual


@pytest.fixture(scope="module")
def database() -> databases.Database:
    """A database with Airflow's tables and ours."""
    backend = os.environ.get(DATABASE, "sqlite")
    assert backend in databases.BACKENDS, f"{DATABASE} must be one of {databases.BACKENDS}"
    found = make_once(backend)
    found.use()
    found.empty()
    scene.migrate(found)
    return found


def holds(database: databases.Database, seeds: Sequence[int], *, least: float) -> None:
    """Print what there was, and fail with the smallest story of what is wrong.

    ``least`` is the share of all that was read that each variant must have.
    """
    from airflow import __version__

    from tests.worlds.left_out import LEFT_OUT
    from tests.worlds.running import smallest, sweep

    found = sweep(database, seeds)
    print(f"\nAirflow {__version__}, {database.backend}, seeds {seeds[0]} to {seeds[-1]}. {found.table()}")
    for name, reason in LEFT_OUT.items():
        print(f"  left out: {name}: {reason}")
    stories = [smallest(database, seed, wrong[0][1][0].what) for seed, wrong in list(found.wrong.items())[:2]]
    assert not found.wrong, f"{len(found.wrong)} of {found.worlds} worlds\n" + "\n\n".join(stories)
    assert not found.rare(least)


def fails(
    database: databases.Database, seeds: Sequence[int], switch: Callable[[pytest.MonkeyPatch], None]
) -> str | None:
    """Print the first thing that is wrong without a kind of care; answer the seed of its world."""
    from tests.worlds.running import sweep

    with pytest.MonkeyPatch.context() as patch:
        switch(patch)
        found = sweep(database, seeds, stop_at=1)
    for seed, wrong in found.wrong.items():
        print(f"\n{switch.__doc__} Told by {found.worlds} worlds, of seed {seed}: {wrong[0][1][0]}")
        return seed
    return None
