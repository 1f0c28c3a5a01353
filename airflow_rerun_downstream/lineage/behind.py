"""The Dags behind an unresolved link: which run of the first one is meant can't be told, so nor can theirs.

That they hang on it is told by the edges between Dags, without a run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.definitions import Definitions, OutletDefinition, TriggerDefinition
from airflow_rerun_downstream.domain.lineage_records import TriggeredRun
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.lineage.kinds.base import FoundLink, LineageContext, unresolved
from airflow_rerun_downstream.lineage.lost_events import Takers
from airflow_rerun_downstream.lineage.read_through import read_through
from airflow_rerun_downstream.lineage.spelling import NEWEST, UNKNOWN, Spelled, of_sensors, of_triggers
from airflow_rerun_downstream.lineage.templates import is_template, may_name, names_any
from airflow_rerun_downstream.ports.lineage import RunFilter

WHY = Sentence("link.depends_on_unresolved")


@dataclass(frozen=True)
class Edge:
    """A Dag, or one of its tasks, that may read what runs of another one make; the other's name may be a template."""

    upstream: str
    downstream: str
    kind: LinkKind
    task_id: str | None = None
    trigger: TriggerDefinition | None = None
    """The task that makes runs of a Dag which a template names."""


@dataclass(frozen=True)
class Behind:
    """What hangs on open edges. ``cut``: Dags of which not all runs were asked what their tasks have made."""

    found: tuple[FoundLink, ...] = ()
    cut: frozenset[str] = frozenset()


def behind(found: Sequence[FoundLink], context: LineageContext, kinds: Collection[LinkKind]) -> Behind:
    """An open edge for each Dag that hangs on one of the open edges found so far, as far as the edges between Dags go.

    A Dag is told once: of the first link that it hangs on.
    """
    first: dict[str, FoundLink] = {}
    for each in found:
        if each.link.evidence is Evidence.UNRESOLVED:
            first.setdefault(each.link.downstream.dag_id, each)
    if not first:
        return Behind()
    edges = Edges(context, kinds)
    edges.learn(candidates(each.link) for each in first.values())
    reached, level = set(first), first
    more: list[FoundLink] = []
    while level:
        edges.look_at(level)
        following: dict[str, FoundLink] = {}
        for dag_id, hook in level.items():
            for edge in edges.leaving(dag_id):
                if edge.downstream not in reached:
                    reached.add(edge.downstream)
                    following[edge.downstream] = hook
                    more.append(hanging(edge, hook))
        level = following
    return Behind(tuple(more), frozenset(edges.cut) if LinkKind.TRIGGER in kinds else frozenset())


def hanging(edge: Edge, hook: FoundLink) -> FoundLink:
    """The edge to a Dag that hangs on a link."""
    return unresolved(
        hook.link.upstream,
        edge.downstream,
        edge.kind,
        {"behind": told(hook.link)},
        why=WHY,
        to_do=[Advice.FIRST_LINK],
        to_task_id=edge.task_id,
    )


def told(link: Link) -> dict[str, object]:
    """A link as another one names it."""
    return {
        "upstream": {"dag_id": link.upstream.dag_id, "run_id": link.upstream.run_id},
        "downstream": {"dag_id": link.downstream.dag_id},
        "kind": link.kind.value,
        "from_task_id": link.from_task_id,
        "to_task_id": link.to_task_id,
    }


class Edges:
    """The edges between Dags of some kinds, as they are now or were in an earlier version."""

    def __init__(self, context: LineageContext, kinds: Collection[LinkKind]) -> None:
        self.by_name: dict[str, dict[Edge, None]] = {}
        self.open: dict[Edge, None] = {}
        latest, earlier = context.definitions, context.earlier
        sensors = (*latest.sensors, *earlier.sensors) if LinkKind.SENSOR in kinds else ()
        by_sensors = of_sensors(sensors, context.facts)
        found = [
            *declared(latest),
            *told_by_tasks(latest, by_sensors),
            *told_by_tasks(earlier, by_sensors),
            *over_waiting((*latest.triggers, *earlier.triggers), (latest, earlier)),
            *over_assets((*latest.outlets, *earlier.outlets), Takers(latest, earlier, kinds)),
        ]
        for edge in found:
            if edge.kind in kinds and edge.upstream != edge.downstream and not names_any(edge.upstream):
                known = self.open if is_template(edge.upstream) else self.by_name.setdefault(edge.upstream, {})
                known[edge] = None
        self.context = context
        self.kinds = kinds
        self.named: Collection[str] = ()
        """The Dags of which those runs are named that open edges may mean."""

        self.made: dict[str, set[str]] = {}
        """The Dags of the runs that tasks of a Dag have made: tasks of those runs that an open edge may mean, if these
        are named, else of its newest ones."""

        self.cut: set[str] = set()
        """The Dags of which only the newest runs were looked at."""

        self.spelled: dict[TriggerDefinition, Spelled] = {}
        """The Dags that templates name in those runs."""

    def learn(self, named: Iterable[Sequence[RunRef]]) -> None:
        """Look at what the runs have made that open edges may mean. A few statements."""
        refs = [ref for some in named for ref in some]
        self.named = {ref.dag_id for ref in refs}
        self.note(refs)
        if triggers := self.templated(self.named):
            self.spelled |= of_triggers(triggers, self.context.facts.runs.among(refs).values(), self.context.facts)

    def look_at(self, dag_ids: Collection[str]) -> None:
        """Look at what the newest runs of Dags have made, of which no run is named. A few statements."""
        if new := set(dag_ids) - self.made.keys():
            newest, count = self.context.facts.runs.page(RunFilter(dag_ids=frozenset(new), limit=NEWEST))
            self.made |= {dag_id: set() for dag_id in new}
            self.note([run.ref for run in newest])
            if count <= len(newest):
                self.spelled |= of_triggers(self.templated(new), newest, self.context.facts)
            else:
                self.cut |= new

    def note(self, runs: Sequence[RunRef]) -> None:
        """Note of which Dags the runs are that tasks of others made."""
        for ref in runs:
            self.made.setdefault(ref.dag_id, set())
        for each in self.context.facts.tasks.triggered_runs(runs) if runs else ():
            if isinstance(each, TriggeredRun):
                self.made[each.parent.dag_id].add(each.child.ref.dag_id)

    def templated(self, dag_ids: Collection[str]) -> list[TriggerDefinition]:
        """The tasks of Dags that make runs of a Dag which a template names."""
        every = (edge.trigger for dag_id in dag_ids for edge in self.by_name.get(dag_id, ()))
        return [trigger for trigger in every if trigger is not None]

    def leaving(self, dag_id: str) -> Iterator[Edge]:
        """The edges that lead from a Dag to others, told or recorded; a template leads to all that it can spell."""
        every = [*self.by_name.get(dag_id, ()), *(edge for edge in self.open if may_name(edge.upstream, dag_id))]
        if LinkKind.TRIGGER in self.kinds:
            every += [Edge(dag_id, name, LinkKind.TRIGGER) for name in sorted(self.made.get(dag_id, ()))]
        for edge in every:
            for name in self.names(edge, dag_id):
                if name != dag_id:
                    yield Edge(dag_id, name, edge.kind, edge.task_id)

    def names(self, edge: Edge, dag_id: str) -> Iterable[str]:
        """The Dags that an edge leads to: to a run that a task made only where it may be of the runs that are meant."""
        if not to_child(edge) or not (is_template(edge.downstream) or dag_id in self.named):
            return [edge.downstream]
        some = {*self.context.orphaned_dags, *self.made.get(dag_id, ())}
        spelled = self.spelled.get(edge.trigger, UNKNOWN) if edge.trigger is not None else UNKNOWN
        if spelled.complete:
            return sorted(some & spelled.names)
        return [name for name in sorted(some) if may_name(edge.downstream, name)]


def to_child(edge: Edge) -> bool:
    """Whether an edge leads to a run that a task makes."""
    return edge.kind is LinkKind.TRIGGER and edge.task_id is None


def candidates(link: Link) -> list[RunRef]:
    """The runs that an open edge may mean, if all of them are named."""
    ids = [link.via["run_id"]] if "run_id" in link.via else link.via.get("run_ids", [])
    all_named = link.via.get("run_count", len(ids)) == len(ids)
    return [RunRef(link.downstream.dag_id, run_id) for run_id in ids] if all_named else []


def told_by_tasks(known: Definitions, by_sensors: Mapping[int, Spelled]) -> Iterator[Edge]:
    """What sensors, markers and triggering tasks say."""
    for sensor in known.sensors:
        spelled = by_sensors.get(id(sensor), UNKNOWN)
        for name in sorted(spelled.names) if spelled.complete else (*sorted(spelled.names), sensor.external_dag_id):
            yield Edge(name, sensor.dag_id, LinkKind.SENSOR, sensor.task_id)
    for marker in known.markers:
        if not is_template(marker.external_dag_id):
            yield Edge(marker.dag_id, marker.external_dag_id, LinkKind.MARKER, marker.external_task_id)
    for trigger in known.triggers:
        named = None if not is_template(trigger.trigger_dag_id) else trigger
        yield Edge(trigger.dag_id, trigger.trigger_dag_id, LinkKind.TRIGGER, trigger=named)


def over_waiting(triggers: Iterable[TriggerDefinition], known: Sequence[Definitions]) -> Iterator[Edge]:
    """From the runs that tasks make to the tasks that wait for these."""
    for trigger in read_through(triggers, known):
        yield Edge(trigger.trigger_dag_id, trigger.dag_id, LinkKind.TRIGGER, trigger.task_id)


def declared(known: Definitions) -> Iterator[Edge]:
    """What the deployment's file says."""
    for each in known.declared:
        yield Edge(each.upstream_dag_id, each.downstream_dag_id, LinkKind.DECLARED, each.downstream_task_id)


def over_assets(outlets: Iterable[OutletDefinition], takers: Takers) -> Iterator[Edge]:
    """From those who make assets to those who take them."""
    for outlet in outlets:
        for taker in takers.of([outlet]):
            kind = LinkKind.ASSET if taker.task_id is None else LinkKind.INLET
            yield Edge(outlet.dag_id, taker.dag_id, kind, taker.task_id)
