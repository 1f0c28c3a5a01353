"""What the proof asks of a try that was made once more since: somebody may have read what it had made."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.proof import Told
from airflow_rerun_downstream.domain.refs import RunRef
from tests.domain.proofs import Story, at, dag, ran

Outcomes = list[tuple[str, str, str, str | None]]


@pytest.fixture
def story() -> Story:
    return Story()


class TestWhatFollowsKeepsWhatAnEarlierTryHadMade:
    """``b`` reads ``t`` of ``a``, which ran from 0 to 10: its first task did so too early, and then once more."""

    @pytest.mark.parametrize(
        ("follower", "found"),
        [
            ((7, 8), [("violation", "read_too_early", "b", "a.t")]),
            ((16, 17), [("violation", "read_too_early", "b", "a.t")]),
            ((22, 23), []),
        ],
    )
    def test_in_its_run(self, story: Story, follower: tuple[float, float], found: Outcomes) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        story.link(a, story.member(dag("b", "x >> y"), ran("x", (5, 6), (20, 21)), ran("y", follower)))
        assert story.outcomes() == found

    @pytest.mark.parametrize(
        ("read", "found"),
        [((7, 8), [("violation", "read_too_early", "b", "a.t")]), ((22, 23), [])],
    )
    @pytest.mark.parametrize("kind", ["asset", "sensor"])
    def test_in_another_run(self, story: Story, kind: str, read: tuple[float, float], found: Outcomes) -> None:
        """Who has read it then rests on it."""
        a, b = story.member(dag("a", "t"), ran("t", (0, 10))), story.member(dag("b", "t"), ran("t", (5, 6), (20, 21)))
        story.link(a, b)
        started = read if kind == "asset" else (1, read[0])
        story.link(b, story.member(dag("c", "t"), ran("t", started)), kind, into=None if kind == "asset" else "t")
        assert [one for one in story.outcomes() if one[1] != "rests_on_unproven"] == found

    def test_through_several(self, story: Story) -> None:
        """``z`` has read the first ``y``, and that the first ``x``."""
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        x, y, z = ran("x", (5, 6), (20, 21)), ran("y", (7, 8), (22, 23)), ran("z", (9, 10))
        story.link(a, story.member(dag("b", "x >> y >> z"), x, y, z))
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.t")]

    def test_the_order_in_its_run(self, story: Story) -> None:
        """The first ``y`` began before ``x`` had ended; ``z`` has read what it made."""
        x, y, z = ran("x", (0, 10)), ran("y", (5, 6), (20, 21)), ran("z", (12, 13))
        story.member(dag("b", "x >> y >> z"), x, y, z)
        assert story.outcomes() == [("violation", "began_too_early", "b.y", "b.x")]

    def test_nobody_is_asked_of_what_was_there_before_the_rerun(self, story: Story) -> None:
        a = story.member(dag("a", "t"), ran("t", (0, 10)))
        story.link(a, story.member(dag("b", "x >> y"), ran("x", (20, 21), (25, 26)), ran("y"), selected=["x"]))
        assert [one for one in story.outcomes() if one[1] == "read_too_early"] == []


class TestAMemberThatWasSkipped:
    """What it doesn't list had been made anew: whoever has read it before that has read what is wrong."""

    def skipped(self, story: Story, **more: object) -> tuple[RunRef, RunRef]:
        a = story.member(dag("a", "t; u"), ran("t", (10, 20)), ran("u"), state="skipped", **more)
        b = story.member(dag("b", "x >> y"), ran("x", (5, 6)), ran("y", (7, 8)))
        story.link(a, b)
        return a, b

    def test_a_read_before_that(self, story: Story) -> None:
        self.skipped(story, listed={("u", None): "bob"})
        assert story.outcomes() == [("violation", "read_too_early", "b", "a.t")]

    @pytest.mark.parametrize("index", [None, -1])
    def test_what_it_lists_was_accepted_as_it_is(self, story: Story, index: int | None) -> None:
        self.skipped(story, listed={("t", index): "bob", ("u", None): "bob"})
        assert story.outcomes() == []

    @pytest.mark.parametrize(("told", "outcome"), [("x", "violation"), ("y", "violation"), ("xy", "accepted")])
    def test_a_reader_of_which_all_is_told(self, story: Story, told: str, outcome: str) -> None:
        _, b = self.skipped(story, listed={("u", None): "bob"})
        story.told += [Told("rebuilt_on_polluted", b, task_id, "ada") for task_id in told]
        assert story.outcomes() == [(outcome, "read_too_early", "b", "a.t")]

    @pytest.mark.parametrize(
        ("state", "found"), [("skipped", [("not_provable", "clocks_differ", "b", "a.t")]), ("succeeded", [])]
    )
    def test_that_it_was_right_once_settles_nothing(self, story: Story, state: str, found: Outcomes) -> None:
        """Between two clocks our own events tell the order, unless it has run once more since it was right."""
        tries = ran("t", (0, 2), (10, 40), host="other")
        a = story.member(dag("a", "t"), tries, state=state, succeeded=at(3))
        story.link(a, story.member(dag("b", "t"), ran("t", (12, 60)), dispatched=at(4)))
        assert story.outcomes() == found
