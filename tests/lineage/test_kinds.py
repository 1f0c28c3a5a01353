"""A kind of link is a finder in `KINDS` and a value of `LinkKind`: nothing else has to know it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind
from airflow_rerun_downstream.lineage import dag_edges, discovery
from airflow_rerun_downstream.lineage.kinds import KINDS
from airflow_rerun_downstream.lineage.kinds.base import EdgeContext, FoundLink, LineageContext
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import World
from tests.lineage.planning import plan


def test_each_kind_has_one_finder() -> None:
    assert sorted(each.kind for each in KINDS) == sorted(LinkKind)


class Neighbours:
    """A kind that nobody has: whoever runs on a day reads what another Dag made on it."""

    kind = LinkKind.DECLARED
    foresees = False

    def links(self, runs: Sequence[RunFacts], context: LineageContext) -> Iterable[FoundLink]:
        for run in runs:
            for other in context.facts.runs.at({"b": [run.logical_date]} if run.logical_date else {}):
                link = Link(run.ref, other.ref, self.kind, Evidence.DECLARED, {})
                yield FoundLink(link, None, None, other)

    def edges(self, context: EdgeContext) -> Iterable[DagEdge]:
        yield DagEdge("a", "b", self.kind, Evidence.DECLARED, "They are neighbours.", ())


def test_a_kind_that_is_listed_is_walked_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    world.dag("a", "t")
    world.dag("b", "t")
    source, other = world.run("a", day=1), world.run("b", day=1)
    assert plan(world, source).runs == ()
    for module in (discovery, dag_edges):
        monkeypatch.setattr(module, "KINDS", (Neighbours(),))
    assert [run.ref for run in plan(world, source).runs] == [other]
    assert plan(world, source, link_kinds=frozenset({LinkKind.ASSET})).runs == ()
    (edge,) = dag_edges.dag_edges("a", FakeFacts(world), ())
    assert (edge.upstream_dag_id, edge.downstream_dag_id, edge.why) == ("a", "b", "They are neighbours.")
