"""How long tasks have taken, from when they began and ended in earlier runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from airflow_rerun_downstream.domain.durations import MOST, Past, PastRun, TaskSpan, past_of, times

DAY = datetime(2026, 11, 1, tzinfo=timezone.utc)


def at(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


def span(task_id: str, start: float, end: float, *, clears: int = 0, **more: bool) -> TaskSpan:
    """A task that ran from one minute to another."""
    return TaskSpan(task_id, clears, at(start), at(end), **{"done": True, **more})


def uncleared(*spans: TaskSpan) -> PastRun:
    return PastRun(at(0), False, spans)


def minutes(*runs: PastRun, tasks: str = "t u") -> list[float]:
    return [found / 60 for found in times(runs, frozenset(tasks.split()))]


class TestTimes:
    def test_from_the_first_start_to_the_last_end(self):
        assert minutes(uncleared(span("t", 1, 5), span("u", 7, 20))) == [19]

    def test_only_of_the_tasks_that_are_asked_for(self):
        assert minutes(uncleared(span("t", 1, 5), span("u", 7, 20)), tasks="u") == [13]

    def test_a_run_that_has_not_all_of_the_tasks_says_nothing(self):
        assert minutes(uncleared(span("t", 1, 5))) == []

    def test_nor_does_one_in_which_a_task_has_not_succeeded(self):
        assert minutes(uncleared(span("t", 1, 5), span("u", 7, 20, done=False))) == []

    def test_a_task_that_was_skipped_takes_no_time(self):
        assert minutes(uncleared(span("t", 1, 5), TaskSpan("u", 0, None, None, True))) == [4]

    def test_a_run_in_which_nothing_ran_says_nothing(self):
        never = [TaskSpan(name, 0, None, None, True) for name in "tu"]
        assert minutes(uncleared(*never)) == []

    def test_time_in_which_only_sensors_wait_does_not_count(self):
        waits = span("t", 0, 60, waits=True)
        assert minutes(uncleared(waits, span("u", 61, 65))) == [5]
        assert minutes(uncleared(waits, span("u", 50, 65))) == [15]

    def test_times_are_the_latest_runs_and_no_more_than_ten(self):
        runs = [uncleared(span("t", 0, length)) for length in range(1, 15)]
        assert minutes(*runs, tasks="t") == list(range(1, MOST + 1))

    def test_what_was_cleared_later_is_timed_as_it_first_ran(self):
        run = PastRun(at(900), True, (span("t", 1, 5, present=True), first := span("u", 6, 9, present=False), again()))
        assert first.clears < again().clears
        assert minutes(run) == [8]

    def test_and_as_it_ran_again_where_all_of_it_did(self):
        assert minutes(rerun_of(3)) == [3, 8]

    def test_that_counts_alone_where_there_is_enough_of_it(self):
        runs = [rerun_of(length) for length in (3, 4, 5)]
        assert minutes(*runs[:2]) == [3, 4, 8, 8]
        assert minutes(*runs) == [3, 4, 5]

    def test_a_first_try_that_failed_before_the_clear_is_no_time(self):
        failed = span("u", 6, 9, present=False, done=False)
        assert minutes(PastRun(at(900), True, (span("t", 1, 5), failed, again()))) == []

    def test_a_run_that_was_cleared_while_it_went_on_counts_from_its_beginning(self):
        run = PastRun(at(0), True, (span("t", 1, 5), span("u", 6, 7, present=False), span("u", 8, 15, clears=1)))
        assert minutes(run) == [14, 6]


def again() -> TaskSpan:
    return span("u", 901, 950, clears=1)


def rerun_of(length: float) -> PastRun:
    """A run of which all was cleared, and then took so many minutes."""
    first = (span("t", 1, 5, present=False), span("u", 6, 9, present=False))
    return PastRun(at(900), True, (*first, span("t", 901, 902, clears=1), span("u", 902, 901 + length, clears=1)))


class TestPast:
    def test_of_nothing_there_is_none(self):
        assert past_of([]) is None

    def test_what_is_usual_is_the_mean(self):
        assert Past((1.0, 2.0, 6.0)).usual == 3

    def test_without_the_extremes_where_enough_is_known(self):
        assert past_of([2.0, 900.0, 3.0, 4.0, 0.0]).usual == 3

    def test_how_far_times_differ_takes_three(self):
        assert Past((1.0, 9.0)).spread is None
        assert Past((1.0, 2.0, 3.0)).spread == 1

    def test_what_is_left_at_first_is_what_is_usual(self):
        assert Past((10.0, 20.0, 30.0)).left(4) == 16

    def test_later_it_is_as_of_those_that_lasted_longer(self):
        past = Past((10.0, 20.0, 30.0))
        assert [past.left(10), past.left(15), past.left(25)] == [15, 10, 5]

    @pytest.mark.parametrize("elapsed", [30, 31, 100, 10_000])
    def test_what_lasts_longer_than_ever_never_has_nothing_left(self, elapsed):
        assert Past((10.0, 20.0, 30.0)).left(elapsed) == max(10, elapsed / 10)
        assert Past((30.0,)).left(elapsed) == elapsed / 10

    def test_longer_than_ever_and_much_longer(self):
        past = Past((10.0, 100.0))
        assert [past.overdue(seconds) for seconds in (100, 130, 131)] == [False, False, True]
        assert [past.much_overdue(seconds) for seconds in (131, 230, 231)] == [False, False, True]
