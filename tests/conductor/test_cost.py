"""What a step of the conductor reads doesn't grow with the rerun: a rerun of ten thousand has ten thousand steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest, RerunSettings
from airflow_rerun_downstream.ports.work import Work
from tests.fakes.house import ADA, House

NOT_A_STEP = ("active", "get")
"""A tick reads all members once, whatever it does then."""


class Counting:
    """A store that counts the calls, and the rows that they answer."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.calls = self.rows = 0

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.store, name)

        def count(*args: Any, **more: Any) -> Any:
            answer = asked(*args, **more)
            if name not in NOT_A_STEP:
                self.calls += 1
                self.rows += len(answer) if hasattr(answer, "__len__") else 1
            return answer

        return count


class Wide:
    """A source, and below it pairs of a Dag and its reader: that many of them."""

    def __init__(self, pairs: int) -> None:
        self.house = House()
        world = self.house.world
        source = world.run("source")
        self.pairs = []
        for number in range(pairs):
            world.dag(f"middle_{number}", "t; beside")
            middle, end = world.run(f"middle_{number}"), world.run(f"end_{number}")
            world.consumed(source, "t", by=middle, asset="a")
            world.consumed(middle, "t", by=end, asset=f"of {number}")
            self.pairs.append((middle, end))
        settings = RerunSettings(max_active_members=2 * pairs)
        self.rerun = self.house.service.submit(ADA, RerunRequest(PlanRequest(source), settings=settings)).rerun.id
        self.house.tick()
        world.finish(source, at=self.house.clock.now())
        self.house.tick()
        self.counting = Counting(self.house.store)

    @contextmanager
    def counted(self) -> Iterator[Counting]:
        """Counts what the conductor asks the store meanwhile."""
        really, before = self.house.unit_of_work, (self.counting.calls, self.counting.rows)

        @contextmanager
        def counting() -> Iterator[Work]:
            with really() as work:
                yield replace(work, store=self.counting)

        conductor: Any = self.house.conductor
        conductor.unit_of_work = conductor.performer.unit_of_work = counting
        found = Counting(None)
        try:
            yield found
        finally:
            conductor.unit_of_work = conductor.performer.unit_of_work = really
            found.calls, found.rows = self.counting.calls - before[0], self.counting.rows - before[1]

    def end(self, middle_ends: str) -> tuple[int, int]:
        """All middle ones end in some way, and then their readers; what it takes for the last pair but one.

        With the last one the rerun ends, for which all members are read once more.
        """
        costs = []
        for middle, end in self.pairs:
            with self.counted() as found:
                self.finish_middle(middle, middle_ends)
                self.house.tick()
                self.house.tick()
                self.house.world.finish(end, at=self.house.clock.now())
                self.house.tick()
                self.house.tick()
            costs.append((found.calls, found.rows))
        assert self.house.service.rerun(ADA, self.rerun).rerun.state.value == "succeeded"
        return costs[-2]

    def finish_middle(self, middle: Any, how: str) -> None:
        world, now = self.house.world, self.house.clock.now()
        if how == "skips a task":
            world.finish(middle, at=now, only={"t"})
            world.finish(middle, "skipped", at=now)
            world.set_run(middle, state="success")
        elif how == "is marked":
            world.finish(middle, "failed", at=now)
            world.mark_tasks(middle, "success", only={"t", "beside"}, by="bob")
        else:
            world.finish(middle, at=now)

    @property
    def named(self) -> set[str]:
        """Why members count without having been made anew."""
        return {what.reason for _, what in self.house.store.not_made_anew(self.rerun)}


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ("succeeds", set()),
        ("is marked", {"marked_success", "rebuilt_on_polluted"}),
        ("skips a task", {"tasks_skipped"}),
    ],
)
def test_what_a_member_reads_does_not_grow_with_the_others(how: str, named: set[str]) -> None:
    few, many = Wide(4), Wide(40)
    assert few.end(how) == many.end(how)
    assert few.named == many.named == named
