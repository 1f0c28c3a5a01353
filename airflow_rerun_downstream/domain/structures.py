"""The structures of runs: as each run's own version of its Dag has it, and as that will be which it runs on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from airflow_rerun_downstream.domain.definitions import DagVersion
from airflow_rerun_downstream.domain.facts import DagStructure, RunFacts, TaskNode
from airflow_rerun_downstream.domain.refs import RunRef


@dataclass
class Structures:
    """``latest``: by the Dags' names. ``own``: of the runs that aren't of the latest version; ``pinned``: those of
    them that Airflow moves to it only when it is asked to.
    """

    latest: dict[str, DagStructure] = field(default_factory=dict)
    own: dict[RunRef, DagVersion] = field(default_factory=dict)
    pinned: set[RunRef] = field(default_factory=set)
    _merged: dict[int, DagStructure] = field(default_factory=dict)
    _joined: dict[int, DagStructure] = field(default_factory=dict)

    def learn(self, own: Mapping[RunRef, DagVersion], runs: Mapping[RunRef, RunFacts]) -> None:
        """Remember the versions of runs."""
        self.own.update(own)
        self.pinned.update(ref for ref in own if runs[ref].pinned)

    def moves(self, ref: RunRef, on_latest_version: bool | None = None) -> bool:
        """Whether a run that isn't of the latest version moves to it when it runs again; None: as Airflow is told."""
        latest = self.latest.get(ref.dag_id)
        if latest is None or ref not in self.own:
            return False
        asked = latest.reruns_on_latest if on_latest_version is None else on_latest_version
        return ref not in self.pinned or bool(asked)

    def has_versions(self, dag_id: str) -> bool:
        """Whether runs of a Dag may be of different versions."""
        latest = self.latest.get(dag_id)
        return latest is not None and latest.version > 1

    def was(self, ref: RunRef) -> DagStructure | None:
        """The Dag by which a run ran: what was read, and what follows what."""
        own = self.own.get(ref)
        if own is None:
            return self.latest.get(ref.dag_id)
        key = id(own)
        if key not in self._joined:
            self._joined[key] = joined(own.structure)
        return self._joined[key]

    def get(self, ref: RunRef) -> DagStructure | None:
        """The Dag by which a run will run; what its own version orders stays in order."""
        own = self.own.get(ref)
        if own is None or not self.moves(ref):
            return self.was(ref)
        return self.either(ref)

    def either(self, ref: RunRef) -> DagStructure | None:
        """All that the version of a run and the latest one order."""
        own = self.own.get(ref)
        if own is None or ref.dag_id not in self.latest:
            return self.was(ref)
        key = id(own)
        if key not in self._merged:
            self._merged[key] = merged(own.structure, self.latest[ref.dag_id])
        return self._merged[key]

    def gone(self, ref: RunRef, on_latest_version: bool | None = None) -> frozenset[str]:
        """The tasks of a run's own version that the version on which it will run doesn't have."""
        if not self.moves(ref, on_latest_version):
            return frozenset()
        return frozenset(self.own[ref].structure.tasks.keys() - self.latest[ref.dag_id].tasks.keys())

    def coming(self, ref: RunRef, here: Collection[str]) -> frozenset[str]:
        """The tasks that Airflow adds to a run when it runs again: what it doesn't have of the version by which it will
        run. ``here``: what it has.
        """
        if not here or not self.moves(ref):
            return frozenset()
        return frozenset(self.latest[ref.dag_id].tasks.keys() - here)


def joined(dag: DagStructure) -> DagStructure:
    """The Dag of a run whose tasks are of several versions: a task follows those that its own version names.

    Theirs may not know it.
    """
    followers: dict[str, set[str]] = {}
    for task_id, node in dag.tasks.items():
        for leader in node.leaders:
            if leader in dag.tasks and task_id not in dag.tasks[leader].followers:
                followers.setdefault(leader, set()).add(task_id)
    if not followers:
        return dag
    nodes = dict(dag.tasks)
    for leader, more in followers.items():
        nodes[leader] = replace(nodes[leader], followers=nodes[leader].followers | more)
    return replace(dag, tasks=nodes)


def merged(old: DagStructure, new: DagStructure) -> DagStructure:
    """The new structure with the tasks that only the old one has, and with all that either of them orders."""
    nodes = dict(new.tasks)
    for task_id, node in old.tasks.items():
        nodes[task_id] = both(node, new.tasks[task_id]) if task_id in new.tasks else node
    groups = {
        name: old.groups.get(name, frozenset()) | new.groups.get(name, frozenset())
        for name in {**old.groups, **new.groups}
    }
    return replace(new, tasks=nodes, groups=groups)


def both(old: TaskNode, new: TaskNode) -> TaskNode:
    """A task as it is now, between all that it stood or stands between."""
    return replace(new, followers=old.followers | new.followers, leaders=old.leaders | new.leaders)
