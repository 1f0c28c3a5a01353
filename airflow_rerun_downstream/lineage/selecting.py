"""The default selection of runs: what is wrong in them, and which of the tasks that made other runs run again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from airflow_rerun_downstream.domain.eligibility import task_status
from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, DagStructure, RunFacts, TaskInstanceFacts
from airflow_rerun_downstream.domain.plan import LinkKind, RunStatus
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.selection import (
    NO_CHILDREN,
    TaskSelection,
    default_selection,
    downstream_tasks,
    explicit_selection,
    present,
)
from airflow_rerun_downstream.lineage.explored import Explored, Pollution
from airflow_rerun_downstream.lineage.kinds.base import FoundLink

PRESELECTED = {
    RunStatus.FAILED: "failed",
    RunStatus.TERMINATED: "terminated",
    RunStatus.REVOKED: "revoked",
}


def source_defaults(
    run: RunFacts, structure: DagStructure | None, instances: Sequence[TaskInstanceFacts]
) -> dict[str, str]:
    """The tasks that a source rerun takes by itself (R5), each with the reason.

    All of a run that Airflow calls a success, whatever failed in it: somebody is here because its data is wrong. Of
    another one what is broken, and all that follows that.
    """
    broken: dict[str, str] = {}
    here = present(instances)
    for task in instances:
        if task.task_id in here and (why := PRESELECTED.get(task_status(task, run))):
            broken[task.task_id] = "upstream_failed" if task.state == "upstream_failed" else why
    if run.state == "success" or not broken:
        return {**dict.fromkeys(here, "whole_run"), **broken}
    return {**dict.fromkeys(downstream_tasks(structure, broken) & here, "follows_selected"), **broken}


def source_selection(
    run: RunFacts,
    asked: Tasks | None,
    structure: DagStructure | None,
    instances: Sequence[TaskInstanceFacts],
    children: Mapping[str, bool] = NO_CHILDREN,
    coming: Collection[str] = (),
) -> TaskSelection:
    """The source's selection: exactly what was asked, or the default. Raises `EmptySelection`, `Invalid`."""
    if asked is not None:
        return explicit_selection(run.ref, asked, structure, instances, coming)
    return default_selection(source_defaults(run, structure, instances), structure, instances, children, coming)


class Selecting:
    """Selects by what the walk found. ``takes_part``: whether a run is selected if its tasks are."""

    def __init__(
        self,
        explored: Explored,
        instances: Mapping[RunRef, Sequence[TaskInstanceFacts]],
        takes_part: Callable[[RunFacts], bool],
    ) -> None:
        self.explored = explored
        self.instances = instances
        self.takes_part = takes_part
        self.alike: dict[tuple[object, ...], TaskSelection] = {}
        self.held: dict[tuple[object, ...], frozenset[str]] = {}
        self.made: dict[RunRef, list[FoundLink]] = {}
        for found in explored.found:
            if found.link.kind is LinkKind.TRIGGER and found.link.from_task_id is not None:
                self.made.setdefault(found.link.upstream, []).append(found)

    def children(self, ref: RunRef, source: RunRef) -> dict[str, bool]:
        """The tasks of a run whose runs are known, each with whether all of these would be adopted."""
        found: dict[str, bool] = {}
        for each in self.made.get(ref, ()):
            task_id, child = str(each.link.from_task_id), each.downstream
            adopted = child is not None and child.ref != source and self.takes_part(child)
            found[task_id] = found.get(task_id, True) and adopted
        return found

    def of_source(self, run: RunFacts, asked: Tasks | None) -> TaskSelection:
        """The source's selection, where it is known which runs its tasks made."""
        structure, instances = self.explored.structures.get(run.ref), self.instances[run.ref]
        coming = self.explored.structures.coming(run.ref, present(instances))
        return source_selection(run, asked, structure, instances, self.children(run.ref, run.ref), coming)

    def nothing_to_run(self, ref: RunRef, chosen: TaskSelection) -> str:
        """Why nothing of a run would run: all that is wrong in it made runs which are rerun, or its tasks are gone."""
        return "only_triggers" if chosen.reasons or self.explored.pollution[ref].only_passed else "task_gone"

    def wrong_data(self, ref: RunRef) -> frozenset[str]:
        """The tasks of a run that hold data which wrong data has reached."""
        pollution, instances = self.explored.pollution[ref], self.instances[ref]
        key = (pollution.whole, frozenset(pollution.task_ids), tuple(instances))
        if key not in self.held:
            self.held[key] = frozenset(
                task.task_id
                for task in instances
                if (task.cut_off or task.state not in (REMOVED_TASK_STATE, "skipped"))
                and (pollution.whole or task.task_id in pollution.task_ids)
            )
        return self.held[key]

    def selections(
        self, runs: Sequence[RunFacts], source: RunRef, again: Collection[str]
    ) -> dict[RunRef, TaskSelection]:
        """The default selections of downstream runs; of a run that a task makes anew all of it. ``again``: what of the
        source is rerun."""
        found = {run.ref: self.selection(run, source) for run in runs}
        running = {run.ref: found[run.ref].task_ids for run in runs if self.takes_part(run)}
        running[source] = set(again)
        queue, whole = deque(ref for ref in running if ref in self.made), set[RunRef]()
        while queue:
            ref = queue.popleft()
            for each in self.made.get(ref, ()):
                child = each.downstream.ref if each.downstream else source
                runs_again = ref in whole or each.link.from_task_id in running[ref]
                if runs_again and child in running and child != source and child not in whole:
                    whole.add(child)
                    queue.append(child)
                    found[child] = default_selection(
                        dict.fromkeys(present(self.instances[child]), "polluted"), None, self.instances[child]
                    )
        return found

    def selection(self, run: RunFacts, source: RunRef) -> TaskSelection:
        """The default selection of a downstream run by itself."""
        pollution = self.explored.pollution[run.ref]
        instances = self.instances[run.ref]
        # Runs of one Dag mostly look alike: what was found for one of them holds for all such.
        children = self.children(run.ref, source)
        wrong = frozenset(pollution.task_ids)
        structure = self.explored.structures.get(run.ref)
        key = (run.ref.dag_id, id(structure), pollution.whole, wrong, tuple(instances), frozenset(children.items()))
        chosen = self.alike.get(key)
        if chosen is None:
            chosen = self.alike[key] = self.polluted(run.ref, pollution, instances, children)
        return chosen

    def polluted(
        self,
        ref: RunRef,
        pollution: Pollution,
        instances: Sequence[TaskInstanceFacts],
        children: Mapping[str, bool],
    ) -> TaskSelection:
        """The default selection of a downstream run: what the wrong data reached."""
        along = self.explored.along.get(ref, {})
        wanted = {
            task.task_id: along.get(task.task_id, "polluted")
            for task in instances
            if pollution.whole or task.task_id in pollution.task_ids
        }
        coming = self.explored.structures.coming(ref, present(instances))
        return default_selection(wanted, self.explored.structures.get(ref), instances, children, coming)
