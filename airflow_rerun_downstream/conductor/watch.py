"""What a conductor remembers of the runs that it watches: a run is read again only when its fingerprint is another."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field

from airflow_rerun_downstream.domain.facts import Observation
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.gateway import Gateway

RESTARTING = "restarting"
"""A state of a task that may end by nothing but time, see `Gateway.halt`: such a run is read each time."""


@dataclass
class Watch:
    """The runs asked about last, each with the fingerprint that it had before it was read."""

    known: dict[RunRef, tuple[Hashable, Observation]] = field(default_factory=dict)

    def look(self, gateway: Gateway, refs: Collection[RunRef]) -> tuple[dict[RunRef, Observation], frozenset[RunRef]]:
        """The runs as they are, and which of them look different from the last time.

        One statement where none does, two otherwise. The fingerprint comes first: what changes between the two is read
        again the next time.
        """
        prints = gateway.fingerprints(refs) if refs else {}
        before, self.known = self.known, {}
        kept = {ref: before[ref] for ref, found in prints.items() if ref in before and before[ref][0] == found}
        again = [ref for ref in prints if ref not in kept or restarts(kept[ref][1])]
        seen = {ref: found for ref, (_, found) in kept.items()}
        seen.update(gateway.observe(again) if again else {})
        self.known = {ref: (prints[ref], seen[ref]) for ref in prints}
        return seen, frozenset(ref for ref in again if ref not in before or before[ref][1] != seen[ref])


def restarts(run: Observation) -> bool:
    """Whether a task of a run may still have a process."""
    return any(task.state == RESTARTING for task in run.task_instances)
