"""The walk from a source run to every run that read what it made, level by level."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from airflow_rerun_downstream.domain.definitions import DeclaredLink, Definitions
from airflow_rerun_downstream.domain.errors import PlanTooLarge
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, by_name
from airflow_rerun_downstream.domain.selection import following
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.lineage.explored import Explored, Pollution
from airflow_rerun_downstream.lineage.kinds import KINDS
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, LineageContext
from airflow_rerun_downstream.lineage.kinds.previous_run import PastChains
from airflow_rerun_downstream.lineage.kinds.sensor.observations import earliest
from airflow_rerun_downstream.ports.lineage import LineageFacts

REPLACED_BEFORE = timedelta(days=40)
"""How long before a source's date a version may have been replaced of which a reader's run still is."""


class Discovery:
    """One walk. Statements grow with the number of levels, not of runs."""

    def __init__(
        self,
        facts: LineageFacts,
        *,
        kinds: Collection[LinkKind] | None,
        max_runs: int,
        max_depth: int | None,
        declared: tuple[DeclaredLink, ...] = (),
    ) -> None:
        self.facts = facts
        self.kinds = [each for each in KINDS if kinds is None or each.kind in kinds]
        self.max_runs = max_runs
        self.max_depth = max_depth
        self.structures = Structures()
        self.looked_up: set[RunRef] = set()
        self.context = LineageContext(facts, replace(facts.dags.definitions(), declared=declared), self.structures)
        self.leaving: dict[RunRef, list[FoundLink]] = {}
        self.walked: set[RunRef] = set()
        self.follows_past = kinds is None or LinkKind.PREVIOUS_RUN in kinds
        dependencies = self.context.definitions.past_dependencies if self.follows_past else ()
        self.past = PastChains(facts, dependencies, max_runs=max_runs)

    def explore(self, source: RunFacts, task_ids: Collection[str] | None) -> Explored:
        """Walk from the source's tasks (None: all). Raises `PlanTooLarge`."""
        self.learn([source])
        since = (source.logical_date or source.run_after) - REPLACED_BEFORE
        earlier = self.facts.dags.earlier_definitions(since=since)
        self.context = replace(
            self.context,
            since=min(source.run_after, source.logical_date or source.run_after),
            earlier=earlier,
            strays=self.strays(source, earlier),
        )
        if source.dag_gone:  # what it declares is known only now
            self.looked_up.discard(source.ref)
            self.learn([source])
        if self.follows_past:
            self.past.also(earlier.past_dependencies)
        explored = Explored({source.ref: source}, [], {source.ref: Pollution()}, self.structures, {source.ref: 0})
        start = None if task_ids is None else following(self.structures.was(source.ref), task_ids)
        explored.pollution[source.ref].spread(start)
        self.walk([source.ref], explored)
        return explored

    def strays(self, source: RunFacts, earlier: Definitions) -> frozenset[tuple[str, str]]:
        """The sensors with records since the source of which no definition tells which Dag a record can name."""
        if all(each.kind is not LinkKind.SENSOR for each in self.kinds):
            return frozenset()
        recorded = self.facts.tasks.recorded_sensors(since=earliest(source))
        if not recorded or not earlier.complete:
            return recorded
        known = (*self.context.definitions.sensors, *earlier.sensors)
        clear = {(sensor.dag_id, sensor.task_id) for sensor in known}
        clear -= {(sensor.dag_id, sensor.task_id) for sensor in known if not sensor.tells_its_dag}
        return recorded - clear

    def walk(self, gained: Collection[RunRef], explored: Explored) -> None:
        """Go on from runs in which more tasks are polluted than before. Raises `PlanTooLarge`."""
        frontier = self.within_depth(gained, explored)
        while frontier:
            self.walked |= frontier
            self.read([explored.runs[ref] for ref in sorted(frontier, key=by_name) if ref not in self.leaving])
            frontier = self.within_depth(self.spread(frontier, explored), explored)

    def within_depth(self, refs: Collection[RunRef], explored: Explored) -> set[RunRef]:
        """The runs from which the walk may go on."""
        limit = self.max_depth
        return {ref for ref in refs if limit is None or explored.depth[ref] < limit}

    def read(self, runs: Sequence[RunFacts]) -> None:
        """Find the links that leave runs, and learn the structure of the Dags that they lead to."""
        if not runs:
            return
        runs = [*runs, *self.ahead(runs)]
        self.learn(runs)
        for run in runs:
            self.leaving[run.ref] = []
        for kind in self.kinds:
            for found in kind.links(runs, self.context):
                if found.link.downstream != found.link.upstream:
                    self.leaving[found.link.upstream].append(found)
        every = [found for run in runs for found in self.leaving[run.ref]]
        self.learn([found.downstream for found in every if found.downstream])

    def ahead(self, runs: Sequence[RunFacts]) -> list[RunFacts]:
        """Runs to which assets have led from ``runs``: read along with these, they take no statements of their own.

        Whether wrong data went that way is found out as the walk comes to them. It is never further than they are.
        """
        if self.max_depth is not None or all(each.kind is not LinkKind.ASSET for each in self.kinds):
            return []
        since, schedules = self.context.since, self.context.definitions.asset_schedules
        if since is None or not schedules:
            return []
        refs = self.facts.assets.led_to([run.ref for run in runs], schedules, since=since, most=self.max_runs)
        new = [ref for ref in refs if ref not in self.leaving]
        return list(self.facts.runs.among(new).values()) if new else []

    def learn(self, runs: Iterable[RunFacts]) -> None:
        """Read the structures of Dags that weren't met before, and the versions of runs that may have others."""
        by_ref = {run.ref: run for run in runs if run.ref not in self.looked_up}
        self.learn_dags({ref.dag_id for ref in by_ref})
        self.looked_up.update(by_ref)
        changed = self.context.earlier.changed
        older = [ref for ref in by_ref if self.structures.has_versions(ref.dag_id) or ref.dag_id in changed]
        if older:
            self.structures.learn(self.facts.dags.own_versions(older), by_ref)

    def learn_dags(self, dag_ids: Collection[str]) -> None:
        """Read the structures of Dags that weren't met before."""
        known, latest = self.context.definitions.structures, self.structures.latest
        new = {dag_id for dag_id in dag_ids if dag_id not in latest}
        latest.update({dag_id: known[dag_id] for dag_id in new if dag_id in known})
        if unknown := {dag_id for dag_id in new if dag_id not in known}:
            latest.update(self.facts.dags.structures(unknown))

    def spread(self, frontier: Collection[RunRef], explored: Explored) -> set[RunRef]:
        """Follow the polluted links of the frontier; answer the runs in which more tasks are polluted now."""
        gained: set[RunRef] = set()
        for ref in sorted(frontier, key=by_name):
            gained |= self.follow(self.leaving[ref], explored)
        if self.max_depth is not None:
            return gained | self.follow_chains(frontier, explored, whole=False)
        return gained | self.follow_chains({*frontier, *gained}, explored, whole=True)

    def follow(self, leaving: Iterable[FoundLink], explored: Explored) -> set[RunRef]:
        """Follow those links of a run that are polluted."""
        gained: set[RunRef] = set()
        for found in leaving:
            if not explored.leaves(found):
                continue
            if id(found) not in explored.taken:
                explored.taken.add(id(found))
                explored.found.append(found)
            if found.downstream is not None and self.reach(found, found.downstream, explored):
                gained.add(found.downstream.ref)
        return gained

    def follow_chains(self, refs: Collection[RunRef], explored: Explored, *, whole: bool) -> set[RunRef]:
        """Follow runs whose later runs depend on them: to the end of the chain, or only to the next runs."""
        gained: set[RunRef] = set()
        chain = self.past.chain(run for ref in refs if self.passes_on(run := explored.runs[ref], explored))
        self.learn(chain)
        for run in chain:
            if run.ref in explored.runs and (whole or run.ref in refs):
                leaving = (each for each in self.past.leaving[run.ref] if self.depended(each))
                gained |= self.follow(leaving, explored)
        return gained

    def depended(self, found: FoundLink) -> bool:
        """Whether a later run depended on its past as the link says, by its own version of the Dag."""
        if found.downstream is None or found.downstream.ref.dag_id not in self.context.earlier.changed:
            return True
        own = self.structures.own.get(found.downstream.ref)
        declared = (self.context.definitions if own is None else own.definitions).past_dependencies
        dag_id = found.downstream.ref.dag_id
        return any(
            (each.dag_id, each.task_id, each.waits_for) == (dag_id, found.to_task, found.from_tasks)
            for each in declared
        )

    def passes_on(self, run: RunFacts, explored: Explored) -> bool:
        """Whether something is polluted that a later run of the Dag waits for."""
        return any(explored.pollution[run.ref].touches(each.waits_for) for each in self.past.reads(run))

    def reach(self, found: FoundLink, run: RunFacts, explored: Explored) -> bool:
        """Pollute a consuming run; answer whether more of its tasks are polluted than before."""
        if run.ref not in explored.runs:
            explored.runs[run.ref] = run
            explored.pollution[run.ref] = Pollution()
            explored.depth[run.ref] = explored.depth[found.link.upstream] + 1
            if len(explored.runs) - 1 > self.max_runs:
                found_so_far = len(explored.runs) - 1
                detail = Sentence("refusal.too_many_runs_so_far", count=found_so_far, limit=self.max_runs)
                raise PlanTooLarge(detail, found=found_so_far, limit=self.max_runs)
        reached = found.reached(self.structures.was(run.ref))
        if reached is None and found.to_task is not None:
            explored.unknown.setdefault(run.ref, set()).add(found.to_task)
        gained = explored.pollution[run.ref].spread(reached)
        if found.beyond and found.to_task is not None:
            gained |= explored.pollution[run.ref].passes(found.to_task)
        return gained
