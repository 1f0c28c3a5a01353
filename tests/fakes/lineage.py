"""Lineage facts, read from a `World`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from airflow_rerun_downstream.domain.again import key
from airflow_rerun_downstream.domain.definitions import AssetSchedule, DagVersion, Definitions
from airflow_rerun_downstream.domain.edges import AssetFlow
from airflow_rerun_downstream.domain.errors import Invalid
from airflow_rerun_downstream.domain.facts import (
    FINISHED_RUN_STATES,
    DagOwnership,
    DagStructure,
    RunConf,
    RunFacts,
    RunNow,
    TaskInstanceFacts,
    UndatedRun,
)
from airflow_rerun_downstream.domain.freeze import DagSchedule, WaitingAsset
from airflow_rerun_downstream.domain.lineage_records import (
    AssetConsumption,
    AssetEmission,
    DoubtfulRecord,
    RecordedWait,
    SensorInstance,
    TaskStart,
    TriggeredRun,
)
from airflow_rerun_downstream.domain.proof import RunTries
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.room import Obstacle
from airflow_rerun_downstream.domain.run_accounts import Account, Moments, Places, RunAccount
from airflow_rerun_downstream.ports.lineage import LineageFacts, RunFilter
from tests.fakes import dags, events, records, tries, waits
from tests.fakes.world import World

FIELDS_READ = ("external_dag_id", "external_task_id", "external_task_ids", "external_task_group_id", "trigger_dag_id")


ORDERS = ("run_after", "logical_date", "dag_id", "run_id", "state", "start_date", "run_type")


def value_of(run: RunFacts, name: str) -> Any:
    """What a page of runs is ordered by."""
    return getattr(run.ref if name in ("dag_id", "run_id") else run, name)


GOES_ON = ("running", "deferred", "awaiting_input", "up_for_reschedule", "restarting")


def like(dag_id: str, pattern: str) -> bool:
    """Whether an id matches a pattern of `RunFilter`."""
    signs = {"%": ".*", "_": "."}
    parts = [part.strip() for part in pattern.split("|") if part.strip()] or [pattern]
    wanted = ("".join(signs.get(sign) or re.escape(sign) for sign in part) for part in parts)
    return any(re.search(one, dag_id, re.IGNORECASE) for one in wanted)


class FakeReader:
    """Reads a `World`; ``statements`` counts the calls.

    A question about nothing has an answer, but costs a statement: only with ``of_nothing`` may it be asked.
    """

    def __init__(self, world: World, *, of_nothing: bool = False) -> None:
        self.world = world
        self.of_nothing = of_nothing
        self.statements = 0

    def asked(self, *about: Collection[object]) -> None:
        """Count a question; ``about``: what there has to be something of."""
        assert self.of_nothing or all(about), "nothing is asked for"
        self.statements += 1


class FakeRuns(FakeReader):
    """`Runs` over a `World`."""

    def among(self, refs: Collection[RunRef]) -> dict[RunRef, RunFacts]:
        self.asked(refs)
        return {ref: self.told(ref) for ref in refs if ref in self.world.runs}

    def told(self, ref: RunRef) -> RunFacts:
        """A run as Airflow's rows tell of it."""
        return records.told(self.world, self.world.runs[ref])

    def confs(self, refs: Collection[RunRef]) -> dict[RunRef, RunConf]:
        self.asked(refs)
        world = self.world
        return {ref: RunConf(world.confs.get(ref, {}), world.conf_overrides) for ref in refs if ref in world.runs}

    def notes(self, refs: Collection[RunRef]) -> dict[RunRef, str]:
        self.asked(refs)
        return {ref: self.world.notes[ref] for ref in refs if ref in self.world.runs and ref in self.world.notes}

    def now(self, refs: Collection[RunRef]) -> dict[RunRef, RunNow]:
        return {ref: RunNow(run.state, run.run_after) for ref, run in self.among(refs).items()}

    def at(self, dates: Mapping[str, Collection[datetime]], *, undated: bool = False) -> list[RunFacts]:
        self.asked(dates)
        moment = (lambda run: run.logical_date or run.run_after) if undated else (lambda run: run.logical_date)
        found = [run for run in self.world.runs.values() if moment(run) in dates.get(run.ref.dag_id, ())]
        return [records.told(self.world, run) for run in found]

    def undated(self, windows: Mapping[str, tuple[datetime, datetime]]) -> list[UndatedRun]:
        self.asked(windows)
        found = [
            UndatedRun(self.told(ref), self.world.confs.get(ref, {}))
            for ref, run in self.world.runs.items()
            if run.logical_date is None
            and ref.dag_id in windows
            and windows[ref.dag_id][0] <= run.run_after <= windows[ref.dag_id][1]
        ]
        return sorted(found, key=lambda one: (one.run.run_after, one.run.ref))

    def last_undated(self, dag_ids: Collection[str]) -> dict[str, datetime]:
        self.asked(dag_ids)
        found: dict[str, datetime] = {}
        for run in self.world.runs.values():
            if run.ref.dag_id in dag_ids and run.logical_date is None:
                found[run.ref.dag_id] = max(run.run_after, found.get(run.ref.dag_id, run.run_after))
        return found

    def later(self, since: Mapping[str, datetime], *, limit: int) -> list[RunFacts]:
        self.asked(since)
        later = [
            run
            for run in self.world.runs.values()
            if run.logical_date and run.ref.dag_id in since and run.logical_date > since[run.ref.dag_id]
        ]
        first = sorted(later, key=lambda run: (run.logical_date, run.ref))[:limit]
        return [records.told(self.world, run) for run in first]

    def page(self, wanted: RunFilter) -> tuple[list[RunFacts], int]:
        self.asked()
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

    def called(self, dag_id: str, pattern: str) -> bool:
        """Whether a Dag's id or display name matches a pattern."""
        return like(dag_id, pattern) or like(self.world.display_names.get(dag_id, ""), pattern)

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
            and (wanted.dag_id_pattern is None or self.called(run.ref.dag_id, wanted.dag_id_pattern))
            and (wanted.run_id_pattern is None or like(run.ref.run_id, wanted.run_id_pattern))
            and (wanted.owner_pattern is None or like(self.world.owners.get(run.ref.dag_id, ""), wanted.owner_pattern))
            and (wanted.tags is None or bool(wanted.tags & self.world.tags.get(run.ref.dag_id, frozenset())))
            and (wanted.states is None or run.state in wanted.states)
            and (wanted.run_types is None or run.run_type in wanted.run_types)
            and (wanted.online is None or run.online == wanted.online)
            and (wanted.run_after_gte is None or run.run_after >= wanted.run_after_gte)
            and (wanted.run_after_lte is None or run.run_after <= wanted.run_after_lte)
        )


class FakeDags(FakeReader):
    """`Dags` over a `World`."""

    def display_names(self, dag_ids: Collection[str]) -> dict[str, str]:
        self.asked(dag_ids)
        return {dag_id: name for dag_id in dag_ids if (name := self.world.display_names.get(dag_id))}

    def structures(self, dag_ids: Collection[str]) -> dict[str, DagStructure]:
        self.asked(dag_ids)
        return {d: self.world.structures[d] for d in dag_ids if d in self.world.structures}

    def own_versions(self, refs: Collection[RunRef]) -> dict[RunRef, DagVersion]:
        self.asked(refs)
        world = self.world
        told = {ref for ref in refs if ref in world.versions or ref.dag_id in world.gone}
        return {ref: dags.own_version(world, ref) for ref in told if world.tasks.get(ref)}

    def definitions(self) -> Definitions:
        self.asked()
        return dags.definitions(self.world)

    def earlier_definitions(self, *, since: datetime) -> Definitions:
        self.asked()
        return dags.earlier(self.world, since)

    def ownership(self, dag_ids: Collection[str]) -> dict[str, DagOwnership]:
        self.asked(dag_ids)
        return {
            dag_id: DagOwnership(
                tuple(sorted(owner.strip() for owner in self.world.owners.get(dag_id, "").split(",") if owner)),
                tuple(sorted(self.world.tags.get(dag_id, ()))),
            )
            for dag_id in dag_ids
            if dag_id in self.world.structures
        }

    def schedules(self, dag_ids: Collection[str], *, upcoming: int = 10) -> dict[str, DagSchedule]:
        self.asked(dag_ids)
        known = self.world.schedules
        return {dag_id: dags.schedule(self.world, known[dag_id], upcoming) for dag_id in dag_ids if dag_id in known}


class FakeAssetEvents(FakeReader):
    """`AssetEvents` over a `World`."""

    def consumptions(self, producers: Collection[RunRef]) -> list[AssetConsumption]:
        self.asked(producers)
        return list(events.consumptions(self.world, producers))

    def led_to(
        self, producers: Collection[RunRef], schedules: Collection[AssetSchedule], *, since: datetime, most: int
    ) -> list[RunRef]:
        self.asked(producers)
        return events.led_to(self.world, producers, schedules, since, most)

    def emissions(self, producers: Collection[RunRef], asset_ids: Collection[int]) -> list[AssetEmission]:
        self.asked(producers, asset_ids)
        return list(events.emissions(self.world, producers, asset_ids))

    def waiting(self, producers: Collection[RunRef]) -> list[WaitingAsset]:
        self.asked(producers)
        return list(events.waiting(self.world, producers))

    def flows(self, dag_id: str) -> list[AssetFlow]:
        self.asked()
        return list(events.flows(self.world, dag_id))


class FakeTaskRecords(FakeReader):
    """`TaskRecords` over a `World`."""

    def task_instances(self, refs: Collection[RunRef]) -> dict[RunRef, list[TaskInstanceFacts]]:
        self.asked(refs)
        return {
            ref: sorted(
                (replace(task, start_date=None, end_date=None, cut_off=False) for task in self.world.tasks[ref]),
                key=lambda task: (task.task_id, task.map_index),
            )
            for ref in refs
            if self.world.tasks.get(ref)
        }

    def accounts(
        self, refs: Collection[RunRef], *, places: Places | None = None, since: Moments | None = None
    ) -> dict[RunRef, RunAccount]:
        self.asked(refs)
        return {
            ref: self.account(ref, (places or {}).get(ref, ()), (since or {}).get(ref))
            for ref in refs
            if ref in self.world.runs
        }

    def account(self, ref: RunRef, places: Collection[RunRef], since: datetime | None) -> RunAccount:
        world = self.world
        others = [one for one in places if one != ref]
        old = {key(t) for one in others for t in world.tasks.get(one, ()) if t.state == "success"}
        accounts = {}
        for task in world.tasks[ref]:
            own = (ref, *key(task))
            started = world.started(ref, task)
            earlier = [each for one in (ref, *others) for each in world.tries.get((one, *key(task)), ())]
            passed = task.state in ("skipped", "removed") and not started and own in world.by_hand
            marked = passed or (task.state == "success" and (own in world.by_hand or not started))
            accounts[key(task)] = Account(
                started=started,
                ended=started and own not in world.cut and task.state not in GOES_ON,
                succeeded_before=key(task) in old or any(one.state == "success" for one in earlier),
                by_hand=marked,
                by=world.by_hand.get(own) if marked else None,
                added=world.added(ref, key(task), since),
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
        self, refs: Collection[RunRef], *, places: Places | None = None, since: Moments | None = None
    ) -> dict[RunRef, RunTries]:
        found = self.accounts(refs, places=places, since=since)
        return {ref: tries.run_tries(self.world, ref, account) for ref, account in found.items()}

    def task_starts(
        self, tasks: Collection[tuple[str, str]], *, since: datetime, until: datetime | None
    ) -> list[TaskStart]:
        self.asked(tasks)
        return events.starts(self.world, tasks, since, until)

    def triggered_runs(self, parents: Collection[RunRef]) -> list[TriggeredRun | DoubtfulRecord]:
        self.asked(parents)
        return list(records.triggered(self.world, parents))

    def triggering_runs(self, children: Collection[RunRef]) -> list[TriggeredRun]:
        self.asked(children)
        makers = {parent for child in children for parent in records.makers(self.world, child)}
        every = records.triggered(self.world, makers)
        return [each for each in every if isinstance(each, TriggeredRun) and each.child.ref in children]

    def orphaned_dags(self, since: datetime) -> frozenset[str]:
        self.asked()
        made = (run for run in self.world.runs.values() if run.made_by_task and run.run_after >= since)
        return frozenset(run.ref.dag_id for run in made if not records.makers(self.world, run.ref))

    def recorded_waits(
        self, sensors: Collection[tuple[str, str]], *, since: datetime, dates: Mapping[str, Collection[datetime]]
    ) -> list[RecordedWait | DoubtfulRecord]:
        self.asked(sensors)
        return waits.recorded(self.world, sensors, since, dates)

    def last_waits(self, sensors: Collection[tuple[str, str]]) -> list[RecordedWait | DoubtfulRecord]:
        self.asked(sensors)
        return waits.last(self.world, sensors)

    def recorded_sensors(self, *, since: datetime) -> frozenset[tuple[str, str]]:
        self.asked()
        return frozenset((waits.run_of(w).dag_id, w.task_id) for at, w in self.world.waits if at >= since)

    def sensor_instances(
        self,
        sensors: Collection[tuple[str, str]],
        *,
        refs: Collection[RunRef] = (),
        since: datetime | None = None,
    ) -> list[SensorInstance]:
        self.asked(sensors, refs or [since])
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

    def rendered_fields(
        self, tasks: Collection[tuple[str, str]], refs: Collection[RunRef]
    ) -> dict[tuple[RunRef, str, int], Mapping[str, object]]:
        self.asked(tasks, refs)
        return {
            key: {name: value for name, value in values.items() if name in FIELDS_READ and value is not None}
            for key, values in self.world.rendered.items()
            if key[0] in refs and (key[0].dag_id, key[1]) in tasks
        }

    def obstacles(self, tasks: Mapping[RunRef, Collection[str]]) -> list[Obstacle]:
        self.asked(tasks)
        return list(dags.obstacles(self.world, tasks))


class FakeFacts(LineageFacts):
    """The four over one `World`; ``statements`` counts the calls of all."""

    def __init__(self, world: World, *, of_nothing: bool = False) -> None:
        kinds = (FakeRuns, FakeDags, FakeAssetEvents, FakeTaskRecords)
        super().__init__(*(kind(world, of_nothing=of_nothing) for kind in kinds))

    @property
    def statements(self) -> int:
        return sum(each.statements for each in (self.runs, self.dags, self.assets, self.tasks))
