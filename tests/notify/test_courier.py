"""The thread that sends: it lives whatever is configured, and what it knows of notifiers isn't out of date."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from airflow_rerun_downstream.notify.courier import Courier
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import NotifierCall, Target
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.settings import Settings
from tests.fakes.house import House
from tests.notify.samples import sample

SECRET = "s3cr3t-value"


def courier(targets: ConfiguredTargets, house: House | None = None) -> Courier:
    house = house or House()
    return Courier(
        unit_of_work=house.unit_of_work,
        clock=house.clock,
        targets=targets,
        address=lambda number: None,
        leads=lambda: True,
    )


def configured(**specs: Any) -> ConfiguredTargets:
    return ConfiguredTargets(Settings(notification_targets=specs))


def test_targets_that_cannot_be_read_end_no_thread_and_are_said_without_a_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made, targets = threading.Event(), configured()

    def fail() -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(targets, "read", fail)
    subject = courier(targets)
    monkeypatch.setattr(subject._deliverer, "run", lambda stop: made.set())
    subject.run(threading.Event())
    assert made.is_set()
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    assert SECRET not in caplog.text


def slack(name: str = "slack", path: str = "a.B", **arguments: Any) -> Target:
    return Target(name, "notifier", NotifierCall(path, arguments))


class Answers:
    """What checks say, in turn; and who was checked."""

    def __init__(self, subject: Courier, monkeypatch: pytest.MonkeyPatch, *words: str | None) -> None:
        self.words, self.checked = list(words), list[Any]()
        monkeypatch.setattr(subject._notifier, "check", self.check)
        monkeypatch.setattr(subject._notifier, "send", lambda *_: None)

    def check(self, target: Target) -> str | None:
        self.checked.append(target.call)
        return self.words.pop(0)


def test_a_notifier_is_checked_once_with_what_it_is_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = courier(configured())
    answers = Answers(subject, monkeypatch, "notifier_error", None, "refused")
    same = [slack(), slack(), slack("chat")]
    assert [subject.check(each) for each in same] == ["notifier_error"] * 3
    others = [slack(channel="#x"), slack(path="a.C")]
    assert [subject.check(each) for each in others] == [None, "refused"]
    assert [subject.check(each) for each in (*same, *others)] == [*["notifier_error"] * 3, None, "refused"]
    assert len(answers.checked) == 3


def test_one_that_had_no_time_is_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = courier(configured())
    Answers(subject, monkeypatch, "timed_out", None)
    assert [subject.check(slack()) for _ in range(3)] == ["timed_out", None, None]


@pytest.mark.parametrize("word", ["timed_out", "notifier_error"])
def test_one_that_has_told_something_is_right(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = configured(slack={"kind": "notifier", "class": "a.B"}, other={"kind": "notifier", "class": "a.C"})
    subject = courier(targets)
    Answers(subject, monkeypatch, word, "refused", "wasn't to be asked")
    targets.check = subject.check
    assert set(targets.read().problems) == {"'slack'", "'other'"}
    subject.send(targets.found.targets["slack"], sample(), None)
    assert set(targets.found.problems) == {"'other'"}
    assert set(targets.check_all().problems) == {"'other'"}


def test_one_that_has_told_nothing_is_as_wrong_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = configured(slack={"kind": "notifier", "class": "a.B"})
    subject = courier(targets)
    Answers(subject, monkeypatch, "notifier_error")
    targets.check = subject.check
    targets.read()

    def fail(*_: object) -> None:
        raise NotSent("notifier_error")

    monkeypatch.setattr(subject._notifier, "send", fail)
    with pytest.raises(NotSent):
        subject.send(targets.found.targets["slack"], sample(), None)
    assert set(targets.found.problems) == {"'slack'"}
