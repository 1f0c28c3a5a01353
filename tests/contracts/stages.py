"""An Airflow whose history a contract can be tested on, and the one in memory. `AirflowStage` is the real one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports import LineageFacts
from tests.fakes.airflow import START, FakeFacts, World

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
GONE = RunRef("gone", "nowhere")
ONE = frozenset({"t"})

MAKERS = {"scheduler": "scheduled", "asset": "asset_triggered", "backfill": "backfill", "person": "manual"}
"""Who makes a run, and the type that it gets; a task's runs have one of their own since Airflow 3.3."""


@dataclass(frozen=True)
class Shape:
    """A Dag: ``order`` as `World.dag` takes it. Every task is a Python task, but for those named otherwise.

    ``triggers``: the Dag that a task triggers. ``outlets`` and ``inlets``: names of assets by task.
    ``starts_with``: the names of the assets that schedule it; without any, it is a daily Dag.
    """

    dag_id: str
    order: str = "t"
    triggers: Mapping[str, str] = field(default_factory=dict)
    waits: Collection[str] = ()
    """The triggers that wait until their run has ended."""
    sensors: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    """The Dag, and the task, that a sensor waits for."""
    markers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    past: Collection[str] = ()
    mapped: Collection[str] = ()
    """Those that `Stage.expand` gives their indexes."""
    inlets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    outlets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    starts_with: Sequence[str] = ()

    @property
    def tasks(self) -> list[str]:
        """The ids of its tasks, each once."""
        return list(dict.fromkeys(part.strip() for chain in self.order.split(";") for part in chain.split(">>")))


class Stage(Protocol):
    """An Airflow. What it does, people, workers and schedulers do there."""

    facts: LineageFacts

    def dag(self, shape: Shape) -> None:
        """Deploy a Dag; one that is there already gets a new version."""
        ...

    def run(
        self,
        dag_id: str,
        *,
        day: float = 0,
        run_id: str | None = None,
        by: str = "scheduler",
        state: str = "success",
        states: Mapping[str, str | None] | None = None,
        dated: bool = True,
    ) -> RunRef:
        """A run, made by one of `MAKERS` or a ``task``; its tasks are in its state, or as ``states`` says."""
        ...

    def expand(self, ref: RunRef, task_id: str, count: int) -> None:
        """A mapped task of a run gets its indexes, all successful."""
        ...

    def drop_tasks(self, ref: RunRef) -> None:
        """A run loses its task instances, as one does that was made before its Dag had any."""
        ...

    def put(self, ref: RunRef, task_id: str, state: str | None, *, at: datetime, map_index: int = -1) -> None:
        """A worker has run a task, from ``at`` on."""
        ...

    def end(self, ref: RunRef, state: str) -> None:
        """The scheduler ends a run, half an hour after it was ready."""
        ...

    def clear(self, ref: RunRef, *task_ids: str) -> None:
        """A person clears tasks of a run that has ended; Airflow queues it."""
        ...

    def mark_failed(self, ref: RunRef) -> None:
        """A person marks a run that goes on as failed."""
        ...

    def delete(self, ref: RunRef) -> None: ...

    def lose(self, dag_id: str) -> None:
        """Airflow doesn't find a Dag's file any more."""
        ...

    def pause(self, dag_id: str) -> None: ...

    def made(
        self, parent: RunRef, task_id: str, child: RunRef, *, map_index: int = -1, linked: str | None = None
    ) -> None:
        """A task records the run that it made; ``linked``: the Dag that its link in the UI names."""
        ...

    def rendered(self, ref: RunRef, task_id: str, *, map_index: int = -1, **fields: object) -> None:
        """Airflow keeps what it rendered for a task."""
        ...


class FakeStage:
    """The fake."""

    def __init__(self) -> None:
        self.world = World()
        self.facts: LineageFacts = FakeFacts(self.world)

    def dag(self, shape: Shape) -> None:
        self.world.new_version(shape.dag_id)
        self.world.dag(shape.dag_id, shape.order, mapped=shape.mapped)
        for task_id, target in shape.triggers.items():
            self.world.trigger_task(shape.dag_id, task_id, target, waits=task_id in shape.waits)

    def run(
        self,
        dag_id: str,
        *,
        day: float = 0,
        run_id: str | None = None,
        by: str = "scheduler",
        state: str = "success",
        states: Mapping[str, str | None] | None = None,
        dated: bool = True,
    ) -> RunRef:
        date = START + day * DAY
        dates: dict[str, Any] = {} if dated else {"logical_date": None}
        same = [run for run in self.world.runs.values() if run.ref.dag_id == dag_id and run.logical_date == date]
        assert not (dated and same), "Airflow has one run of a Dag for each logical date"
        interval = date if dated else None
        return self.world.run(
            dag_id,
            day=day,
            run_id=run_id or f"{by}__{date.isoformat()}",
            state=state,
            run_type=MAKERS.get(by, "operator_triggered"),
            task_states=states or {},
            data_interval_start=interval,
            data_interval_end=interval,
            start_date=None if state == "queued" else date,
            made_by_task=by == "task",
            **dates,
        )

    def expand(self, ref: RunRef, task_id: str, count: int) -> None:
        self.world.expand(ref, task_id, count)

    def drop_tasks(self, ref: RunRef) -> None:
        self.world.tasks[ref] = []

    def put(self, ref: RunRef, task_id: str, state: str | None, *, at: datetime, map_index: int = -1) -> None:
        self.world.tasks[ref] = [
            self.world.ran(ref, task, state, at) if (task.task_id, task.map_index) == (task_id, map_index) else task
            for task in self.world.tasks[ref]
        ]

    def end(self, ref: RunRef, state: str) -> None:
        self.world.set_run(ref, state=state)
        self.world.lasted[ref] = 1800.0

    def clear(self, ref: RunRef, *task_ids: str) -> None:
        self.world.clear_by_hand(ref, task_ids)

    def mark_failed(self, ref: RunRef) -> None:
        self.world.set_run(ref, state="failed", terminated=True)

    def delete(self, ref: RunRef) -> None:
        self.world.delete(ref)

    def lose(self, dag_id: str) -> None:
        self.world.lose(dag_id)

    def pause(self, dag_id: str) -> None:
        self.world.structures[dag_id] = replace(self.world.structures[dag_id], is_paused=True)

    def made(
        self, parent: RunRef, task_id: str, child: RunRef, *, map_index: int = -1, linked: str | None = None
    ) -> None:
        self.world.record(parent, task_id, child.run_id, map_index=map_index, linked=linked)

    def rendered(self, ref: RunRef, task_id: str, *, map_index: int = -1, **fields: object) -> None:
        self.world.rendered[ref, task_id, map_index] = fields
