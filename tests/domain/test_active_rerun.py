"""What is told apart among the members of an active rerun."""

from __future__ import annotations

from dataclasses import replace

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.plan import PlanRequest
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from tests.fakes.house import ADA, House


def test_of_some_ready_members_it_is_said_why_they_do_not_go() -> None:
    house = House()
    house.service.submit(ADA, RerunRequest(PlanRequest(house.world.run("a"))))
    (active,) = house.store.active()
    (silent,) = active.members
    told = replace(silent, id=silent.id + 1, state_reason="dag_paused")
    both = ActiveRerun(active.rerun, (silent, told))
    assert (set(both.ready), both.explained) == ({silent, told}, (told,))
