"""What a unit of work promises: all of a transaction, or nothing of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.contracts.conftest import Installation

LASTS = timedelta(seconds=30)


def leads(installed: Installation, owner: str) -> bool:
    """Whether somebody gets the lease."""
    with installed.unit_of_work() as work:
        return work.lease.acquire(owner=owner, lasts=LASTS).number is not None


class TestUnitOfWork:
    def test_leaving_it_commits(self, installed: Installation) -> None:
        assert leads(installed, "one")
        assert not leads(installed, "two")

    def test_an_exception_goes_on_and_takes_everything_back(self, installed: Installation) -> None:
        self.fails(installed, ZeroDivisionError)

    def test_so_does_the_end_of_the_process(self, installed: Installation) -> None:
        self.fails(installed, SystemExit)

    def fails(self, installed: Installation, error: type[BaseException]) -> None:
        def half() -> None:
            with installed.unit_of_work() as work:
                assert work.lease.acquire(owner="one", lasts=LASTS).number is not None
                raise error

        with pytest.raises(error):
            half()
        assert leads(installed, "two")

    def test_the_ports_of_one_transaction_see_what_it_has_done(self, installed: Installation) -> None:
        with installed.unit_of_work() as work:
            first = work.lease.acquire(owner="one", lasts=LASTS)
            assert first.number is not None
            assert work.lease.confirm(owner="one", number=first.number, lasts=LASTS)
            assert work.store.all_active_runs() == {}

    def test_what_is_left_for_afterwards_is_done_when_it_is_committed(self, installed: Installation) -> None:
        told: list[str] = []
        with installed.unit_of_work() as work:
            work.afterwards.append(lambda: told.append("one" if leads(installed, "two") else "nobody has committed"))
            work.afterwards.append(lambda: 1 // 0)  # type: ignore[arg-type, return-value]
            work.afterwards.append(lambda: told.append("two"))
            assert work.lease.acquire(owner="two", lasts=LASTS).number is not None
            assert told == []
        assert told == ["one", "two"]

    def test_it_is_not_done_where_nothing_is_committed(self, installed: Installation) -> None:
        told: list[str] = []

        def fails() -> None:
            with installed.unit_of_work() as work:
                work.afterwards.append(lambda: told.append("lost"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fails()
        assert told == []
