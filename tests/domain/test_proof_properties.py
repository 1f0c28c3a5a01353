"""Random runs, with a history that is known: the proof finds what was out of order, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.proof import Outcome
from tests.domain.proofs import Story, dag, ran, word

SKEW = 14
"""How far a host's clock is off at most: two are less than 30 s apart."""

Key = tuple[int, int]


@dataclass
class History:
    """Runs of one chain of Dags with tasks in some order, and when each task began and ended in truth."""

    orders: list[set[tuple[int, int]]]
    spans: dict[Key, tuple[int, int]]
    links: set[tuple[Key, Key]]
    hosts: dict[Key, int]
    skews: list[int]

    def too_early(self) -> set[tuple[Key, Key]]:
        """Each task that began before another one had ended for which it waits, or from which it reads."""
        pairs = {((run, one), (run, two)) for run, order in enumerate(self.orders) for one, two in order} | self.links
        return {(two, one) for one, two in pairs if self.spans[two][0] < self.spans[one][1]}

    def story(self, skews: list[int]) -> Story:
        """As Airflow's rows tell it."""
        story, refs = Story(), []
        for run, order in enumerate(self.orders):
            ids = sorted(number for place, number in self.spans if place == run)
            chains = [f"t{one} >> t{two}" for one, two in sorted(order)] + [f"t{number}" for number in ids]
            tasks = []
            for number in ids:
                host = self.hosts[run, number]
                begin, end = (moment + skews[host] for moment in self.spans[run, number])
                tasks.append(ran(f"t{number}", (begin, end), host=f"h{host}"))
            refs.append(story.member(dag(f"d{run}", "; ".join(chains)), *tasks))
        for (one, out), (two, into) in sorted(self.links):
            story.link(refs[one], refs[two], "inlet", out=f"t{out}", into=f"t{into}")
        return story


@st.composite
def histories(draw: st.DrawFn) -> History:
    count = draw(st.integers(1, 3))
    sizes = [draw(st.integers(1, 4)) for _ in range(count)]
    orders = []
    for size in sizes:
        pairs = draw(st.sets(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=4))
        orders.append({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    keys = [(run, number) for run, size in enumerate(sizes) for number in range(size)]
    moments = st.integers(0, 120)
    spans = {key: tuple(sorted((draw(moments), draw(moments)))) for key in keys}
    across = [(one, two) for one in keys for two in keys if one[0] < two[0]]
    links = draw(st.sets(st.sampled_from(across), max_size=4)) if across else set()
    hosts = {key: draw(st.integers(0, 1)) for key in keys}
    return History(orders, spans, links, hosts, [draw(st.integers(-SKEW, SKEW)) for _ in range(2)])


def found(story: Story, outcome: Outcome) -> set[tuple[str, str]]:
    """The pairs of which a proof says so, reader first."""
    return {
        (word(one.reader), word(one.writer))
        for one in story.proof().findings
        if one.outcome is outcome and one.writer is not None and one.reason != "rests_on_unproven"
    }


def named(pairs: set[tuple[Key, Key]]) -> set[tuple[str, str]]:
    return {(f"d{two[0]}.t{two[1]}", f"d{one[0]}.t{one[1]}") for two, one in pairs}


@settings(max_examples=300, deadline=None)
@given(histories())
def test_with_one_clock_it_finds_exactly_what_was_out_of_order(history: History) -> None:
    same = replace(history, hosts=dict.fromkeys(history.hosts, 0))
    story = same.story([0])
    event("out of order" if same.too_early() else "in order")
    assert found(story, Outcome.VIOLATION) == named(same.too_early())
    assert found(story, Outcome.NOT_PROVABLE) == set()


@settings(max_examples=300, deadline=None)
@given(histories())
def test_with_two_clocks_it_never_says_what_is_not_so(history: History) -> None:
    """What it calls a violation was one; and what was one it doesn't call proven."""
    story, wrong = history.story(history.skews), named(history.too_early())
    violations, open_ones = found(story, Outcome.VIOLATION), found(story, Outcome.NOT_PROVABLE)
    assert violations <= wrong
    assert wrong <= violations | open_ones
