"""Members and reruns for what decides without looking."""

from __future__ import annotations

from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.states import MemberState, Role
from tests.conductor.test_conductor import submit
from tests.fakes.house import House


def member(
    number: int, dag_id: str = "d", state: MemberState = MemberState.PENDING, why: str | None = None, **more: object
) -> Member:
    """A member with one task, before anything has happened to it."""
    ref = RunRef(dag_id, str(number))
    values: dict[str, object] = {
        "tasks": (TaskRef("t"),),
        "depth": 0,
        "attempt": 0,
        "clear_number": None,
        "logical_date": None,
        "run_after": None,
        "dispatched_at": None,
        "ended_at": None,
        "final_run_state": None,
        **more,
    }
    return Member(number, 1, ref, ref.run_id, Role.DOWNSTREAM, state, why, **values)  # type: ignore[arg-type]


def active(*members: Member) -> ActiveRerun:
    """A running rerun of these members."""
    house = House()
    rerun = house.store.get(submit(house, house.world.run("a")))
    assert rerun is not None
    return ActiveRerun(rerun, members)
