"""What the acceptance tests of freeze mode do: hold runs, look at them, and let them go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.story import AWAY, Story, moment
from tests.live.harness import Json, StartAirflow, wait_until

DAGS = Path(__file__).parent / "dags_freeze"
FAR = datetime(2038, 1, 1, tzinfo=timezone.utc)
LEAD = timedelta(seconds=6)
"""How long before its time a run must be known, for a submit to freeze it before it is made."""


class Frozen(Story):
    """A live Airflow with a wrong run, and runs that are about to read what it made.

    ``dag_ids`` run from the start; the others when a test asks for their next runs. ``dags`` may name another folder.
    """

    def __init__(self, start: StartAirflow, folder: Path, *dag_ids: str, **options: Any) -> None:
        self.folder = folder
        begin = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=1)
        env = {"FREEZE_FOLDER": str(folder), "FREEZE_BEGIN": begin.isoformat()}
        dags = options.pop("dags", DAGS)
        super().__init__(start(dags=[dags], env={**env, **options.pop("env", {})}, **options))
        self.airflow.wait_for_dags("wrong", *dag_ids)
        self.client.unpause(*dag_ids)
        self.client.make_history({"wrong": 1, **dict.fromkeys(dag_ids, 1)})

    def file(self, name: str) -> Path:
        """A file by which a task is told what to do."""
        return self.folder / name

    def source(self, dag_id: str = "wrong") -> Json:
        """The source run."""
        return super().source(dag_id)

    def next_runs(self, *dag_ids: str, lead: timedelta | None = LEAD) -> dict[str, Json]:
        """The next run of each Dag as the plan foresees it; it isn't made yet, nor within ``lead`` from now on."""

        def foreseen() -> dict[str, Json] | None:
            runs = self.plan()["runs"]
            found: dict[str, Json] = {}
            for run in runs:  # soonest first
                if not run["exists"] and run["dag_id"] in dag_ids:
                    found.setdefault(run["dag_id"], run)
            soon = None if lead is None else datetime.now(timezone.utc) + lead
            early = soon and any(moment(run["run_after"]) < soon for run in found.values())  # type: ignore[operator]
            return None if early or found.keys() != set(dag_ids) else found

        return wait_until(foreseen, 180, f"the next runs of {', '.join(dag_ids)} in the plan", ignore=AWAY)

    def freeze(
        self,
        *dag_ids: str,
        lead: timedelta | None = LEAD,
        members: Sequence[Json] = (),
        frozen: Sequence[Json] = (),
        **body: Any,
    ) -> tuple[int, dict[str, Json]]:
        """Submit a rerun of the source that holds the next run of each Dag, and tell these as they were foreseen.

        The source's task waits for `go_on`. Where a run is made just before the submit, the one after it is taken.
        ``members`` are rerun after the source, and what ``frozen`` names is frozen as well.
        """
        self.file("wait").touch()
        wait_until(self.can_hold, 120, "every live scheduler to have the hook", ignore=AWAY)

        def submitted() -> tuple[int, dict[str, Json]] | None:
            upcoming = self.next_runs(*dag_ids, lead=lead)
            refs = [{"dag_id": dag_id, "logical_date": run["logical_date"]} for dag_id, run in upcoming.items()]
            try:
                rerun = self.submit(members=[*members], freeze_mode=True, frozen=[*refs, *frozen], **body)
            except httpx.HTTPStatusError as refusal:
                if refusal.response.json().get("reason") != "not_selectable":
                    raise
                return None
            return int(rerun["id"]), upcoming

        return wait_until(submitted, 180, f"a rerun that holds runs of {', '.join(dag_ids)}")

    def freeze_running(self, *dag_ids: str, **body: Any) -> tuple[int, dict[str, Json]]:
        """Let Dags run, and `freeze` their next runs."""
        self.client.unpause(*dag_ids)
        return self.freeze(*dag_ids, **body)

    def can_hold(self) -> bool:
        """Whether runs can be frozen; a scheduler that was killed counts as alive for a while."""
        hook: Json = self.call("GET", "/health")["components"]["freeze_hook"]
        return bool(hook["status"] == "healthy")

    def go_on(self) -> None:
        """Let the source's task end."""
        self.file("wait").unlink(missing_ok=True)

    def calm_down(self) -> None:
        """End all reruns, and let no task wait or fail: nothing goes on after a test."""
        for name in ("wait", "fail"):
            self.file(name).unlink(missing_ok=True)
        for rerun in self.call("GET", "/reruns", params={"limit": 100})["reruns"]:
            if "terminate" in rerun["allowed_actions"]:
                self.call("POST", f"/reruns/{rerun['id']}/terminate")
            self.wait_ended(rerun["id"])

    def wait_held(self, rerun_id: int, *dag_ids: str) -> dict[str, Json]:
        """Wait until the Dags' runs have been made, held; answer the members."""

        def held(members: dict[str, Json]) -> bool:
            return all(members[dag_id]["run_id"] is not None for dag_id in dag_ids)

        return self.wait_members(rerun_id, held, "the frozen runs to be made")

    def wait_later_runs(self, dag_id: str, after: str, count: int) -> None:
        """Wait until later runs of a Dag have succeeded: the scheduler goes on."""

        def gone_on() -> bool:
            runs = self.client.dag_runs(dag_id)
            later = [run for run in runs if moment(run["logical_date"]) > moment(after)]  # type: ignore[operator]
            return sum(run["state"] == "success" for run in later) >= count

        wait_until(gone_on, 240, f"{count} later runs of {dag_id}", ignore=AWAY)

    def never_started(self, dag_id: str, run_id: str) -> bool:
        """Whether a run is held: queued, due in 2038, and no task of it has begun."""
        run = self.client.dag_run(dag_id, run_id)
        tasks = self.client.task_instances(dag_id, run_id)
        return (
            run["state"] == "queued"
            and moment(run["run_after"]) == FAR
            and all(one["start_date"] is None and not one["try_number"] for one in tasks)
        )

    def wait_natural(self, dag_id: str, foreseen: Json) -> Json:
        """Wait until a released run has succeeded, and check that it is just as it would have been.

        It is the first one from the foreseen date on: an Airflow that is late passes over dates without catchup.
        """
        run = wait_until(lambda: self.succeeded(dag_id, foreseen["logical_date"]), 180, f"{dag_id} to run", ignore=AWAY)
        late = lateness(run, foreseen, "logical_date")
        for name in ("data_interval_start", "data_interval_end", "run_after"):
            assert lateness(run, foreseen, name) == late, name
        return run

    def succeeded(self, dag_id: str, logical_date: str) -> Json | None:
        """A Dag's first run from a logical date on, once it has succeeded."""
        found = [run for run in self.client.dag_runs(dag_id) if moment(run["logical_date"]) >= moment(logical_date)]  # type: ignore[operator]
        first = min(found, key=lambda run: str(run["logical_date"]), default=None)
        return first if first is not None and first["state"] == "success" else None

    def holds(self) -> list[tuple[Any, ...]]:
        """What is held, as our tables say."""
        return self.rows("select dag_id, run_id from rerun_downstream_hold order by 1, 2")

    def held_runs(self) -> list[tuple[Any, ...]]:
        """What is held, as Airflow's tables say."""
        return self.rows("select dag_id, run_id from dag_run where run_after > '2037-01-01' order by 1, 2")

    def no_gap(self, dag_id: str, step: timedelta) -> bool:
        """Whether the Dag has a run for each of its intervals, from its first to its last."""
        dates = sorted(
            date for run in self.client.dag_runs(dag_id) if (date := moment(run["logical_date"])) is not None
        )
        return all(later - earlier == step for earlier, later in pairwise(dates))

    def wait_state(self, rerun_id: int, *states: str, timeout: float = 120) -> Json:
        """Wait until a rerun is in one of the states."""

        def reached() -> Json | None:
            rerun = self.call("GET", f"/reruns/{rerun_id}")
            return rerun if rerun["state"] in states else None

        return wait_until(reached, timeout, f"rerun {rerun_id} to be {' or '.join(states)}", ignore=AWAY)

    def frozen_members(self, rerun_id: int) -> dict[str, Json]:
        """The members that are, or were, frozen."""
        return {dag_id: each for dag_id, each in self.members(rerun_id).items() if each["role"] == "frozen"}


def lateness(run: Json, foreseen: Json, name: str) -> timedelta:
    """By how much one of a run's times is later than it was foreseen."""
    found, expected = moment(run[name]), moment(foreseen[name])
    assert found is not None
    assert expected is not None
    return found - expected
