"""Random graphs of Dag runs, links and selections: whatever they look like, the order holds and nothing runs twice.

People clear runs, pause Dags and lower limits meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.graph import reachable
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef, Tasks
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.ports.gateway import Dispatched
from tests.fakes.house import ADA, House


@dataclass
class Scene:
    """A world of runs with asset links, a selection, and the order in which queued runs end."""

    edges: set[tuple[int, int]]
    chosen: set[int]
    limit: int
    finishing: list[int]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    size = draw(st.integers(2, 9))
    nodes = st.integers(0, size - 1)
    edges = draw(st.sets(st.tuples(nodes, nodes), max_size=3 * size))
    return Scene(edges, draw(st.sets(nodes)), draw(st.integers(1, 4)), draw(st.permutations(range(size))))


class Play:
    """One scene, played to its end."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.house = House()
        size = len(scene.finishing)
        self.runs = [self.house.world.run(f"d{number % 3}", day=number) for number in range(size)]
        for number, (one, two) in enumerate(sorted(scene.edges)):
            self.house.world.consumed(self.runs[one], "t", by=self.runs[two], asset=str(number))

    def play(self) -> list[tuple[str, RunRef]]:
        """Submit and conduct; answer what happened: dispatched and ended runs, in order."""
        source = self.runs[0]
        plan = self.house.service.plan(ADA, PlanRequest(source))
        self.edges = plan.edges
        self.members = {source} | {run.ref for run in plan.runs if self.runs.index(run.ref) in self.scene.chosen}
        wanted = tuple(MemberRequest(ref) for ref in self.members - {source})
        request = RerunRequest(
            PlanRequest(source), members=wanted, settings=RerunSettings(max_active_members=self.scene.limit)
        )
        self.rerun = self.house.service.submit(ADA, request).rerun.id
        return self.conduct()

    def conduct(self) -> list[tuple[str, RunRef]]:
        """Tick until the end; after each tick one queued run ends."""
        story: list[tuple[str, RunRef]] = []
        for _ in range(4 * len(self.runs) + 4):
            seen = len(self.house.world.dispatches)
            self.house.tick()
            story += [("dispatched", ref) for ref in self.house.world.dispatches[seen:]]
            queued = [
                self.runs[n] for n in self.scene.finishing if self.house.world.runs[self.runs[n]].state == "queued"
            ]
            assert len(queued) <= self.scene.limit
            if queued:
                self.house.world.finish(queued[0], at=self.house.clock.now())
                story.append(("ended", queued[0]))
        return story


@settings(max_examples=300, deadline=None)
@given(scenes())
def test_order_respects_every_path_and_each_member_runs_once(scene: Scene) -> None:
    play = Play(scene)
    story = play.play()
    rerun = play.house.store.get(play.rerun)
    assert rerun is not None
    assert rerun.state.value == "succeeded"
    dispatched = [ref for what, ref in story if what == "dispatched"]
    assert sorted(dispatched) == sorted(play.members)
    for member in play.members:
        for after in (reachable([member], play.edges) & play.members) - {member}:
            assert story.index(("ended", member)) < story.index(("dispatched", after))
    untouched = set(play.runs) - play.members
    assert all(play.house.world.runs[ref].clear_number == 0 for ref in untouched)


@settings(max_examples=100, deadline=None)
@given(scenes())
def test_a_path_is_only_ever_dropped_where_runs_go_in_a_circle(scene: Scene) -> None:
    play = Play(scene)
    play.play()
    raw: dict[RunRef, set[RunRef]] = {}
    for one, two in scene.edges:
        if two != 0 and one != two:
            raw.setdefault(play.runs[one], set()).add(play.runs[two])
    for node, after in raw.items():
        if node not in play.edges:
            continue
        for follower in after - play.edges[node]:
            assert node in reachable([follower], raw), "an edge outside of a circle was dropped"


@st.composite
def meddling(draw: st.DrawFn) -> tuple[Scene, list[tuple[str, int]]]:
    """A scene, and what people do between its ticks: clear a run, pause or unpause a Dag, give it another limit."""
    acts = st.tuples(st.sampled_from(["clear", "clear", "clear", "pause", "limit", "nothing"]), st.integers(0, 8))
    return draw(scenes()), draw(st.lists(acts, min_size=6, max_size=24))


class Meddled(Play):
    """Checks each dispatch at its moment."""

    def __init__(self, scene: Scene, acts: list[tuple[str, int]]) -> None:
        super().__init__(scene)
        self.acts = list(acts)
        self.clear = self.house.unit_of_work.gateway.dispatch
        self.house.unit_of_work.gateway.dispatch = self.checked  # type: ignore[method-assign]

    def checked(self, ref: RunRef, tasks: Tasks, *, before_writing: Callable[[], None], **more: Any) -> Dispatched:
        """A dispatch, looked at when it has made sure of everything and is about to write."""

        def about_to_write() -> None:
            before_writing()
            self.check(ref)

        return self.clear(ref, tasks, before_writing=about_to_write, **more)

    def check(self, ref: RunRef) -> None:
        world, members = self.house.world, {one.id: one for one in self.house.store.members(self.rerun)}
        member = next(one for one in members.values() if one.ref == ref)
        for gate in (gate.member for gate in self.house.store.gates(member.id)):
            assert gate.state is MemberState.SUCCEEDED
            assert {task.state for task in world.tasks[gate.ref]} == {"success"}
            assert gate.clear_number == world.runs[gate.ref].clear_number
        structure = world.structures[ref.dag_id]
        active = [run for run in world.runs.values() if run.ref.dag_id == ref.dag_id and run.state == "queued"]
        assert not structure.is_paused
        assert structure.max_active_runs is None or len(active) < structure.max_active_runs

    def meddle(self) -> None:
        """The next thing that a person does; in the end every Dag is free again."""
        world = self.house.world
        what, number = self.acts.pop() if self.acts else ("free", 0)
        dag_id = f"d{number % 3}"
        for name, known in list(world.structures.items()):
            if what == "free":
                world.structures[name] = replace(known, is_paused=False, max_active_runs=None)
            elif name == dag_id and what == "pause":
                world.structures[name] = replace(known, is_paused=not known.is_paused)
            elif name == dag_id and what == "limit":
                world.structures[name] = replace(known, max_active_runs=1)
        right = [one.ref for one in self.house.store.members(self.rerun) if one.state is MemberState.SUCCEEDED]
        if what == "clear" and right:
            world.clear_by_hand(right[number % len(right)])

    def conduct(self) -> list[tuple[str, RunRef]]:
        """Tick until the end; whatever can run ends one by one."""
        for _ in range(6 * len(self.runs) + 40):
            self.meddle()
            self.house.tick()
            world = self.house.world
            free = [
                run.ref
                for run in world.runs.values()
                if run.state == "queued" and not world.structures[run.ref.dag_id].is_paused
            ]
            if free:
                world.finish(free[0], at=self.house.clock.now())
        return []


@settings(max_examples=300, deadline=None)
@given(meddling())
def test_whatever_people_do_no_reader_starts_before_what_it_reads_is_right(
    meddled: tuple[Scene, list[tuple[str, int]]],
) -> None:
    play = Meddled(*meddled)
    play.play()
    rerun = play.house.store.get(play.rerun)
    assert rerun is not None
    assert rerun.state.value == "succeeded"
    assert all(play.house.world.runs[ref].state == "success" for ref in play.members)
