"""Whether a Dag itself skipped a task instance, or somebody cut it off.

Airflow writes the same state for both. A skip is the Dag's own where something explains it: its own try raised it, a
task that chooses passed it over, or its trigger rule answers tasks before it that the Dag skipped, or that succeeded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, DagStructure, TaskInstanceFacts, TaskNode
from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.run_accounts import RunAccount

CUT_OFF = "cut off"
"""Stands among the states of upstream tasks for a skip that nothing explains: it explains nothing either."""

States = Counter[str | None]


def unfailed(states: States) -> bool:
    """Whether everything before a task has ended, and nothing has failed."""
    return finished(states) and not (states["failed"] or states["upstream_failed"])


def finished(states: States) -> bool:
    """Whether everything before a task has ended by itself."""
    return set(states) <= {"success", "skipped", "failed", "upstream_failed", REMOVED_TASK_STATE}


def only_skipped(states: States) -> bool:
    """Whether the Dag skipped everything before a task."""
    return set(states) == {"skipped"}


SKIPS: Mapping[str, Callable[[States], bool]] = {
    "all_success": lambda states: bool(states["skipped"]),
    "none_skipped": lambda states: bool(states["skipped"]),
    "all_done_min_one_success": lambda states: bool(states["skipped"]),
    "all_failed": lambda states: bool(states["success"] or states["skipped"]),
    "all_skipped": lambda states: bool(states["success"] or states["failed"] or states["upstream_failed"]),
    "one_success": only_skipped,
    "none_failed_min_one_success": only_skipped,
    "one_failed": unfailed,
    "one_done": lambda states: finished(states) and not (states["failed"] or states["success"]),
}
"""When Airflow skips a task for its trigger rule, by the states of the tasks right before it.

Not here: rules by which it never does. ``all_done_setup_success`` looks at setups alone. With ``all_success``, a
failure beside the skip makes the task ``upstream_failed`` only where it came first, which the rows don't tell.
"""


def doubtful(run_state: str | None, instances: Sequence[TaskInstanceFacts], structure: DagStructure | None) -> bool:
    """Whether a skip in a run may be none of its Dag's own: it failed, or a task did and the Dag fails fast then."""
    fail_fast = structure is not None and structure.fail_fast
    return run_state == "failed" or (fail_fast and any(task.state == "failed" for task in instances))


class Skips:
    """The skips of one run."""

    def __init__(
        self, instances: Sequence[TaskInstanceFacts], account: RunAccount, structure: DagStructure | None
    ) -> None:
        self.account = account
        self.nodes: Mapping[str, TaskNode] = structure.tasks if structure else {}
        self.by_task: dict[str, list[TaskInstanceFacts]] = {}
        for task in instances:
            self.by_task.setdefault(task.task_id, []).append(task)
        self.known: dict[tuple[str, int], bool] = {}

    def own(self, task: TaskInstanceFacts) -> bool:
        """Whether the Dag itself skipped a task instance."""
        key = (task.task_id, task.map_index)
        if key not in self.known:
            self.known[key] = False  # a Dag has no circles; a broken record of one must not end in one either
            self.known[key] = self._own(task)
        return self.known[key]

    def _own(self, task: TaskInstanceFacts) -> bool:
        account = self.account.of(task)
        if account.started:
            return account.ended
        return self._passed_over(task) or self._had_nothing_to_map(task) or self._by_its_rule(task)

    def _passed_over(self, task: TaskInstanceFacts) -> bool:
        """Whether a task that chooses, and that ran to its end, has decided against it."""
        node = self.nodes.get(task.task_id)
        before = node.leaders if node else frozenset[str]()
        for choice in self.account.choices:
            decided = any(
                one.state == "success" and one.map_index == choice.map_index
                for one in self.by_task.get(choice.task_id, ())
            )
            if not decided or choice.map_index not in (-1, task.map_index):
                continue
            if task.task_id in choice.skipped:
                return True
            if choice.followed is not None and choice.task_id in before and task.task_id not in choice.followed:
                return True
        return False

    def _had_nothing_to_map(self, task: TaskInstanceFacts) -> bool:
        """Whether a mapped task, or one in a mapped group, has no indexes."""
        node = self.nodes.get(task.task_id)
        if node is None or task.map_index >= 0:
            return False
        return bool(self._all_before(node) & self.account.nothing_to_map)

    def _by_its_rule(self, task: TaskInstanceFacts) -> bool:
        node = self.nodes.get(task.task_id)
        if node is None:
            return False
        if any(self.states([setup])["skipped"] for setup in self._setups(node)):
            return True
        setups = [leader for leader in node.leaders if leader in self.nodes and self.nodes[leader].is_setup]
        if node.trigger_rule == "all_done_setup_success":
            return only_skipped(self.states(setups))
        rule, states = SKIPS.get(node.trigger_rule), self.states(node.leaders)
        return rule is not None and bool(states) and rule(states)

    def _setups(self, node: TaskNode) -> set[str]:
        """The setups further up, which Airflow asks for as well, whatever the rule; of a teardown, none."""
        if node.is_teardown:
            return set()
        return {one for one in self._all_before(node) - node.leaders if one in self.nodes and self.nodes[one].is_setup}

    def _all_before(self, node: TaskNode) -> set[str]:
        """The tasks that a task follows, however far."""
        return reachable(node.leaders, {task_id: one.leaders for task_id, one in self.nodes.items()})

    def states(self, task_ids: Sequence[str] | frozenset[str]) -> States:
        """The states of tasks; a skip counts as one only where it was the Dag's own."""
        return Counter(
            CUT_OFF if one.state == "skipped" and not self.own(one) else one.state
            for task_id in task_ids
            for one in self.by_task.get(task_id, ())
        )
