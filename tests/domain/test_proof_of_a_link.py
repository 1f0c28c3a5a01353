"""One link between two members whose tasks have run several times: what the proof says of it, against what was so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.proof import Finding, Outcome, ProofReason, TaskTries, Try
from tests.domain.proofs import BEFORE, Story, at, dag

SKEW = 14
"""How far a host's clock is off at most: two are less than 30 s apart."""


@dataclass(frozen=True)
class Run:
    """A try in truth, in seconds; ``end`` None: it goes on."""

    start: int
    end: int | None
    state: str
    host: int

    def seen(self, skews: list[int]) -> Try:
        """As Airflow's rows tell it."""
        end = None if self.end is None else at(self.end + skews[self.host])
        return Try(self.state, at(self.start + skews[self.host]), end, f"h{self.host}")


@dataclass(frozen=True)
class Case:
    """A link; ``out`` and ``into`` name the tasks that it joins, None: all.

    ``let_go``: somebody skipped the writer, and accepted what wasn't made anew of it.
    """

    writers: dict[str, list[Run]]
    readers: dict[str, list[Run]]
    kind: str
    out: str | None
    into: str | None
    let_go: bool

    def written(self) -> list[str]:
        return [task_id for task_id in self.writers if self.out in (None, task_id)]

    def reads(self) -> dict[str, int]:
        """When each task that reads, and was made anew, did so."""
        return {
            task_id: runs[-1].end if self.kind == "sensor" else runs[-1].start
            for task_id, runs in self.readers.items()
            if runs and self.into in (None, task_id)
        }

    def wrong(self, task_id: str, read: int) -> bool:
        """Whether a read didn't find what the rerun had made, whole."""
        runs = self.writers[task_id]
        meanwhile = [run.start <= read and (run.end is None or read < run.end) for run in runs]
        if self.let_go and (task_id in self.listed() or all(run.state != "success" for run in runs)):
            return any(meanwhile)
        if not runs:
            return False
        good = next((n for n, run in enumerate(runs) if run.state == "success"), len(runs) - 1)
        end = runs[good].end
        return end is None or read < end or any(meanwhile[good + 1 :])

    def listed(self) -> set[str]:
        """The tasks that a skip names."""
        return {task_id for task_id, runs in self.writers.items() if not runs or runs[-1].state != "success"}

    def wrong_pairs(self) -> set[tuple[str, str]]:
        return {(one, two) for one in self.written() for two, read in self.reads().items() if self.wrong(one, read)}

    def findings(self, skews: list[int]) -> list[Finding]:
        """What the proof finds about the link."""
        story = Story()
        state = "skipped" if self.let_go else "succeeded"
        listed = {(task_id, None): "bob" for task_id in self.listed()} if self.let_go else {}
        refs = [
            story.member(
                dag(name, ";".join(tasks)), *(tries(*each, skews) for each in tasks.items()), state=word, listed=what
            )
            for name, tasks, word, what in (("a", self.writers, state, listed), ("b", self.readers, "succeeded", {}))
        ]
        story.link(*refs, self.kind, out=self.out, into=self.into)
        about = (ProofReason.READ_TOO_EARLY, ProofReason.CLOCKS_DIFFER, ProofReason.NO_RECORD)
        return [one for one in story.proof().findings if one.reason in about]


def tries(task_id: str, runs: list[Run], skews: list[int]) -> TaskTries:
    old = Try("success", at(BEFORE), at(BEFORE + 1), "h0")
    state = runs[-1].state if runs else "success"
    return TaskTries(task_id, -1, state, (old, *(run.seen(skews) for run in runs)), held=True)


@st.composite
def histories(draw: st.DrawFn, most: int, *, ends_well: bool = False) -> list[Run]:
    """The tries of a task, one after the other."""
    moments = sorted(draw(st.lists(st.integers(40, 200), min_size=0, max_size=2 * most, unique=True)))
    found = []
    for start, end in zip(moments[::2], moments[1::2], strict=False):
        state = "success" if ends_well else draw(st.sampled_from(["success", "success", "failed"]))
        found.append(Run(start, end, state, draw(st.integers(0, 1))))
    if found and not ends_well and draw(st.integers(0, 5)) == 0:
        found[-1] = replace(found[-1], end=None, state="running")
    return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    writers = {f"w{n}": draw(histories(3)) for n in range(draw(st.integers(1, 3)))}
    readers = {f"r{n}": draw(histories(1, ends_well=True)) for n in range(draw(st.integers(1, 3)))}
    kind = draw(st.sampled_from(["asset", "inlet", "sensor"]))
    out, into = draw(st.sampled_from([None, "w0"])), None if kind == "asset" else "r0"
    return Case(writers, readers, kind, out, into, draw(st.integers(0, 3)) == 0)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_with_one_clock_it_says_what_was_so(case: Case) -> None:
    """Of all that is wrong it names a writer, when that had ended, and a read that came too early for it."""
    same = [0, 0]
    alike = replace(
        case,
        writers={task_id: [replace(run, host=0) for run in runs] for task_id, runs in case.writers.items()},
        readers={task_id: [replace(run, host=0) for run in runs] for task_id, runs in case.readers.items()},
    )
    found, wrong = alike.findings(same), alike.wrong_pairs()
    event("wrong" if wrong else "right")
    assert len(found) == bool(wrong)
    for one in found:
        assert (one.outcome, one.reason) == (Outcome.VIOLATION, ProofReason.READ_TOO_EARLY)
        assert one.writer is not None
        assert (one.writer.ref.dag_id, one.reader.ref.dag_id, one.reader.task_id) == ("a", "b", case.into)
        too_early = {two: alike.reads()[two] for writer, two in wrong if writer == one.writer.task_id}
        assert one.read in {at(read) for read in too_early.values()}
        runs = alike.writers[one.writer.task_id or ""]
        assert one.written == (None if runs[-1].end is None else at(runs[-1].end))


@settings(max_examples=200, deadline=None)
@given(cases(), st.lists(st.integers(-SKEW, SKEW), min_size=2, max_size=2))
def test_with_two_clocks_it_never_says_what_is_not_so(case: Case, skews: list[int]) -> None:
    """What it calls a violation was one, of the task that it names; and what was one it doesn't pass over."""
    found, wrong = case.findings(skews), case.wrong_pairs()
    assert len(found) <= 1
    assert bool(found) >= bool(wrong)
    for one in found:
        assert (one.outcome is Outcome.VIOLATION) == (one.reason is ProofReason.READ_TOO_EARLY)
        if one.outcome is Outcome.VIOLATION:
            assert one.writer is not None
            assert one.writer.task_id in {writer for writer, _ in wrong}
