"""An Airflow in memory: runs, task instances, Dags and what links them; facts and gateway read and write it.

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
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from airflow_rerun_downstream.domain.again import key, to_clear_again
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.errors import CannotDispatch, Invalid
from airflow_rerun_downstream.domain.facts import (
    FINISHED_RUN_STATES,
    LIVE_TASK_STATES,
    UNFINISHED_TASK_STATES,
    Account,
    AssetConsumption,
    AssetEmission,
    AssetSchedule,
    DagStructure,
    DagVersion,
    Definitions,
    DoubtfulRecord,
    InletDefinition,
    MarkerDefinition,
    Observation,
    OutletDefinition,
    Params,
    PastDependency,
    RecordedWait,
    RunAccount,
    RunConf,
    RunFacts,
    RunNow,
    SensorDefinition,
    SensorInstance,
    Skipping,
    TaskInstanceFacts,
    TaskNode,
    TaskStart,
    TriggerDefinition,
    TriggeredRun,
    UndatedRun,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, WaitingAsset
from airflow_rerun_downstream.domain.proof import RunTries
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, covers
from airflow_rerun_downstream.domain.room import DagRoom, Obstacle
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.ports.lineage import RunFilter
from tests.fakes import dags, events, own_starts, records, tries, waits

START = datetime(2026, 11, 1, tzinfo=timezone.utc)


class FakeClock:
    """Time that moves only when told to."""

    def __init__(self, now: datetime = START + timedelta(days=40)) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


@dataclass
class World:
    """Airflow's rows."""

    runs: dict[RunRef, RunFacts] = field(default_factory=dict)
    tasks: dict[RunRef, list[TaskInstanceFacts]] = field(default_factory=dict)
    structures: dict[str, DagStructure] = field(default_factory=dict)
    versions: dict[RunRef, DagVersion] = field(default_factory=dict)
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
    triggered: list[tuple[RunRef, str, RunRef]] = field(default_factory=list)
    recorded: list[records.Record] = field(default_factory=list)
    confs: dict[RunRef, Mapping[str, Any]] = field(default_factory=dict)
    conf_overrides: bool = True
    waits: list[tuple[datetime, waits.Wait]] = field(default_factory=list)
    rendered: dict[tuple[RunRef, str, int], Mapping[str, object]] = field(default_factory=dict)
    schedules: dict[str, DagSchedule] = field(default_factory=dict)
    waiting: list[WaitingAsset] = field(default_factory=list)
    flows: list[AssetFlow] = field(default_factory=list)
    tickets: dict[int, Any] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    draining: set[str] = field(default_factory=set)
    stuck: dict[RunRef, str] = field(default_factory=dict)
    obstacles: list[Obstacle] = field(default_factory=list)
    log: list[tuple[RunRef, str, str, int]] = field(default_factory=list)
    dispatches: list[RunRef] = field(default_factory=list)
    tries: dict[tuple[RunRef, str, int], tuple[TaskInstanceFacts, ...]] = field(default_factory=dict)
    hosts: dict[tuple[RunRef, str], str | None] = field(default_factory=dict)
    cut: set[tuple[RunRef, str, int]] = field(default_factory=set)
    by_hand: dict[tuple[RunRef, str, int], str] = field(default_factory=dict)
    choices: dict[tuple[RunRef, str], Skipping] = field(default_factory=dict)
    lasted: dict[RunRef, float] = field(default_factory=dict)
    empty: set[tuple[RunRef, str]] = field(default_factory=set)
    cleared_at: dict[RunRef, frozenset[tuple[str, int]]] = field(default_factory=dict)
    clears: dict[tuple[RunRef, str, int], int] = field(default_factory=dict)
    cleared_from: dict[tuple[RunRef, str, int], datetime | None] = field(default_factory=dict)
    own_starts: dict[tuple[RunRef, str, int], tuple[datetime, int]] = field(default_factory=dict)
    dispatched_by: dict[tuple[RunRef, str, int], int] = field(default_factory=dict)

    def snapshot(self) -> dict[str, object]:
        """Everything that a transaction may change."""
        return {name: copy.copy(value) for name, value in vars(self).items()} | {
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
        fresh = {kind: tuple(one for one in getattr(self, kind) if one.dag_id == ref.dag_id) for kind in dags.KINDS}
        new = Definitions(**fresh).of_tasks({task_id})
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
        return replace(task, state=state, try_number=number, start_date=begun, end_date=at or task.end_date)

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
        running = {t.task_id for t in self.tasks[ref] if t.state == "running"}
        self.set_tasks(ref, "failed", only=running)
        self.cut_short(ref, UNFINISHED_TASK_STATES | {"upstream_failed"})
        self.set_run(ref, state="failed")

    def try_again(self, ref: RunRef, task_id: str) -> None:
        """A task fails that has a try left."""
        self.set_tasks(ref, "up_for_retry", only={task_id})
        for task in self.tasks[ref]:
            if task.task_id == task_id:
                key = (ref, task.task_id, task.map_index)
                self.tries[key] = (*self.tries.get(key, ()), replace(task, state="failed"))

    def stop(self, ref: RunRef) -> None:
        """What "mark failed" does with a run that goes on."""
        self.set_run(ref, state="failed", terminated=True)
        ended = {task.task_id for task in self.tasks[ref] if task.state in LIVE_TASK_STATES}
        self.tasks[ref] = [
            replace(t, state="failed" if t.task_id in ended else "skipped") if t.state in UNFINISHED_TASK_STATES else t
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
                    self.tries[key] = (*known, task)
                self.cut.discard(key)
                self.by_hand.pop(key, None)
                self.cleared_from[key] = own_starts.own(self, ref, task)
                self.clears[key] = self.clears.get(key, 0) + 1
        self.cleared_at[ref] = frozenset((t.task_id, t.map_index) for t in self.tasks[ref])

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
        for of_task in (self.rendered, self.tries, self.by_hand, self.choices, *own):
            for one in [one for one in of_task if one[0] == ref]:
                del of_task[one]
        for some in (self.cut, self.empty):
            some.difference_update([key for key in some if key[0] == ref])


FIELDS_READ = ("external_dag_id", "external_task_id", "external_task_ids", "external_task_group_id", "trigger_dag_id")

ORDERS = ("run_after", "logical_date", "dag_id", "run_id", "state", "start_date", "run_type")


def value_of(run: RunFacts, name: str) -> Any:
    """What a page of runs is ordered by."""
    return getattr(run.ref if name in ("dag_id", "run_id") else run, name)


def instance_of(node: TaskNode, state: str | None, date: datetime) -> TaskInstanceFacts:
    """A task instance of a run that began at a date. One that never ran has no try; a skipped one did it itself."""
    tries, began = (1, date) if state not in NEVER_RAN else (0, None)
    return TaskInstanceFacts(node.task_id, -1, state, node.operator, tries, began, began)


GOES_ON = ("running", "deferred", "awaiting_input", "up_for_reschedule", "restarting")
NEVER_RAN = (None, "scheduled", "queued", "upstream_failed", "removed")


def like(dag_id: str, pattern: str) -> bool:
    """Whether an id matches a pattern of `RunFilter`."""
    signs = {"%": ".*", "_": "."}
    parts = [part.strip() for part in pattern.split("|") if part.strip()] or [pattern]
    wanted = ("".join(signs.get(sign) or re.escape(sign) for sign in part) for part in parts)
    return any(re.search(one, dag_id, re.IGNORECASE) for one in wanted)


class FakeFacts:
    """`LineageFacts` over a `World`; ``statements`` counts the calls."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.statements = 0

    def runs(self, refs: Collection[RunRef]) -> dict[RunRef, RunFacts]:
        self.statements += 1
        return {ref: self.told(ref) for ref in refs if ref in self.world.runs}

    def told(self, ref: RunRef) -> RunFacts:
        """A run as Airflow's rows tell of it."""
        return records.told(self.world, self.world.runs[ref])

    def confs(self, refs: Collection[RunRef]) -> dict[RunRef, RunConf]:
        self.statements += 1
        world = self.world
        return {ref: RunConf(world.confs.get(ref, {}), world.conf_overrides) for ref in refs if ref in world.runs}

    def runs_now(self, refs: Collection[RunRef]) -> dict[RunRef, RunNow]:
        return {ref: RunNow(run.state, run.run_after) for ref, run in self.runs(refs).items()}

    def runs_at(self, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
        self.statements += 1
        moment = (lambda run: run.logical_date or run.run_after) if undated else (lambda run: run.logical_date)
        found = [run for run in self.world.runs.values() if moment(run) in dates.get(run.ref.dag_id, ())]
        return [records.told(self.world, run) for run in found]

    def undated_runs(self, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
        self.statements += 1
        found = [
            UndatedRun(self.told(ref), self.world.confs.get(ref, {}))
            for ref, run in self.world.runs.items()
            if run.logical_date is None
            and ref.dag_id in windows
            and windows[ref.dag_id][0] <= run.run_after <= windows[ref.dag_id][1]
        ]
        return sorted(found, key=lambda one: (one.run.run_after, one.run.ref))

    def last_undated(self, dag_ids: Collection[str]) -> dict[str, datetime]:
        self.statements += 1
        found: dict[str, datetime] = {}
        for run in self.world.runs.values():
            if run.ref.dag_id in dag_ids and run.logical_date is None:
                found[run.ref.dag_id] = max(run.run_after, found.get(run.ref.dag_id, run.run_after))
        return found

    def later_runs(self, since: Mapping[str, datetime], *, limit: int) -> list[RunFacts]:
        self.statements += 1
        later = [
            run
            for run in self.world.runs.values()
            if run.logical_date and run.ref.dag_id in since and run.logical_date > since[run.ref.dag_id]
        ]
        first = sorted(later, key=lambda run: (run.logical_date, run.ref))[:limit]
        return [records.told(self.world, run) for run in first]

    def page(self, wanted: RunFilter) -> tuple[list[RunFacts], int]:
        self.statements += 1
        name = wanted.order_by.removeprefix("-")
        if name not in ORDERS:
            raise Invalid(f"Dag runs can't be ordered by {name!r}.")
        every = (records.told(self.world, run) for run in self.world.runs.values())
        number = {ref: place for place, ref in enumerate(self.world.runs)}
        found = [run for run in every if self.matches(run, wanted)]
        found.sort(key=lambda run: number[run.ref], reverse=wanted.order_by.startswith("-"))
        known = [run for run in found if value_of(run, name) is not None]
        known.sort(key=lambda run: value_of(run, name), reverse=wanted.order_by.startswith("-"))
        found = known + [run for run in found if value_of(run, name) is None]
        return found[wanted.offset : wanted.offset + wanted.limit], len(found)

    def matches(self, run: RunFacts, wanted: RunFilter) -> bool:
        rule = wanted.source_rule
        if rule is not None:
            possible = (
                run.online
                and run.state in FINISHED_RUN_STATES
                and run.run_after <= rule.now
                and (rule.window_start is None or run.run_after >= rule.window_start)
                and run.ref not in rule.taken
                and not run.dag_gone
            )
            if possible != rule.matches:
                return False
        return (
            (wanted.dag_ids is None or run.ref.dag_id in wanted.dag_ids)
            and (wanted.dag_id_pattern is None or like(run.ref.dag_id, wanted.dag_id_pattern))
            and (wanted.states is None or run.state in wanted.states)
            and (wanted.run_types is None or run.run_type in wanted.run_types)
            and (wanted.online is None or run.online == wanted.online)
            and (wanted.run_after_gte is None or run.run_after >= wanted.run_after_gte)
            and (wanted.run_after_lte is None or run.run_after <= wanted.run_after_lte)
        )

    def task_instances(self, refs: Collection[RunRef]) -> dict[RunRef, list[TaskInstanceFacts]]:
        self.statements += 1
        return {
            ref: sorted(
                (replace(task, start_date=None, end_date=None, cut_off=False) for task in self.world.tasks[ref]),
                key=lambda task: (task.task_id, task.map_index),
            )
            for ref in refs
            if self.world.tasks.get(ref)
        }

    def accounts(
        self, refs: Collection[RunRef], *, places: Mapping[RunRef, RunRef] | None = None
    ) -> dict[RunRef, RunAccount]:
        self.statements += 1
        return {ref: self.account(ref, (places or {}).get(ref, ref)) for ref in refs if ref in self.world.runs}

    def account(self, ref: RunRef, place: RunRef) -> RunAccount:
        world = self.world
        known = world.cleared_at.get(ref)
        old = {(t.task_id, t.map_index): t.state for t in world.tasks.get(place, ())} if place != ref else {}
        accounts = {}
        for task in world.tasks[ref]:
            key = (ref, task.task_id, task.map_index)
            started = world.started(ref, task)
            earlier = [*world.tries.get(key, ()), *world.tries.get((place, *key[1:]), ())]
            passed = task.state == "skipped" and not started and key in world.by_hand
            marked = passed or (task.state == "success" and (key in world.by_hand or not started))
            accounts[key[1:]] = Account(
                started=started,
                ended=started and key not in world.cut and task.state not in GOES_ON,
                succeeded_before=old.get(key[1:]) == "success" or any(one.state == "success" for one in earlier),
                by_hand=marked,
                by=world.by_hand.get(key) if marked else None,
                added=known is not None and key[1:] not in known,
            )
        skipped = any(task.state == "skipped" for task in world.tasks[ref])
        return RunAccount(
            ref,
            accounts,
            tuple(choice for (run, _), choice in world.choices.items() if run == ref and skipped),
            frozenset(task_id for run, task_id in world.empty if run == ref and skipped),
            terminated=world.runs[ref].terminated,
            lasted=world.lasted.get(ref),
        )

    def tries(
        self, refs: Collection[RunRef], *, places: Mapping[RunRef, RunRef] | None = None
    ) -> dict[RunRef, RunTries]:
        found = self.accounts(refs, places=places)
        return {ref: tries.run_tries(self.world, ref, account) for ref, account in found.items()}

    def structures(self, dag_ids: Collection[str]) -> dict[str, DagStructure]:
        self.statements += 1
        return {d: self.world.structures[d] for d in dag_ids if d in self.world.structures}

    def own_versions(self, refs: Collection[RunRef]) -> dict[RunRef, DagVersion]:
        self.statements += 1
        world = self.world
        told = {ref for ref in refs if ref in world.versions or ref.dag_id in world.gone}
        return {ref: dags.own_version(world, ref) for ref in told if world.tasks.get(ref)}

    def earlier_definitions(self, *, since: datetime) -> Definitions:
        self.statements += 1
        return dags.earlier(self.world, since)

    def definitions(self) -> Definitions:
        self.statements += 1
        return dags.definitions(self.world)

    def asset_consumptions(self, producers: Collection[RunRef]) -> list[AssetConsumption]:
        self.statements += 1
        return list(events.consumptions(self.world, producers))

    def asset_flows(self, dag_id: str) -> list[AssetFlow]:
        self.statements += 1
        return list(events.flows(self.world, dag_id))

    def asset_emissions(self, producers: Collection[RunRef], asset_ids: Collection[int]) -> list[AssetEmission]:
        self.statements += 1
        return list(events.emissions(self.world, producers, asset_ids))

    def task_starts(
        self, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
    ) -> list[TaskStart]:
        self.statements += 1
        return events.starts(self.world, tasks, since, until)

    def orphaned_dags(self, since: datetime) -> frozenset[str]:
        self.statements += 1
        made = (run for run in self.world.runs.values() if run.made_by_task and run.run_after >= since)
        return frozenset(run.ref.dag_id for run in made if not records.makers(self.world, run.ref))

    def triggering_runs(self, children: Collection[RunRef]) -> list[TriggeredRun]:
        self.statements += 1
        makers = {parent for child in children for parent in records.makers(self.world, child)}
        every = records.triggered(self.world, makers)
        return [each for each in every if isinstance(each, TriggeredRun) and each.child.ref in children]

    def triggered_runs(self, parents: Collection[RunRef]) -> list[TriggeredRun | DoubtfulRecord]:
        self.statements += 1
        return list(records.triggered(self.world, parents))

    def recorded_waits(
        self, sensors: Collection[tuple[str, str]], *, since: datetime, dates: Mapping[str, Collection[datetime]]
    ) -> list[RecordedWait | DoubtfulRecord]:
        self.statements += 1
        return waits.recorded(self.world, sensors, since, dates)

    def recorded_sensors(self, *, since: datetime) -> frozenset[tuple[str, str]]:
        self.statements += 1
        return frozenset((waits.run_of(w).dag_id, w.task_id) for at, w in self.world.waits if at >= since)

    def sensor_instances(
        self,
        sensors: Collection[tuple[str, str]],
        *,
        refs: Collection[RunRef] = (),
        since: datetime | None = None,
    ) -> list[SensorInstance]:
        self.statements += 1
        found = [
            SensorInstance(ref, task.task_id, task.map_index, task.state, self.skipped_itself(ref, task), task.end_date)
            for ref, some in self.world.tasks.items()
            for task in some
            if (ref.dag_id, task.task_id) in sensors
            and (ref in refs if since is None else self.ended_since(task, since))
        ]
        return sorted(found, key=lambda one: (one.run, one.task_id, one.map_index))

    def ended_since(self, task: TaskInstanceFacts, since: datetime) -> bool:
        ended = task.state in ("success", "failed", "skipped")
        return ended and (task.end_date is None or task.end_date >= since)

    def skipped_itself(self, ref: RunRef, task: TaskInstanceFacts) -> bool:
        return (
            task.state == "skipped"
            and self.world.started(ref, task)
            and (ref, task.task_id, task.map_index) not in self.world.cut
        )

    def last_waits(self, sensors: Collection[tuple[str, str]]) -> list[RecordedWait | DoubtfulRecord]:
        self.statements += 1
        return waits.last(self.world, sensors)

    def schedules(self, dag_ids: Collection[str], *, upcoming: int = 10) -> dict[str, DagSchedule]:
        self.statements += 1
        known = self.world.schedules
        return {dag_id: dags.schedule(self.world, known[dag_id], upcoming) for dag_id in dag_ids if dag_id in known}

    def waiting_assets(self, producers: Collection[RunRef]) -> list[WaitingAsset]:
        self.statements += 1
        return list(events.waiting(self.world, producers))

    def obstacles(self, tasks: Mapping[RunRef, Collection[str]]) -> list[Obstacle]:
        self.statements += 1
        return list(dags.obstacles(self.world, tasks))

    def rendered_fields(
        self, tasks: Collection[tuple[str, str]], refs: Collection[RunRef]
    ) -> dict[tuple[RunRef, str, int], Mapping[str, object]]:
        self.statements += 1
        return {
            key: {name: value for name, value in values.items() if name in FIELDS_READ and value is not None}
            for key, values in self.world.rendered.items()
            if key[0] in refs and (key[0].dag_id, key[1]) in tasks
        }


class FakeGateway:
    """`Gateway` over a `World`; ``asked`` counts the questions why runs don't move."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked = 0

    def observe(self, refs: Collection[RunRef]) -> dict[RunRef, Observation]:
        found = {}
        for ref in refs:
            run = self.world.runs.get(ref)
            if run is None:
                found[ref] = Observation(ref, None)
            else:
                tasks = tuple(self.world.tasks[ref])
                found[ref] = Observation(ref, run.state, run.clear_number, tasks, self._waits_because(ref))
        return found

    def clear_numbers(self, refs: Collection[RunRef]) -> dict[RunRef, int]:
        return {ref: self.world.runs[ref].clear_number for ref in refs if ref in self.world.runs}

    def _waits_because(self, ref: RunRef) -> str | None:
        if self.world.runs[ref].state != "queued":
            return None
        room = self.rooms([ref.dag_id])[ref.dag_id]
        full = room.limit is not None and room.running >= room.limit
        return room.closed or ("at_max_active_runs" if full else None)

    def rooms(self, dag_ids: Collection[str]) -> dict[str, DagRoom]:
        found = {}
        for dag_id in dag_ids:
            dag = self.world.structures.get(dag_id)
            runs = [run for run in self.world.runs.values() if run.ref.dag_id == dag_id and not run.backfill]
            if dag is None or dag_id in self.world.gone:
                closed: str | None = "dag_gone"
            else:
                closed = "dag_paused" if dag.is_paused else "dag_draining" if dag_id in self.world.draining else None
            states = [run.state for run in runs]
            limit = dag.max_active_runs if dag else None
            found[dag_id] = DagRoom(closed, limit, states.count("running"), states.count("queued"))
        return found

    def why_waiting(self, refs: Collection[RunRef]) -> dict[RunRef, str]:
        self.asked += 1
        return {ref: self.world.stuck[ref] for ref in refs if ref in self.world.stuck}

    def dispatch(
        self,
        ref: RunRef,
        tasks: Tasks,
        *,
        rerun_id: int,
        actor: str,
        retry: bool,
        run_on_latest_version: bool | None,
        before_writing: Callable[[], None] = lambda: None,
    ) -> Dispatched:
        run = self.world.runs.get(ref)
        if run is None:
            raise CannotDispatch("run_gone", gone=True)
        here = self.world.tasks[ref]
        cleared = {key(t) for t in here if t.state != "removed" and covers(tasks, t.task_id, t.map_index)}
        if not cleared:
            raise CannotDispatch("task_gone", gone=True)
        if retry:
            cleared = to_clear_again(tasks, self.world.structures.get(ref.dag_id), here)
        if run.state not in FINISHED_RUN_STATES or any(t.state in LIVE_TASK_STATES for t in here if key(t) in cleared):
            raise CannotDispatch("run_not_finished")
        before_writing()
        starts = own_starts.of_run(self.world, ref)
        self.world.keep_tries(ref, cleared)
        whole = {task.task_id for task in tasks if task.map_index is None}
        own_starts.note_dispatch(self.world, ref, starts, cleared, whole)
        self.world.dispatched_by.update({(ref, *each): rerun_id for each in cleared})
        self.world.tasks[ref] = [
            replace(t, state=None) if (t.task_id, t.map_index) in cleared else t for t in self.world.tasks[ref]
        ]
        self.world.set_run(ref, state="queued", terminated=False, clear_number=run.clear_number + 1)
        self.world.dispatches.append(ref)
        self.record(ref, rerun_id=rerun_id, actor=actor, event="dispatch")
        return Dispatched(self.world.runs[ref].clear_number, len(cleared))

    def take_over(self, ref: RunRef, tasks: Tasks, *, rerun_id: int, actor: str) -> None:
        if ref in self.world.runs:
            own_starts.follow_clear(self.world, ref, self.taken_over(ref, tasks, rerun_id))
            self.record(ref, rerun_id=rerun_id, actor=actor, event="take_over")

    def taken_over(self, ref: RunRef, tasks: Tasks, rerun_id: int) -> list[tuple[str, int]]:
        """The task instances of a rerun that somebody else may have cleared."""
        return [
            key(task)
            for task in self.world.tasks[ref]
            if covers(tasks, task.task_id, task.map_index)
            and (task.state in UNFINISHED_TASK_STATES or self.world.dispatched_by.get((ref, *key(task))) == rerun_id)
        ]

    def halt(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        run = self.world.runs.get(ref)
        if run is None or run.state in FINISHED_RUN_STATES:
            return False
        self.world.set_run(ref, state="failed", terminated=True)
        self.world.tasks[ref] = [
            replace(t, state="restarting" if t.state == "running" else None) if t.state in UNFINISHED_TASK_STATES else t
            for t in self.world.tasks[ref]
        ]
        self.record(ref, rerun_id=rerun_id, actor=actor, event="halt")
        return True

    def stop(self, ref: RunRef, *, rerun_id: int, actor: str) -> bool:
        run = self.world.runs.get(ref)
        if run is None or run.state in FINISHED_RUN_STATES:
            return False
        self.world.stop(ref)
        self.record(ref, rerun_id=rerun_id, actor=actor, event="stop")
        return True

    def adopt(self, ref: RunRef, *, place: RunRef, rerun_id: int, actor: str) -> None:
        """What a run consumed isn't part of this world."""
        own_starts.note_adoption(self.world, ref, place)
        self.record(ref, rerun_id=rerun_id, actor=actor, event="adopt")

    def record(self, ref: RunRef, *, rerun_id: int, actor: str, event: str) -> None:
        self.world.log.append((ref, event, actor, rerun_id))
