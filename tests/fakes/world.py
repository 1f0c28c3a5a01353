"""An Airflow in memory: runs, task instances, Dags and what links them; `lineage` reads it, `gateway` writes it.

Build a world with `World`:

    world = World()
    world.dag("orders", "extract >> load")                       # tasks and their order
    run = world.run("orders", day=1)                             # all its tasks succeeded
    world.consumed(run, "load", by=world.run("report", day=1))   # an asset link
    facts, gateway = FakeFacts(world), FakeGateway(world)
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    DagVersion,
    Definitions,
    InletDefinition,
    MarkerDefinition,
    OutletDefinition,
    PastDependency,
    SensorDefinition,
    TriggerDefinition,
)
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.facts import (
    LIVE_TASK_STATES,
    UNFINISHED_TASK_STATES,
    DagStructure,
    RunFacts,
    TaskInstanceFacts,
    TaskNode,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, WaitingAsset
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.run_accounts import Skipping
from airflow_rerun_downstream.domain.values import Params
from airflow_rerun_downstream.ports.installation import Clock
from tests.fakes import dags, events, own_starts, records, waits

START = datetime(2026, 11, 1, tzinfo=timezone.utc)


@dataclass
class World:
    """Airflow's rows."""

    clock: Clock | None = None
    runs: dict[RunRef, RunFacts] = field(default_factory=dict)
    tasks: dict[RunRef, list[TaskInstanceFacts]] = field(default_factory=dict)
    structures: dict[str, DagStructure] = field(default_factory=dict)
    versions: dict[RunRef, DagVersion] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    display_names: dict[str, str] = field(default_factory=dict)
    notes: dict[RunRef, str] = field(default_factory=dict)
    tags: dict[str, frozenset[str]] = field(default_factory=dict)
    moved: dict[RunRef, frozenset[str]] = field(default_factory=dict)
    earlier: Definitions = field(default_factory=Definitions)
    replaced: list[tuple[datetime, str, Definitions]] = field(default_factory=list)
    pools: dict[str, int] = field(default_factory=lambda: {"default_pool": 128})
    pool_of: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    sensors: list[SensorDefinition] = field(default_factory=list)
    markers: list[MarkerDefinition] = field(default_factory=list)
    triggers: list[TriggerDefinition] = field(default_factory=list)
    one_run: set[tuple[str, str]] = field(default_factory=set)
    past_dependencies: list[PastDependency] = field(default_factory=list)
    inlets: list[InletDefinition] = field(default_factory=list)
    outlets: list[OutletDefinition] = field(default_factory=list)
    asset_schedules: list[AssetSchedule] = field(default_factory=list)
    unreadable: set[str] = field(default_factory=set)
    assets: dict[int, str] = field(default_factory=dict)
    events: list[events.Event] = field(default_factory=list)
    consumptions: set[tuple[int, RunRef]] = field(default_factory=set)
    repeats: dict[int, int] = field(default_factory=dict)
    triggered: list[tuple[RunRef, str, RunRef]] = field(default_factory=list)
    recorded: list[records.Record] = field(default_factory=list)
    confs: dict[RunRef, Mapping[str, Any]] = field(default_factory=dict)
    conf_overrides: bool = True
    waits: list[tuple[datetime, waits.Wait]] = field(default_factory=list)
    rendered: dict[tuple[RunRef, str, int], Mapping[str, object]] = field(default_factory=dict)
    schedules: dict[str, DagSchedule] = field(default_factory=dict)
    waiting: list[WaitingAsset] = field(default_factory=list)
    flows: list[AssetFlow] = field(default_factory=list)
    holds: dict[int, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    stuck: dict[RunRef, str] = field(default_factory=dict)
    obstacles: list[Obstacle] = field(default_factory=list)
    log: list[tuple[RunRef, str, str, int]] = field(default_factory=list)
    dispatches: list[RunRef] = field(default_factory=list)
    tries: dict[tuple[RunRef, str, int], tuple[TaskInstanceFacts, ...]] = field(default_factory=dict)
    rounds: dict[tuple[RunRef, str, int], tuple[tuple[int, TaskInstanceFacts], ...]] = field(default_factory=dict)
    """Earlier tries, each with how often its task instance had been cleared by then."""
    hosts: dict[tuple[RunRef, str], str | None] = field(default_factory=dict)
    try_hosts: dict[tuple[RunRef, str, int, int], str | None] = field(default_factory=dict)
    cut: set[tuple[RunRef, str, int]] = field(default_factory=set)
    by_hand: dict[tuple[RunRef, str, int], str] = field(default_factory=dict)
    choices: dict[tuple[RunRef, str], Skipping] = field(default_factory=dict)
    lasted: dict[RunRef, float] = field(default_factory=dict)
    empty: set[tuple[RunRef, str]] = field(default_factory=set)
    cleared_at: dict[RunRef, tuple[tuple[datetime | None, frozenset[tuple[str, int]]], ...]] = field(
        default_factory=dict
    )
    clears: dict[tuple[RunRef, str, int], int] = field(default_factory=dict)
    cleared_from: dict[tuple[RunRef, str, int], datetime | None] = field(default_factory=dict)
    own_starts: dict[tuple[RunRef, str, int], tuple[datetime, int]] = field(default_factory=dict)
    dispatched_by: dict[tuple[RunRef, str, int], int] = field(default_factory=dict)

    def snapshot(self) -> dict[str, object]:
        """Everything that a transaction may change."""
        return {name: copy.copy(value) for name, value in vars(self).items() if name != "clock"} | {
            "tasks": {ref: list(tasks) for ref, tasks in self.tasks.items()}
        }

    def restore(self, state: dict[str, object]) -> None:
        """Go back to a snapshot."""
        vars(self).update(state)

    def dag(
        self,
        dag_id: str,
        order: str = "t",
        *,
        paused: bool = False,
        groups: Mapping[str, set[str]] | None = None,
        mapped_groups: Collection[str] = (),
        mapped: Collection[str] = (),
        setup: str = "",
        teardown: str = "",
    ) -> None:
        """A Dag from text: ``a >> b >> c`` and ``;`` between chains."""
        after: dict[str, set[str]] = {}
        before: dict[str, set[str]] = {}
        for chain in order.split(";"):
            ids = [part.strip() for part in chain.split(">>")]
            for task_id in ids:
                after.setdefault(task_id, set())
                before.setdefault(task_id, set())
            for one, two in itertools.pairwise(ids):
                after[one].add(two)
                before[two].add(one)
        makers = {trigger.task_id: trigger.waits for trigger in self.triggers if trigger.dag_id == dag_id}
        nodes = {
            t: TaskNode(
                t,
                "PythonOperator",
                frozenset(after[t]),
                frozenset(before[t]),
                is_setup=t == setup,
                is_teardown=t == teardown,
                triggers_dag_run=t in makers,
                mapped=t in mapped,
                waits_for_run=makers.get(t, False),
                makes_one_run=(dag_id, t) in self.one_run,
            )
            for t in after
        }
        found = {name: frozenset(ids) for name, ids in (groups or {}).items()}
        self.structures[dag_id] = DagStructure(dag_id, nodes, found, paused, mapped_groups=frozenset(mapped_groups))

    def new_version(self, dag_id: str, *, at: datetime = START) -> int:
        """A Dag is about to change; the number of its new version. The runs that it has stay as it was.

        As in Airflow, a version of which there is no run is written over.
        """
        if (known := self.structures.get(dag_id)) is None:
            return 1
        every = {kind: getattr(self, kind) for kind in dags.KINDS}
        before = dags.declared_by(self, dag_id)
        for some in (*every.values(), self.asset_schedules):
            some[:] = [one for one in some if one.dag_id != dag_id]
        mine = [ref for ref in self.runs if ref.dag_id == dag_id and self.tasks[ref] and ref not in self.versions]
        if not mine:
            return known.version
        self.versions.update(dict.fromkeys(mine, DagVersion(known, before)))
        self.moved = {ref: some for ref, some in self.moved.items() if ref.dag_id != dag_id}
        self.replaced.append((at, dag_id, before))
        return known.version + 1

    def move(self, ref: RunRef, task_id: str) -> None:
        """A task of a run is of the latest version of its Dag from now on; the last one to go takes the run along."""
        if (own := self.versions.get(ref)) is None:
            return
        latest, nodes = self.structures[ref.dag_id], dict(own.structure.tasks)
        self.moved[ref] = self.moved.get(ref, frozenset()) | {task_id}
        if {task.task_id for task in self.tasks[ref]} <= self.moved[ref]:
            del self.versions[ref]
            return
        nodes[task_id] = latest.tasks[task_id]
        kept = own.definitions.of_tasks(set(nodes) - {task_id})
        new = dags.declared_by(self, ref.dag_id).of_tasks({task_id})
        both = Definitions(**{kind: getattr(kept, kind) + getattr(new, kind) for kind in dags.KINDS})
        self.versions[ref] = DagVersion(replace(own.structure, tasks=nodes), both)

    def trigger_task(
        self,
        dag_id: str,
        task_id: str,
        target: str,
        *,
        waits: bool = False,
        one_run: bool = False,
        params: Params | None = (),
    ) -> None:
        """Make a task a TriggerDagRun one (before or after `dag`); ``one_run``: it can't make a second one."""
        self.triggers.append(TriggerDefinition(dag_id, task_id, target, waits=waits, params=params))
        if one_run:
            self.one_run.add((dag_id, task_id))
        if (known := self.structures.get(dag_id)) is not None:
            node = replace(known.tasks[task_id], triggers_dag_run=True, waits_for_run=waits, makes_one_run=one_run)
            nodes = {**known.tasks, task_id: node}
            self.structures[dag_id] = replace(known, tasks=nodes)

    def run(
        self,
        dag_id: str,
        *,
        day: float = 0,
        state: str = "success",
        run_type: str = "scheduled",
        run_id: str | None = None,
        **more: object,
    ) -> RunRef:
        """A run of a day, whose tasks are in the run's state (or as ``task_states`` says)."""
        if dag_id not in self.structures:
            self.dag(dag_id)
        date = START + timedelta(days=day)
        ref = RunRef(dag_id, run_id or f"{run_type}__{date.isoformat()}")
        states: Mapping[str, str | None] = more.pop("task_states", {})  # type: ignore[assignment]
        usual = {"success": "success", "failed": "failed", "running": "running", "queued": None}[state]
        facts = RunFacts(
            ref,
            run_type,
            state,
            date,
            date,
            online=run_type in ("scheduled", "asset_triggered"),
            backfill=run_type == "backfill",
            made_by_task=run_type == "operator_triggered",
        )
        self.runs[ref] = replace(facts, **more)  # type: ignore[arg-type]
        self.tasks[ref] = [
            instance_of(node, states.get(node.task_id, usual), date) for node in self.structures[dag_id].tasks.values()
        ]
        return ref

    def expand(self, ref: RunRef, task_id: str, count: int) -> None:
        """A mapped task of a run gets its indexes."""
        first = next(task for task in self.tasks[ref] if task.task_id == task_id)
        rest = [task for task in self.tasks[ref] if task.task_id != task_id]
        self.tasks[ref] = [*rest, *(replace(first, map_index=index) for index in range(count))]

    def lose(self, dag_id: str) -> None:
        """The file of a Dag is gone; its runs are still there."""
        self.gone.add(dag_id)

    def known_assets(self) -> dict[int, str]:
        """The URIs of assets: those that events or Dags name."""
        return {one.asset_id: one.asset for one in (*self.inlets, *self.outlets)} | self.assets

    def asset(self, asset_id: int) -> str:
        """The URI of an asset."""
        return self.known_assets().get(asset_id, f"asset://{asset_id}")

    def asset_id(self, uri: str) -> int:
        """The number of an asset; one that is new gets one that no test has given away."""
        for number, known in self.known_assets().items():
            if known == uri:
                return number
        number = 1_000 + len(self.assets)
        self.assets[number] = uri
        return number

    def consumed(self, producer: RunRef, task_id: str, *, by: RunRef, asset: str = "asset://a") -> None:
        """An asset event of ``producer`` started ``by``."""
        at = self.runs[producer].run_after + timedelta(minutes=1)
        self.consumptions.add((self.emitted(producer, task_id, at, asset_id=self.asset_id(asset)), by))

    def emitted(
        self, producer: RunRef | None, task_id: str, at: datetime, *, asset_id: int = 1, map_index: int = -1
    ) -> int:
        """An asset event of ``producer`` (None: somebody told of it over REST); its number."""
        self.events.append(events.Event(len(self.events), producer, task_id, map_index, asset_id, at))
        return len(self.events) - 1

    def made(self, parent: RunRef, task_id: str, child: RunRef) -> None:
        """A TriggerDagRun task of ``parent`` made ``child``."""
        if not any((t.dag_id, t.task_id) == (parent.dag_id, task_id) for t in self.triggers):
            self.trigger_task(parent.dag_id, task_id, child.dag_id)
        self.set_run(child, made_by_task=True)
        self.triggered.append((parent, task_id, child))

    def record(
        self, parent: RunRef, task_id: str, run_id: str, *, map_index: int = -1, linked: str | None = None
    ) -> None:
        """A task of ``parent`` writes down the id of a run, whatever that is."""
        self.recorded.append(records.Record(parent, task_id, map_index, run_id, linked))

    def set_tasks(
        self,
        ref: RunRef,
        state: str | None,
        *,
        only: Collection[str] | None = None,
        at: datetime | None = None,
    ) -> None:
        """Put task instances of a run into a state, as a worker does that has run them (or as the Dag skips them)."""
        self.tasks[ref] = [
            self.ran(ref, t, state, at) if only is None or t.task_id in only else t for t in self.tasks[ref]
        ]

    def ran(self, ref: RunRef, task: TaskInstanceFacts, state: str | None, at: datetime | None) -> TaskInstanceFacts:
        """A task instance after a try that ended so; what is skipped or can't run has none."""
        started = state in ("success", "failed", "running") and not self.started(ref, task)
        number = task.try_number + started
        begun = task.start_date if task.state == "running" and not started else at or task.start_date
        end = at or task.end_date or (task.start_date and (self.now() or task.start_date))
        if state == "running":
            end = None  # as it has begun, it hasn't ended
        return replace(task, state=state, try_number=number, start_date=begun, end_date=end)

    def started(self, ref: RunRef, task: TaskInstanceFacts) -> bool:
        """Whether the present try has begun since the last clear."""
        earlier = self.tries.get((ref, task.task_id, task.map_index), ())
        return task.try_number > 0 and all(old.try_number != task.try_number for old in earlier)

    def pass_by(self, ref: RunRef, task_id: str) -> None:
        """A branch skips a task, which never starts."""
        self.tasks[ref] = [
            replace(t, state="skipped", try_number=0) if t.task_id == task_id else t for t in self.tasks[ref]
        ]

    def skip_itself(self, ref: RunRef, task_id: str, *, at: datetime) -> None:
        """A task runs, and raises AirflowSkipException."""
        self.set_tasks(ref, "running", only={task_id}, at=at)
        self.set_tasks(ref, "skipped", only={task_id})

    def choose(self, ref: RunRef, task_id: str, follow: Collection[str], *, at: datetime) -> None:
        """A branch runs; what follows it and isn't chosen is skipped."""
        self.set_tasks(ref, "success", only={task_id}, at=at)
        self.choices[ref, task_id] = Skipping(task_id, -1, frozenset(follow))
        passed = self.structures[ref.dag_id].tasks[task_id].followers - set(follow)
        self.set_tasks(ref, "skipped", only=passed)

    def time_out(self, ref: RunRef, *, lasted: float = 3600) -> None:
        """What ``dagrun_timeout`` does: all that hasn't ended is skipped, running or not, and the run has failed."""
        self.cut_short(ref, UNFINISHED_TASK_STATES)
        self.lasted[ref] = lasted
        self.set_run(ref, state="failed")

    def fail_fast(self, ref: RunRef, task_id: str, *, at: datetime) -> None:
        """What a task's failure does in a ``fail_fast`` Dag: what runs fails, all else but a success is skipped."""
        self.set_tasks(ref, "failed", only={task_id}, at=at)
        self.fail_running(ref)
        self.cut_short(ref, UNFINISHED_TASK_STATES | {"upstream_failed"})
        self.set_run(ref, state="failed")

    def fail_running(self, ref: RunRef) -> None:
        """What a failure elsewhere in a ``fail_fast`` Dag does to what runs: nobody writes down that it has ended."""
        self.tasks[ref] = [replace(t, state="failed") if t.state == "running" else t for t in self.tasks[ref]]

    def try_again(self, ref: RunRef, task_id: str) -> None:
        """A task fails that has a try left."""
        self.set_tasks(ref, "up_for_retry", only={task_id})
        for task in self.tasks[ref]:
            if task.task_id == task_id:
                key = (ref, task.task_id, task.map_index)
                self.tries[key] = (*self.tries.get(key, ()), replace(task, state="failed"))
                self.keep_round(key, replace(task, state="failed"))

    def stop(self, ref: RunRef) -> None:
        """What "mark failed" does with a run that goes on."""
        self.set_run(ref, state="failed", terminated=True)
        ended = {task.task_id for task in self.tasks[ref] if task.state in LIVE_TASK_STATES}
        self.tasks[ref] = [
            replace(
                t,
                state="failed" if t.task_id in ended else "skipped",
                end_date=t.end_date or (self.now() if t.task_id in ended else None),
            )
            if t.state in UNFINISHED_TASK_STATES
            else t
            for t in self.tasks[ref]
        ]

    def cut_short(self, ref: RunRef, states: Collection[str | None]) -> None:
        """Skip by force what is in one of the states."""
        for task in self.tasks[ref]:
            if task.state in states:
                self.cut.add((ref, task.task_id, task.map_index))
        self.tasks[ref] = [replace(t, state="skipped") if t.state in states else t for t in self.tasks[ref]]

    def mark_tasks(self, ref: RunRef, state: str, *, only: Collection[str], by: str) -> None:
        """A person sets task instances to a state in the UI."""
        self.tasks[ref] = [replace(t, state=state) if t.task_id in only else t for t in self.tasks[ref]]
        self.by_hand.update({(ref, t.task_id, t.map_index): by for t in self.tasks[ref] if t.task_id in only})

    def keep_tries(self, ref: RunRef, cleared: Collection[tuple[str, int]]) -> None:
        """What a clear does to the tries that it clears."""
        for task in self.tasks[ref]:
            key = (ref, task.task_id, task.map_index)
            if (task.task_id, task.map_index) in cleared:
                known = self.tries.get(key, ())
                if task.try_number and all(old.try_number != task.try_number for old in known):
                    self.tries[key] = (*known, self.recorded_try(task))
                    self.keep_round(key, self.recorded_try(task))
                self.cut.discard(key)
                self.by_hand.pop(key, None)
                self.cleared_from[key] = own_starts.own(self, ref, task)
                self.clears[key] = self.clears.get(key, 0) + 1
        here = frozenset((t.task_id, t.map_index) for t in self.tasks[ref])
        self.cleared_at[ref] = (*self.cleared_at.get(ref, ()), (self.now(), here))

    def keep_round(self, key: tuple[RunRef, str, int], task: TaskInstanceFacts) -> None:
        """Remember a try, and after how many clears it was."""
        self.rounds[key] = (*self.rounds.get(key, ()), (self.clears.get(key, 0), task))

    def added(self, ref: RunRef, key: tuple[str, int], since: datetime | None) -> bool:
        """Whether a task instance wasn't there yet at a clear since a moment; None: at the last one."""
        clears = self.cleared_at.get(ref, ())
        counted = clears[-1:] if since is None else [one for one in clears if one[0] is None or one[0] >= since]
        return any(key not in here for _, here in counted)

    def recorded_try(self, task: TaskInstanceFacts) -> TaskInstanceFacts:
        """What Airflow writes down of a try that is cleared: what goes on has failed, and has ended now."""
        if task.state in UNFINISHED_TASK_STATES:
            return replace(task, state="failed", end_date=task.end_date or self.now())
        return task

    def now(self) -> datetime | None:
        """The time, as far as there is a clock."""
        return None if self.clock is None else self.clock.now()

    def set_run(self, ref: RunRef, **values: object) -> None:
        """Change a run's row."""
        self.runs[ref] = replace(self.runs[ref], **values)  # type: ignore[arg-type]

    def finish(self, ref: RunRef, state: str = "success", *, at: datetime, only: Collection[str] | None = None) -> None:
        """What a scheduler does with a queued run: its open tasks run and end in ``state``."""
        open_tasks = {t.task_id for t in self.tasks[ref] if t.state in UNFINISHED_TASK_STATES}
        self.set_tasks(ref, state, only=open_tasks if only is None else only, at=at)
        self.set_run(ref, state=state, start_date=at)

    def clear_by_hand(self, ref: RunRef, only: Collection[str] | None = None) -> None:
        """What a person's clear in the UI does."""
        self.keep_tries(ref, {(t.task_id, t.map_index) for t in self.tasks[ref] if only is None or t.task_id in only})
        cleared = {task.task_id for task in self.tasks[ref] if only is None or task.task_id in only}
        self.tasks[ref] = [
            replace(t, state="restarting" if t.state == "running" else None) if t.task_id in cleared else t
            for t in self.tasks[ref]
        ]
        number = self.runs[ref].clear_number + 1
        self.set_run(ref, state="queued", clear_number=number, terminated=False, start_date=None)
        self.lasted.pop(ref, None)

    def delete(self, ref: RunRef) -> None:
        """Delete a run, with what its tasks have left; its asset events stay."""
        del self.runs[ref], self.tasks[ref]
        self.waits = [one for one in self.waits if waits.run_of(one[1]) != ref]
        self.recorded = [one for one in self.recorded if one.parent != ref]
        self.triggered = [one for one in self.triggered if one[0] != ref]
        self.consumptions = {one for one in self.consumptions if one[1] != ref}
        for of_run in (self.versions, self.moved, self.lasted, self.cleared_at):
            of_run.pop(ref, None)
        own = (self.clears, self.cleared_from, self.own_starts, self.dispatched_by)
        for of_task in (self.rendered, self.tries, self.rounds, self.by_hand, self.choices, *own):
            for one in [one for one in of_task if one[0] == ref]:
                del of_task[one]
        for some in (self.cut, self.empty):
            some.difference_update([key for key in some if key[0] == ref])


def instance_of(node: TaskNode, state: str | None, date: datetime) -> TaskInstanceFacts:
    """A task instance of a run that began at a date. One that never ran has no try; a skipped one did it itself."""
    tries, began = (1, date) if state not in NEVER_RAN else (0, None)
    return TaskInstanceFacts(node.task_id, -1, state, node.operator, tries, began, began)


NEVER_RAN = (None, "scheduled", "queued", "upstream_failed", "removed")
