"""A process that tells of everything once, with Airflow's real client. Its environment configures that."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta

from airflow_rerun_downstream.airflow3.telemetry import airflow_telemetry
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, MemberState
from airflow_rerun_downstream.ports.metrics import ENDS, Delivery, ErrorKind
from airflow_rerun_downstream.ports.telemetry import Standing
from tests.conductor.test_conductor import submit
from tests.fakes.house import House


def main() -> None:
    """Tell of everything, and wait until it is sent."""
    house = House()
    rerun = house.store.get(submit(house, house.world.run("a")))
    (member,) = house.store.members(rerun.id)
    telemetry = airflow_telemetry.serving()
    telemetry.stands(Standing(Counter(ACTIVE_RERUN_STATES), Counter(MemberState), timedelta(hours=1)))
    telemetry.lease(timedelta(seconds=2))
    telemetry.ticked(seconds=0.25, steps=3)
    telemetry.dispatched(rerun, member, clear_number=1, waited=timedelta(seconds=4))
    telemetry.planned(seconds=0.5, runs=7)
    telemetry.submitted(rerun, house.world.runs[rerun.source])
    for state in ENDS:
        telemetry.ended(replace(rerun, state=state, ended_at=rerun.created_at + timedelta(minutes=1)))
    for result in Delivery:
        telemetry.notified(result)
    for kind in ErrorKind:
        telemetry.failed(kind)
    telemetry.stands(None)
    telemetry.line("submit", rerun_id=7, member_id=None, actor="eve\nsubmit rerun_id=8")
    try:
        raise ValueError("no such table")
    except ValueError as error:
        telemetry.line("step_failed", level=logging.ERROR, error=error, rerun_id=7, member_id=3)
    for told in (telemetry.metrics, telemetry.run_events):
        if told is not None:
            told.lane.drain(10)


if __name__ == "__main__":
    sys.exit(main())
