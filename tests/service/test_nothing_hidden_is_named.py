"""Random worlds, seen by somebody who may not read all of it: no answer has a name of what is hidden.

Every Dag, run and task has its Dag's name in its own, and that name is like no word of ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.plan import PlanOptions, PlanRequest
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.rest.problems import of_refusal
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody
from tests.fakes.house import ADA, House

KINDS = ("asset", "trigger", "sensor", "open sensor")
RUN_TYPES = ("scheduled", "scheduled", "scheduled", "asset_triggered", "manual", "backfill")
SETTINGS = RerunSettings(accept_unknown_offsets=True)


def name(number: int) -> str:
    return f"zq{number}qz"


@dataclass
class Scene:
    """A world of Dags with a run each, who may not be read, and what the rerun takes."""

    types: list[str]
    links: set[tuple[int, int, str]]
    hidden: set[int]
    left_out: set[int]
    paused: set[int]
    broken: set[int]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    size = draw(st.integers(3, 6))
    node, later = st.integers(0, size - 1), st.integers(1, size - 1)
    links = draw(st.sets(st.tuples(node, later, st.sampled_from(KINDS)), min_size=2, max_size=2 * size))
    types = ["scheduled", *draw(st.lists(st.sampled_from(RUN_TYPES), min_size=size - 1, max_size=size - 1))]
    some = st.sets(later, max_size=size)
    hidden = draw(st.sets(later, min_size=1, max_size=size))
    return Scene(types, {link for link in links if link[0] < link[1]}, hidden, draw(some), draw(some), draw(some))


class Play:
    """A scene, of which an administrator makes a rerun."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.house = House()
        world = self.house.world
        for number in range(len(scene.types)):
            tasks = f"{name(number)}_in >> {name(number)}_out"
            world.dag(name(number), tasks, paused=number in scene.paused)
        self.runs = [
            world.run(name(number), run_type=kind, run_id=f"{kind}__{name(number)}")
            for number, kind in enumerate(scene.types)
        ]
        for one, two, kind in sorted(scene.links):
            self.link(self.runs[one], self.runs[two], kind)
        self.hidden = {name(number) for number in scene.hidden}

    def link(self, one: RunRef, two: RunRef, kind: str) -> None:
        world = self.house.world
        if kind == "asset":
            world.consumed(one, f"{one.dag_id}_out", by=two, asset=f"asset://{one.dag_id}")
        elif kind == "trigger":
            world.made(one, f"{one.dag_id}_out", two)
        else:
            ends = (two.dag_id, f"{two.dag_id}_in", one.dag_id)
            world.sensors.append(SensorDefinition(*ends, has_date_function=kind == "open sensor"))

    def submit(self) -> int:
        """The rerun, some ticks of the conductor, and a dispatch that fails with the database's own words."""
        service = self.house.service
        request = PlanRequest(self.runs[0], options=PlanOptions(include_manual=True))
        plan = service.plan(ADA, request)
        left_out = {name(number) for number in self.scene.left_out}
        taken = tuple(MemberRequest(run.ref) for run in plan.runs if run.selectable and run.ref.dag_id not in left_out)
        rerun_id = service.submit(ADA, RerunRequest(request, members=taken, settings=SETTINGS)).rerun.id
        real = self.house.unit_of_work.gateway.dispatch

        def dispatch(ref: RunRef, *args: object, **more: object) -> object:
            if ref.dag_id in {name(number) for number in self.scene.broken}:
                raise RuntimeError("INSERT INTO " + " ".join(map(name, range(9))))
            return real(ref, *args, **more)  # type: ignore[arg-type]

        self.house.unit_of_work.gateway.dispatch = dispatch  # type: ignore[assignment, method-assign]
        for _ in range(12):
            self.house.tick()
            for ref, run in sorted(self.house.world.runs.items()):
                if run.state == "queued":
                    self.house.world.finish(ref, at=self.house.clock.now())
        return rerun_id

    def asked(self, rerun_id: int) -> Iterator[Callable[[], BaseModel]]:
        """Every call that tells of plans and records."""
        api = Api(self.house.service, ADA)
        members = self.house.store.members(rerun_id)
        body = {"source": {"dag_id": self.runs[0].dag_id, "run_id": self.runs[0].run_id}}
        manual = {**body, "options": {"include_manual": True}}
        yield lambda: api.plan(PlanBody.model_validate(body))
        yield lambda: api.plan(PlanBody.model_validate(manual))
        yield lambda: api.review(RerunBody.model_validate(manual))
        yield lambda: api.submit(RerunBody.model_validate(body))
        yield api.reruns
        yield lambda: api.rerun(rerun_id)
        yield lambda: api.comment(rerun_id, " ".join(run.dag_id for run in self.runs))
        for part in (api.members, api.links, api.events, api.dags):
            yield lambda part=part: part(rerun_id, limit=100)  # type: ignore[misc]
        yield lambda: api.proof(rerun_id)
        yield lambda: api.estimate(rerun_id)
        for act in (api.pause, api.resume, api.release, api.terminate):
            yield lambda act=act: act(rerun_id)  # type: ignore[misc]
        for several in (api.retry_members, api.skip_members):
            yield lambda several=several: several(rerun_id, [member.id for member in members])  # type: ignore[misc]
        for member in members:
            for repair in (api.retry, api.skip, api.release_member):
                yield lambda repair=repair, member=member: repair(rerun_id, member.id)  # type: ignore[misc]
        yield api.dag_runs

    def answers(self, rerun_id: int) -> Iterator[str]:
        for ask in self.asked(rerun_id):
            try:
                yield ask().model_dump_json()
            except Refusal as refusal:
                yield json.dumps(of_refusal(refusal))


@given(scenes())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_answer_names_what_is_hidden(scene: Scene) -> None:
    play = Play(scene)
    rerun_id = play.submit()
    seen = "".join(play.answers(rerun_id))
    assert play.runs[0].dag_id in seen
    play.house.permissions.unreadable |= play.hidden
    for answer in play.answers(rerun_id):
        assert [each for each in play.hidden if each in answer] == [], answer
        assert "INSERT" not in answer
