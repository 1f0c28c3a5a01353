"""A scheduler's workers are forked only while no thread of ours is inside a database driver."""

from __future__ import annotations

import os
import threading
import time
from types import SimpleNamespace

import pytest

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.database import forks
from airflow_rerun_downstream.airflow3.hooks import scheduler_watch
from airflow_rerun_downstream.airflow3.installation import process_reports

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system doesn't fork")

HELD = 0.5


def fork() -> int:
    """Make a child that ends at once; its exit status."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    return os.waitpid(child, 0)[1]


def test_a_fork_waits_for_a_report_and_the_child_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    began, ended = threading.Event(), []

    class Slow:
        def session(self) -> Slow:
            return self

        def __enter__(self) -> None:
            began.set()
            time.sleep(HELD)
            ended.append(time.monotonic())

        def __exit__(self, *_error: object) -> None:
            pass

    monkeypatch.setattr(process_reports, "transactions", Slow)
    watch = scheduler_watch.Watch(SimpleNamespace(job_type="TriggererJob"))  # which reports nothing by itself
    watch.start()
    watch.stop()
    reporter = wiring.reporter(process_reports.SCHEDULER)
    thread = threading.Thread(target=reporter._attempt, args=(lambda _session: None,))
    thread.start()
    began.wait(5)
    assert fork() == 0
    assert ended, "the process has forked while the thread was inside the database"
    thread.join()
    with forks.undisturbed():
        pass
    assert fork() == 0
