"""Links of the kind ``previous_run``: a task with ``depends_on_past`` waited for the previous run of its Dag.

One polluted run pollutes every later run of such a Dag. They are read in one go: a link at a time would take a
statement for each day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from airflow_rerun_downstream.domain.definitions import PastDependency
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.errors import PlanTooLarge
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import EdgeContext, FoundLink, LineageContext
from airflow_rerun_downstream.ports.lineage import LineageFacts

MANUAL = "manual"


class PreviousRunLinks:
    """A run whose tasks waited for the previous run of its Dag is downstream of that one."""

    kind = LinkKind.PREVIOUS_RUN
    foresees = False

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """None: a walk follows `PastChains`, a whole chain at a time."""
        return ()

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """From the Dags with such a task to themselves."""
        return map(past_edge, context.definitions.past_dependencies)


class PastChains:
    """The chains of runs that a walk has met. One statement whenever a walk meets new ones."""

    def __init__(self, facts: LineageFacts, dependencies: Iterable[PastDependency], *, max_runs: int) -> None:
        self.facts = facts
        self.max_runs = max_runs
        self.dependencies: dict[str, list[PastDependency]] = {}
        for each in dependencies:
            self.dependencies.setdefault(each.dag_id, []).append(each)
        self.earlier: list[PastDependency] = []
        self.chains: dict[str, list[RunFacts]] = {}
        self.leaving: dict[RunRef, list[FoundLink]] = {}

    def also(self, dependencies: Iterable[PastDependency]) -> None:
        """Look at what earlier versions of Dags had, too."""
        for each in dependencies:
            known = self.dependencies.setdefault(each.dag_id, [])
            if each not in known:
                known.append(each)
                self.earlier.append(each)

    def reads(self, run: RunFacts, *, now: bool = False) -> list[PastDependency]:
        """What the later runs of a run's Dag wait for in it; ``now``: those that are still to come."""
        known = self.dependencies.get(run.ref.dag_id, []) if run.logical_date else []
        return [each for each in known if each not in self.earlier] if now else known

    def chain(self, runs: Iterable[RunFacts]) -> list[RunFacts]:
        """``runs``, whose later runs wait for them, and all later runs of their Dags, by logical date.

        Raises `PlanTooLarge` when there are more later runs than a plan may have.
        """
        first: dict[str, RunFacts] = {}
        for run in sorted(runs, key=date_of):
            first.setdefault(run.ref.dag_id, run)
        self.learn({dag_id: run for dag_id, run in first.items() if not self.knows(run)})
        later = [each for dag_id, run in first.items() for each in self.chains[dag_id] if date_of(each) >= date_of(run)]
        return sorted(later, key=lambda run: (date_of(run), run.ref))

    def knows(self, run: RunFacts) -> bool:
        """Whether the chain from a run on was read."""
        known = self.chains.get(run.ref.dag_id)
        return known is not None and date_of(known[0]) <= date_of(run)

    def learn(self, first: Mapping[str, RunFacts]) -> None:
        """Read the chains that begin with the given runs."""
        if not first:
            return
        later = self.facts.runs.later({dag_id: date_of(run) for dag_id, run in first.items()}, limit=self.max_runs + 1)
        if len(later) > self.max_runs:
            raise PlanTooLarge(  # without the Dags' names: the user may not be allowed to read them
                Sentence("refusal.too_many_later_runs", limit=self.max_runs),
                found=len(later),
                limit=self.max_runs,
            )
        for dag_id, run in first.items():
            chain = [run, *(each for each in later if each.ref.dag_id == dag_id)]
            self.chains[dag_id] = chain
            for position, each in enumerate(chain):
                self.leaving[each.ref] = self.leaving.get(each.ref) or list(self.links(chain, position))

    def links(self, chain: Sequence[RunFacts], position: int) -> Iterator[FoundLink]:
        """The links from a run of a chain to those that have it as their previous one."""
        for dependency in self.reads(chain[position]):
            for consumer in successors(chain, position, scheduled_only=dependency.scheduled_only):
                yield link_of(chain[position], consumer, dependency)


def date_of(run: RunFacts) -> datetime:
    """The logical date of a run that has one."""
    assert run.logical_date is not None
    return run.logical_date


def successors(chain: Sequence[RunFacts], position: int, *, scheduled_only: bool) -> Iterator[RunFacts]:
    """The runs whose previous run, as Airflow's scheduler looks for it, is the one at ``position``.

    The previous run is the one with the latest logical date before; of a Dag that catches up, manual runs don't
    count, so that several runs can have the same previous one.
    """
    if scheduled_only and chain[position].run_type == MANUAL:
        return
    for later in range(position + 1, len(chain)):
        yield chain[later]
        if not scheduled_only or chain[later].run_type != MANUAL:
            return


def rule_of(dependency: PastDependency) -> str:
    """The operator's argument that makes a dependency."""
    return "wait_for_downstream" if len(dependency.waits_for) > 1 else "depends_on_past"


def link_of(run: RunFacts, consumer: RunFacts, dependency: PastDependency) -> FoundLink:
    """The link that a task's dependency makes."""
    waits = len(dependency.waits_for) > 1
    via = {
        "task_id": dependency.task_id,
        "rule": rule_of(dependency),
        "waits_for": sorted(dependency.waits_for),
        "previous_logical_date": date_of(run).isoformat(),
    }
    link = Link(
        run.ref,
        consumer.ref,
        LinkKind.PREVIOUS_RUN,
        Evidence.DERIVED,
        via,
        from_task_id=None if waits else dependency.task_id,
        to_task_id=dependency.task_id,
    )
    return FoundLink(link, dependency.waits_for, dependency.task_id, consumer)


BY_ORDER = Sentence("link.by_order")


def past_edge(dependency: PastDependency) -> DagEdge:
    """A task that waits for the previous run of its own Dag."""
    waits = len(dependency.waits_for) > 1
    return DagEdge(
        dependency.dag_id,
        dependency.dag_id,
        LinkKind.PREVIOUS_RUN,
        Evidence.DERIVED,
        BY_ORDER,
        via={
            "task_id": dependency.task_id,
            "rule": rule_of(dependency),
            "waits_for": sorted(dependency.waits_for),
        },
        from_task_id=None if waits else dependency.task_id,
        to_task_id=dependency.task_id,
    )
