"""With the rules that keep a rerun right switched off, one by one, the proof finds what each of them is for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.conductor import perform
from airflow_rerun_downstream.conductor.proof_reader import proof_of, told
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.proof import Finding, Proof, Told
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import MemberRequest, RerunRequest
from airflow_rerun_downstream.domain.verdict import Judging, NotMadeAnew
from airflow_rerun_downstream.service import submit
from tests.conductor.scheduler import Scheduler
from tests.fakes.house import ADA, House

OFF = pytest.MonkeyPatch


@pytest.fixture
def house() -> House:
    return House()


def prove(house: House, rerun: int) -> Proof:
    """The proof of a rerun as it stands."""
    with house.unit_of_work() as work:
        found = work.store.get(rerun)
        assert found is not None
        return proof_of(work, found, house.clock.now())


def pairs(proof: Proof) -> set[tuple[str, str, str | None]]:
    """The violations: the reason, who read, and from whom; what only rests on another is left out."""
    return {(one.reason, spot(one)[0], spot(one)[1]) for one in proof.violations if one.reason != "rests_on_unproven"}


def spot(one: Finding) -> tuple[str, str | None]:
    """Both ends of a finding, as ``dag.task``."""
    ends = [
        end and (end.ref.dag_id if end.task_id is None else f"{end.ref.dag_id}.{end.task_id}")
        for end in (one.reader, one.writer)
    ]
    assert ends[0] is not None
    return ends[0], ends[1]


def step(house: House, ref: RunRef, state: str, *only: str) -> None:
    """A second goes by, and tasks of a run come to a state."""
    house.clock.advance(seconds=1)
    house.world.set_run(ref, state="running")
    house.world.set_tasks(ref, state, only=only, at=house.clock.now())


def renamed_task(house: House) -> tuple[int, dict[str, RunRef]]:
    """``write`` of mid is ``write_clean`` by now, and mid runs on the newer version; nothing of it has begun yet."""
    world = house.world
    world.dag("src", "load")
    world.dag("mid", "read >> write")
    world.dag("leaf", "use")
    runs = {dag_id: world.run(dag_id) for dag_id in ("src", "mid", "leaf")}
    world.consumed(runs["src"], "load", by=runs["mid"], asset="a")
    world.consumed(runs["mid"], "write", by=runs["leaf"], asset="b")
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs["src"]))).rerun.id
    house.tick()
    world.finish(runs["src"], at=house.clock.now())
    house.tick()
    version = world.new_version("mid")
    world.dag("mid", "read >> write_clean")
    world.structures["mid"] = replace(world.structures["mid"], version=version)
    del world.versions[runs["mid"]]
    new = replace(world.tasks[runs["mid"]][0], task_id="write_clean", state=None, try_number=0, start_date=None)
    world.tasks[runs["mid"]] = [
        *(replace(one, state="removed") if one.task_id == "write" else one for one in world.tasks[runs["mid"]]),
        new,
    ]
    step(house, runs["mid"], "success", "read")
    return rerun, runs


class TestRenamedTask:
    def test_the_reader_goes_before_the_task_that_has_another_name_now(self, house: House, monkeypatch: OFF) -> None:
        monkeypatch.setattr(Judging, "_added", lambda self, tasks: [])
        rerun, runs = renamed_task(house)
        house.tick()
        assert house.world.dispatches[-1] == runs["leaf"], "the rule is off"
        step(house, runs["leaf"], "running", "use")
        step(house, runs["leaf"], "success", "use")
        assert pairs(prove(house, rerun)) == set(), "the leaf is still to be judged"
        step(house, runs["mid"], "running", "write_clean")
        step(house, runs["mid"], "success", "write_clean")
        house.world.set_run(runs["mid"], state="success")
        house.world.set_run(runs["leaf"], state="success")
        house.tick()
        assert pairs(prove(house, rerun)) == {("read_too_early", "leaf", "mid.write_clean")}

    def test_it_never_runs(self, house: House, monkeypatch: OFF) -> None:
        monkeypatch.setattr(Judging, "_added", lambda self, tasks: [])
        rerun, runs = renamed_task(house)
        house.tick()
        step(house, runs["leaf"], "success", "use")
        house.world.set_run(runs["leaf"], state="success")
        house.tick()
        assert pairs(prove(house, rerun)) == {("read_too_early", "leaf", "mid.write_clean")}

    def test_with_the_rule(self, house: House) -> None:
        rerun, runs = renamed_task(house)
        house.tick()
        step(house, runs["mid"], "success", "write_clean")
        house.world.set_run(runs["mid"], state="success")
        house.tick()
        step(house, runs["leaf"], "success", "use")
        house.world.set_run(runs["leaf"], state="success")
        house.tick()
        proof = prove(house, rerun)
        assert not proof.violations
        assert [(one.outcome.value, str(one.reader.task_id)) for one in proof.findings] == [("accepted", "write")]


class TestClearedAgain:
    """src → mid → leaf, and src → leaf; somebody clears src while mid runs."""

    def play(self, house: House) -> tuple[int, dict[str, RunRef]]:
        world = house.world
        runs = {}
        for dag_id in ("src", "mid", "leaf"):
            world.dag(dag_id, "t")
            runs[dag_id] = world.run(dag_id)
        for one, two in (("src", "mid"), ("src", "leaf"), ("mid", "leaf")):
            world.consumed(runs[one], "t", by=runs[two], asset=one + two)
        rerun = house.service.submit(ADA, RerunRequest(PlanRequest(runs["src"]))).rerun.id
        house.tick()
        world.finish(runs["src"], at=house.clock.now())
        house.tick()
        step(house, runs["mid"], "running", "t")
        world.clear_by_hand(runs["src"])
        step(house, runs["src"], "running", "t")
        step(house, runs["mid"], "success", "t")
        world.set_run(runs["mid"], state="success")
        house.tick()
        return rerun, runs

    def end(self, house: House, runs: dict[str, RunRef], *order: str) -> None:
        for dag_id in order:
            step(house, runs[dag_id], "success", "t")
            house.world.set_run(runs[dag_id], state="success")
            for _ in range(2):
                house.tick()

    def test_the_leaf_reads_while_src_is_made_anew(self, house: House, monkeypatch: OFF) -> None:
        monkeypatch.setattr(perform.Performer, "moved_gates", lambda self, work, rerun, member: ([], {}))
        rerun, runs = self.play(house)
        assert house.world.dispatches[-1] == runs["leaf"], "the rule is off"
        step(house, runs["leaf"], "running", "t")
        self.end(house, runs, "leaf", "src")
        proof = prove(house, rerun)
        assert pairs(proof) == {("read_too_early", "leaf", "src.t")}
        assert {one.spot.ref.dag_id for one in proof.older} == {"mid", "leaf"}

    def test_with_the_rule(self, house: House) -> None:
        """mid has read what was right then; what it holds is older than what src has now, and that is told."""
        rerun, runs = self.play(house)
        self.end(house, runs, "src", "leaf")
        assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"
        proof = prove(house, rerun)
        assert proof.violations == ()
        assert {one.spot.ref.dag_id for one in proof.older} == {"mid", "leaf"}


class TestNamedTaskOnly:
    """fast_way >> load >> publish; somebody names fast_way only, and the leaf reads what publish makes."""

    def play(self, house: House) -> int:
        house.world.dag("src", "fast_way >> load >> publish")
        src, leaf = house.world.run("src"), house.world.run("leaf")
        house.world.consumed(src, "publish", by=leaf)
        request = PlanRequest(src, tasks=(TaskRef("fast_way"),))
        rerun = house.service.submit(ADA, RerunRequest(request, members=(MemberRequest(leaf),))).rerun.id
        Scheduler(house).play([0])
        return rerun

    def test_what_follows_stays_wrong_and_nobody_is_told(self, house: House, monkeypatch: OFF) -> None:
        for rule in ("left_tasks", "rebuilt_on_polluted"):
            monkeypatch.setattr(submit, rule, lambda *args: ())
        proof = prove(house, self.play(house))
        assert pairs(proof) == {
            ("left_untold", "src.load", "src.fast_way"),
            ("left_untold", "src.publish", "src.fast_way"),
        }
        assert [spot(one) for one in proof.violations if one.reason == "rests_on_unproven"] == [("leaf", "src")]

    def test_with_the_rule(self, house: House) -> None:
        rerun = self.play(house)
        assert house.service.rerun(ADA, rerun).rerun.state.value == "succeeded"
        assert prove(house, rerun).findings == ()


class TestTriggerInTheMiddle:
    """prepare >> call >> publish; call isn't selected, and the leaf reads what publish makes."""

    def play(self, house: House) -> int:
        world = house.world
        world.dag("parent", "prepare >> call >> publish")
        world.trigger_task("parent", "call", "child")
        parent, leaf = world.run("parent"), world.run("leaf")
        child = world.run("child", run_type="operator_triggered", online=True)
        world.made(parent, "call", child)
        world.consumed(parent, "publish", by=leaf)
        request = PlanRequest(parent, tasks=(TaskRef("prepare"), TaskRef("publish")))
        wanted = (MemberRequest(child), MemberRequest(leaf))
        rerun = house.service.submit(ADA, RerunRequest(request, members=wanted)).rerun.id
        house.tick()
        world.set_run(parent, state="running")
        step(house, parent, "running", "publish")  # Airflow starts it at once: what is between has succeeded
        step(house, parent, "running", "prepare")
        step(house, parent, "success", "publish", "prepare")
        world.set_run(parent, state="success")
        Scheduler(house).play([0])
        return rerun

    def test_publish_goes_before_prepare_and_nobody_is_told(self, house: House, monkeypatch: OFF) -> None:
        monkeypatch.setattr(submit, "order_warnings", lambda *args: ())
        proof = prove(house, self.play(house))
        assert pairs(proof) == {("began_too_early", "parent.publish", "parent.prepare")}
        assert ("leaf", "parent") in [spot(one) for one in proof.violations]

    def test_with_the_rule(self, house: House) -> None:
        """The gap that a person makes is accepted knowingly, and told."""
        proof = prove(house, self.play(house))
        assert proof.violations == ()
        assert [(one.outcome.value, *spot(one), one.by) for one in proof.findings] == [
            ("accepted", "parent.publish", "parent.prepare", "ada")
        ]


def test_a_rerun_in_two_waves_is_proven(house: House) -> None:
    for dag_id in ("a", "b", "c"):
        house.world.dag(dag_id, "t >> u")
    a, b, c = (house.world.run(dag_id) for dag_id in "abc")
    house.world.consumed(a, "u", by=b, asset="ab")
    house.world.consumed(b, "u", by=c, asset="bc")
    rerun = house.service.submit(ADA, RerunRequest(PlanRequest(a))).rerun.id
    Scheduler(house).play([0])
    proof = prove(house, rerun)
    assert (proof.findings, proof.older) == ((), ())
    counts = proof.counts
    assert (counts.links, counts.tasks, counts.orders, counts.proven) == (2, 6, 3, 11)


def test_it_reads_as_often_for_many_members_as_for_few(house: House) -> None:
    costs = []
    for count in (3, 30):
        source = house.world.run("source", day=count)
        for number in range(count):
            house.world.consumed(
                source, "t", by=house.world.run(f"reader{count}", day=number), asset=f"{count}{number}"
            )
        rerun = house.service.submit(ADA, RerunRequest(PlanRequest(source))).rerun.id
        Scheduler(house).play([0])
        before = house.unit_of_work.facts.statements
        assert prove(house, rerun).counts.links == count
        costs.append(house.unit_of_work.facts.statements - before)
    assert costs[0] == costs[1] < 6


def test_what_the_record_says_was_made_anew_on_wrong_data_counts_as_told(house: House) -> None:
    """Whatever else it lists wasn't made anew at all, which says nothing of what was."""
    ref = house.world.run("a")
    rerun = house.store.get(house.service.submit(ADA, RerunRequest(PlanRequest(ref))).rerun.id)
    assert rerun is not None
    (member,) = house.store.members(rerun.id)
    listed = [
        NotMadeAnew("t", None, "rebuilt_on_polluted", "bob", ref),
        NotMadeAnew("u", None, "rebuilt_on_polluted", None, ref),
        NotMadeAnew("v", None, "marked_success", "bob"),
    ]
    assert list(told(rerun, [(member, one) for one in listed])) == [
        Told("rebuilt_on_polluted", ref, "t", "bob"),
        Told("rebuilt_on_polluted", ref, "u", "ada"),
    ]
