"""What tests on a real Airflow import: the live Airflow itself, and a fixture that starts them.

A `conftest.py` gets the fixture with `from tests.live.harness import start_airflow`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from typing import Any

import pytest

from dev.airflow_client import FINISHED, AirflowClient, Json
from dev.live_airflow import COMPONENTS, Component, LiveAirflow, stopped
from dev.waiting import wait_until

__all__ = [
    "COMPONENTS",
    "FINISHED",
    "AirflowClient",
    "Component",
    "Json",
    "LiveAirflow",
    "StartAirflow",
    "start_airflow",
    "stopped",
    "wait_until",
]

StartAirflow = Callable[..., LiveAirflow]

DAY = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
"""The day of the tests, also after midnight: a Dag that is parsed again must not get another day's run."""

ACROSS_MIDNIGHT = {"STORY_DAY": DAY.isoformat(), "AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE": "P3D"}
"""What lets a test go on after midnight: by default, yesterday's runs can't be sources any more the day after."""


def airflows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartAirflow]:
    """Start live Airflows: `start_airflow(dags=[…], database="postgresql", …)`.

    They are stopped after the last test of the fixture's scope; if one of its tests has failed, the ends of their logs
    are printed. Dag files find the day of the tests in ``STORY_DAY``.
    """
    failed_before = request.session.testsfailed
    with ExitStack() as stack:
        started: list[LiveAirflow] = []

        def start(**options: Any) -> LiveAirflow:
            env = {**ACROSS_MIDNIGHT, **options.pop("env", {})}
            airflow = LiveAirflow(tmp_path_factory.mktemp("airflow"), env=env, **options)
            stack.enter_context(airflow)
            started.append(airflow)
            return airflow

        yield start
        if request.session.testsfailed > failed_before:
            for airflow in started:
                print(airflow.log_tails(), file=sys.stderr)


start_airflow = pytest.fixture(scope="module")(airflows)
"""For the tests of a module."""
