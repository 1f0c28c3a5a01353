"""Random Dags, run by an Airflow in small: the skips of the Dag itself are told from those that cut it off."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.facts import DagStructure, TaskInstanceFacts, TaskNode
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.run_accounts import Account, RunAccount, Skipping
from airflow_rerun_downstream.domain.skips import Skips

REF = RunRef("d", "r")
RULES = [
    *("all_success", "all_failed", "all_done", "one_success", "one_failed", "one_done", "none_failed"),
    *("none_failed_min_one_success", "none_skipped", "all_skipped", "all_done_min_one_success", "always"),
]
DONE = ("success", "failed", "skipped", "upstream_failed")


@dataclass
class SmallAirflow:
    """Airflow's scheduler, as its trigger rules are documented: one pass after the other over the tasks."""

    before: dict[str, list[str]]
    rules: dict[str, str]
    outcomes: dict[str, str]
    states: dict[str, str | None] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)
    choices: dict[str, Skipping] = field(default_factory=dict)

    def fate(self, task: str) -> str | None:
        """``run``, or the state that the task gets without running; None: it waits."""
        for branch, choice in self.choices.items():
            if branch in self.before[task] and task not in (choice.followed or ()):
                return "skipped"
        states = [self.states.get(one) for one in self.before[task]]
        have = {state: states.count(state) for state in (*DONE, None)}
        broken, all_done, total = have["failed"] + have["upstream_failed"], not have[None], len(states)
        if not states or self.rules[task] == "always":
            return "run"
        match self.rules[task]:
            case "all_success":
                lost = "upstream_failed" if broken else "skipped" if have["skipped"] else None
                return lost or ("run" if have["success"] == total else None)
            case "all_failed":
                return "skipped" if have["success"] or have["skipped"] else "run" if all_done else None
            case "all_done":
                return "run" if all_done else None
            case "one_success":
                if have["success"]:
                    return "run"
                lost = "skipped" if have["skipped"] == total else "upstream_failed"
                return lost if all_done else None
            case "one_failed":
                return "run" if broken else "skipped" if all_done else None
            case "one_done":
                if have["success"] + have["failed"]:
                    return "run"
                return "skipped" if all_done else None
            case "none_failed":
                return "upstream_failed" if broken else "run" if all_done else None
            case "none_failed_min_one_success":
                if broken:
                    return "upstream_failed"
                return None if not all_done else "run" if have["success"] else "skipped"
            case "none_skipped":
                return "skipped" if have["skipped"] else "run" if all_done else None
            case "all_skipped":
                return "skipped" if have["success"] or broken else "run" if all_done else None
            case "all_done_min_one_success":
                if have["skipped"]:
                    return "skipped"
                return None if not all_done else "run" if have["success"] else "upstream_failed"
        raise AssertionError(self.rules[task])

    def may_have_skipped(self, task: str) -> bool:
        """Whether the task's skip can be the Dag's own: for ``all_success``, the skip before it may have come first."""
        skip_before = any(self.states.get(one) == "skipped" for one in self.before[task])
        return self.fate(task) == "skipped" or (self.rules[task] == "all_success" and skip_before)

    def step(self, task: str) -> None:
        """What becomes of one task now."""
        fate = self.fate(task)
        if fate != "run":
            self.states[task] = fate
            return
        self.ran.add(task)
        outcome = self.outcomes[task]
        self.states[task] = "success" if outcome.startswith("choose") else outcome
        if outcome.startswith("choose"):
            after = sorted(one for one, leaders in self.before.items() if task in leaders)
            self.choices[task] = Skipping(task, -1, frozenset(after[: int(outcome[-1])]))

    def play(self, steps: int) -> None:
        """That many steps, in the order of the tasks, round and round."""
        for task in itertools.islice(itertools.cycle(self.before), steps):
            if self.states.get(task) is None:
                self.step(task)


@st.composite
def worlds(draw: st.DrawFn) -> SmallAirflow:
    names = [f"t{number}" for number in range(draw(st.integers(2, 8)))]
    before = {name: sorted(draw(st.sets(st.sampled_from(names[:at])))) if at else [] for at, name in enumerate(names)}
    outcome = st.sampled_from(["success", "success", "failed", "skipped", "choose0", "choose1"])
    return SmallAirflow(
        before,
        {name: draw(st.sampled_from(RULES)) for name in names},
        {name: draw(outcome) for name in names},
    )


def skips(world: SmallAirflow, cut: set[str], killed: set[str] = frozenset()) -> Skips:
    """What a reader of the rows sees: ``cut`` were skipped by force, ``killed`` of them while they ran."""
    after: dict[str, set[str]] = {name: set() for name in world.before}
    for name, leaders in world.before.items():
        for leader in leaders:
            after[leader].add(name)
    nodes = {
        name: TaskNode(name, "x", frozenset(after[name]), frozenset(world.before[name]), trigger_rule=world.rules[name])
        for name in world.before
    }
    tasks = [TaskInstanceFacts(name, -1, "skipped" if name in cut else world.states[name]) for name in world.before]
    accounts = {
        (name, -1): Account(started=name in world.ran or name in killed, ended=name in world.ran and name not in killed)
        for name in world.before
    }
    return Skips(tasks, RunAccount(REF, accounts, tuple(world.choices.values())), DagStructure("d", nodes))


@settings(max_examples=500, deadline=None)
@given(worlds())
def test_every_skip_of_a_run_that_nobody_cut_off_is_its_dags_own(world: SmallAirflow) -> None:
    world.play(100)
    seen = skips(world, set())
    assert all(state is not None for state in world.states.values())
    for (task,) in seen.by_task.values():
        if task.state == "skipped":
            assert seen.own(task), task.task_id


@settings(max_examples=500, deadline=None)
@given(worlds(), st.integers(0, 16), st.data())
def test_a_skip_by_force_is_never_taken_for_the_dags_own(world: SmallAirflow, steps: int, data: st.DataObject) -> None:
    """But for a task that the Dag would have skipped with what was there already: there is no difference then.

    Nor does one show where a task before it was skipped and another failed: the order isn't in the rows.
    """
    world.play(steps)
    cut = {name for name in world.before if world.states.get(name) is None}
    could_run = sorted(name for name in cut if world.fate(name) == "run")
    killed = data.draw(st.sets(st.sampled_from(could_run))) if could_run else set()
    seen = skips(world, cut, killed)
    settled = dict(world.states)
    while True:  # what the Dag would skip without anything running any more
        sure = [name for name in cut if settled.get(name) is None and world.may_have_skipped(name)]
        if not sure:
            break
        for name in sure:
            world.states[name] = settled[name] = "skipped"
    for (task,) in seen.by_task.values():
        if task.task_id in cut:
            assert seen.own(task) == (settled.get(task.task_id) == "skipped"), task.task_id


def test_one_that_was_killed_while_it_ran_is_cut_off_whatever_its_rule_says() -> None:
    world = SmallAirflow({"a": [], "b": ["a"]}, {"a": "all_success", "b": "all_failed"}, {"a": "success"})
    world.play(1)
    assert not skips(world, {"b"}, {"b"}).own(TaskInstanceFacts("b", -1, "skipped"))


def test_a_choice_of_a_branch_that_was_cleared_and_never_ran_again_explains_nothing() -> None:
    world = SmallAirflow({"a": [], "b": ["a"]}, dict.fromkeys("ab", "all_success"), {})
    world.choices["a"] = Skipping("a", -1, frozenset())
    assert not skips(world, {"a", "b"}).own(TaskInstanceFacts("b", -1, "skipped"))


def test_a_short_circuit_names_whom_it_skips_however_far() -> None:
    world = SmallAirflow({"a": [], "b": ["a"], "c": ["b"]}, dict.fromkeys("abc", "none_failed"), {})
    world.states.update(a="success")
    world.choices["a"] = Skipping("a", -1, None, frozenset({"c"}))
    seen = skips(world, {"b", "c"})
    assert [seen.own(TaskInstanceFacts(name, -1, "skipped")) for name in "bc"] == [False, True]


def test_a_mapped_task_over_nothing_and_its_group_skip_themselves() -> None:
    nodes = {
        "make": TaskNode("make", "x", frozenset({"one"})),
        "one": TaskNode("one", "x", frozenset({"two"}), frozenset({"make"})),
        "two": TaskNode("two", "x", frozenset(), frozenset({"one"})),
    }
    tasks = [TaskInstanceFacts("make", -1, "success"), *(TaskInstanceFacts(t, -1, "skipped") for t in ("one", "two"))]
    never = {(t.task_id, -1): Account(started=False, ended=False) for t in tasks}
    for empty in (True, False):
        account = RunAccount(REF, never, nothing_to_map=frozenset({"make"} if empty else ()))
        assert [Skips(tasks, account, DagStructure("d", nodes)).own(t) for t in tasks[1:]] == [empty, empty]


def test_a_setup_that_was_skipped_takes_along_what_works_on_it() -> None:
    nodes = {
        "open": TaskNode("open", "x", frozenset({"load"}), is_setup=True),
        "load": TaskNode("load", "x", frozenset({"more"}), frozenset({"open"})),
        "more": TaskNode("more", "x", frozenset({"close"}), frozenset({"load"}), trigger_rule="all_done"),
        "close": TaskNode(
            "close", "x", frozenset(), frozenset({"more", "open"}), False, True, trigger_rule="all_done_setup_success"
        ),
    }
    tasks = [TaskInstanceFacts(task_id, -1, "skipped") for task_id in nodes]
    ran = {("open", -1): Account()}
    never = {(task_id, -1): Account(started=False, ended=False) for task_id in nodes}
    structure = DagStructure("d", nodes)
    assert all(Skips(tasks, RunAccount(REF, never | ran), structure).own(task) for task in tasks)
    assert not any(Skips(tasks, RunAccount(REF, never), structure).own(task) for task in tasks)


def test_a_teardown_asks_for_the_setups_right_before_it_alone() -> None:
    """What works on a setup that was skipped goes with it, however far; its teardown only where it was its own."""
    nodes = {
        "far": TaskNode("far", "x", frozenset({"open"}), is_setup=True),
        "open": TaskNode("open", "x", frozenset({"load", "close"}), frozenset({"far"}), is_setup=True),
        "load": TaskNode("load", "x", frozenset({"close"}), frozenset({"open"}), trigger_rule="all_done"),
        "close": TaskNode(
            "close", "x", frozenset(), frozenset({"load", "open"}), False, True, trigger_rule="all_done_setup_success"
        ),
    }
    states = {"far": "skipped", "open": "success", "load": "skipped", "close": "skipped"}
    tasks = {task_id: TaskInstanceFacts(task_id, -1, state) for task_id, state in states.items()}
    accounts = {(task_id, -1): Account(task_id in ("far", "open"), task_id in ("far", "open")) for task_id in nodes}
    seen = Skips([*tasks.values()], RunAccount(REF, accounts), DagStructure("d", nodes))
    assert [seen.own(tasks[task_id]) for task_id in ("far", "load", "close")] == [True, True, False]
