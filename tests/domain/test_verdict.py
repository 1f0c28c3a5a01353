"""The table of verdicts, row by row; and a member that is right only if nothing is wrong, over random runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.facts import (
    UNFINISHED_TASK_STATES,
    DagStructure,
    Observation,
    TaskInstanceFacts,
    TaskNode,
)
from airflow_rerun_downstream.domain.plan import Evidence as Known
from airflow_rerun_downstream.domain.plan import Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.run_accounts import Account, RunAccount
from airflow_rerun_downstream.domain.verdict import (
    Evidence,
    Judgement,
    NotMadeAnew,
    Verdict,
    by_states,
    evidence,
    judge,
)

REF, READER = RunRef("d", "r"), RunRef("reader", "r")
NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
RAN, NOT_RUN = Account(succeeded_before=True), Account(started=False, ended=False, succeeded_before=True)
FRESH, NEVER = Account(), Account(started=False, ended=False)


def structure(order: str, **more: object) -> DagStructure:
    """A Dag from ``a >> b >> c; d``."""
    nodes: dict[str, TaskNode] = {}
    for chain in order.split(";"):
        ids = [part.strip() for part in chain.split(">>")]
        for at, task_id in enumerate(ids):
            old = nodes.get(task_id, TaskNode(task_id, "x"))
            nodes[task_id] = replace(
                old,
                followers=old.followers | set(ids[at + 1 : at + 2]),
                leaders=old.leaders | set(ids[at - 1 : at] if at else ()),
            )
    return DagStructure("d", nodes, **more)  # type: ignore[arg-type]


def with_node(dag: DagStructure, task_id: str, **values: object) -> DagStructure:
    return replace(dag, tasks={**dag.tasks, task_id: replace(dag.tasks[task_id], **values)})  # type: ignore[arg-type]


def verdict(
    states: dict[str, str | None],
    dag: DagStructure | None = None,
    *,
    run: str = "success",
    accounts: dict[str, Account] | None = None,
    chosen: str | None = None,
    **more: object,
) -> Judgement:
    """The judgement on a run in which every task ran again, but for what is said."""
    given = accounts or {}
    told = {(task_id, -1): given.get(task_id, RAN) for task_id in states}
    tasks = tuple(TaskInstanceFacts(task_id, -1, state) for task_id, state in states.items())
    of_run = {name: more.pop(name) for name in ("terminated", "lasted") if name in more}
    account = RunAccount(REF, told, **of_run)  # type: ignore[arg-type]
    selection = tuple(TaskRef(task_id) for task_id in (chosen.split() if chosen else states))
    return judge(selection, Observation(REF, run, 1, tasks), Evidence(account, dag, **more))  # type: ignore[arg-type]


def listed(judgement: Judgement) -> list[tuple[str, str, str | None]]:
    return [(one.task_id, one.reason, one.by) for one in judgement.not_made_anew]


def test_all_that_was_selected_has_run_and_succeeded() -> None:
    assert verdict({"a": "success", "b": "success"}) == Judgement(Verdict.SUCCEEDED)


def test_what_was_not_selected_does_not_judge() -> None:
    assert verdict({"a": "success", "b": "failed"}, run="failed", chosen="a").verdict is Verdict.SUCCEEDED


@pytest.mark.parametrize("state", sorted(UNFINISHED_TASK_STATES, key=str))
def test_nothing_is_said_of_a_run_in_which_a_selected_task_is_unfinished(state: str | None) -> None:
    assert verdict({"a": "failed", "b": state}, run="running").verdict is Verdict.UNFINISHED
    assert verdict({"a": "success", "b": state}, run="failed").verdict is Verdict.NEVER_STARTED


def test_a_task_that_held_no_data_and_that_the_dag_skips_again_is_not_listed() -> None:
    assert verdict({"a": "success", "b": "skipped"}, accounts={"b": FRESH}) == Judgement(Verdict.SUCCEEDED)


class TestMarked:
    def test_what_a_person_set_to_success_is_listed_with_who(self) -> None:
        marked = replace(NOT_RUN, by_hand=True, by="ada")
        found = verdict({"a": "success", "b": "success"}, accounts={"b": marked})
        assert (found.verdict, listed(found)) == (Verdict.SUCCEEDED, [("b", "marked_success", "ada")])
        assert found.reason == "marked_success"

    def test_also_where_nobody_knows_who(self) -> None:
        found = verdict({"a": "success"}, accounts={"a": NOT_RUN})
        assert listed(found) == [("a", "marked_success", None)]

    def test_what_was_marked_while_it_ran_is_not_made_anew(self) -> None:
        found = verdict({"a": "success"}, accounts={"a": replace(RAN, by_hand=True, by="ada")})
        assert listed(found) == [("a", "marked_success", "ada")]

    def test_a_run_that_was_marked_has_what_had_not_begun_skipped(self) -> None:
        marked = replace(NOT_RUN, by_hand=True, by="ada")
        found = verdict({"a": "success", "b": "skipped"}, structure("a >> b"), accounts={"b": marked})
        assert (found.verdict, listed(found)) == (Verdict.SUCCEEDED, [("b", "marked_success", "ada")])


class TestTolerated:
    def test_a_teardown(self) -> None:
        dag = with_node(structure("a >> close"), "close", is_teardown=True)
        for state in ("failed", "upstream_failed"):
            found = verdict({"a": "success", "close": state}, dag)
            assert (found.verdict, listed(found)) == (Verdict.SUCCEEDED, [("close", "tolerated", None)])

    def test_not_one_whose_failure_is_the_runs(self) -> None:
        dag = with_node(structure("a >> close"), "close", is_teardown=True, fails_run=True)
        assert verdict({"a": "success", "close": "failed"}, dag, run="failed").verdict is Verdict.FAILED

    CORNER = with_node(structure("a >> corner >> end; a >> end"), "end", trigger_rule="all_done")

    def test_a_corner_that_had_not_succeeded_before_and_what_follows_it_ran_again(self) -> None:
        states = {"a": "success", "corner": "failed", "end": "success"}
        found = verdict(states, self.CORNER, accounts={"corner": FRESH})
        assert (found.verdict, listed(found)) == (Verdict.SUCCEEDED, [("corner", "tolerated", None)])

    @pytest.mark.parametrize(
        "more",
        [
            {"accounts": {"corner": RAN}},  # its old data stands, and is wrong
            {"accounts": {"corner": FRESH}, "linked": frozenset({"corner"})},
            {"accounts": {"corner": FRESH, "end": NOT_RUN}},
            {"accounts": {"corner": FRESH}, "chosen": "a corner"},  # `end` is from before
        ],
        ids=["had succeeded", "somebody reads it", "what follows did not run", "what follows is not selected"],
    )
    def test_no_other_corner(self, more: dict[str, object]) -> None:
        states = {"a": "success", "corner": "failed", "end": "success"}
        assert verdict(states, self.CORNER, **more).verdict is Verdict.FAILED  # type: ignore[arg-type]

    def test_not_one_that_nothing_follows(self) -> None:
        states, dag = {"a": "success", "corner": "failed"}, structure("a; corner")
        assert verdict(states, dag, accounts={"corner": FRESH}).verdict is Verdict.FAILED

    def test_not_one_that_only_a_teardown_follows(self) -> None:
        dag = with_node(structure("a; corner >> close"), "close", is_teardown=True)
        states = {"a": "success", "corner": "failed", "close": "success"}
        assert verdict(states, dag, run="failed", accounts={"corner": FRESH}).verdict is Verdict.FAILED

    def test_not_where_what_follows_need_not_wait_for_it(self) -> None:
        dag = with_node(self.CORNER, "end", trigger_rule="one_success")
        states = {"a": "success", "corner": "failed", "end": "success"}
        assert verdict(states, dag, accounts={"corner": FRESH}).verdict is Verdict.FAILED

    @pytest.mark.parametrize(("late", "expected"), [(-60, Verdict.FAILED), (60, Verdict.SUCCEEDED)])
    def test_only_where_what_follows_began_after_its_end(self, late: int, expected: Verdict) -> None:
        states = {"a": "success", "corner": "failed", "end": "success"}
        tasks = tuple(
            TaskInstanceFacts(t, -1, s, start_date=NOW + timedelta(seconds=late if t == "end" else 0), end_date=NOW)
            for t, s in states.items()
        )
        account = RunAccount(REF, {("a", -1): RAN, ("end", -1): RAN, ("corner", -1): FRESH})
        chosen = tuple(map(TaskRef, states))
        found = judge(chosen, Observation(REF, "success", 1, tasks), Evidence(account, self.CORNER))
        assert found.verdict is expected

    def test_under_a_green_alert_the_wrong_data_still_stands(self) -> None:
        dag = with_node(structure("load >> alert"), "alert", trigger_rule="one_failed")
        assert verdict({"load": "failed", "alert": "success"}, dag).verdict is Verdict.FAILED


class TestCutOff:
    DAG = structure("a >> b")

    def test_by_a_time_out(self) -> None:
        dag = replace(self.DAG, timeout=60.0)
        states: dict[str, str | None] = {"a": "success", "b": "skipped"}
        killed = replace(RAN, ended=False)
        for account in (NOT_RUN, killed):
            found = verdict(states, dag, run="failed", accounts={"b": account}, lasted=61.0)
            assert found == Judgement(Verdict.TIMED_OUT)

    def test_by_a_failure_elsewhere_in_a_dag_that_fails_fast(self) -> None:
        dag = replace(structure("a >> b; c"), fail_fast=True, timeout=60.0)
        states: dict[str, str | None] = {"a": "success", "b": "skipped", "c": "failed"}
        for run in ("failed", "success"):
            found = verdict(states, dag, run=run, accounts={"b": NOT_RUN}, chosen="a b", lasted=3.0)
            assert found == Judgement(Verdict.CUT_OFF)
        assert verdict(states, dag, run="failed", accounts={"b": NOT_RUN}).verdict is Verdict.FAILED

    def test_by_somebody_who_stopped_the_run(self) -> None:
        states: dict[str, str | None] = {"a": "success", "b": "skipped"}
        for run in ("failed", "success"):  # with a teardown that goes on, the run may end as a success
            found = verdict(states, self.DAG, run=run, accounts={"b": NEVER}, terminated=True)
            assert found == Judgement(Verdict.STOPPED)

    def test_a_skip_that_the_dag_did_itself_in_a_failed_run_is_none(self) -> None:
        dag = structure("a >> b; c")
        states: dict[str, str | None] = {"a": "skipped", "b": "skipped", "c": "failed"}
        found = verdict(states, dag, run="failed", accounts={"a": FRESH, "b": NEVER}, chosen="a b")
        assert found == Judgement(Verdict.SUCCEEDED)

    def test_where_the_dag_is_not_known_a_skip_in_a_failed_run_is_doubted(self) -> None:
        assert verdict({"a": "skipped"}, run="failed", accounts={"a": NOT_RUN}).verdict is Verdict.CUT_OFF


class TestSkippedThisTime:
    DAG = with_node(structure("wait >> load >> publish"), "wait", makes_data=False)
    STATES: dict[str, str | None] = {"wait": "success", "load": "success", "publish": "skipped"}  # noqa: RUF012

    def test_readers_of_what_was_made_anew_can_go(self) -> None:
        found = verdict(self.STATES, self.DAG, read_by={READER: frozenset({"load", "publish"})})
        assert (found.verdict, found.reason) == (Verdict.SUCCEEDED, "tasks_skipped")
        assert listed(found) == [("publish", "tasks_skipped", None)]

    def test_a_reader_of_nothing_new_can_not(self) -> None:
        other = RunRef("other", "r")
        read_by = {READER: frozenset({"publish"}), other: frozenset({"load"})}
        found = verdict(self.STATES, self.DAG, read_by=read_by)
        assert (found.verdict, found.reason) == (Verdict.NOTHING_MADE_ANEW, "nothing_made_anew")
        assert listed(found) == [("publish", "tasks_skipped", None)]

    @pytest.mark.parametrize(("load", "expected"), [("success", "tasks_skipped"), ("skipped", "nothing_made_anew")])
    def test_without_readers_and_for_those_of_the_whole_run_something_must_have_been_made(
        self, load: str, expected: str
    ) -> None:
        states = {**self.STATES, "load": load}
        assert verdict(states, self.DAG).reason == expected
        assert verdict(states, self.DAG, read_by={READER: frozenset({None})}).reason == expected

    def test_what_a_person_marked_is_nothing_new_to_read(self) -> None:
        found = verdict(
            self.STATES, self.DAG, accounts={"load": NOT_RUN}, read_by={READER: frozenset({"load", "publish"})}
        )
        assert found.verdict is Verdict.NOTHING_MADE_ANEW

    def test_a_mapped_task_that_has_no_indexes_this_time_had_data_in_those_of_before(self) -> None:
        tasks = (TaskInstanceFacts("m", -1, "skipped"), TaskInstanceFacts("m", 0, "removed"))
        account = RunAccount(REF, {("m", -1): NEVER, ("m", 0): RAN})
        found = judge((TaskRef("m"),), Observation(REF, "success", 1, tasks), Evidence(account))
        assert found.verdict is Verdict.NOTHING_MADE_ANEW


class TestNewTasks:
    """A run that has moved to a newer version of its Dag has tasks that nobody could select."""

    DAG = structure("a >> new; other")
    STATES: dict[str, str | None] = {"a": "success"}  # noqa: RUF012

    @pytest.mark.parametrize(
        ("state", "run", "expected"),
        [
            (None, "running", Verdict.UNFINISHED),
            (None, "failed", Verdict.NEVER_STARTED),
            ("failed", "failed", Verdict.FAILED),
            ("success", "success", Verdict.SUCCEEDED),
        ],
    )
    def test_those_that_follow_a_selected_one_belong_to_it(
        self, state: str | None, run: str, expected: Verdict
    ) -> None:
        added = {"new": replace(FRESH, added=True)}
        found = verdict({**self.STATES, "new": state}, self.DAG, run=run, accounts=added, chosen="a")
        assert found.verdict is expected

    def test_others_and_those_that_were_left_out_do_not(self) -> None:
        for task_id, account in (("other", replace(FRESH, added=True)), ("new", FRESH)):
            states: dict[str, str | None] = {**self.STATES, "left_out": "success", task_id: "failed"}
            found = verdict(states, self.DAG, run="failed", accounts={task_id: account}, chosen="a")
            assert found.verdict is Verdict.SUCCEEDED

    def test_of_a_whole_run_all_do(self) -> None:
        added = {"other": replace(FRESH, added=True)}
        for state, expected in (("failed", Verdict.FAILED), ("success", Verdict.SUCCEEDED)):
            found = verdict({**self.STATES, "other": state}, self.DAG, run=state, accounts=added, chosen="a")
            assert found.verdict is expected

    @pytest.mark.parametrize("left_out", [True, False])
    def test_where_a_selected_one_is_gone_all_do(self, left_out: bool) -> None:
        """Any of them may be what it is called now; that of a whole run alone, too."""
        added = {"other": replace(FRESH, added=True)}
        for state, run, expected in (
            ("failed", "failed", Verdict.FAILED),
            (None, "running", Verdict.UNFINISHED),
            ("success", "success", Verdict.SUCCEEDED),
        ):
            states: dict[str, str | None] = {"a": "removed", "other": state}
            states |= {"b": "success"} if left_out else {}
            assert verdict(states, self.DAG, run=run, accounts=added, chosen="a").verdict is expected

    def test_where_none_has_taken_its_place_it_is_gone(self) -> None:
        states: dict[str, str | None] = {"a": "removed", "b": "success"}
        assert verdict(states, self.DAG, run="success", chosen="a").verdict is Verdict.TASKS_GONE


class TestWhatCameAndWent:
    """What a newer version had added to a run, and a still newer one doesn't have."""

    ADDED = replace(FRESH, added=True)

    @pytest.mark.parametrize(
        ("account", "listed"),
        [
            (ADDED, True),
            (replace(NEVER, added=True), False),
            (replace(NOT_RUN, added=True), True),
            (FRESH, False),  # it was there at submit, and wasn't selected
        ],
    )
    def test_is_listed_if_it_holds_anything(self, account: Account, *, listed: bool) -> None:
        states: dict[str, str | None] = {"a": "success", "new": "removed", "left_out": "success"}
        found = verdict(states, structure("a >> new; left_out"), accounts={"new": account}, chosen="a")
        assert found.verdict is Verdict.SUCCEEDED
        assert [one.task_id for one in found.not_made_anew] == (["new"] if listed else [])

    def test_is_not_listed_where_it_follows_nothing_selected(self) -> None:
        states: dict[str, str | None] = {"a": "success", "new": "removed", "left_out": "success"}
        found = verdict(states, structure("a; left_out >> new"), accounts={"new": self.ADDED}, chosen="a")
        assert found.not_made_anew == ()

    def test_does_not_make_a_whole_run_a_part(self) -> None:
        states: dict[str, str | None] = {"a": "success", "went": "removed", "new": "failed"}
        added = dict.fromkeys(("went", "new"), self.ADDED)
        found = verdict(states, structure("a; new"), run="failed", accounts=added, chosen="a")
        assert found.verdict is Verdict.FAILED


def test_what_its_dag_has_dropped_is_listed() -> None:
    found = verdict({"a": "success", "b": "removed", "left_out": "removed"}, chosen="a b")
    assert (found.verdict, found.reason) == (Verdict.SUCCEEDED, "task_gone_in_latest")
    assert found.not_made_anew == (NotMadeAnew("b", None, "task_gone_in_latest"),)


def test_where_nothing_is_left_all_of_it_is_listed() -> None:
    found = verdict({"a": "success", "b": "removed"}, chosen="b")
    assert found.verdict is Verdict.TASKS_GONE
    assert found.not_made_anew == (NotMadeAnew("b", None, "task_gone_in_latest"),)


def test_an_index_that_a_mapped_task_has_no_more_is_not_listed() -> None:
    tasks = (TaskInstanceFacts("m", 0, "success"), TaskInstanceFacts("m", 1, "removed"))
    account = RunAccount(REF, {("m", 0): RAN, ("m", 1): RAN})
    assert judge((TaskRef("m"),), Observation(REF, "success", 1, tasks), Evidence(account)).not_made_anew == ()


def test_gone() -> None:
    assert by_states((TaskRef("a"),), Observation(REF, None)) is Verdict.RUN_GONE
    gone = TaskInstanceFacts("a", -1, "removed")
    assert by_states((TaskRef("a"),), Observation(REF, "success", 0, (gone,))) is Verdict.TASKS_GONE
    others = (gone, TaskInstanceFacts("b", -1, "success"))
    assert by_states((TaskRef("a"),), Observation(REF, "success", 0, others)) is None


def test_who_reads_what() -> None:
    def link(kind: LinkKind, from_task_id: str | None, to: RunRef = READER) -> Link:
        return Link(REF, to, kind, Known.RECORDED, {}, from_task_id, None)

    dag, account = structure("a >> fire; b"), RunAccount(REF)
    links = [link(LinkKind.ASSET, "b"), link(LinkKind.SENSOR, None), link(LinkKind.ASSET, "a", RunRef("else", "r"))]
    found = evidence(account, dag, links, {REF, READER}, REF)
    assert found.read_by == {READER: frozenset({"b", None})}
    assert found.linked == {"a", "b"}
    triggered = evidence(account, dag, [link(LinkKind.TRIGGER, "fire")], {READER}, REF)
    assert triggered.read_by == {READER: frozenset({"a"})}, "a triggered run reads what comes before its trigger"
    assert evidence(account, structure("fire"), [link(LinkKind.TRIGGER, "fire")], {READER}, REF).read_by == {}


STATES = st.sampled_from(["success", "skipped", "failed", "upstream_failed"])
ACCOUNTS = st.builds(Account, started=st.booleans(), ended=st.booleans(), succeeded_before=st.booleans())


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.tuples(STATES, ACCOUNTS), min_size=4, max_size=4),
    st.sampled_from(["success", "failed"]),
    st.booleans(),
)
def test_a_member_that_is_right_names_all_that_held_data_and_was_not_made_anew(
    tasks: dict[str, tuple[str, Account]], run: str, fail_fast: bool
) -> None:
    """Whatever the rows say: there is no third way."""
    dag = replace(structure("a >> b >> c; a >> d"), fail_fast=fail_fast)
    accounts = {task_id: account for task_id, (_, account) in tasks.items()}
    found = verdict({t: state for t, (state, _) in tasks.items()}, dag, run=run, accounts=accounts)
    if found.verdict is Verdict.SUCCEEDED:
        named = {one.task_id for one in found.not_made_anew}
        for task_id, (state, account) in tasks.items():
            made = state == "success" and account.started
            assert made or task_id in named or (state == "skipped" and not account.succeeded_before)
        assert all(isinstance(one, NotMadeAnew) for one in found.not_made_anew)
