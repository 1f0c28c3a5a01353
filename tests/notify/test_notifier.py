"""Airflow's notifiers run in a process of their own: whatever they do, this one goes on."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.notify import notifier
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.notifier import NotifierSender
from airflow_rerun_downstream.notify.target import NotifierCall, Target
from tests.notify.samples import ID, sample, target

MODULE = """
import json, os, sys, time

class BaseNotifier:
    pass

class Writes(BaseNotifier):
    def __init__(self, file, text="", secret=None):
        self.file, self.text = file, text
    def __call__(self, context):
        told = context["notification"]
        found = {"id": told.id, "subject": told.subject, "dag": context["dag_run"].dag_id, "text": context["message"],
                 "rerun": context["rerun"].id, "ds": context["ds"], "process": os.environ["_AIRFLOW_PROCESS_CONTEXT"]}
        with open(self.file, "w") as file:
            json.dump(found, file)
        print("a secret on stdout"); print("a secret on stderr", file=sys.stderr)

class Raises(BaseNotifier):
    def __call__(self, context):
        raise KeyError("a secret")

class Exits(BaseNotifier):
    def __call__(self, context):
        os._exit(0)

class Leaves(BaseNotifier):
    def __call__(self, context):
        sys.exit(0)

class Hangs(BaseNotifier):
    def __call__(self, context):
        if os.fork() == 0:
            time.sleep(600)
        time.sleep(600)

class Spouts(BaseNotifier):
    def __call__(self, context):
        sys.stdout.write("x" * 10_000_000)

class Other:
    def __call__(self, context):
        pass
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_notifiers.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def to(name: str, seconds: float = 30.0, **arguments: Any) -> Target:
    return target(NotifierCall(f"their_notifiers.{name}", arguments, seconds))


def failing(whom: Target) -> str:
    with pytest.raises(NotSent) as failed:
        NotifierSender().send(whom, sample(), None)
    return failed.value.word


def test_it_is_told_the_message_and_what_notifiers_know(tmp_path: Path) -> None:
    file = tmp_path / "found"
    NotifierSender().send(to("Writes", file=str(file)), sample(), None)
    found = json.loads(file.read_text())
    assert (found["id"], found["dag"], found["rerun"], found["ds"]) == (ID, "report", 7, "2026-03-01")
    assert found["subject"] == sample().subject
    assert found["text"] == sample().text
    assert found["process"] == "server", "so that connections come from the metadata database, too"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("Raises", "notifier_error:KeyError"),
        ("Exits", "notifier_error"),
        ("Leaves", "notifier_error:SystemExit"),
        ("Other", "notifier_error:NotANotifier"),
        ("Nobody", "notifier_error:AttributeError"),
    ],
)
def test_one_that_does_not_work_says_no_more_than_a_class(name: str, word: str) -> None:
    assert failing(to(name)) == word


def test_one_that_hangs_is_ended_with_all_that_it_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "STARTING", 1.0)
    began = time.monotonic()
    assert failing(to("Hangs", seconds=0.5)) == "timed_out"
    assert time.monotonic() - began < 10


def test_one_that_talks_much_harms_nobody() -> None:
    NotifierSender().send(to("Spouts"), sample(), None)


def test_at_shutdown_one_that_hangs_is_ended_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "LEFT", 0.3)
    began = time.monotonic()
    with pytest.raises(NotSent):
        NotifierSender(lambda: True).send(to("Hangs"), sample(), None)
    assert time.monotonic() - began < 5


def test_a_check_makes_it_and_sends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "found"
    sender = NotifierSender()
    assert sender.check(to("Writes", file=str(file))) is None
    assert not file.exists()
    assert sender.check(to("Writes")) == "notifier_error:TypeError"
    assert sender.check(target(NotifierCall("nowhere.at.all"))) == "notifier_error:ModuleNotFoundError"


def test_a_process_that_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(NotSent):
        NotifierSender(command=(str(tmp_path / "nothing"),)).send(to("Writes"), sample(), None)
    with pytest.raises(NotSent):
        NotifierSender(command=(sys.executable, "-c", "raise SystemExit(3)")).send(to("Writes"), sample(), None)
