"""Another run in a member's place: one that it had, or that a task made for it while its own ran."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.proof import RunTries
from airflow_rerun_downstream.domain.refs import RunRef
from tests.domain.proofs import Story, dag, ran

OTHER = RunRef("child", "other")
AT_ONCE = [("violation", "began_too_early", "child", "child")]
NOT_TOLD = [("not_provable", "clocks_differ", "child", "child")]


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([], []),
        ([(0, 100)], []),
        ([(0, 101)], AT_ONCE),
        ([(0, 300)], AT_ONCE),
        ([(120, 130)], AT_ONCE),
        ([(150, None)], AT_ONCE),
        ([(200, 300)], []),
        ([(0, 50), (120, 130)], AT_ONCE),
        ([(0, 50), (300, 310)], []),
    ],
)
def test_it_was_over_before_or_came_later(
    story: Story, spans: list[tuple[float, float | None]], found: list[tuple[str, ...]]
) -> None:
    """What is there now was made from 100 on, until 200: what was there in between doesn't matter."""
    member = story.member(dag("child", "a >> b"), ran("a", (0, 10), (100, 140)), ran("b", (20, 30), (150, 200)))
    story.beside[member] = {OTHER: RunTries(1, (ran("a"), ran("b", *spans)))}
    assert story.outcomes() == found


@pytest.mark.parametrize(
    ("span", "found"), [((0, 60), []), ((0, 90), NOT_TOLD), ((0, 140), AT_ONCE), ((220, 300), NOT_TOLD)]
)
def test_the_clocks_of_two_hosts(story: Story, span: tuple[float, float], found: list[tuple[str, ...]]) -> None:
    member = story.member(dag("child", "a"), ran("a", (100, 200)))
    story.beside[member] = {OTHER: RunTries(1, (ran("a", span, host="other"),))}
    assert story.outcomes() == found


def test_who_has_read_from_it_rests_on_it(story: Story) -> None:
    child = story.member(dag("child", "t"), ran("t", (100, 200)))
    story.link(child, story.member(dag("leaf", "t"), ran("t", (300, 310))))
    story.beside[child] = {OTHER: RunTries(1, (ran("t", (150, 250)),))}
    assert story.outcomes() == [*AT_ONCE, ("violation", "rests_on_unproven", "leaf", "child")]


def test_it_matters_only_to_what_was_made_anew(story: Story) -> None:
    """A member that somebody skipped is let go as it is."""
    member = story.member(dag("child", "t"), ran("t", (100, 200)), state="skipped")
    story.beside[member] = {OTHER: RunTries(1, (ran("t", (150, 250)),))}
    assert story.outcomes() == []
