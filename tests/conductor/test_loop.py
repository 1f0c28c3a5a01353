"""The loop: it goes on over errors, hears a wake-up, and gives the lease up at its end."""

from __future__ import annotations

import logging
import threading

import pytest

from airflow_rerun_downstream.conductor import loop
from airflow_rerun_downstream.conductor.tick import TickReport
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun import RerunRequest
from dev.waiting import wait_until
from tests.fakes.house import ADA, House


class Scripted:
    """A conductor whose ticks are told beforehand; the last one stops the loop."""

    def __init__(self, *ticks: TickReport | Exception) -> None:
        self.settings = House().settings
        self.ticks = list(ticks)
        self.stop, self.wake = threading.Event(), threading.Event()
        self.resigned = False

    def tick(self) -> TickReport:
        self.wake.set()
        found = self.ticks.pop(0)
        if not self.ticks:
            self.stop.set()
        if isinstance(found, Exception):
            raise found
        return found

    def resign(self) -> None:
        self.resigned = True

    def run(self) -> None:
        loop.run(self, self.stop, self.wake)  # type: ignore[arg-type]


def test_errors_are_logged_when_they_begin_and_when_they_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    away = ConnectionError("the database is away")
    conductor = Scripted(away, away, TickReport(leading=False), TickReport(leading=False))
    conductor.run()
    assert [record.message for record in caplog.records] == [
        "The conductor can't work: ConnectionError: the database is away",
        "The conductor works again",
    ]
    assert conductor.resigned


def test_a_lease_that_cannot_be_given_up_does_not_hold_up_the_end(
    mocker: object, caplog: pytest.LogCaptureFixture
) -> None:
    conductor = Scripted(TickReport(leading=True))
    mocker.patch.object(conductor, "resign", side_effect=ConnectionError("away"))  # type: ignore[attr-defined]
    conductor.run()
    assert "could not release its lease" in caplog.text


def test_an_idle_conductor_looks_at_once_when_it_is_woken() -> None:
    house = House()
    stop, wake = threading.Event(), threading.Event()
    thread = threading.Thread(target=loop.run, args=(house.conductor, stop, wake))
    thread.start()
    try:
        wait_until(lambda: house.unit_of_work.lease.read() is not None, 5, "the first tick")
        source = house.world.run("a")
        house.service.submit(ADA, RerunRequest(PlanRequest(source)))
        wake.set()
        wait_until(lambda: source in house.world.dispatches, 3, "the dispatch")
    finally:
        stop.set()
        wake.set()
        thread.join(10)
    assert not thread.is_alive()
