"""`Freezer` in memory: holds on the runs of a `World`.

A run that `World.run` makes is held where its Dag and logical date have a hold, as the scheduler's hook does.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from airflow_rerun_downstream.domain.errors import CannotFreeze
from airflow_rerun_downstream.domain.facts import FINISHED_RUN_STATES
from airflow_rerun_downstream.domain.freeze import Hold
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from tests.fakes.installation import FakeClock
from tests.fakes.world import World

FAR = datetime(2038, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class HoldRow:
    """A row of the table of holds."""

    member_id: int
    rerun_id: int
    target: RunRef | FutureRef
    run_id: str | None = None
    run_after: datetime | None = None


class FakeFreezer:
    """`Freezer` over a `World`; its holds are among the world's rows, so that they roll back with them."""

    def __init__(self, world: World, clock: FakeClock | None = None) -> None:
        self.world = world
        self.clock = clock or FakeClock()
        self.locked: list[str] = []

    def lock(self, dag_ids: Collection[str]) -> None:
        """Nobody else writes to this world; what was locked is remembered."""
        self.locked += sorted(dag_ids)

    def freeze(self, member_id: int, target: RunRef | FutureRef, *, rerun_id: int) -> None:
        schedule = self.world.schedules.get(target.dag_id)
        if isinstance(target, RunRef):
            self._freeze_run(member_id, target, rerun_id)
            return
        if schedule is None:
            raise CannotFreeze("dag_gone")
        refused = schedule.cannot_hold if target.logical_date else schedule.cannot_park
        if refused:
            raise CannotFreeze(refused)
        if target.logical_date and (made := self._at(target)) is not None:
            self._freeze_run(member_id, RunRef(target.dag_id, made), rerun_id)
            return
        self.world.holds[member_id] = HoldRow(member_id, rerun_id, target)

    def _freeze_run(self, member_id: int, ref: RunRef, rerun_id: int) -> None:
        run = self.world.runs.get(ref)
        if run is None:
            raise CannotFreeze("run_gone")
        if run.backfill or run.run_type not in ("scheduled", "asset_triggered"):
            raise CannotFreeze("backfill_run" if run.backfill else "manual_run")
        known = [one.run_after for one in self.world.holds.values() if one.run_id == ref.run_id]
        if run.run_type != "scheduled" or run.state != "queued" or run.run_after <= self.clock.now():
            raise CannotFreeze("already_started")
        self.world.holds[member_id] = HoldRow(member_id, rerun_id, ref, ref.run_id, (*known, run.run_after)[0])
        self.world.runs[ref] = replace(run, run_after=FAR)

    def holds(self, rerun_ids: Collection[int]) -> list[Hold]:
        return [self._hold(one) for one in self.world.holds.values() if one.rerun_id in rerun_ids]

    def _hold(self, row: HoldRow) -> Hold:
        hold = Hold(row.member_id, row.rerun_id, row.target.dag_id, row.run_id, row.run_after)
        if row.run_id is not None:
            run = self.world.runs.get(RunRef(hold.dag_id, row.run_id))
            run = run if run is not None and run.run_after == FAR else None  # it may have been made anew
            schedule = self.world.schedules.get(hold.dag_id)
            drains = run is not None and schedule is not None and schedule.is_draining
            return replace(hold, run_state=run and run.state, logical_date=run and run.logical_date, draining=drains)
        return replace(hold, taken_by=self._at(row.target))

    def _at(self, target: RunRef | FutureRef) -> str | None:
        date = target.logical_date if isinstance(target, FutureRef) else None
        found = [
            ref.run_id
            for ref, run in self.world.runs.items()
            if ref.dag_id == target.dag_id and run.logical_date == date
        ]
        return found[0] if found and date is not None else None

    def sweep(self) -> None:
        """Nobody is late in this world."""

    def release(self, member_id: int, *, rerun_id: int, actor: str) -> bool:
        assert isinstance(rerun_id, int)
        assert actor
        row = self.world.holds.pop(member_id, None)
        if row is None:
            return False
        ref = RunRef(row.target.dag_id, row.run_id or "")
        others = [
            one for one in self.world.holds.values() if (one.target.dag_id, one.run_id) == (ref.dag_id, ref.run_id)
        ]
        run = self.world.runs.get(ref)
        if run is not None and row.run_after is not None and not others:
            self.world.runs[ref] = replace(run, run_after=row.run_after)
        return True

    def lost(self) -> list[RunRef]:
        named = {(one.target.dag_id, one.run_id) for one in self.world.holds.values()}
        held = [ref for ref, run in self.world.runs.items() if run.run_after == FAR and run.state == "queued"]
        return sorted(ref for ref in held if (ref.dag_id, ref.run_id) not in named)

    def rescue(self, ref: RunRef, *, actor: str) -> datetime | None:
        if ref not in self.lost():
            return None
        run = self.world.runs[ref]
        assert run.logical_date is not None
        self.world.runs[ref] = replace(run, run_after=run.logical_date)
        return run.logical_date

    def scheduler_makes(self, run: RunRef) -> None:
        """What the scheduler's hook does to a run that is just being made."""
        facts = self.world.runs[run]
        assert facts.state not in FINISHED_RUN_STATES
        for member_id, row in self.world.holds.items():
            target = row.target
            if row.run_id is not None or not isinstance(target, FutureRef) or target.dag_id != run.dag_id:
                continue
            in_place = target.logical_date < facts.logical_date and self._at(target) is None
            if in_place or target.logical_date == facts.logical_date:
                self.world.holds[member_id] = replace(row, run_id=run.run_id, run_after=facts.run_after)
                self.world.runs[run] = replace(facts, run_after=FAR)
