"""The asset events of runs that a rerun's trigger tasks make: repeats of those of the runs whose place they take.

Nothing here waits for the conductor: a run may emit before it has been adopted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.new_rerun import NewChild, NewMember, NewRerun
from airflow_rerun_downstream.domain.plan import PlanOptions
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.ports.gateway import Dispatched
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from tests.airflow3 import history, scene
from tests.airflow3.hooks.test_asset_events import Airflow, asset, dag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

NOW = scene.START
PENDING, RUNNING = MemberState.PENDING, MemberState.RUNNING
FIRE = TaskRef("fire")


def downstream(ref: RunRef, parent: RunRef, task: TaskRef) -> NewMember:
    """A member whose run a task of the parent makes."""
    return NewMember(ref, Role.DOWNSTREAM, PENDING, (task,), 1, frozenset([parent]), clear_number=0)


class Rerun:
    """A rerun of parent (fire makes a run of producer) → old (a run of producer, whose event started a consumer)."""

    def __init__(self, airflow: Airflow, tasks: tuple[TaskRef, ...] = (FIRE,)) -> None:
        self.airflow = airflow
        airflow.save(
            dag("parent", tasks=("fire",)),
            dag("producer", None, outlets=[asset("a")], tasks=("make", "again")),
            dag("consumer", [asset("a")]),
        )
        self.parent = airflow.run("parent", day=1)
        self.old = self.made("old", day=1)
        airflow.succeed(self.old, "a")
        airflow.schedule()
        airflow.finish(self.old)
        self.members = (
            NewMember(self.parent, Role.SOURCE, PENDING, tasks, 0),
            NewMember(
                self.old, Role.DOWNSTREAM, PENDING, (TaskRef("make"),), 1, frozenset([self.parent]), clear_number=0
            ),
        )
        self.children: tuple[NewChild, ...] = (NewChild(self.parent, "fire", -1, self.old),)

    def through_a_middle(self) -> None:
        """fire makes a run of middle, whose task makes the run of producer."""
        self.airflow.save(dag("middle", None, tasks=("fire",)))
        middle = self.made("middle", day=1, dag_id="middle")
        source, child = self.members
        before, other = frozenset([self.parent]), (TaskRef("other"),)
        between = NewMember(middle, Role.DOWNSTREAM, PENDING, other, 1, before, clear_number=0)
        self.members = (source, between, replace(child, depth=2, waits_for=frozenset([middle])))
        self.children = (NewChild(self.parent, "fire", -1, middle), NewChild(middle, "fire", -1, self.old))

    def submit(self) -> None:
        """The rerun is stored, and its source dispatched."""
        with self.store() as store:
            self.id = store.add(
                NewRerun(
                    *(self.parent, self.members, (), RerunSettings(), (), PlanOptions(), (), Actor("1", "ann")),
                    children=self.children,
                ),
                now=NOW,
            )
            for one in store.members(self.id):
                if one.role is Role.SOURCE:
                    self.move(store, one.id)

    def move(self, store: SqlRerunStore, member_id: int) -> None:
        done = Dispatched(clear_number=1, cleared=1)
        store.move_member(member_id, before=[PENDING], after=RUNNING, reason=None, now=NOW, dispatched=done)

    def store(self) -> AbstractContextManager[SqlRerunStore]:
        from contextlib import contextmanager

        @contextmanager
        def opened() -> Iterator[SqlRerunStore]:
            with self.airflow.database.session() as session:
                yield SqlRerunStore(session)
                session.commit()

        return opened()

    def made(self, run_id: str, *, day: float, dag_id: str = "producer") -> RunRef:
        """A run as the execution API makes it for a trigger task."""
        from airflow.utils.types import DagRunTriggeredByType, DagRunType

        date = scene.START + (scene.timedelta(days=day))
        with self.airflow.database.session() as session:
            run = scene.latest(dag_id, session=session).create_dagrun(
                run_id=run_id,
                logical_date=date,
                data_interval=(date, date),
                run_after=date,
                run_type=getattr(DagRunType, "OPERATOR_TRIGGERED", DagRunType.MANUAL),
                triggered_by=DagRunTriggeredByType.OPERATOR,
                state="running",
                session=session,
            )
            for ti in run.task_instances:
                scene.put(ti, "running")
            session.commit()
            return RunRef(dag_id, run_id)

    def record(self, run: RunRef, *, by: RunRef | None = None, task_id: str = "fire", state: str = "running") -> None:
        """The trigger task's first XCom: what it is about to make."""
        with self.airflow.database.session() as session:
            address = f"http://localhost:8080/dags/{run.dag_id}/runs/{run.run_id}"
            history.xcom(by or self.parent, task_id, "_link_TriggerDagRunLink", address, session=session)
            scene.instance(by or self.parent, task_id, session=session).state = state
            session.commit()

    def adopt(self, new: RunRef, *, early: bool = False) -> None:
        """What the conductor does at its next tick; ``early``: before the member's turn."""
        with self.store() as store:
            child = store.members(self.id)[1]
            made = RunFacts(new, "manual", "running", NOW, NOW, clear_number=int(child.ref == new))
            tasks = (TaskRef("again"), TaskRef("make"))
            after, reason = (PENDING, "ran_too_early") if early else (RUNNING, None)
            assert store.adopt_member(
                child.id, before=[PENDING], after=after, run=made, tasks=tasks, runs_between=(), reason=reason, now=NOW
            )

    def end(self) -> None:
        with self.store() as store:
            before = [RerunState.RUNNING]
            assert store.move_rerun(self.id, before=before, after=RerunState.SUCCEEDED, reason=None, now=NOW)

    def emit(self, run: RunRef, task_id: str = "make") -> int:
        """A task succeeds; answers how many runs its consumer has then."""
        self.airflow.succeed(run, "a", task_id=task_id)
        self.airflow.schedule()
        return len(self.airflow.runs("consumer"))


@pytest.fixture
def ours(database) -> None:
    scene.migrate(database)


@pytest.fixture
def airflow(database, ours, monkeypatch) -> Airflow:
    from airflow_rerun_downstream.airflow3.hooks import recognition
    from airflow_rerun_downstream.asset_manager import RerunAssetManager
    from airflow_rerun_downstream.store.guard import SchemaGuard

    monkeypatch.setattr(recognition, "guard", SchemaGuard())
    return Airflow(database, RerunAssetManager(), monkeypatch)


@pytest.fixture
def rerun(airflow) -> Rerun:
    made = Rerun(airflow)
    made.submit()
    return made


def test_a_run_that_emits_before_it_is_adopted(rerun):
    new = rerun.made("new", day=2)
    rerun.record(new)
    assert rerun.emit(new) == 1
    (consumer,) = rerun.airflow.runs("consumer")
    rerun.airflow.dispatch(rerun.airflow.ref("consumer"))
    assert rerun.airflow.events(consumer) == rerun.airflow.events()[-1:], "the new run's event, not the old one's"


def test_a_run_that_emits_after_it_was_adopted(rerun):
    new = rerun.made("new", day=2)
    rerun.record(new)
    rerun.adopt(new)
    rerun.end()
    assert rerun.emit(new) == 1


def test_a_task_that_had_never_emitted_starts_its_consumers(rerun):
    new = rerun.made("new", day=2)
    rerun.record(new)
    assert rerun.emit(new) == 1
    assert rerun.emit(new, "again") == 2


def test_what_is_cleared_by_hand_afterwards_is_airflows(rerun):
    new = rerun.made("new", day=2)
    rerun.record(new)
    assert rerun.emit(new) == 1
    rerun.adopt(new)
    rerun.airflow.clear_by_hand(new)
    rerun.airflow.start(new)
    assert rerun.emit(new) == 2


def test_an_adopted_run_that_failed_and_is_dispatched_again(rerun):
    new = rerun.made("new", day=2)
    rerun.record(new)
    rerun.adopt(new)
    with rerun.airflow.database.session() as session:
        scene.instance(new, "make", session=session).state = "failed"
        session.commit()
    rerun.airflow.dispatch(new, rerun_id=rerun.id)
    rerun.airflow.start(new)
    assert rerun.emit(new) == 1


def test_a_run_that_a_later_rerun_dispatches(rerun):
    new = rerun.made("new", day=2)
    rerun.record(new)
    rerun.adopt(new)
    assert rerun.emit(new) == 1
    rerun.end()
    rerun.airflow.dispatch(new, rerun_id=rerun.id + 1)
    rerun.airflow.start(new)
    assert rerun.emit(new) == 1


def test_the_run_itself_cleared_by_the_task(rerun):
    """A fixed run id with reset_dag_run. Before that, an earlier rerun had dispatched it."""
    rerun.airflow.clear_by_hand(rerun.old)
    rerun.airflow.start(rerun.old)
    rerun.record(rerun.old)
    assert rerun.emit(rerun.old) == 1
    rerun.adopt(rerun.old)
    rerun.airflow.clear_by_hand(rerun.old)
    rerun.airflow.start(rerun.old)
    assert rerun.emit(rerun.old) == 2, "a person's clear"


@pytest.mark.parametrize("early", [True, False])
def test_the_run_itself_cleared_by_the_task_and_adopted_before_it_emits(rerun, early):
    rerun.airflow.clear_by_hand(rerun.old)
    rerun.record(rerun.old)
    rerun.adopt(rerun.old, early=early)
    rerun.airflow.start(rerun.old)
    assert rerun.emit(rerun.old) == 1
    rerun.airflow.clear_by_hand(rerun.old)
    rerun.airflow.start(rerun.old)
    assert rerun.emit(rerun.old) == 2, "a person's clear"


def test_a_run_that_the_task_has_not_cleared(rerun):
    """Its record is from before: the task hasn't begun."""
    rerun.record(rerun.old, state="queued")
    rerun.airflow.clear_by_hand(rerun.old)
    rerun.airflow.start(rerun.old)
    assert rerun.emit(rerun.old) == 2


def test_a_run_that_somebody_else_made(rerun):
    rerun.record(rerun.made("new", day=2))
    assert rerun.emit(rerun.made("by_hand", day=3)) == 2


def test_a_task_that_is_not_selected(airflow):
    rerun = Rerun(airflow, tasks=(TaskRef("other"),))
    rerun.submit()
    new = rerun.made("new", day=2)
    rerun.record(new)
    assert rerun.emit(new) == 2


def test_after_the_rerun_has_ended_nothing_is_expected_any_more(rerun):
    rerun.end()
    new = rerun.made("new", day=2)
    rerun.record(new)
    assert rerun.emit(new) == 2


def test_a_run_made_by_a_run_that_is_not_adopted_yet(airflow):
    rerun = Rerun(airflow)
    rerun.through_a_middle()
    rerun.submit()
    between_again, new = rerun.made("again", day=2, dag_id="middle"), rerun.made("new", day=2)
    rerun.record(between_again)
    rerun.record(new, by=between_again)
    assert rerun.emit(new) == 1


@pytest.mark.parametrize("generations", [1, 2])
def test_it_asks_as_often_however_many_children_are_expected(airflow, generations):
    """Once where the makers have run; two more times where they have no run yet."""
    counts = []
    for expected in (1, 4, 16):
        airflow.database.empty()
        rerun = Rerun(airflow)
        if generations == 2:
            rerun.through_a_middle()
        *others, child = rerun.members
        more = [rerun.made(f"old{number}", day=3 + number) for number in range(expected - 1)]
        rerun.members = (*others, child, *(replace(child, ref=ref) for ref in more))
        parent = rerun.children[-1].parent
        rerun.children += tuple(NewChild(parent, "fire", number, ref) for number, ref in enumerate(more))
        rerun.submit()
        new, by = rerun.made("new", day=2), rerun.parent
        if generations == 2:
            by = rerun.made("again", day=2, dag_id="middle")
            rerun.record(by)
        rerun.record(new, by=by)
        sent = airflow.succeed(new, "a").texts
        assert len(airflow.runs("consumer")) == 1
        counts.append([sum(f" {table}" in text for text in sent) for table in ("rerun_downstream_child", "xcom")])
    assert counts == [[1, 1] if generations == 1 else [2, 3]] * 3


def test_a_run_of_the_scheduler_costs_no_more(rerun):
    """No look at what is expected: such a run was made neither by a task nor cleared by one."""
    rerun.airflow.save(dag("daily", outlets=[asset("a")]))
    ref, sent = rerun.airflow.run("daily", day=3), list[str]()
    watched = (rerun.airflow.database.engine, "before_cursor_execute", lambda *given: sent.append(given[2]))
    event.listen(*watched)
    rerun.airflow.succeed(ref, "a")
    event.remove(*watched)
    ours = {word for one in sent for word in one.split() if word.startswith("rerun_downstream")}
    assert not {word.split(".")[0] for word in ours} & {"rerun_downstream_child", "rerun_downstream_member"}
