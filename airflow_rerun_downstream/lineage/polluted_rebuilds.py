"""What is made anew on top of wrong data that stays."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping

from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE
from airflow_rerun_downstream.domain.plan import PlanContent, PlanWarning, RunStatus
from airflow_rerun_downstream.domain.readings import Reading
from airflow_rerun_downstream.domain.rebuilt import REBUILT
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.selection import downstream_tasks, upstream_tasks
from airflow_rerun_downstream.domain.sentence import Sentence, task_of

MAKERS = frozenset({"makes_a_new_run", "makes_one_run"})
"""Why a triggering task isn't selected: what it made is rerun by itself."""


def left_in(plan: PlanContent, ref: RunRef, tasks: Tasks | None) -> frozenset[str] | None:
    """The tasks of a run whose wrong data stays; None: all, because the run isn't shown. ``tasks``: the selected."""
    if ref in plan.passing:
        return frozenset()
    run = plan.by_ref.get(ref)
    if run is None:
        return None
    if tasks is None and (run.status is RunStatus.NOT_READY or run.reason == "only_triggers"):
        return frozenset()
    whole = {task.task_id for task in tasks or () if task.map_index is None}
    made = {task.task_id for task in run.task_instances if task.reason in MAKERS}
    return run.polluted - whole - made


def rebuilt_on_polluted(plan: PlanContent, selected: Mapping[RunRef, Tasks]) -> Iterable[PlanWarning]:
    """Selected tasks that read what isn't made anew, directly or through others; each with one run that it comes from.
    So do the tasks that Airflow will add to the runs and that follow selected ones.

    ``selected``: the source's tasks and those of the runs. A source that is right already isn't in it.
    """
    found = Rebuilt(plan, selected, {ref: some for ref, tasks in selected.items() if (some := added(plan, ref, tasks))})
    for ref, reasons in found.reasons.items():
        ids = found.ids[ref]
        if reasons.keys() >= ids and len(set(reasons.values())) == 1:
            yield warning(ref, None, next(iter(reasons.values())))
        else:
            yield from (warning(ref, task_id, reasons[task_id]) for task_id in sorted(reasons))


def added(plan: PlanContent, ref: RunRef, tasks: Tasks) -> frozenset[str]:
    """What Airflow will add to a run and follows selected tasks; of a run that is selected whole, all of it."""
    here = {task.task_id for task in plan.by_ref[ref].task_instances if task.state != REMOVED_TASK_STATE}
    if not tasks or not (coming := plan.structures.coming(ref, here)):
        return frozenset()
    ids = {task.task_id for task in tasks}
    return coming - ids if ids >= here else (coming - ids) & downstream_tasks(plan.structures.get(ref), ids)


class Rebuilt:
    """Follows wrong data that stays through the selection. ``reasons``: by run and task, the run it comes from.

    ``added``: what Airflow will add to runs.
    """

    def __init__(
        self, plan: PlanContent, selected: Mapping[RunRef, Tasks], added: Mapping[RunRef, frozenset[str]]
    ) -> None:
        self.added = added
        named = {ref: frozenset(task.task_id for task in tasks) for ref, tasks in selected.items()}
        self.ids = {ref: ids | added.get(ref, frozenset()) for ref, ids in named.items()}
        self.structures = plan.structures
        self.leaving: dict[RunRef, list[Reading]] = {}
        for each in plan.readings:
            self.leaving.setdefault(each.upstream, []).append(each)
        self.awaited: dict[RunRef, list[Reading]] = {}
        for each in plan.readings:
            if each.maker is not None and each.waits:
                self.awaited.setdefault(each.downstream, []).append(each)
        self.waited: set[tuple[RunRef, str]] = set()
        self.reasons: dict[RunRef, dict[str, RunRef]] = {}
        self.queue: deque[tuple[RunRef, frozenset[str], RunRef]] = deque()
        for ref in dict.fromkeys([*self.leaving, *self.awaited]):  # a source that isn't selected is right already
            if ref not in selected and ref != plan.source.ref:
                self.pass_on(ref, left_in(plan, ref, None), ref)
        for ref, tasks in selected.items():
            if left := left_in(plan, ref, tasks):
                behind = downstream_tasks(plan.structures.get(ref), left) & self.ids[ref]
                self.mark(ref, behind, ref)
                self.pass_on(ref, left, ref)
        while self.queue:
            ref, tasks_now, reason = self.queue.popleft()
            self.pass_on(ref, tasks_now, reason)

    def pass_on(self, ref: RunRef, tasks: frozenset[str] | None, reason: RunRef) -> None:
        """Mark what reads from tasks of a run; None: all of them."""
        if tasks is not None and not tasks:
            return
        for each in self.leaving.get(ref, ()):
            if tasks is None or (read := self.read_by(each)) is None or not tasks.isdisjoint(read):
                here = self.ids.get(each.downstream, frozenset())
                self.mark(each.downstream, here if each.reached is None else here & each.reached, reason)
                if each.through is not None:
                    self.pass_through(each.downstream, each.through, reason)
        for each in self.awaited.get(ref, ()):
            self.pass_through(each.upstream, each.maker or "", reason)

    def pass_through(self, ref: RunRef, task_id: str, reason: RunRef) -> None:
        """Mark what reads from a task of a run that only waited for another one, or from what follows it there."""
        if (ref, task_id) in self.waited:
            return
        self.waited.add((ref, task_id))
        behind = downstream_tasks(self.structures.get(ref), [task_id])
        self.mark(ref, (behind - {task_id}) & self.ids.get(ref, frozenset()), reason)
        self.pass_on(ref, frozenset(behind), reason)

    def read_by(self, each: Reading) -> frozenset[str] | None:
        """The tasks that are read: by a run that a task has made, those before that one. None: all."""
        structure = self.structures.get(each.upstream)
        if each.maker is None or structure is None or each.maker not in structure.tasks:
            return each.from_tasks if each.maker is None else frozenset()
        return frozenset(upstream_tasks(structure, [each.maker]) - {each.maker})

    def mark(self, ref: RunRef, tasks: Collection[str], reason: RunRef) -> None:
        """Take tasks for rebuilt on wrong data, and what will be added behind them; what reads from these follows."""
        if tasks and (added := self.added.get(ref)):
            tasks = {*tasks, *(added & downstream_tasks(self.structures.get(ref), tasks))}
        known = self.reasons.setdefault(ref, {}) if tasks else {}
        new = frozenset(task_id for task_id in tasks if task_id not in known)
        if new:
            known.update(dict.fromkeys(new, reason))
            self.queue.append((ref, new, reason))


def warning(ref: RunRef, task_id: str | None, reason: RunRef) -> PlanWarning:
    """The warning about one run, or one task of it."""
    what = task_of(ref, task_id)
    if reason == ref:
        detail = Sentence("warning.rebuilt_on_polluted_before_it", what=what)
    else:
        detail = Sentence("warning.rebuilt_on_polluted", what=what, other=f"{reason}")
    return PlanWarning(
        REBUILT,
        detail,
        ref.dag_id,
        ref.run_id,
        task_id,
        dag_ids=frozenset({reason.dag_id}),
        because_of=reason,
    )
