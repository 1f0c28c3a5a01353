"""What a kind of link is, and a link as it finds it: before it is known whether wrong data went through it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from airflow_rerun_downstream.domain.advice import Advice, sentences
from airflow_rerun_downstream.domain.definitions import Definitions, InletDefinition, OutletDefinition, SensorDefinition
from airflow_rerun_downstream.domain.edges import AssetFlow, DagEdge
from airflow_rerun_downstream.domain.facts import DagStructure, RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.selection import following
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.ports.lineage import LineageFacts


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link with what it needs to be narrowed.

    ``from_tasks``: the upstream tasks whose output went through it; None: the run as a whole.
    ``to_task``: the task that consumed; None: the whole downstream run was started by it.
    ``downstream``: the consuming run; None where ``link.downstream`` is a `FutureRef`.
    ``beyond``: ``to_task`` only waited; what follows it consumed.
    """

    link: Link
    from_tasks: frozenset[str] | None
    to_task: str | None
    downstream: RunFacts | None
    beyond: bool = False

    def reached(self, structure: DagStructure | None) -> frozenset[str] | None:
        """The tasks of the consuming run that the link reaches; None: all of them."""
        if self.to_task is None:
            return None
        after = following(structure, [self.to_task])
        return None if after is None else frozenset(after - ({self.to_task} if self.beyond else set()))


NOTHING_EARLIER = Definitions()


@dataclass(frozen=True)
class LineageContext:
    """What the kinds of lineage read from. ``earlier``: what versions declared that aren't the latest any more.

    ``strays``: sensors with records that may name any Dag, whatever their definitions say.
    """

    facts: LineageFacts
    definitions: Definitions
    structures: Structures
    earlier: Definitions = NOTHING_EARLIER
    strays: frozenset[tuple[str, str]] = frozenset()

    since: datetime | None = None
    """A moment before anything of the walk can have been made."""

    @cached_property
    def orphaned_dags(self) -> Collection[str]:
        """The Dags with a run of which nothing tells any more which task has made it. A few statements, once."""
        return self.facts.tasks.orphaned_dags(self.since) if self.since else frozenset()

    @cached_property
    def outlets(self) -> Mapping[str, Sequence[OutletDefinition]]:
        """The outlets of each Dag, as it is now."""
        found: dict[str, list[OutletDefinition]] = {}
        for each in self.definitions.outlets:
            found.setdefault(each.dag_id, []).append(each)
        return found


class OwnDefinitions:
    """What the own versions of reading runs declare, where their Dags have changed."""

    def __init__(self, context: LineageContext, readers: Iterable[RunRef]) -> None:
        self.context = context
        older = {ref for ref in readers if self.may_differ(ref.dag_id)}
        self.own = context.facts.dags.own_versions(older) if older else {}
        latest = context.definitions
        self.latest = Definitions(
            sensors=tuple(each for each in latest.sensors if self.may_differ(each.dag_id)),
            inlets=tuple(each for each in latest.inlets if self.may_differ(each.dag_id)),
        )

    def may_differ(self, dag_id: str) -> bool:
        """Whether runs of a Dag may be of versions that declare something else than the latest."""
        return dag_id in self.context.earlier.changed or not self.context.earlier.complete

    def has(self, reader: RunRef, definition: SensorDefinition | InletDefinition) -> bool:
        """Whether a run's own version has a sensor, or an inlet, in this form."""
        if not self.may_differ(reader.dag_id):
            return True
        own = self.own.get(reader)
        known = self.latest if own is None else own.definitions
        return definition in (known.sensors if isinstance(definition, SensorDefinition) else known.inlets)


@dataclass(frozen=True)
class EdgeContext:
    """What the edges of a Dag are told by, without a run. ``asset_flows``: read once, for all kinds over assets."""

    dag_id: str
    facts: LineageFacts
    definitions: Definitions

    @cached_property
    def asset_flows(self) -> Sequence[AssetFlow]:
        """Whose assets the Dag takes, and who takes those that it makes."""
        return self.facts.assets.flows(self.dag_id)


class LinkFinder(Protocol):
    """One kind of link: all that there is to know of it. `KINDS` lists them."""

    kind: LinkKind

    foresees: bool
    """Whether `links`, asked over the runs that timetables are going to make, finds those that will read."""

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        """The links that leave ``runs``; a few statements, however many runs."""
        ...

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        """The edges that definitions declare, at least those of the context's Dag; a few statements."""
        ...


def unresolved(
    upstream: RunRef,
    dag_id: str,
    kind: LinkKind,
    via: Mapping[str, Any],
    *,
    why: Sentence,
    to_do: Sequence[Advice],
    from_task_id: str | None = None,
    to_task_id: str | None = None,
) -> FoundLink:
    """An edge that is seen, but of which the consuming run can't be told.

    ``why``: a sentence without its full stop. ``to_do``: what would make it known, at least one thing.
    """
    told = {**via, "why": why, "to_do": [each.value for each in to_do], "advice": sentences(to_do)}
    link = Link(
        upstream,
        FutureRef(dag_id),
        kind,
        Evidence.UNRESOLVED,
        told,
        from_task_id=from_task_id,
        to_task_id=to_task_id,
    )
    return FoundLink(link, frozenset({from_task_id}) if from_task_id else None, to_task_id, None)


def by_dag(runs: Iterable[RunFacts]) -> dict[str, list[RunFacts]]:
    """The runs of each Dag."""
    found: dict[str, list[RunFacts]] = {}
    for run in runs:
        found.setdefault(run.ref.dag_id, []).append(run)
    return found


def refs(runs: Iterable[RunFacts]) -> list[RunRef]:
    """The names of runs."""
    return [run.ref for run in runs]


WHICH_DAG = Sentence("link.by_run")
