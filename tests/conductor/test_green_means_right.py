"""Random reruns in which anything may happen to a task: what ends green is right, or says what is not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rebuilt import REBUILT
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from tests.fakes.house import ADA, House

TASKS = ("wait", "load", "publish", "close")
ENDS = ("runs", "runs", "runs", "skips", "fails", "is marked")
RUNS = ("goes on", "goes on", "goes on", "times out", "is stopped", "fails fast")


@dataclass
class Fate:
    """What happens in one attempt of a run: to each task in its turn, and to the run before one of them."""

    tasks: tuple[str, ...]
    run: str
    before: int


@dataclass
class Scene:
    before: list[tuple[str, ...]]
    """How each run had gone before the rerun."""

    edges: set[tuple[int, int, str]]
    fates: list[Fate]
    skips: list[bool] = field(default_factory=list)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    size = draw(st.integers(2, 4))
    earlier = st.tuples(*(st.sampled_from(("success", "success", "skipped", "failed")) for _ in TASKS))
    pairs = [(one, two) for one in range(size) for two in range(one + 1, size)]
    edges = draw(st.sets(st.tuples(st.sampled_from(pairs), st.sampled_from(TASKS[1:3])), min_size=1))
    fate = st.builds(
        Fate, st.tuples(*(st.sampled_from(ENDS) for _ in TASKS)), st.sampled_from(RUNS), st.integers(0, len(TASKS))
    )
    return Scene(
        [draw(earlier) for _ in range(size)],
        {(one, two, task) for (one, two), task in edges},
        draw(st.lists(fate, min_size=4, max_size=10)),
        draw(st.lists(st.booleans(), min_size=4, max_size=4)),
    )


class Play:
    """One scene, played to its end; ``truth`` is what really happened to each task's last try in the rerun."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.house = scene, House()
        self.world = self.house.world
        self.truth: dict[tuple[RunRef, str], str] = {}
        self.data: dict[tuple[RunRef, str], bool] = {}
        self.runs = [self.run(number, states) for number, states in enumerate(scene.before)]
        for one, two, task in sorted(scene.edges):
            self.world.consumed(self.runs[one], task, by=self.runs[two], asset=f"{one}{two}{task}")

    def run(self, number: int, states: tuple[str, ...]) -> RunRef:
        dag_id = f"d{number}"
        self.world.dag(dag_id, " >> ".join(TASKS), teardown="close")
        dag = self.world.structures[dag_id]
        waits = replace(dag.tasks["wait"], makes_data=False)
        self.world.structures[dag_id] = replace(
            dag, tasks={**dag.tasks, "wait": waits}, fail_fast=number % 2 == 1, timeout=60.0
        )
        ref = self.world.run(dag_id, task_states=dict(zip(TASKS, states, strict=True)))
        self.data.update({(ref, task): state == "success" for task, state in zip(TASKS, states, strict=True)})
        return ref

    def attempt(self, ref: RunRef, fate: Fate) -> None:
        """What Airflow makes of a run that was dispatched."""
        self.house.clock.advance(seconds=1)
        broken = False
        open_ones = [t.task_id for t in self.world.tasks[ref] if t.state is None]
        for number, task in enumerate(TASKS):
            if task not in open_ones:
                continue
            if fate.run != "goes on" and number >= fate.before and self.cut(ref, task, fate):
                return
            end = "can't" if broken and task != "close" else fate.tasks[number]
            broken |= self.end(ref, task, end)
        self.world.set_run(ref, state="failed" if broken else "success")

    def end(self, ref: RunRef, task: str, end: str) -> bool:
        """One task ends; whether what follows can't run."""
        now = self.house.clock.now()
        self.truth[ref, task] = end
        match end:
            case "runs":
                self.world.set_tasks(ref, "success", only={task}, at=now)
            case "skips":
                self.world.skip_itself(ref, task, at=now)
            case "fails":
                self.world.set_tasks(ref, "failed", only={task}, at=now)
            case "is marked":
                self.world.mark_tasks(ref, "success", only={task}, by="bob")
            case "can't":
                self.world.set_tasks(ref, "upstream_failed", only={task})
        return end in ("fails", "can't") and task != "close"

    def cut(self, ref: RunRef, task: str, fate: Fate) -> bool:
        """The run ends before its time; False: its Dag doesn't do that."""
        if fate.run == "fails fast":
            if not self.world.structures[ref.dag_id].fail_fast:
                return False
            self.world.fail_fast(ref, task, at=self.house.clock.now())
        else:
            self.world.set_tasks(ref, "running", only={task}, at=self.house.clock.now())
            if fate.run == "times out":
                self.world.time_out(ref)
            else:
                self.house.unit_of_work.gateway.stop(ref, rerun_id=0, actor="bob")
        for one in TASKS[TASKS.index(task) :]:
            self.truth[ref, one] = "cut off"
        return True

    def play(self) -> str:
        """Submit, conduct, and repair what fails, until nothing more is to happen; answer the rerun's state."""
        self.rerun = self.house.service.submit(ADA, RerunRequest(PlanRequest(self.runs[0]))).rerun.id
        fates, skips = list(self.scene.fates), list(self.scene.skips)
        for _ in range(40):
            self.house.tick()
            found = self.house.store.get(self.rerun)
            assert found is not None
            queued = [ref for ref in self.runs if self.world.runs[ref].state == "queued"]
            if queued:
                whole = Fate(("runs",) * len(TASKS), "goes on", 0)
                self.attempt(queued[0], fates.pop(0) if fates else whole)
            elif found.state.value == "failed":
                failed = next(m for m in self.house.store.members(self.rerun) if m.state.value == "failed")
                action = "skip" if skips and skips.pop(0) else "retry"
                getattr(self.house.service, action)(ADA, self.rerun, failed.id)
            elif not found.active:
                break
        return found.state.value


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_what_ends_green_was_made_anew_or_stands_in_the_record(scene: Scene) -> None:
    play = Play(scene)
    if play.play() != "succeeded":
        return
    left = play.house.store.not_made_anew(play.rerun)
    named = {(member.ref, one.task_id) for member, one in left if one.reason != REBUILT}
    as_it_was = {member.ref for member, one in left if one.reason != REBUILT}
    assert {one.because_of for _, one in left if one.reason == REBUILT} <= as_it_was
    for member in play.house.store.members(play.rerun):
        for task in member.tasks:
            key = (member.ref, task.task_id)
            held_data = play.data[key] or any(t.state == "success" for t in play.world.tries.get((*key, -1), ()))
            harmless = play.truth[key] == "skips" and not held_data
            assert play.truth[key] == "runs" or key in named or harmless, (key, play.truth[key])
            assert not (play.truth[key] == "runs" and key in named and member.state.value == "succeeded"), key


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_a_member_that_is_right_was_neither_cut_off_nor_left_with_a_failure(scene: Scene) -> None:
    """But for a teardown, or a person who goes on without it."""
    play = Play(scene)
    play.play()
    for member in play.house.store.members(play.rerun):
        if member.state.value == "succeeded":
            ends = {task.task_id: play.truth[member.ref, task.task_id] for task in member.tasks}
            assert not {"cut off", "fails", "can't"} & {end for task, end in ends.items() if task != "close"}, ends
