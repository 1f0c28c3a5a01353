"""Which tasks of a run are rerun: what follows what, what comes along, and what a person may name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from airflow_rerun_downstream.domain.errors import EmptySelection, Invalid
from airflow_rerun_downstream.domain.facts import (
    FAILED_TASK_STATES,
    REMOVED_TASK_STATE,
    DagStructure,
    TaskInstanceFacts,
)
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.refs import Covering, RunRef, TaskRef, Tasks, normalised
from airflow_rerun_downstream.domain.sentence import Sentence


def downstream_tasks(structure: DagStructure | None, task_ids: Collection[str]) -> set[str]:
    """The tasks themselves and all that follow them in their Dag; in a loop each follows each, in a later round."""
    if structure is None:
        return set(task_ids)
    found = reachable(task_ids, structure.followers)
    while more := loops_around(structure, found) - found:
        found |= reachable(more, structure.followers)
    return found


def following(structure: DagStructure | None, task_ids: Collection[str]) -> set[str] | None:
    """The tasks and all that follow them; None, which means all, where the structure doesn't know one of them."""
    if structure is not None and not structure.tasks.keys() >= set(task_ids):
        return None
    return downstream_tasks(structure, task_ids)


def upstream_tasks(structure: DagStructure, task_ids: Collection[str]) -> set[str]:
    """The tasks themselves and all that they follow in their Dag."""
    return reachable(task_ids, structure.leaders)


def setups_and_teardowns(structure: DagStructure | None, task_ids: Collection[str]) -> set[str]:
    """The setup and teardown tasks without which the tasks can't run, as Airflow's own clear adds them.

    A setup comes along if it has no teardown, or one that follows the task; those teardowns come along too.
    """
    found: set[str] = set()
    setups = {} if structure is None else {t: node for t, node in structure.tasks.items() if node.is_setup}
    if structure is None or not setups:
        return found
    for task_id in task_ids:
        after = downstream_tasks(structure, [task_id])
        for setup in upstream_tasks(structure, [task_id]) & setups.keys():
            teardowns = {t for t in structure.tasks[setup].followers if structure.tasks[t].is_teardown}
            if not teardowns or teardowns & after:
                found |= {setup} | (teardowns & after)
    return found - set(task_ids)


def loops_around(structure: DagStructure | None, task_ids: Collection[str]) -> set[str]:
    """All tasks of the loops in which one of the tasks is: a loop is rerun as a whole, from its first round on."""
    loops = () if structure is None else structure.loops
    return set().union(*(loop for loop in loops if not loop.isdisjoint(task_ids)))


def needed_by(structure: DagStructure | None, task_ids: Collection[str], here: Collection[str]) -> dict[str, str]:
    """What tasks of a run can't be rerun without, each with the reason. ``here``: the tasks that the run has."""
    with_loops = {*task_ids, *loops_around(structure, task_ids) & set(here)}
    found = dict.fromkeys(with_loops - set(task_ids), "in_loop_with_selected")
    for task_id in setups_and_teardowns(structure, with_loops) & set(here) - with_loops:
        found[task_id] = "setup_or_teardown"
    return found


def failed_upstream_tasks(
    structure: DagStructure | None, task_ids: Collection[str], instances: Sequence[TaskInstanceFacts]
) -> set[str]:
    """Failed tasks upstream of the selected ones: left as they are, the selected ones would fail again."""
    if structure is None:
        return set()
    failed = {task.task_id for task in instances if task.state in FAILED_TASK_STATES}
    return (upstream_tasks(structure, task_ids) & failed) - set(task_ids) if failed else set()


def present(instances: Sequence[TaskInstanceFacts]) -> set[str]:
    """The tasks that a run still has."""
    return {task.task_id for task in instances if task.state != REMOVED_TASK_STATE}


def gone(tasks: Tasks, instances: Sequence[TaskInstanceFacts]) -> list[str]:
    """The selected tasks of which a run has nothing left, because the version on which it runs doesn't have them.

    A mapped task that has fewer indexes now isn't one.
    """
    return sorted({task.task_id for task in tasks} - present(instances))


def brought_along(
    structure: DagStructure | None, task_ids: Collection[str], instances: Sequence[TaskInstanceFacts]
) -> dict[str, str]:
    """What comes along with tasks, each with the reason: failed ones upstream of them, and all that follows those."""
    here, found = present(instances), dict[str, str]()
    while failed := failed_upstream_tasks(structure, {*task_ids, *found}, instances):
        new = (downstream_tasks(structure, failed) & here) - set(task_ids)
        found = {**dict.fromkeys(new, "follows_selected"), **found, **dict.fromkeys(failed, "failed_upstream")}
    return found


NO_CHILDREN: Mapping[str, bool] = {}


@dataclass(frozen=True)
class TaskSelection:
    """A selection with, for each task that wasn't asked for, the reason why it comes along or was left out.

    ``cuts``: the tasks that were left out between selected ones, which have to run in stages therefore. ``coming``:
    those behind them that Airflow will add to the run.
    """

    tasks: Tasks
    reasons: Mapping[str, str]
    cuts: frozenset[str] = frozenset()
    coming: frozenset[str] = frozenset()

    @cached_property
    def _meant(self) -> Covering:
        return Covering(self.tasks)

    def covers(self, task: TaskInstanceFacts) -> bool:
        """Whether a task instance is selected; removed ones never are."""
        if task.state == REMOVED_TASK_STATE:
            return False
        return self._meant.covers(task.task_id, task.map_index)

    @property
    def task_ids(self) -> set[str]:
        """The ids of the selected tasks."""
        return {task.task_id for task in self.tasks}

    @property
    def wrong(self) -> set[str]:
        """The ids of the tasks whose data is wrong: also those that aren't run again because they made a run."""
        along = {task_id for task_id, why in self.reasons.items() if why == "setup_or_teardown"}
        return (self.task_ids | set(self.reasons)) - along


def default_selection(
    wanted: Mapping[str, str],
    structure: DagStructure | None,
    instances: Sequence[TaskInstanceFacts],
    children: Mapping[str, bool] = NO_CHILDREN,
    coming: Collection[str] = (),
) -> TaskSelection:
    """A selection that nobody made by hand. ``wanted``: the tasks, each with the reason. ``coming``: the tasks that
    Airflow will add to the run, and run with the others.

    Failed tasks upstream of the selected ones come along with all that follows them, and setups and teardowns. Of the
    tasks that made other runs those are left out that `left_out` names.
    """
    here = present(instances)
    reasons = {task_id: why for task_id, why in wanted.items() if task_id in here}
    reasons.update(brought_along(structure, set(reasons), instances))
    left = left_out(structure, instances, set(reasons), children, coming)
    chosen = set(reasons) - set(left)
    reasons.update(left)
    new = frozenset(coming if chosen else ())
    along = needed_by(structure, chosen | new, here)
    reasons.update({task_id: why for task_id, why in along.items() if task_id not in chosen})
    chosen.update(along)
    left = {task_id: why for task_id, why in left.items() if task_id not in chosen}
    cuts = {task_id for task_id in left if (downstream_tasks(structure, [task_id]) - {task_id}) & (chosen | new)}
    behind = new & downstream_tasks(structure, cuts)
    return TaskSelection(normalised(TaskRef(task_id) for task_id in chosen), reasons, frozenset(cuts), behind)


def left_out(
    structure: DagStructure | None,
    instances: Sequence[TaskInstanceFacts],
    wrong: Collection[str],
    children: Mapping[str, bool],
    coming: Collection[str],
) -> dict[str, str]:
    """The TriggerDagRun tasks that aren't run again, each with the reason: their runs are rerun in their place.

    ``children``: the tasks whose runs are known, each with whether all of these would be adopted. A task at the end of
    what is ``wrong`` is left out, if nothing that is ``coming`` follows it. One with followers runs, so that these come
    after what stands before it, unless it can't make a second run, or the run that it made can't be adopted.
    """
    if structure is None:
        return {}
    succeeded = {task.task_id for task in instances if task.state == "success"}
    found = {}
    for task_id in wrong:
        node = structure.tasks.get(task_id)
        if node is None or not node.triggers_dag_run or task_id not in {*succeeded, *children}:
            continue
        last = not (downstream_tasks(structure, [task_id]) - {task_id}) & {*wrong, *coming}
        if node.makes_one_run:
            found[task_id] = "makes_a_new_run" if last else "makes_one_run"
        elif task_id in succeeded and (last or not children.get(task_id, False)):
            found[task_id] = "makes_a_new_run"
    return found


def explicit_selection(
    ref: RunRef,
    asked: Tasks,
    structure: DagStructure | None,
    instances: Sequence[TaskInstanceFacts],
    coming: Collection[str] = (),
) -> TaskSelection:
    """Exactly the tasks that a person named, and what they need: setups and teardowns, and the rest of a loop. So with
    those that are ``coming``, which Airflow will add to the run.

    A task group's id means its tasks. Raises `EmptySelection`, and `Invalid` for a task, index or group that
    the run doesn't have.
    """
    if not asked:
        raise EmptySelection(Sentence("refusal.no_task_selected", run=f"{ref}"), **named(ref))
    here = {
        (task.task_id, index)
        for task in instances
        if task.state != REMOVED_TASK_STATE
        for index in (None, task.map_index)
    }
    tasks = normalised(found for task in asked for found in expanded(ref, task, structure, here))
    ids = {task.task_id for task in tasks}
    along = needed_by(structure, ids.union(coming), present(instances))
    along = {task_id: why for task_id, why in along.items() if task_id not in ids}
    whole = {*along, *loops_around(structure, ids) & ids}
    return TaskSelection(normalised([*tasks, *(TaskRef(task_id) for task_id in whole)]), along)


def expanded(
    ref: RunRef, task: TaskRef, structure: DagStructure | None, here: Collection[tuple[str, int | None]]
) -> list[TaskRef]:
    """What one name in a request means in a run. ``here``: its tasks, each as a whole and by its indexes."""
    if (task.task_id, task.map_index) in here:
        return [task]
    group = structure.groups.get(task.task_id) if structure and task.map_index is None else None
    members = sorted(task_id for task_id in group or () if (task_id, None) in here)
    if not members:
        detail = Sentence("refusal.unknown_task", run=f"{ref}", task=f"{task}")
        raise Invalid(detail, **named(ref), task_id=task.task_id)
    return [TaskRef(task_id) for task_id in members]


def named(ref: RunRef) -> dict[str, str]:
    """The fields by which a refusal names a run."""
    return {"dag_id": ref.dag_id, "run_id": ref.run_id}


def selected_instances(tasks: Tasks, instances: Sequence[TaskInstanceFacts]) -> list[TaskInstanceFacts]:
    """The task instances that a selection means now; removed ones don't count."""
    meant = Covering(tasks)
    return [
        found
        for found in instances
        if found.state != REMOVED_TASK_STATE and meant.covers(found.task_id, found.map_index)
    ]
