"""The check over many random reruns, for the tests that run it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.reruns.making import ACTS
from tests.reruns.playing import Result, played
from tests.reruns.switches import Switch, without_the_proof

SEEDS = "RERUNS_SEEDS"
"""The environment variable that chooses seeds (such as ``1000-1300``)."""

AT_ONCE = 250
"""How many examples one process plays before it tells what came of them."""


@dataclass
class Sweep:
    """What came of many examples. ``wrong``: the faults by seed."""

    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        """Count an example."""
        example = result.play.example
        self.kinds.update([example.kind, *(kind for kind, count in example.kinds.items() if count)])
        self.kinds["source tasks that are named"] += example.chooses_source_tasks
        self.kinds["runs that are left out"] += example.leaves_out
        self.outcomes[result.outcome] += 1
        self.outcomes["failed for a while as not proven"] += result.not_proven
        self.acts.update(act for act, count in result.play.did.items() if count)
        if result.faults:
            self.wrong[example.seed] = result.faults

    def merge(self, other: Sweep) -> None:
        """Count what another process has played."""
        for mine, more in ((self.kinds, other.kinds), (self.outcomes, other.outcomes), (self.acts, other.acts)):
            mine.update(more)
        self.wrong.update(other.wrong)

    def table(self) -> str:
        """How many examples had each kind, came to each end, and saw each act."""
        lines = []
        for name, some in (("kinds", self.kinds), ("ends", self.outcomes), ("acts", self.acts)):
            lines += [f"  {name}:", *(f"  {count:7}  {word}" for word, count in some.most_common())]
        return "\n".join(lines)

    def missing(self, least: int) -> list[str]:
        """The kinds and acts of which there were fewer examples than so many."""
        every = ["time out", "release", "change a Dag", *(act for act, _ in ACTS), *KINDS]
        return [one for one in every if self.kinds[one] + self.acts[one] < least]


KINDS = (
    *("calm", "failures", "hands", "two hosts", "a Dag has changed", "versioned bundle", "mapped", "mapped group"),
    *("branch", "empty", "setup and teardown", "sensor", "trigger", "assets", "waiting trigger"),
    *("trigger makes new run", "trigger makes one run", "trigger makes reset run", "one_success", "all_done"),
    *("none_failed", "none_failed_min_one_success", "always", "one_done", "all_done_min_one_success"),
    *("source tasks that are named", "runs that are left out", "fails fast", "frozen run"),
)


def seeds_of(usual: range) -> range:
    """The seeds that somebody has asked for, or the usual ones."""
    first, _, last = os.environ.get(SEEDS, "").partition("-")
    return range(int(first), int(last)) if first else usual


def sweep(seeds: Sequence[int]) -> Sweep:
    """Play and judge examples one after the other."""
    found = Sweep()
    for seed in seeds:
        found.add(played(str(seed)))
    return found


def parts(seeds: Sequence[int]) -> Iterator[Sequence[int]]:
    """The seeds in groups."""
    for start in range(0, len(seeds), AT_ONCE):
        yield seeds[start : start + AT_ONCE]


def holds(seeds: Sequence[int], *, least: int, processes: int = 2) -> None:
    """Print what there was, and fail with what is wrong. ``least``: how many examples each kind must have."""
    found = Sweep()
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(sweep, parts(seeds)):
            found.merge(part)
    print(f"\n{len(seeds)} random reruns, seeds {seeds[0]} to {seeds[-1]}:\n{found.table()}")
    told = [f"python -m tests.reruns {seed}: {faults[0]}" for seed, faults in sorted(found.wrong.items())]
    assert not told, f"{len(told)} of {len(seeds)} examples\n" + "\n".join(told[:20])
    assert found.missing(least) == []


def noticed(rule: int, switch: Switch, seeds: Sequence[int]) -> int | None:
    """The first seed that shows that a rule is off, with the proof off as well."""
    with pytest.MonkeyPatch.context() as patch:
        without_the_proof(patch)
        switch(patch)
        for number, seed in enumerate(seeds, 1):
            if faults := played(str(seed)).faults:
                print(f"\nRule {rule} off. {switch.__doc__} Noticed by example {number}, seed {seed}: {faults[0]}")
                return seed
    return None
