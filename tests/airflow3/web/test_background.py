"""The threads of an api-server: they have one time in common to end."""

from __future__ import annotations

import threading
import time

import pytest

from airflow_rerun_downstream.airflow3.web import background


def test_threads_that_go_on_keep_the_server_no_longer_than_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "STOPPING", 0.5)
    made, over, ended = background.Background(), threading.Event(), threading.Event()
    for number in range(4):
        made._run(f"busy {number}", over.wait, 30)
    made._run("quick", lambda: made._stop.wait(30) and ended.set())
    began = time.monotonic()
    made.stop()
    took = time.monotonic() - began
    over.set()
    assert 0.4 < took < 1.5
    assert ended.is_set()
