"""The proof: what it finds, what it can't tell, and what it leaves alone."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import airflow_rerun_downstream.domain
from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.proof import Counts, Told, Try
from tests.domain.proofs import BEFORE, Story, at, dag, ran

FOLDER = Path(airflow_rerun_downstream.domain.__file__).parent


@pytest.fixture
def story() -> Story:
    return Story()


def test_it_shares_no_code_with_what_it_checks() -> None:
    """Beside its own files it knows plain values only."""
    files = [*FOLDER.glob("proof*.py"), FOLDER / "proving.py"]
    known = {
        node.module.rpartition(".")[2]
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("airflow_rerun_downstream")
    }
    assert known - {file.stem for file in files} == {"facts", "refs"}


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ({"proven": 9, "accepted": 1, "not_provable": 1, "open": 1, "violations": 1}, "violated"),
        ({"proven": 9, "accepted": 1, "not_provable": 1, "open": 1}, "open"),
        ({"proven": 9, "accepted": 1, "not_provable": 1}, "not_provable"),
        ({"proven": 9, "accepted": 1}, "accepted"),
        ({"proven": 9, "older": 3}, "proven"),
        ({"links": 2}, "nothing_checked"),
    ],
)
def test_the_verdict_is_the_gravest_word_that_applies(counts: dict[str, int], verdict: str) -> None:
    assert Counts(**counts).verdict == verdict


def test_all_that_was_looked_at_is_counted(story: Story) -> None:
    a = story.member(dag("a", "t >> u"), ran("t", (0, 10)), ran("u", (11, 12)))
    b = story.member(dag("b", "t"), ran("t", (5, 6)))
    story.link(a, b, out="t")
    story.link(a, story.member(dag("c", "t"), ran("t", (20, 21))), out="t")
    story.link(a, story.member(dag("d", "t"), ran("t"), state="pending"))
    story.link(a, story.run(dag("e", "t"), ran("t")))
    story.member(dag("f", "t"), ran("t"), listed={("t", None): "ada"})
    story.member(dag("g", "t"), ran("t", (-20, -5)), begun=False)
    assert story.proof().counts == Counts(
        links=2, tasks=6, orders=1, proven=6, not_provable=1, violations=1, accepted=1, open=1, older=2
    )


class TestLinks:
    """Two members that a link joins."""

    @pytest.mark.parametrize(
        ("write", "read", "found"),
        [
            ((0, 10), 10, []),
            ((0, 10), 9, [("violation", "read_too_early", "b", "a.t")]),
            ((0, 10), 0, [("violation", "read_too_early", "b", "a.t")]),
        ],
    )
    def test_the_read_comes_after_the_write(self, story, write, read, found) -> None:
        a = story.member(dag("a", "t"), ran("t", write))
        story.link(a, story.member(dag("b", "t"), ran("t", (read, read + 5))))
        assert story.outcomes() == found
        assert story.proof().counts.links == 1

    def test_of_several_that_it_came_before_the_first_is_told(self, story) -> None:
        a = story.member(dag("a", "u; v; w"), ran("u", (0, 1)), ran("v", (0, 10)), ran("w", (0, 20)))
        story.link(a, story.member(dag("b", "t"), ran("t", (5, 30))), out=None)
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.v")]

    def test_a_first_task_reads_for_its_run(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        story.link(a, story.member(dag("b", "t >> u"), ran("t", (5, 6)), ran("u", (20, 21))))
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.t")]

    def test_only_the_task_that_reads_counts(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t >> u"), ran("t", (5, 6)), ran("u", (20, 21)))
        story.link(a, b, "inlet", into="u")
        assert story.outcomes() == []

    def test_only_the_task_that_is_read_counts(self, story) -> None:
        a = story.member(dag("a", "t >> late"), ran("t", (0, 10)), ran("late", (11, 50)))
        story.link(a, story.member(dag("b", "t"), ran("t", (12, 13))))
        assert story.outcomes() == []
        story.links.clear()
        story.link(a, story.members[1].ref, out=None)
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.late")]

    def test_a_sensor_has_read_when_it_ends(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "wait >> t"), ran("wait", (2, 11)), ran("t", (12, 13)))
        story.link(a, b, "sensor", into="wait")
        assert story.outcomes() == []

    def test_where_the_sensor_does_not_run_again_what_follows_it_reads(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "wait >> t"), ran("wait"), ran("t", (5, 13)), selected=["t"])
        story.link(a, b, "sensor", into="wait")
        assert story.outcomes() == [("violation", "read_too_early", "b.t", "a.t")]

    def test_a_child_reads_what_stands_before_its_trigger(self, story) -> None:
        parent = story.member(
            dag("p", "a >> go >> late"), ran("a", (0, 10)), ran("go", (11, 12)), ran("late", (13, 99))
        )
        story.link(parent, story.member(dag("c", "t"), ran("t", (12, 20))), "trigger", out="go")
        assert story.outcomes() == []
        story.runs[story.members[1].ref] = replace(story.runs[story.members[1].ref], tasks=(ran("t", (5, 20)),))
        assert story.outcomes() == [("violation", "read_too_early", "c", "p.a")]

    def test_a_trigger_that_does_not_wait_for_what_stands_before_it(self, story) -> None:
        parent = story.member(
            dag("p", "a >> go; b >> go", go="one_success"), ran("a", (0, 10)), ran("b", (0, 90)), ran("go", (11, 12))
        )
        story.link(parent, story.member(dag("c", "t"), ran("t", (12, 20))), "trigger", out="go")
        assert story.outcomes() == []

    @pytest.mark.parametrize("to_the_parent", [True, False])
    @pytest.mark.parametrize("rule", ["one_done", "one_success", "always"])
    def test_what_does_not_wait_for_the_trigger_that_waits(self, story, rule, to_the_parent) -> None:
        """It begins when something else before it has ended, whatever the child does; so may what follows it."""
        structure = dag("p", "a >> go >> early >> last; a >> early", early=rule)
        go = replace(structure.tasks["go"], triggers_dag_run=True, waits_for_run=True)
        structure = replace(structure, tasks={**structure.tasks, "go": go})
        tasks = ran("a", (0, 10)), ran("go", (11, 99)), ran("early", (13, 14)), ran("last", (15, 16))
        parent, child = story.member(structure, *tasks), story.member(dag("c", "t"), ran("t", (12, 98)))
        story.link(parent, child, "trigger", out="go")
        if to_the_parent:
            story.link(child, parent, "trigger", out=None, into="go")
        assert story.outcomes() == []

    @pytest.mark.parametrize("waits", [True, False])
    def test_what_follows_a_trigger_that_waits_reads_from_the_child(self, story, waits) -> None:
        structure = dag("p", "a >> go >> late")
        go = replace(structure.tasks["go"], triggers_dag_run=True, waits_for_run=waits)
        structure = replace(structure, tasks={**structure.tasks, "go": go})
        parent = story.member(structure, ran("a", (0, 10)), ran("go"), ran("late", (13, 99)), selected=["a", "late"])
        story.link(parent, story.member(dag("c", "t"), ran("t", (12, 20))), "trigger", out="go")
        assert story.outcomes() == ([("violation", "read_too_early", "p.late", "c.t")] if waits else [])

    @pytest.mark.parametrize("out", ["go", None])
    @pytest.mark.parametrize("waits", [True, False])
    def test_who_looks_at_a_trigger_that_has_waited_reads_from_the_child(self, story, waits, out) -> None:
        structure = dag("p", "a >> go")
        go = replace(structure.tasks["go"], triggers_dag_run=True, waits_for_run=waits)
        structure = replace(structure, tasks={**structure.tasks, "go": go})
        parent = story.member(structure, ran("a", (0, 10)), ran("go"), selected=["a"])
        story.link(parent, story.member(dag("c", "t"), ran("t", (12, 20))), "trigger", out="go")
        looker = story.member(dag("l", "wait >> t"), ran("wait", (11, 15)), ran("t", (16, 17)))
        story.link(parent, looker, "sensor", out=out, into="wait")
        assert story.outcomes() == ([("violation", "read_too_early", "l.wait", "c.t")] if waits else [])

    @pytest.mark.parametrize(("known_by", "waits"), [("there", True), ("there", False), ("back", True)])
    def test_who_reads_a_run_that_has_waited_for_another(self, story, waits, known_by) -> None:
        """The middle one isn't rerun, since all that it does is to trigger. Of a source only the way back is known."""

        def waiting(dag_id: str, order: str) -> DagStructure:
            structure = dag(dag_id, order)
            go = replace(structure.tasks["go"], triggers_dag_run=True, waits_for_run=waits)
            return replace(structure, tasks={**structure.tasks, "go": go})

        parent = story.member(
            waiting("p", "a >> go >> late"), ran("a", (0, 10)), ran("go"), ran("late", (13, 99)), selected=["a", "late"]
        )
        middle = story.run(waiting("m", "go"), ran("go"))
        last = story.member(dag("c", "t"), ran("t", (12, 20)))
        looker = story.member(dag("l", "t"), ran("t", (16, 17)))
        for upper, lower in ((parent, middle), (middle, last)):
            if known_by == "there":
                story.link(upper, lower, "trigger", out="go")
            else:
                story.link(lower, upper, "trigger", out=None, into="go")
        story.link(parent, looker, out="go")
        found = [("violation", "read_too_early", "l", "c.t"), ("violation", "read_too_early", "p.late", "c.t")]
        assert story.outcomes() == (found if waits else [])

    @pytest.mark.parametrize("waits", [True, False])
    def test_a_run_made_behind_a_trigger_that_has_waited(self, story, waits) -> None:
        structure = dag("p", "a >> go >> on")
        go = replace(structure.tasks["go"], triggers_dag_run=True, waits_for_run=waits)
        structure = replace(structure, tasks={**structure.tasks, "go": go})
        parent = story.member(structure, ran("a", (0, 10)), ran("go"), ran("on", (21, 22)), selected=["a", "on"])
        story.link(parent, story.member(dag("c", "t"), ran("t", (12, 20))), "trigger", out="go")
        story.link(parent, story.member(dag("d", "t"), ran("t", (15, 16))), "trigger", out="on")
        assert story.outcomes() == ([("violation", "read_too_early", "d", "c.t")] if waits else [])

    def test_a_second_try_that_nobody_read_during_is_no_violation(self, story) -> None:
        """Somebody has cleared it once more: the reader holds right data, and older than what is there now."""
        a = story.member(dag("a", "t"), ran("t", (0, 10), (50, 60)))
        story.link(a, story.member(dag("b", "t"), ran("t", (12, 20))))
        assert story.outcomes() == []
        (older,) = story.proof().older
        assert (older.spot.ref.dag_id, older.because_of.ref, older.by) == ("b", a, None)

    def test_what_somebody_marked_after_it_had_failed_shows_no_order(self, story) -> None:
        """Whether its data was there before the read, nobody knows."""
        tries = (Try("success", at(BEFORE), at(BEFORE + 1), "h"), Try("failed", at(0), at(10), "h"))
        a = story.member(dag("a", "t"), ran("t", tries=tries, state="success", by_hand=True))
        story.link(a, story.member(dag("b", "t"), ran("t", (12, 13))))
        assert ("not_provable", "clocks_differ", "b", "a.t") in story.outcomes()

    @pytest.mark.parametrize("end", [60, None])
    def test_a_read_while_it_is_made_once_more(self, story, end) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10), (50, end)))
        story.link(a, story.member(dag("b", "t"), ran("t", (55, 70))))
        assert story.outcomes()[0] == ("violation", "read_too_early", "b", "a.t")

    @pytest.mark.parametrize(("read", "wrong"), [(12, False), (55, True), (89, True), (91, True), (96, False)])
    def test_a_try_that_was_cut_off_is_over_when_the_next_begins(self, story, read, wrong) -> None:
        """A time-out writes no end."""
        task = ran("t", (0, 10), (90, 95))
        cut = Try("skipped", at(50), None, "h")
        task = replace(task, tries=(*task.tries[:-1], cut, task.tries[-1]))
        a = story.member(dag("a", "t"), task)
        story.link(a, story.member(dag("b", "t"), ran("t", (read, 100))))
        assert story.outcomes() == ([("violation", "read_too_early", "b", "a.t")] if wrong else [])

    @pytest.mark.parametrize(("state", "found"), [("skipped", "not_provable"), ("running", "violation")])
    def test_when_the_last_one_was_cut_off_nobody_knows(self, story, state, found) -> None:
        task = ran("t", (0, 10))
        task = replace(task, state=state, tries=(*task.tries, Try(state, at(50), None, "h")))
        a = story.member(dag("a", "t"), task, state="skipped")
        story.link(a, story.member(dag("b", "t"), ran("t", (60, 70))))
        assert [one[0] for one in story.outcomes()] == [found]

    @pytest.mark.parametrize(("order", "wrong"), [("u; v", True), ("u >> v", False)])
    def test_each_first_task_reads_for_itself(self, story, order, wrong) -> None:
        """What comes behind another one isn't held against what is made once more meanwhile."""
        a = story.member(dag("a", "t"), ran("t", (0, 10), (50, 60)))
        story.link(a, story.member(dag("b", order), ran("u", (12, 13)), ran("v", (55, 70))))
        assert story.outcomes() == ([("violation", "read_too_early", "b", "a.t")] if wrong else [])

    def test_each_index_reads_for_itself(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10), (50, 60)))
        b = story.member(
            dag("b", "u"), *(replace(ran("u", span), map_index=n) for n, span in enumerate([(12, 13), (55, 70)]))
        )
        story.link(a, b, into="u")
        assert story.outcomes() == [("violation", "read_too_early", "b.u", "a.t")]

    def test_a_member_of_which_somebody_runs_a_task_again(self, story) -> None:
        story.member(dag("a", "t"), ran("t", (0, 10), (50, None)))
        assert story.outcomes() == [("not_provable", "not_finished", "a.t", None)]

    def test_a_way_of_which_the_tasks_are_not_told(self, story) -> None:
        """It joins the runs as wholes; which of their tasks, nobody knows."""
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t"), ran("t", (5, 6)))
        story.link(a, b, out=None, vague=True)
        assert story.outcomes() == [("not_provable", "no_record", "b", "a.t")]

    @pytest.mark.parametrize("vague", [(True, False), (False, True)])
    def test_one_such_link_makes_a_way_vague(self, story, vague) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x = story.run(dag("x", "t"), ran("t"))
        b = story.member(dag("b", "t"), ran("t", (5, 6)))
        for (one, two), unknown in zip(((a, x), (x, b)), vague, strict=True):
            story.link(one, two, out=None, vague=unknown)
        assert story.outcomes() == [("not_provable", "no_record", "b", "a.t")]

    def test_what_follows_a_trigger_is_read_by_it_alone(self, story) -> None:
        """What the parent did before it made the child has read nothing from that."""
        child = story.member(dag("c", "t"), ran("t", (12, 20)))
        tasks = ran("a", (0, 10)), ran("go", (11, 21)), ran("late", (22, 99))
        parent = story.member(dag("p", "a >> go >> late"), *tasks)
        story.link(child, parent, "trigger", out=None, into="go")
        assert (story.outcomes(), story.proof().older) == ([], ())
        story.runs[parent] = replace(story.runs[parent], tasks=(*tasks[:2], ran("late", (19, 99))))
        assert ("violation", "read_too_early", "p.late", "c.t") in story.outcomes()

    def test_what_made_the_run_cannot_end_before_it(self, story) -> None:
        """A sensor of a run looks at the task further up that has made it, and that goes on."""
        top = story.member(dag("top", "go"), ran("go", (0, 50)))
        middle = story.member(dag("middle", "go"), ran("go", (1, 40)))
        low = story.member(dag("low", "wait"), ran("wait", (2, 3)))
        story.link(top, middle, "trigger", out="go")
        story.link(middle, low, "trigger", out="go")
        story.link(top, low, "sensor", out="go", into="wait")
        assert story.outcomes() == []

    def test_through_a_run_that_is_no_member(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x = story.run(dag("x", "in >> out; aside"), ran("in"), ran("out"), ran("aside"))
        b = story.member(dag("b", "t"), ran("t", (5, 6)))
        story.link(a, x, into="in")
        story.link(x, b, out="out")
        assert ("violation", "read_too_early", "b", "a.t") in story.outcomes()

    def test_through_a_task_that_nothing_has_reached(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x = story.run(dag("x", "in >> out; aside"), ran("in"), ran("out"), ran("aside"))
        story.link(a, x, into="in")
        story.link(x, story.member(dag("b", "t"), ran("t", (5, 6))), out="aside")
        assert story.outcomes() == []

    def test_an_adopted_run_stands_for_the_one_that_links_name(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t"), ran("t", (5, 6)))
        member = story.members[1]
        old = replace(member.ref, run_id="old")
        story.members[1] = replace(member, at_submit=old)
        story.link(a, old)
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.t")]
        assert b == member.ref

    def test_a_renamed_task_is_what_the_newer_version_added(self, story) -> None:
        """The reader went before the new task had begun: nobody has waited for it."""
        gone = ran("old", state="removed", held=False)
        a = story.member(
            dag("a", "in >> new"), ran("in", (0, 5)), gone, ran("new", (6, 20), added=True), selected=["in", "old"]
        )
        story.link(a, story.member(dag("b", "t"), ran("t", (7, 8))), out="old")
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.new")]

    def test_a_new_task_that_began_before_what_it_follows_had_ended(self, story) -> None:
        """Nobody selected it: it is held against what it follows all the same."""
        story.member(dag("a", "t >> new"), ran("t", (5, 10)), ran("new", (6, 7), added=True), selected=["t"])
        assert story.outcomes() == [("violation", "began_too_early", "a.new", "a.t")]

    def test_a_new_task_of_a_whole_run_reads_what_that_reads(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t; new"), ran("t", (11, 12)), ran("new", (5, 6), added=True), selected=["t"])
        story.link(a, b)
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.t")]

    def test_a_new_task_that_follows_nothing_selected_is_none_of_the_members(self, story) -> None:
        old = ran("old")
        story.member(dag("a", "t; old >> new"), ran("t", (5, 10)), old, ran("new", (1, 2), added=True), selected=["t"])
        assert story.outcomes() == []

    def test_a_new_task_behind_one_that_waited_reads_what_that_waited_for(self, story) -> None:
        structure = dag("p", "go >> t; go >> new; old")
        go = replace(structure.tasks["go"], triggers_dag_run=True, waits_for_run=True)
        structure = replace(structure, tasks={**structure.tasks, "go": go})
        new = ran("new", (5, 6), added=True)
        parent = story.member(structure, ran("go"), ran("old"), ran("t", (11, 12)), new, selected=["t"])
        story.link(story.member(dag("c", "t"), ran("t", (0, 10))), parent, "trigger", out=None, into="go")
        assert story.outcomes() == [("violation", "read_too_early", "p.new", "c.t")]

    @pytest.mark.parametrize("between", ["b", "nothing"])
    @pytest.mark.parametrize("back", [True, False])
    def test_each_that_comes_right_behind_one_that_waited_reads_what_that_waited_for(
        self, story, between, back
    ) -> None:
        """Also where another one of them comes before it: the run was made once more when that had begun."""
        structure = dag("p", f"go >> a >> b; go >> {'b' if between == 'b' else 'nothing >> b'}")
        go = replace(structure.tasks["go"], triggers_dag_run=True, waits_for_run=True)
        structure = replace(structure, tasks={**structure.tasks, "go": go})
        nothing = [ran("nothing", (12, 12), host=None)] if between == "nothing" else []
        parent = story.member(structure, ran("go", (0, 11)), ran("a", (12, 13)), ran("b", (40, 41)), *nothing)
        child = story.member(dag("c", "t"), ran("t", (0, 10), (30, 60)))
        if back:
            story.link(child, parent, "trigger", out=None, into="go")
        else:
            story.link(parent, child, "trigger", out="go")
        assert story.outcomes() == [("violation", "read_too_early", "p.a", "c.t")]

    def test_where_another_task_was_renamed_the_new_one_is_not_waited_for(self, story) -> None:
        gone, new = ran("old", state="removed", held=False), ran("new", (6, 20), added=True)
        a = story.member(dag("a", "t; new"), ran("t", (0, 5)), gone, new, selected=["t", "old"])
        story.link(a, story.member(dag("b", "t"), ran("t", (7, 8))), out="t")
        assert story.outcomes() == []

    def test_a_renamed_task_that_never_ran(self, story) -> None:
        new = replace(ran("new", added=True, held=False), state=None, tries=(), present=False)
        a = story.member(
            dag("a", "in >> new"),
            ran("in", (0, 5)),
            ran("old", state="removed", held=False),
            new,
            selected=["in", "old"],
        )
        story.link(a, story.member(dag("b", "t"), ran("t", (7, 8))), out="old")
        unread = ("violation", "read_too_early", "b", "a.new")
        assert story.outcomes() == [unread, ("not_provable", "not_finished", "a.new", None)]

    def test_what_was_accepted_at_submit(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t"), ran("t", (5, 6)))
        story.link(a, b)
        story.told.append(Told("order_lost", b, None, "ada"))
        assert story.outcomes() == [("accepted", "read_too_early", "b", "a.t")]
        assert story.proof().findings[0].by == "ada"

    def test_what_has_read_from_it_is_not_proven_either(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t"), ran("t", (5, 6)))
        c = story.member(dag("c", "t"), ran("t", (20, 21)))
        story.link(a, b)
        story.link(b, c)
        story.link(c, story.member(dag("d", "t"), ran("t", (30, 31))))
        assert story.outcomes() == [
            ("violation", "read_too_early", "b", "a.t"),
            ("violation", "rests_on_unproven", "c", "b"),
            ("violation", "rests_on_unproven", "d", "c"),
        ]

    @pytest.mark.parametrize("state", ["succeeded", "failed", "skipped"])
    def test_only_a_member_that_counts_rests_on_it_and_once(self, story, state) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t"), ran("t", (5, 6)))
        c = story.member(dag("c", "t"), ran("t", (20, 21)), state=state)
        for one, two in ((a, b), (b, c), (b, c)):
            story.link(one, two)
        story.link(b, c, "inlet", into="t")
        found = [("violation", "read_too_early", "b", "a.t"), ("violation", "rests_on_unproven", "c", "b")]
        assert story.outcomes() == found[: 2 if state == "succeeded" else 1]

    def test_a_skipped_reader_is_accepted(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        b = story.member(dag("b", "t"), ran("t", (5, 6)), state="skipped", listed={("t", -1): "ada"})
        story.link(a, b)
        assert story.outcomes() == [("accepted", "read_too_early", "b", "a.t")]

    def test_of_what_is_still_to_come_nothing_is_said(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, None)), state="running")
        story.link(a, story.member(dag("b", "t"), ran("t"), state="pending"))
        assert story.outcomes() == []
        assert (story.proof().counts.open, story.proof().counts.links) == (2, 0)


class TestClocks:
    """Times are written by workers, each by its own clock."""

    @pytest.mark.parametrize(
        ("read", "found"), [(41, None), (39.9, "not_provable"), (5, "not_provable"), (-20.1, "violation")]
    )
    def test_two_hosts(self, story, read, found) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)), begun=True)
        story.link(a, story.member(dag("b", "t"), ran("t", (read, 90), host="other")))
        assert [outcome for outcome, *_ in story.outcomes()] == ([] if found is None else [found])

    def test_nobodys_clock(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10), host=None))
        story.link(a, story.member(dag("b", "t"), ran("t", (12, 90), host=None)))
        assert [reason for _, reason, *_ in story.outcomes()] == ["clocks_differ"]

    @pytest.mark.parametrize(("right", "dispatched", "number", "settled"), [
        (11, 11, 1, True), (11, 10, 1, False), (11, 12, 2, False), (11, None, 1, False), (None, 12, 1, False),
    ])  # fmt: skip
    def test_our_own_events_have_one_clock(self, story, right, dispatched, number, settled) -> None:
        right, dispatched = (None if one is None else at(one) for one in (right, dispatched))
        a = story.member(dag("a", "t"), ran("t", (0, 10)), succeeded=right, clear_number=number)
        story.link(a, story.member(dag("b", "t"), ran("t", (5, 9), host="other"), dispatched=dispatched))
        assert (story.outcomes() == []) is settled
        assert story.proof().violations == ()

    def test_events_do_not_excuse_what_one_clock_shows(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)), succeeded=at(11))
        story.link(a, story.member(dag("b", "t"), ran("t", (5, 9)), dispatched=at(12)))
        assert [outcome for outcome, *_ in story.outcomes()] == ["violation"]

    def test_a_worker_whose_clock_is_behind_that_of_the_rerun(self, story) -> None:
        story.member(dag("a", "t"), ran("t", (-20, -5)))
        assert story.outcomes() == []
        assert story.proof().counts.proven == 1

    def test_what_ended_right_before_the_rerun_is_not_of_it(self, story) -> None:
        a = story.member(
            dag("a", "t"),
            replace(ran("t", (0, 10)), tries=(Try("success", at(-9), at(-5), "h"), Try("success", at(0), at(10), "h"))),
        )
        story.link(a, story.member(dag("b", "t"), ran("t", (5, 9))))
        assert [outcome for outcome, *_ in story.outcomes()] == ["violation"]


class TestInRun:
    """Two selected tasks of one run."""

    def test_one_after_the_other(self, story) -> None:
        story.member(dag("a", "t >> u"), ran("t", (0, 10)), ran("u", (10, 11)))
        assert story.outcomes() == []
        assert story.proof().counts.orders == 1

    def test_too_early(self, story) -> None:
        story.member(dag("a", "t >> u"), ran("t", (0, 10)), ran("u", (9, 11)))
        assert story.outcomes() == [("violation", "began_too_early", "a.u", "a.t")]

    def test_through_a_task_that_was_left_out(self, story) -> None:
        story.member(dag("a", "t >> m >> u"), ran("t", (0, 10)), ran("m"), ran("u", (1, 11)), selected=["t", "u"])
        assert ("violation", "began_too_early", "a.u", "a.t") in story.outcomes()

    @pytest.mark.parametrize("rule", ["one_success", "one_failed", "one_done", "always", "dummy"])
    @pytest.mark.parametrize("eager", ["m", "u"])
    def test_a_rule_that_does_not_wait(self, story, rule, eager) -> None:
        structure = dag("a", "t >> m >> u" if eager == "m" else "t >> u", **{eager: rule})
        tasks = [ran("t", (0, 10)), *([ran("m")] if eager == "m" else []), ran("u", (1, 11))]
        story.member(structure, *tasks, selected=["t", "u"])
        story.told.append(Told("stays_polluted", story.members[0].ref, "m", "ada"))
        assert story.outcomes() == []

    @pytest.mark.parametrize(
        "rule", ["all_success", "all_done", "none_failed", "none_failed_min_one_success", "all_done_setup_success"]
    )
    def test_a_rule_that_waits(self, story, rule) -> None:
        story.member(dag("a", "t >> u", u=rule), ran("t", (0, 10)), ran("u", (1, 11)))
        assert [outcome for outcome, *_ in story.outcomes()] == ["violation"]

    def test_a_task_that_was_skipped_has_not_waited(self, story) -> None:
        passed = replace(ran("m"), state="skipped", present=False, tries=(), held=False)
        story.member(dag("a", "t >> m >> u", u="all_done"), ran("t", (0, 10)), passed, ran("u", (1, 11)))
        assert story.outcomes() == []

    def test_index_by_index_in_a_mapped_group(self, story) -> None:
        structure = dag("a", "t >> u", groups={"g": {"t", "u"}})
        tasks = [
            replace(ran(task_id, span), map_index=index)
            for index, spans in enumerate([((0, 10), (11, 12)), ((0, 50), (51, 52))])
            for task_id, span in zip("tu", spans, strict=True)
        ]
        story.member(structure, *tasks)
        assert story.outcomes() == []
        story.structures = {ref: dag("a", "t >> u") for ref in story.structures}
        assert story.outcomes() == [("violation", "began_too_early", "a.u", "a.t")]

    def test_through_an_empty_task_that_no_worker_ran(self, story) -> None:
        story.member(dag("a", "t >> e >> u"), ran("t", (0, 10)), ran("e", (10, 10), host=None), ran("u", (11, 12)))
        assert story.outcomes() == []
        story.runs[story.members[0].ref] = replace(story.runs[story.members[0].ref], tasks=(
            ran("t", (0, 10)), ran("e", (10, 10), host=None), ran("u", (9, 12)),
        ))  # fmt: skip
        assert story.outcomes() == [("violation", "began_too_early", "a.u", "a.t")]

    def test_what_was_accepted_at_submit(self, story) -> None:
        ref = story.member(dag("a", "t >> u"), ran("t", (0, 10)), ran("u", (9, 11)))
        story.told.append(Told("order_lost", ref, "u", "ada"))
        assert story.outcomes() == [("accepted", "began_too_early", "a.u", "a.t")]


class TestMadeAnew:
    """Each selected task."""

    @pytest.mark.parametrize(
        "task",
        [
            ran("t"),
            ran("t", (0, 1), by_hand=True),
            ran("t", (0, 1), state="failed"),
            ran("t", (0, 1), state="skipped"),
            ran("t", state="upstream_failed", present=False),
            ran("t", (0, 1), present=False),
            ran("t", state="removed"),
        ],
    )
    @pytest.mark.parametrize("listed", [None, ("t", -1), ("t", None)])
    def test_what_was_not_made_anew_stands_in_the_record(self, story, task, listed) -> None:
        story.member(dag("a", "t"), task, listed={} if listed is None else {listed: "ada"})
        assert story.outcomes() == [("violation" if listed is None else "accepted", "not_made_anew", "a.t", None)]

    @pytest.mark.parametrize(
        "task",
        [
            ran("t", (0, 1)),
            ran("t", state="removed", held=False),
            ran("t", state="skipped", held=False),
        ],
    )
    def test_what_is_right_or_held_no_data(self, story, task) -> None:
        story.member(dag("a", "t"), task)
        assert story.outcomes() == []

    def test_an_index_that_a_mapped_task_has_no_more(self, story) -> None:
        story.member(dag("a", "t"), ran("t", (0, 1), map_index=0), ran("t", state="removed", map_index=1))
        assert story.outcomes() == []

    def test_what_ran_again_before_its_dag_dropped_it(self, story) -> None:
        story.member(dag("a", "t"), ran("t", (0, 1), state="removed"))
        assert story.outcomes() == [("not_provable", "no_record", "a.t", None)]

    def test_one_index_of_a_mapped_task(self, story) -> None:
        story.member(dag("a", "t"), ran("t", (0, 1), map_index=0), ran("t", map_index=1))
        assert story.outcomes() == [("violation", "not_made_anew", "a.t[1]", None)]

    @pytest.mark.parametrize(("listed", "outcome"), [({}, "violation"), ({("gone", None): "ada"}, "accepted")])
    def test_a_task_that_the_run_has_no_more(self, story, listed, outcome) -> None:
        story.member(dag("a", "t"), ran("t", (0, 1)), selected=["t", "gone"], listed=listed)
        assert story.outcomes() == [(outcome, "not_made_anew", "a.gone", None)]
        assert [one.by for one in story.proof().findings] == [listed.get(("gone", None))]

    def test_a_try_that_began_about_when_the_rerun_did(self, story) -> None:
        story.member(dag("a", "t"), ran("t", (-20, -5)), begun=False)
        assert story.outcomes() == [("not_provable", "clocks_differ", "a.t", None)]


class TestLeftUntold:
    """What follows a selected task and wasn't selected."""

    @pytest.mark.parametrize(
        "told", [None, Told("stays_polluted", None, "u", "ada"), Told("stays_polluted", None, None, "ada")]
    )
    def test_it_was_told_of(self, story, told) -> None:
        ref = story.member(dag("a", "t >> u"), ran("t", (0, 1)), ran("u"), selected=["t"])
        story.told += [] if told is None else [replace(told, ref=ref)]
        assert story.outcomes() == ([] if told else [("violation", "left_untold", "a.u", "a.t")])

    def test_a_rule_that_does_not_wait_follows_all_the_same(self, story) -> None:
        story.member(dag("a", "t >> u", u="one_success"), ran("t", (0, 1)), ran("u"), selected=["t"])
        assert story.outcomes() == [("violation", "left_untold", "a.u", "a.t")]

    @pytest.mark.parametrize("task", [ran("u", (2, 3)), ran("u", state="skipped"), ran("u", state="failed")])
    def test_it_holds_no_older_data(self, story, task) -> None:
        story.member(dag("a", "t >> u"), ran("t", (0, 1)), task, selected=["t"])
        assert story.outcomes() == []

    @pytest.mark.parametrize(
        "what", [{"triggers_dag_run": True}, {"is_teardown": True}, {"is_setup": True}, {"makes_data": False}]
    )
    def test_it_makes_no_data_of_its_own(self, story, what) -> None:
        structure = dag("a", "t >> u")
        structure = replace(structure, tasks={**structure.tasks, "u": replace(structure.tasks["u"], **what)})
        story.member(structure, ran("t", (0, 1)), ran("u"), selected=["t"])
        assert story.outcomes() == []

    @pytest.mark.parametrize(("order", "waits"), [("on >> late; on >> down", False), ("on >> late >> down", True)])
    def test_a_setup_works_until_its_teardown(self, story, order, waits) -> None:
        """It runs once more for the sake of its teardown; what comes behind that scope never needed it."""
        structure = dag("a", f"up >> on; up >> down; {order}", down="all_done_setup_success")
        kinds = {"up": {"is_setup": True}, "down": {"is_teardown": True}}
        nodes = {task_id: replace(node, **kinds.get(task_id, {})) for task_id, node in structure.tasks.items()}
        tasks = ran("up", (5, 9)), ran("on"), ran("late", (1, 3)), ran("down", (10, 11))
        story.member(replace(structure, tasks=nodes), *tasks, selected=["up", "late", "down"])
        story.told.append(Told("stays_polluted", story.members[0].ref, "on", "ada"))
        assert story.outcomes() == ([("violation", "began_too_early", "a.late", "a.up")] if waits else [])

    def test_what_follows_a_setup_that_came_along(self, story) -> None:
        structure = dag("a", "up >> t; up >> u")
        structure = replace(structure, tasks={**structure.tasks, "up": replace(structure.tasks["up"], is_setup=True)})
        story.member(structure, ran("up", (0, 1)), ran("t", (2, 3)), ran("u"), selected=["up", "t"])
        assert story.outcomes() == []


class TestOlder:
    """Runs, members or not, that hold data older than what is there now."""

    def test_a_run_that_was_left_out(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x, y = (story.run(dag(name, "t"), ran("t")) for name in "xy")
        story.link(a, x)
        story.link(x, y)
        story.told.append(Told("stays_polluted", x, None, "ada"))
        found = [(one.spot.ref, one.because_of.ref, one.by) for one in story.proof().older]
        assert found == [(x, a, "ada"), (y, x, None)]

    @pytest.mark.parametrize(("read", "older"), [(BEFORE, True), (5, True), (20, False)])
    def test_one_that_was_run_since(self, story, read, older) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x = story.run(dag("x", "t"), replace(ran("t"), tries=(Try("success", at(read), at(read + 1), "h"),)))
        story.link(a, x)
        assert [one.spot.ref for one in story.proof().older] == ([x] if older else [])

    def test_what_was_written_by_a_worker_whose_clock_is_behind(self, story) -> None:
        """The present try of a run that the rerun has begun is of the rerun, though it seems to be older."""
        begun = story.member(dag("a", "t"), ran("t", (-20, -5)), begun=True)
        before = story.member(dag("b", "t"), ran("t", (-20, -5)), begun=False)
        x, y = (story.run(dag(name, "t"), ran("t")) for name in "xy")
        story.link(begun, x)
        story.link(before, y)
        assert [one.spot.ref for one in story.proof().older] == [x]

    def test_a_member_that_is_made_anew_on_top_of_it(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x = story.run(dag("x", "t"), ran("t"))
        b = story.member(dag("b", "t"), ran("t", (20, 30)))
        story.link(a, x)
        story.link(x, b)
        story.told.append(Told("rebuilt_on_polluted", b, None, "ada"))
        assert {(one.spot.ref, one.by) for one in story.proof().older} == {(x, None), (b, "ada")}

    def test_one_that_is_going_to_run(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        story.link(a, story.member(dag("b", "t"), ran("t"), state="pending"))
        assert story.proof().older == ()

    def test_one_that_is_gone(self, story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x = story.run(dag("x", "t"), ran("t"))
        story.link(a, x)
        del story.runs[x]
        assert story.proof().older == ()
