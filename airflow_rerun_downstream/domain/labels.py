"""What people are shown beside ids: display names of Dags and tasks, and the notes of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_rerun_downstream.domain.refs import RunRef

LONGEST = 250
"""As long as an id may be: Airflow's column takes 2,000 characters."""


def cut(name: str) -> str:
    """A display name as long as is shown of it."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


@dataclass(frozen=True)
class Labels:
    """Of some Dags and runs. Where a Dag isn't called otherwise, its id is its name."""

    dags: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[RunRef, str] = field(default_factory=dict)

    def dag(self, dag_id: str) -> str:
        """What a Dag is called."""
        return self.dags.get(dag_id, dag_id)

    def note(self, ref: RunRef) -> str | None:
        """The note of a run."""
        return self.notes.get(ref)
