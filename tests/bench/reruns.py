"""Large reruns, written as a submit writes them but for the plan: what is measured here comes after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import bindparam, text

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.database import transactions
from airflow_rerun_downstream.domain.new_rerun import NewMember, NewRerun
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind, PlanOptions
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, Role
from tests.bench.history import BEGIN, LargeHistory

ADA = Actor("1", "ada")


@contextmanager
def schema_known() -> Iterator[None]:
    """Nothing of the schema is looked at meanwhile: when it is depends on the time, and counts would depend on it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transactions, "SCHEMA_TRUSTED", float("inf"))
        transactions.transactions.cache_clear()
        wiring.snapshots.cache_clear()
        with wiring.unit_of_work()() as work:
            work.store.active()
        yield
    transactions.transactions.cache_clear()


def store(history: LargeHistory, *, links: bool = False) -> int:
    """A rerun of all that is downstream of a history's source, which is right already: its runs are all ready."""
    shape = history.shape
    tasks = tuple(TaskRef(f"t{place}") for place in range(shape.tasks))
    source = NewMember(shape.source, Role.SOURCE, MemberState.SKIPPED, tasks, 0)
    members = [
        NewMember(
            ref=RunRef(shape.dag_id(number), f"run_{place}"),
            role=Role.DOWNSTREAM,
            state=MemberState.PENDING,
            tasks=tasks,
            depth=1,
            waits_for=frozenset({shape.source}),
            run_after=BEGIN + timedelta(hours=place, minutes=number),
        )
        for number in range(1, shape.dags)
        for place in range(shape.runs)
    ]
    found = tuple(Link(shape.source, one.ref, LinkKind.ASSET, Evidence.RECORDED) for one in members if links)
    new = NewRerun(shape.source, (source, *members), found, RerunSettings(), (), PlanOptions(), (), ADA)
    with wiring.unit_of_work()() as work:
        return work.store.add(new, now=BEGIN)


def leave_active(history: LargeHistory, reruns: list[int]) -> None:
    """Let only some reruns be active, all of which are running."""
    with history.database.engine.begin() as connection:
        connection.execute(text("update rerun_downstream_rerun set state = 'succeeded'"))
        some = text("update rerun_downstream_rerun set state = 'running' where id in :ids")
        connection.execute(some.bindparams(bindparam("ids", expanding=True)), {"ids": reruns})


ENDING = ("delete from rerun_downstream_active_run", "update rerun_downstream_rerun set state = 'terminated'")


def end(history: LargeHistory, rerun: int) -> None:
    """End a rerun at once, so that its runs are free for the next."""
    with history.database.engine.begin() as connection:
        for statement, column in zip(ENDING, ("rerun_id", "id"), strict=True):
            connection.execute(text(f"{statement} where {column} = {rerun}"))
