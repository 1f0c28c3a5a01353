"""The thread that sends: it lives whatever is configured, and what it knows of notifiers isn't out of date."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from airflow_rerun_downstream.notify.courier import Courier
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.settings import Settings
from tests.fakes.house import House

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
