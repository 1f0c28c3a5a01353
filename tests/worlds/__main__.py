"""`python -m tests.worlds 41 196`: tells the worlds of these seeds, and what is wrong with plans of them."""

from __future__ import annotations

import sys

from tests.airflow3 import scene
from tests.airflow3.conftest import make_once


def main(seeds: list[str]) -> None:
    """Write each world into a database of its own, and print its story for each source."""
    from tests.worlds.left_out import LEFT_OUT
    from tests.worlds.making import world_of
    from tests.worlds.running import judged, said_of, write

    database = make_once("sqlite")
    database.use()
    scene.migrate(database)
    for seed in seeds:
        world = world_of(seed, left_out=LEFT_OUT)
        write(database, [world])
        with database.session() as session:
            print(said_of(world, dict(judged(session, world))))


if __name__ == "__main__":
    main(sys.argv[1:])
