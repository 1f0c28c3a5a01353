"""Facts of small reruns, as a proof is made from them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_rerun_downstream.domain.facts import DagStructure, TaskNode
from airflow_rerun_downstream.domain.proof import Facts, Proof, ProvenLink, ProvenMember, RunTries, TaskTries, Told, Try
from airflow_rerun_downstream.domain.proving import prove
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef

SINCE = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)
BEFORE = -1000
"""When everything had run that the rerun makes anew, in seconds."""


def at(seconds: float) -> datetime:
    """A moment, from the beginning of the rerun on."""
    return SINCE + timedelta(seconds=seconds)


def dag(dag_id: str, order: str, *, groups: Mapping[str, set[str]] | None = None, **rules: str) -> DagStructure:
    """A Dag from text (``a >> b; a >> c``); ``rules``: the trigger rules that aren't the usual one."""
    leaders: dict[str, set[str]] = {}
    for chain in order.split(";"):
        ids = [part.strip() for part in chain.split(">>")]
        for task_id in ids:
            leaders.setdefault(task_id, set())
        for one, two in itertools.pairwise(ids):
            leaders[two].add(one)
    nodes = {
        task_id: TaskNode(
            task_id,
            "PythonOperator",
            frozenset(other for other, before in leaders.items() if task_id in before),
            frozenset(before),
            trigger_rule=rules.get(task_id, "all_success"),
        )
        for task_id, before in leaders.items()
    }
    found = {name: frozenset(ids) for name, ids in (groups or {}).items()}
    return DagStructure(dag_id, nodes, found, mapped_groups=frozenset(found))


def ran(task_id: str, *spans: tuple[float, float | None], host: str | None = "h", **more: Any) -> TaskTries:
    """A task that had run before the rerun, and in it in each of ``spans``; all tries have succeeded."""
    old = Try("success", at(BEFORE), at(BEFORE + 1), host)
    new = tuple(Try("success" if end is not None else "running", at(start), None if end is None else at(end), host)
                for start, end in spans)  # fmt: skip
    state = "success" if not spans or spans[-1][1] is not None else "running"
    return replace(TaskTries(task_id, -1, state, (old, *new), held=True), **more)


@dataclass
class Story:
    """A rerun, put together run by run."""

    members: list[ProvenMember] = field(default_factory=list)
    links: list[ProvenLink] = field(default_factory=list)
    runs: dict[RunRef, RunTries] = field(default_factory=dict)
    structures: dict[RunRef, DagStructure] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    beside: dict[RunRef, dict[RunRef, RunTries]] = field(default_factory=dict)

    def run(self, structure: DagStructure, *tasks: TaskTries) -> RunRef:
        """A run of a Dag."""
        ref = RunRef(structure.dag_id, "r")
        self.runs[ref] = RunTries(1, tuple(tasks))
        self.structures[ref] = structure
        return ref

    def member(
        self, structure: DagStructure, *tasks: TaskTries, selected: Sequence[str] | None = None, **more: Any
    ) -> RunRef:
        """A run that is a member; all of its tasks are selected, but for what ``selected`` says."""
        ref = self.run(structure, *tasks)
        ids = [task.task_id for task in tasks] if selected is None else selected
        chosen = tuple(TaskRef(task_id) for task_id in dict.fromkeys(ids))
        known = {"state": "succeeded", "clear_number": 1} | more
        self.members.append(ProvenMember(ref, known.pop("at_submit", ref), tasks=chosen, **known))
        return ref

    def link(
        self,
        one: RunRef,
        two: RunRef,
        kind: str = "asset",
        *,
        out: str | None = "t",
        into: str | None = None,
        vague: bool = False,
    ) -> None:
        """``two`` has read what ``out`` of ``one`` had made."""
        self.links.append(ProvenLink(one, two, kind, None if out is None else frozenset({out}), into, vague=vague))

    def proof(self) -> Proof:
        """The proof as it is found."""
        told, beside = tuple(self.told), self.beside
        facts = Facts(SINCE, tuple(self.members), tuple(self.links), self.runs, self.structures, told, beside)
        return prove(facts, at(10_000))

    def outcomes(self) -> list[tuple[str, str, str, str | None]]:
        """What isn't proven: the outcome, the reason, the reader and the writer, each as ``dag.task``."""
        return [
            (one.outcome.value, one.reason, word(one.reader), None if one.writer is None else word(one.writer))
            for one in self.proof().findings
        ]


def word(spot: Any) -> str:
    """A spot in one word."""
    return spot.ref.dag_id if spot.task_id is None else f"{spot.ref.dag_id}.{spot.task_id}"
