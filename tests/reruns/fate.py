"""How tries end, and whom branches follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from airflow_rerun_downstream.domain.facts import TaskNode


def makes_data(node: TaskNode) -> bool:
    """Whether a task leaves data; all others wait, choose, prepare, tidy up or start something."""
    return node.operator == "PythonOperator" and not node.is_setup and not node.is_teardown


@dataclass
class Fate:
    """How tries end. ``ends`` has the chances of all but success; ``fixed``: branches go on to choose as before."""

    random: Random
    ends: dict[str, float] = field(default_factory=dict)
    choices: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    fixed: bool = True
    counts: dict[tuple[str, str], int] = field(default_factory=dict)

    def end(self, node: TaskNode) -> str:
        """How a try ends."""
        draw = self.random.random()
        for end, chance in self.ends.items():
            if draw < chance:
                return end
            draw -= chance
        return "success"

    def choose(self, dag_id: str, node: TaskNode) -> frozenset[str]:
        """Whom a branch follows."""
        key = (dag_id, node.task_id)
        if key not in self.choices or not self.fixed:
            after = sorted(node.followers)
            self.choices[key] = frozenset(self.random.sample(after, self.random.randint(1, len(after))))
        return self.choices[key] & node.followers
