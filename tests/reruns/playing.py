"""Plays an example: the runs before the rerun, the rerun with whatever happens meanwhile, and what is said of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from airflow_rerun_downstream.conductor.proof_reader import proof_of
from airflow_rerun_downstream.domain.freeze import DagSchedule
from airflow_rerun_downstream.domain.new_rerun import NewFrozen
from airflow_rerun_downstream.domain.plan import FutureRef, Plan, PlanRequest
from airflow_rerun_downstream.domain.proof import ProofReason
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest, RerunSettings
from airflow_rerun_downstream.domain.selection import downstream_tasks
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from tests.fakes.house import ADA, House
from tests.fakes.world import START
from tests.reruns.declaring import declare
from tests.reruns.fate import Fate
from tests.reruns.making import example_of
from tests.reruns.model import Example
from tests.reruns.oracle import Oracle, Record, Told
from tests.reruns.people import People
from tests.reruns.scheduler import Scheduler
from tests.reruns.story import Spot

GONE = "task_gone_in_latest"
TOLD = ("stays_polluted", "rebuilt_on_polluted", "order_lost", GONE)
"""The warnings by which a submit says that something won't be right."""

TASK_GONE = "task_gone"
"""Why a member fails of whose selection a newer version has left nothing."""

APART = 30.0
"""How far the clocks of two hosts may be apart, in seconds: less than that the proof calls `not_provable`."""

STEPS = 3_000


class Hangs(AssertionError):
    """Nothing ends it."""


@dataclass
class Play:
    """One example in a world of its own."""

    example: Example
    house: House = field(default_factory=House)
    did: Counter[str] = field(default_factory=Counter)
    rerun: int = 0
    plan: Plan | None = None

    def __post_init__(self) -> None:
        seed = self.example.seed
        self.scheduler = Scheduler(
            self.house,
            Random(f"steps {seed}"),
            Fate(Random(f"fate {seed}"), self.example.ends_before),
            self.example.skews,
        )
        self.scheduler.pinned = frozenset(dag.dag_id for dag in self.example.dags if dag.pinned)
        self.story = self.scheduler.story
        self.random = Random(f"play {seed}")
        self.people = People(self, Random(f"people {seed}"))
        self.origin: set[Spot] = set()
        self.timed_out = 0

    def before(self) -> None:
        """The runs that there were before the rerun, from the first task on."""
        for dag in self.example.dags:
            declare(self.house.world, dag, 0, START)
            for task in dag.first.values():
                if task.mapped:
                    self.scheduler.indexes[dag.dag_id, task.name] = task.mapped
                if task.again == "reset":
                    self.scheduler.fixed_ids.add((dag.dag_id, task.name))
        for dag in self.example.dags:
            if dag.start == "clock":
                self.scheduler.new_run(dag.dag_id, "scheduled", f"clock_{dag.dag_id}", START)
        for _ in range(STEPS):
            if not self.scheduler.one_step():
                if not self.scheduler.time_out():
                    break
                self.timed_out += 1
        for dag in self.example.dags:
            if len(dag.versions) > 1:
                declare(self.house.world, dag, 1, self.scheduler.now)
        self.house.clock.advance(hours=1)

    def submit(self) -> bool:
        """Choose a source and submit; False: there is nothing to rerun."""
        world = self.house.world
        sources = [ref for ref, run in world.runs.items() if run.state in ("success", "failed") and world.tasks[ref]]
        clock = [ref for ref in sources if world.runs[ref].run_type == "scheduled"]
        if not clock:
            return False
        source = self.random.choice(clock if self.random.random() < 0.8 else sources)
        request = self.request(source)
        self.plan = self.house.service.plan(ADA, request)
        members = None
        if self.example.leaves_out:
            kept = [run for run in self.plan.runs if run.selected and self.random.random() < 0.7]
            members = tuple(MemberRequest(run.ref) for run in kept)
        self.mark_origin(source, request)
        self.story.submitted = len(self.story.tries)
        self.story.tell(self.scheduler.at, f"== {source} is rerun, tasks {request.tasks}, members {members}")
        settings = RerunSettings(max_active_members=self.example.limit)
        if members == () and not self.plan.source.tasks:
            return False
        found = self.house.service.submit(ADA, RerunRequest(request, members=members, settings=settings))
        self.rerun = found.rerun.id
        if self.example.freezes:
            self.freeze()
        self.scheduler.fate.ends = self.example.ends
        self.scheduler.fate.fixed = self.example.fixed_choices
        return True

    def freeze(self) -> None:
        """Let the rerun hold a run that is to come, of a Dag of its own."""
        world, due = self.house.world, self.scheduler.now + timedelta(days=10)
        world.dag("later")
        world.schedules["later"] = DagSchedule("later")
        with self.house.unit_of_work() as work:
            number = work.store.add_frozen(self.rerun, NewFrozen("later", None, due, due))
            work.freezer.freeze(number, FutureRef("later", due), rerun_id=self.rerun)

    def request(self, source: RunRef) -> PlanRequest:
        """The source, whole or from some task on."""
        dag = self.scheduler.dag_of(source)
        triggers = any(node.triggers_dag_run for node in dag.tasks.values())
        if not self.example.chooses_source_tasks or (self.example.calm and triggers):
            return PlanRequest(source)  # exactly what is named would run, also what can't make its run again
        first = self.random.choice(sorted(dag.tasks))
        chosen = downstream_tasks(dag, [first])
        here = {task.task_id for task in self.house.world.tasks[source] if task.state != "removed"}
        if not self.example.calm and self.random.random() < 0.3:
            chosen = {first}
        return PlanRequest(source, tasks=tuple(TaskRef(one) for one in sorted(chosen & here)))

    def mark_origin(self, source: RunRef, request: PlanRequest) -> None:
        """What the person calls wrong: the tasks that he names; else what has failed, or all of a good run."""
        some = self.house.world.tasks[source]
        named = {task.task_id for task in request.tasks or ()}
        broken = {task.task_id for task in some if task.state in ("failed", "upstream_failed")}
        whole = self.house.world.runs[source].state == "success" or not broken
        wrong = named or ({task.task_id for task in some} if whole else broken)
        self.origin = {
            self.scheduler.reading.spot(source, task.task_id, task.map_index) for task in some if task.task_id in wrong
        }

    def conduct(self) -> None:
        """Let the conductor, Airflow and people take turns until the rerun has ended and nothing happens any more."""
        acts = list(self.example.acts)
        for number in range(STEPS):
            due = [one for one in acts if one[0] <= number]
            acts = [one for one in acts if one not in due] + [one for one in due if not self.people.do(one[1])]
            moved = self.house.tick()
            if self.state in (RerunState.SUCCEEDED, RerunState.TERMINATED):
                return
            if not self.scheduler.one_step() and not moved:
                if any(act[0] > number for act in acts):
                    acts = [(number, act) for _, act in acts]
                elif not self.go_on():
                    return
        raise Hangs("it never ends")

    @property
    def state(self) -> RerunState:
        """The rerun's state."""
        found = self.house.store.get(self.rerun)
        assert found is not None
        return found.state

    def go_on(self) -> bool:
        """Nothing moves: somebody sees to it. False: there is nothing to be done."""
        world = self.house.world
        if any(dag.is_paused for dag in world.structures.values()):
            self.people.do("unpause Dags")
            return True
        if self.scheduler.time_out():
            self.timed_out += 1
            return True
        if self.state is RerunState.PAUSED:
            self.people.do("resume the rerun")
            return True
        if self.state is RerunState.FAILED and self.did["seen to"] < 12:
            self.did["seen to"] += 1
            self.scheduler.fate.ends = {} if self.did["seen to"] > 4 else self.example.ends
            failed = [one for one in self.house.store.members(self.rerun) if one.state is MemberState.FAILED]
            hopeless = any(one.ref not in world.runs for one in failed) or self.did["seen to"] > 7
            self.people.do("skip" if hopeless or self.random.random() < 0.3 else "resume the rerun")
            return True
        return False

    def record(self) -> Record:
        """What the rerun's record says."""
        found = self.house.store.get(self.rerun)
        assert found is not None
        told = [
            Told(one.dag_id, one.run_id, one.task_id, None, one.code)
            for one in found.warnings
            if one.code in TOLD and one.dag_id and (one.run_id or one.code == GONE)
        ]
        told += [
            Told(member.ref.dag_id, member.ref.run_id, what.task_id, what.map_index, what.reason)
            for member, what in self.house.store.not_made_anew(self.rerun)
        ]
        lines = [event.detail or "" for event in self.house.store.events(self.rerun)]
        members = {str(one.ref) for one in self.house.store.members(self.rerun)}
        return Record(found.state.value, told, members, lines, self.not_provable())

    def not_provable(self) -> set[str]:
        """The runs of which the proof says that clocks don't tell whether they have read too early."""
        with self.house.unit_of_work() as work:
            rerun = work.store.get(self.rerun)
            assert rerun is not None
            proof = proof_of(work, rerun, self.house.clock.now())
        return {str(one.reader.ref) for one in proof.findings if one.reason is ProofReason.CLOCKS_DIFFER}

    def oracle(self, record: Record) -> Oracle:
        """What knows by what was executed what is wrong."""
        apart = APART if len(self.example.skews) > 1 else 0.0
        return Oracle(self.story, self.origin, apart, record.not_provable)


@dataclass
class Result:
    """What came of an example. ``faults``: what is wrong with what the rerun did or said; empty: nothing."""

    play: Play
    faults: list[str] = field(default_factory=list)
    outcome: str = ""
    not_proven: bool = False


def played(seed: str) -> Result:
    """Play the example of a seed, and judge it."""
    play = Play(example_of(seed))
    result = Result(play)
    play.before()
    if not play.submit():
        result.outcome = "nothing to rerun"
        return result
    try:
        play.conduct()
    except Hangs as hang:
        result.faults.append(str(hang))
    record = play.record()
    result.outcome = record.state
    result.not_proven = any("not_proven" in line for line in record.events)
    if record.state == "succeeded":
        unsaid = play.oracle(record).unsaid(record)
        result.faults += [f"wrong and unsaid: {spot}: {why}" for spot, why in unsaid.items()]
    if record.state in ("running", "terminating") and not result.faults:
        result.faults.append(f"it is {record.state}, and nothing moves any more")
    if record.state in ("succeeded", "terminated"):
        held = [one for one in play.house.store.members(play.rerun) if one.state is MemberState.FROZEN]
        result.faults += [f"still frozen: {one.ref}" for one in held]
    if play.example.calm and not play.timed_out:
        result.faults += needless(play, record)
    return result


def needless(play: Play, record: Record) -> list[str]:
    """What is wrong with a rerun in which nothing failed and nobody meddled."""
    assert play.plan is not None
    found = [] if record.state == "succeeded" else [f"it is {record.state}"]
    found += [f"not proven: {line}" for line in record.events if "not_proven" in line]
    if TASK_GONE in record.events:
        return found  # nothing of a selection was left, which somebody had to skip: that is listed, and who has read it
    found += [f"listed: {one}" for one in record.told if one.why != GONE]
    return found
