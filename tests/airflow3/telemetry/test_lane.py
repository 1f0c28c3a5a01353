"""A lane does calls in their order, drops what doesn't fit, and holds nobody up."""

from __future__ import annotations

import os
import threading
import time

import pytest

from airflow_rerun_downstream.airflow3.telemetry import lane as lanes
from airflow_rerun_downstream.airflow3.telemetry.lane import Lane


def test_calls_are_done_in_their_order() -> None:
    lane, done = Lane("test-order"), list[int]()
    for number in range(100):
        lane.put(lambda number=number: done.append(number))  # type: ignore[misc]
    lane.drain(5)
    assert done == list(range(100))


def test_what_does_not_fit_is_dropped_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    lane, gate, done = Lane("test-full", most=10), threading.Event(), list[int]()
    lane.put(lambda: bool(gate.wait(10)))
    began = time.monotonic()
    for number in range(1_000):
        lane.put(lambda number=number: done.append(number))  # type: ignore[misc]
    assert time.monotonic() - began < 1
    gate.set()
    lane.drain(5)
    assert 9 <= len(done) <= 10, "the first one waits, or is being done"
    assert lane.dropped == 1_000 - len(done)
    assert [one.message for one in caplog.records] == ["test-full can't keep up: what doesn't fit is dropped"]


def test_an_error_is_logged_once_and_the_next_call_is_done(caplog: pytest.LogCaptureFixture) -> None:
    lane, done = Lane("test-error"), list[int]()

    def broken() -> None:
        raise OSError("away")

    for _ in range(2):
        lane.put(broken)
    lane.put(lambda: done.append(1))
    lane.drain(5)
    assert done == [1]
    assert len(caplog.records) == 1


def test_a_lane_whose_calls_fail_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "REST", 0.2)
    lane, tried = Lane("test-rest"), list[int]()

    def broken() -> None:
        tried.append(1)
        raise OSError("away")

    for _ in range(20):
        lane.put(broken)
    lane.drain(5)
    assert len(tried) == lanes.TRIES
    time.sleep(0.25)
    lane.put(broken)
    lane.drain(5)
    assert len(tried) == lanes.TRIES + 1


def test_draining_waits_no_longer_than_it_may() -> None:
    lane, gate = Lane("test-drain"), threading.Event()
    lane.put(lambda: bool(gate.wait(10)))
    began = time.monotonic()
    lane.drain(0.2)
    assert 0.2 <= time.monotonic() - began < 2
    gate.set()
    lane.drain(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_fork_has_a_thread_of_its_own() -> None:
    lane = Lane("test-fork")
    lane.put(lambda: None)
    lane.drain(5)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            lane.put(lambda: bool(os.write(write, b"done")))
            lane.drain(5)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    assert os.read(read, 4) == b"done"
    os.close(read)
