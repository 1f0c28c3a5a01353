"""How long Airflow's runs have taken."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from airflow_rerun_downstream.domain.durations import Kind


class Durations(Protocol):
    """What Airflow's task instances, and those of earlier tries, tell of how long tasks take."""

    def times(self, kinds: Collection[Kind]) -> dict[Kind, tuple[float, ...]]:
        """How long tasks of Dags have taken in the latest runs that ended, in seconds, see `durations.times`.

        Latest run first; what has no such run is left out. A few statements for each hundred Dags, and as many runs as
        are looked at in all: for one Dag some more than count, the more Dags there are, the fewer of each.
        """
        ...
