"""The loop: it goes on over errors, hears a wake-up, and gives the lease up at its end."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from airflow_rerun_downstream.conductor import loop
from airflow_rerun_downstream.conductor.tick import TickReport
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.ports.metrics import ErrorKind
from dev.waiting import wait_until
from tests.fakes.house import ADA, House
from tests.fakes.telemetry import FakeTelemetry


class Asked:
    """An event that writes down for how long it was waited."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.cleared = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(-1.0 if timeout is None else timeout)
        return False

    def clear(self) -> None:
        self.cleared += 1


BUSY, ACTIVE, LOST = TickReport(True, 3, 2), TickReport(True, 3), TickReport(False, steps=2)


@pytest.mark.parametrize(
    ("report", "poll", "spent", "idle", "seconds"),
    [
        pytest.param(None, 1, 0, True, 5, id="an error"),
        pytest.param(TickReport(False), 1, 2, True, 5, id="another one leads"),
        pytest.param(LOST, 1, 0, True, 5, id="another one took over"),
        pytest.param(TickReport(True), 1, 2, True, 5, id="nothing is active"),
        pytest.param(TickReport(True), 60, 0, True, 60, id="nothing is active, and it looks seldom"),
        pytest.param(ACTIVE, 1, 0.25, False, 0.75, id="the interval counts from the tick's beginning"),
        pytest.param(ACTIVE, 60, 0, False, 60, id="active, and it looks seldom"),
        pytest.param(BUSY, 1, 0.25, False, 0.25, id="something has happened"),
        pytest.param(ACTIVE, 1, 3, False, 0.05, id="a tick longer than the interval"),
        pytest.param(BUSY, 1, 0.48, False, 0.05, id="a tick about as long as half of it"),
    ],
)
def test_how_long_it_waits(report: TickReport | None, poll: int, spent: float, idle: bool, seconds: float) -> None:
    """An idle conductor waits to be woken, one at work only to be stopped."""
    conductor = Scripted()
    conductor.settings = replace(conductor.settings, poll_interval=timedelta(seconds=poll))
    stop, wake = Asked(), Asked()
    loop.pause(conductor, report, stop, wake, spent=spent)  # type: ignore[arg-type]
    assert (wake.waits, stop.waits) == (([seconds], []) if idle else ([], [pytest.approx(seconds)]))
    assert (wake.cleared, stop.cleared) == (1, 0)


class Scripted:
    """A conductor whose ticks are told beforehand; the last one stops the loop."""

    def __init__(self, *ticks: TickReport | Exception) -> None:
        self.settings = House().settings
        self.telemetry = FakeTelemetry()
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


def test_errors_are_logged_when_they_begin_and_when_they_end() -> None:
    away = ConnectionError("the database is away")
    conductor = Scripted(away, away, TickReport(leading=False), TickReport(leading=False))
    conductor.run()
    assert conductor.telemetry.lines == [
        ("tick_failed", {"detail": "ConnectionError: the database is away"}),
        ("conductor_works_again", {}),
    ]
    assert conductor.telemetry.tracebacks == [away]
    assert conductor.telemetry.errors == {ErrorKind.TICK: 2}
    assert conductor.resigned


def test_a_lease_that_cannot_be_given_up_does_not_hold_up_the_end(mocker: object) -> None:
    conductor = Scripted(TickReport(leading=True))
    mocker.patch.object(conductor, "resign", side_effect=ConnectionError("away"))  # type: ignore[attr-defined]
    conductor.run()
    assert conductor.telemetry.lines == [("lease_not_released", {"detail": "away"})]


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


def test_what_a_tick_takes_is_taken_off_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10.0, 10.25, 20.0, 20.5])
    told: list[float] = []
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    monkeypatch.setattr(loop, "pause", lambda *_, spent: told.append(spent))
    Scripted(ACTIVE, ACTIVE).run()
    assert told == [0.25, 0.5]
