"""Whatever doesn't move says why: pools, limits, the past, people, the executor; on Airflow's own tables."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun_request import RerunSettings
from airflow_rerun_downstream.domain.room import DagRoom
from tests.airflow3 import scene
from tests.airflow3.conducting import Conducted, stand_in
from tests.airflow3.database import Database

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
NOON = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


@pytest.fixture
def conducted(database: Database) -> Conducted:
    return Conducted(database)


def worker(dag_id: str, *, catchup: bool = True, tasks: dict[str, dict[str, Any]] | None = None, **dag: Any) -> Any:
    """A Dag whose tasks a worker would execute."""
    from airflow.providers.standard.operators.python import PythonOperator
    from airflow.sdk import DAG

    dag.setdefault("schedule", "@daily")
    with DAG(dag_id, start_date=START, catchup=catchup, **dag) as made:
        for task_id, more in (tasks or {"t": {}}).items():
            PythonOperator(task_id=task_id, python_callable=print, **more)
    return made


def started(conducted: Conducted, dag: Any, state: str | None, **columns: Any) -> RunRef:
    """A member whose run has begun, and whose tasks are in a state."""
    conducted.save(dag)
    ref = conducted.run(dag.dag_id, day=2)
    conducted.submit({ref: ()})
    conducted.tick()
    conducted.put(ref, state, only={task.task_id for task in dag.tasks}, **columns)
    return ref


def said(conducted: Conducted, ref: RunRef) -> str | None:
    """What a member says after a while."""
    conducted.tick()
    conducted.clock.ahead += timedelta(seconds=6)
    conducted.tick()
    conducted.tick()
    return conducted.member(ref).state_reason


def pool(conducted: Conducted, name: str, slots: int, *, deferred: bool = False) -> None:
    from airflow.models.pool import Pool

    with conducted.database.session() as session:
        Pool.create_or_update_pool(name, slots, "", deferred, session=session)
        session.commit()


class TestPools:
    def test_a_pool_without_slots(self, conducted: Conducted) -> None:
        pool(conducted, "small", 0)
        ref = started(conducted, worker("d", tasks={"t": {"pool": "small"}}), "scheduled")
        assert said(conducted, ref) == "no_pool_slots: small"
        pool(conducted, "small", 1)
        conducted.clock.ahead += timedelta(seconds=11)
        conducted.tick()
        assert conducted.member(ref).state_reason is None

    def test_a_pool_that_others_fill(self, conducted: Conducted) -> None:
        pool(conducted, "small", 2)
        conducted.save(worker("other", tasks={"t": {"pool": "small", "pool_slots": 2}}))
        other = conducted.run("other", state="running")
        conducted.put(other, "running", only={"t"})
        ref = started(conducted, worker("d", tasks={"t": {"pool": "small"}}), "scheduled")
        assert said(conducted, ref) == "no_pool_slots: small"

    @pytest.mark.parametrize(("counted", "reason"), [(True, "no_pool_slots: small"), (False, None)])
    def test_deferred_tasks_count_where_the_pool_says_so(
        self, conducted: Conducted, counted: bool, reason: str | None
    ) -> None:
        pool(conducted, "small", 1, deferred=counted)
        conducted.save(worker("other", tasks={"t": {"pool": "small"}}))
        other = conducted.run("other", state="running")
        conducted.put(other, "deferred", only={"t"})
        ref = started(conducted, worker("d", tasks={"t": {"pool": "small"}}), "scheduled")
        assert said(conducted, ref) == reason

    def test_a_pool_without_an_end(self, conducted: Conducted) -> None:
        pool(conducted, "endless", -1)
        ref = started(conducted, worker("d", tasks={"t": {"pool": "endless"}}), "scheduled")
        assert said(conducted, ref) is None

    def test_a_pool_that_is_gone(self, conducted: Conducted) -> None:
        ref = started(conducted, worker("d", tasks={"t": {"pool": "nowhere"}}), "scheduled")
        assert said(conducted, ref) == "pool_gone: nowhere"


def test_as_many_tasks_as_the_dag_allows(conducted: Conducted) -> None:
    conducted.save(worker("d", max_active_tasks=1, tasks={"one": {}, "two": {}}))
    ref = conducted.run("d", day=2)
    conducted.submit({ref: ()})
    conducted.tick()
    conducted.put(ref, "queued", only={"one"})
    conducted.put(ref, "scheduled", only={"two"})
    assert said(conducted, ref) == "at_max_active_tasks"


@pytest.mark.parametrize(("state", "parallelism", "reason"), [
    ("scheduled", "1", "executor_full"),
    ("queued", "1", "executor_full"),
    ("queued", "9", "in_executor_queue"),
    ("scheduled", "9", None),
    ("scheduled", "0", None),
])  # fmt: skip
def test_the_executor(
    conducted: Conducted, monkeypatch: pytest.MonkeyPatch, state: str, parallelism: str, reason: str | None
) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", parallelism)
    conducted.save(worker("other"))
    conducted.put(conducted.run("other", state="running"), "running", only={"t"})
    ref = started(conducted, worker("d"), state)
    assert said(conducted, ref) == reason


@pytest.mark.parametrize("exponential", [False, True])
def test_a_retry_is_told_with_its_time(conducted: Conducted, exponential: bool) -> None:
    tasks = {"t": {"retries": 3, "retry_delay": timedelta(minutes=10), "retry_exponential_backoff": exponential}}
    ref = started(conducted, worker("d", tasks=tasks), "up_for_retry", end_date=NOON)
    conducted.tick()
    word, _, at = (conducted.member(ref).state_reason or "").partition(": ")
    told = datetime.fromisoformat(at)
    assert word == "up_for_retry"
    if exponential:
        assert NOON < told <= NOON + timedelta(days=1)
    else:
        assert told == NOON + timedelta(minutes=10)
    with conducted.database.session() as session:  # nothing of the task instance was written
        assert scene.instance(ref, "t", session=session).state == "up_for_retry"


def test_a_person_is_asked(conducted: Conducted) -> None:
    from airflow.models.hitl import HITLDetail
    from airflow.utils.state import TaskInstanceState

    parked = "awaiting_input" if hasattr(TaskInstanceState, "AWAITING_INPUT") else "deferred"
    ref = started(conducted, worker("d"), parked)
    with conducted.database.session() as session:
        ti = scene.instance(ref, "t", session=session)
        session.add(HITLDetail(ti_id=ti.id, options=["Approve"], subject="Publish?", params={}))
        session.commit()
    conducted.tick()
    assert conducted.member(ref).state_reason == "waits_for_approval: t"
    with conducted.database.session() as session:
        session.get(HITLDetail, scene.instance(ref, "t", session=session).id).responded_at = NOON
        session.commit()
    conducted.clock.ahead += timedelta(seconds=11)
    conducted.tick()
    assert conducted.member(ref).state_reason is None


class TestPast:
    def waiting(self, conducted: Conducted, before: str | None, **more: Any) -> str | None:
        dag = worker("d", tasks={"first": {}, "t": {"depends_on_past": True, **more}})
        conducted.save(dag)
        conducted.run("d", day=1, states={"t": before})
        ref = started(conducted, dag, "success")
        conducted.put(ref, None, only={"t"})
        return said(conducted, ref)

    @pytest.mark.parametrize("before", ["failed", None, "upstream_failed"])
    def test_the_run_before_is_not_right(self, conducted: Conducted, before: str | None) -> None:
        assert self.waiting(conducted, before) == "depends_on_past: t"

    @pytest.mark.parametrize("before", ["success", "skipped"])
    def test_the_run_before_is_right(self, conducted: Conducted, before: str) -> None:
        assert self.waiting(conducted, before) is None

    def test_there_is_none_before(self, conducted: Conducted) -> None:
        dag = worker("d", tasks={"first": {}, "t": {"depends_on_past": True}})
        ref = started(conducted, dag, "success")
        conducted.put(ref, None, only={"t"})
        assert said(conducted, ref) is None


class TestQueued:
    def test_a_paused_dag_takes_no_place(self, conducted: Conducted) -> None:
        conducted.save(stand_in("src"), stand_in("shut"), stand_in("open"))
        src = conducted.run("src")
        shut = [conducted.run("shut", day=day) for day in range(3)]
        free = conducted.run("open", day=5)
        conducted.submit(
            {src: (), **{ref: [src] for ref in (*shut, free)}}, settings=RerunSettings(max_active_members=2)
        )
        conducted.tick()
        pause(conducted, "shut", paused=True)
        conducted.finish(src)
        conducted.tick(3)
        assert conducted.members() == {
            "src": ("succeeded", None),
            "shut": ("pending", "dag_paused"),
            "open": ("running", None),
        }
        pause(conducted, "shut", paused=False)
        conducted.tick()
        assert sorted(conducted.member(ref).state.value for ref in shut) == ["pending", "pending", "running"]

    def test_a_stale_dag_says_so(self, conducted: Conducted) -> None:
        conducted.save(stand_in("d"))
        ref = conducted.run("d")
        conducted.submit({ref: ()})
        lose(conducted, "d")
        conducted.tick(2)
        assert conducted.members() == {"d": ("pending", "dag_gone")}
        assert conducted.state() == "running"


def pause(conducted: Conducted, dag_id: str, *, paused: bool) -> None:
    from airflow.models.dag import DagModel

    with conducted.database.session() as session:
        session.get(DagModel, dag_id).is_paused = paused
        session.commit()


def lose(conducted: Conducted, dag_id: str) -> None:
    """What the Dag processor does with a Dag whose file is gone."""
    from airflow.models.dag import DagModel

    with conducted.database.session() as session:
        session.get(DagModel, dag_id).is_stale = True
        session.commit()


class TestRooms:
    def test_what_dags_can_start(self, conducted: Conducted) -> None:
        conducted.save(*(worker(dag_id, max_active_runs=3) for dag_id in ("free", "shut", "lost")))
        for day, state in enumerate(("running", "running", "queued", "success", "failed")):
            conducted.run("free", day=day - 900, state=state)  # due, whenever the test runs
        pause(conducted, "shut", paused=True)
        lose(conducted, "lost")
        with conducted.unit_of_work() as work, conducted.database.counted() as statements:
            found = work.gateway.rooms(["free", "shut", "lost", "nowhere"])
        assert found == {
            "free": DagRoom(None, 3, 2, 1),
            "shut": DagRoom("dag_paused", 3),
            "lost": DagRoom("dag_gone", 3),
            "nowhere": DagRoom("dag_gone"),
        }
        assert len(statements) == 1
        assert [room.free for room in found.values()] == [0, 0, 0, 0]

    def test_a_held_run_and_a_backfill_take_no_room(self, conducted: Conducted) -> None:
        from airflow.models.backfill import Backfill

        conducted.save(worker("d", max_active_runs=1))
        held, filled = conducted.run("d", day=1, state="queued"), conducted.run("d", day=2, state="running")
        with conducted.database.session() as session:
            scene.run_of(held, session=session).run_after = datetime(2038, 1, 1, tzinfo=timezone.utc)
            backfill = Backfill(dag_id="d", from_date=START, to_date=START, dag_run_conf={})
            session.add(backfill)
            session.flush()
            scene.run_of(filled, session=session).backfill_id = backfill.id
            session.commit()
        with conducted.unit_of_work() as work:
            assert work.gateway.rooms(["d"]) == {"d": DagRoom(None, 1, 0, 0)}


class TestStatements:
    def test_many_runs_are_a_few_statements(self, conducted: Conducted, database: Database) -> None:
        pool(conducted, "small", 1)
        tasks = {"t": {"pool": "small"}, "p": {"depends_on_past": True}}
        conducted.save(worker("d", tasks=tasks))
        refs = [conducted.run("d", day=day, state="running", states={"t": "scheduled", "p": None}) for day in range(30)]
        with conducted.unit_of_work() as work, database.counted() as statements:
            assert work.gateway.why_waiting(refs[:1]) == {}
        few = len(statements)
        with conducted.unit_of_work() as work, database.counted() as statements:
            work.gateway.why_waiting(refs)
        assert len(statements) <= max(few, 6)

    def test_a_tick_that_waits_is_three_statements_too(self, conducted: Conducted, database: Database) -> None:
        pool(conducted, "small", 0)
        ref = started(conducted, worker("d", tasks={"t": {"pool": "small"}}), "scheduled")
        assert said(conducted, ref) == "no_pool_slots: small"
        with database.counted() as statements:
            assert conducted.tick() == 0
        assert len(statements) == 3, statements.texts


class TestObstacles:
    """What can be known before."""

    def found(self, conducted: Conducted, *refs: RunRef) -> list[tuple[str, str, str, bool]]:
        with conducted.unit_of_work() as work:
            return [
                (one.ref.run_id, one.task_id, one.why, one.lasting)
                for one in work.facts.tasks.obstacles({ref: {"t", "p"} for ref in refs})
            ]

    def test_pools_that_are_gone_or_too_small(self, conducted: Conducted) -> None:
        pool(conducted, "none", 0)
        pool(conducted, "two", 2)
        conducted.save(
            worker("a", tasks={"t": {"pool": "none"}, "other": {"pool": "none"}}),
            worker("b", tasks={"t": {"pool": "nowhere"}}),
            worker("c", tasks={"t": {"pool": "two", "pool_slots": 3}, "p": {"pool": "two", "pool_slots": 2}}),
            worker("e", tasks={"t": {"pool": "default_pool"}}),
        )
        refs = [conducted.run(dag_id) for dag_id in "abce"]
        assert self.found(conducted, *refs) == [
            (refs[0].run_id, "t", "no_pool_slots", True),
            (refs[1].run_id, "t", "pool_gone", True),
            (refs[2].run_id, "t", "no_pool_slots", True),
        ]
        assert self.found(conducted) == []

    @pytest.mark.parametrize(
        ("run_state", "state", "lasting"),
        [("failed", "failed", True), ("running", "failed", True), ("running", None, False), ("failed", None, True)],
    )
    def test_a_past_that_is_not_right(
        self, conducted: Conducted, run_state: str, state: str | None, lasting: bool
    ) -> None:
        conducted.save(worker("d", tasks={"p": {"depends_on_past": True}}))
        conducted.run("d", day=1, state=run_state, states={"p": state})
        ref = conducted.run("d", day=2)
        assert self.found(conducted, ref) == [(ref.run_id, "p", "depends_on_past", lasting)]

    def test_a_past_that_is_right(self, conducted: Conducted) -> None:
        conducted.save(worker("d", tasks={"p": {"depends_on_past": True}}))
        conducted.run("d", day=1)
        assert self.found(conducted, conducted.run("d", day=2)) == []
