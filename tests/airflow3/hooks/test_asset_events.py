"""The asset manager on real Airflow databases: a rerun's events start nothing, everything else is Airflow's.

Events come in through Airflow's own registration of a task's success, runs are made by its scheduler's own code.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
from airflow_rerun_downstream.airflow3.versions import EVENTS_COME_ALONE, QUEUED_BY_EVENT
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.store.guard import SchemaGuard
from dev.waiting import wait_until
from tests.airflow3 import freezing, scene

if TYPE_CHECKING:
    from tests.airflow3.database import Database, Statements


class Airflow:
    """An Airflow whose tasks succeed when told to, with an asset manager of ours or its own."""

    def __init__(self, database: Database, manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database = database
        self.use(manager, monkeypatch)

    def use(self, manager: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("airflow.models.taskinstance.asset_manager", manager)

    def save(self, *dags: Any) -> None:
        with self.database.session() as session:
            scene.save(*dags, session=session)

    def run(self, dag_id: str, *, day: float, **more: Any) -> RunRef:
        with self.database.session() as session:
            return scene.create_run(dag_id, session=session, day=day, state="running", **more)

    def succeed(
        self,
        ref: RunRef,
        *assets: str,
        task_id: str = "make",
        map_index: int = -1,
        through: dict[str, dict[str, Any]] | None = None,
    ) -> Statements:
        """A try of a task succeeds with outlets ``assets``, or with events of assets ``through`` aliases."""
        from airflow.models.taskinstance import TaskInstance

        outlets, events = [profile("Asset", name) for name in assets], []
        for alias, emitted in (through or {}).items():
            outlets.append(profile("AssetAlias", alias))
            for name, extra in emitted.items():
                key = {"name": name, "uri": f"test://assets/{name}"}
                events.append({"source_alias_name": alias, "dest_asset_key": key, "extra": extra})
        with self.database.session() as session:
            ti = scene.instance(ref, task_id, map_index, session=session)
            ti.state = "success"
            with self.database.counted() as statements:
                TaskInstance.register_asset_changes_in_db(ti, outlets, events, session=session)
            session.commit()
        return statements

    def finish(self, ref: RunRef, state: str = "success") -> None:
        with self.database.session() as session:
            scene.run_of(ref, session=session).state = state
            session.commit()

    def start(self, ref: RunRef, task_id: str = "make", map_index: int = -1) -> None:
        """The scheduler starts the next try of a task."""
        with self.database.session() as session:
            ti = scene.instance(ref, task_id, map_index, session=session)
            ti.try_number += 1
            ti.state = "running"
            session.commit()

    def dispatch(self, ref: RunRef, task: str = "make", *, rerun_id: int = 1) -> None:
        """A rerun clears a task, and its next try begins."""
        self.finish(ref)
        with self.database.session() as session:
            wanted = {"rerun_id": rerun_id, "actor": "ann", "retry": False, "run_on_latest_version": None}
            AirflowGateway(session).dispatch(ref, (TaskRef(task),), **wanted)
            session.commit()

    def ref(self, dag_id: str) -> RunRef:
        """A Dag's only run, which ends now at the latest."""
        with self.database.session() as session:
            (row,) = scene.rows("dag_run", session=session, dag_id=dag_id)
            ref = RunRef(dag_id, row["run_id"])
            for ti in scene.instances(ref, session=session).values():
                ti.state, ti.try_number = "success", max(ti.try_number, 1)
            session.commit()
        self.finish(ref)
        return ref

    def move_to_latest(self, ref: RunRef) -> None:
        """The scheduler gives a run the tasks of its Dag's latest version."""
        from airflow.models.dag_version import DagVersion

        with self.database.session() as session:
            run = scene.run_of(ref, session=session)
            run.dag = scene.latest(ref.dag_id, session=session)
            version = DagVersion.get_latest_version(ref.dag_id, session=session)
            run.verify_integrity(session=session, dag_version_id=version.id)
            session.commit()

    def take_over(self, ref: RunRef, task: str = "make", *, rerun_id: int = 1) -> None:
        """A rerun follows what somebody else has cleared."""
        with self.database.session() as session:
            AirflowGateway(session).take_over(ref, (TaskRef(task),), rerun_id=rerun_id, actor="ann")
            session.commit()

    def clear_by_hand(self, ref: RunRef, task_id: str = "make") -> None:
        from airflow.models.taskinstance import clear_task_instances

        self.finish(ref)
        with self.database.session() as session:
            clear_task_instances([scene.instance(ref, task_id, session=session)], session)
            session.commit()

    def schedule(self) -> None:
        """The scheduler makes the Dag runs that are due."""
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.utils.sqlalchemy import prohibit_commit

        runner = SchedulerJobRunner(job=Job())
        with self.database.session() as session, prohibit_commit(session) as guard:
            runner._create_dagruns_for_dags(guard, session)

    def runs(self, dag_id: str) -> list[int]:
        """The ids of a Dag's runs, oldest first."""
        with self.database.session() as session:
            return sorted(row["id"] for row in scene.rows("dag_run", session=session, dag_id=dag_id))

    def events(self, dag_run: int | None = None) -> list[int]:
        """The ids of all asset events, or of those that a run consumed."""
        with self.database.session() as session:
            if dag_run is None:
                return sorted(row["id"] for row in scene.rows("asset_event", session=session))
            found = scene.rows("dagrun_asset_event", session=session, dag_run_id=dag_run)
            return sorted(row["event_id"] for row in found)

    def queued(self) -> list[str]:
        """The Dags that wait for more assets, once for each that they have."""
        with self.database.session() as session:
            return sorted(row["target_dag_id"] for row in scene.rows("asset_dag_run_queue", session=session))


def moment(value: Any) -> datetime:
    """A moment as a database's driver tells it."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def profile(kind: str, name: str) -> Any:
    from airflow.api_fastapi.execution_api.datamodels.asset import AssetProfile

    uri = f"test://assets/{name}" if kind == "Asset" else None
    return AssetProfile(name=name, uri=uri, type=kind)


def asset(name: str) -> Any:
    from airflow.sdk import Asset

    return Asset(name=name, uri=f"test://assets/{name}")


def dag(
    dag_id: str,
    schedule: Any = "@daily",
    *,
    outlets: Any = (),
    tasks: tuple[str, ...] = ("make",),
    together: bool = True,
) -> Any:
    """A Dag; if assets start it, a run takes all their events ``together``, or each gets a run if Airflow can."""
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    if EVENTS_COME_ALONE and isinstance(schedule, list) and together:
        from airflow.sdk import AssetAll, AssetTriggeredTimetable

        schedule = AssetTriggeredTimetable(AssetAll(*schedule), batch_asset_events=True)
    with DAG(dag_id, schedule=schedule, start_date=scene.START, catchup=False) as made:
        for task_id in tasks:
            EmptyOperator(task_id=task_id, outlets=list(outlets))
    return made


@pytest.fixture
def ours(database) -> None:
    scene.migrate(database)


@pytest.fixture
def guard(monkeypatch) -> SchemaGuard:
    from airflow_rerun_downstream.airflow3.hooks import recognition

    fresh = SchemaGuard()
    monkeypatch.setattr(recognition, "guard", fresh)
    return fresh


@pytest.fixture
def airflow(database, ours, guard, monkeypatch) -> Airflow:
    from airflow_rerun_downstream.asset_manager import RerunAssetManager

    return Airflow(database, RerunAssetManager(), monkeypatch)


@pytest.fixture
def one_consumer(airflow) -> RunRef:
    """A producer's run whose event started the run of a consumer."""
    airflow.save(dag("producer", outlets=[asset("a")]), dag("consumer", [asset("a")]))
    ref = airflow.run("producer", day=1)
    airflow.succeed(ref, "a")
    airflow.schedule()
    return ref


def stands(call: Future[Any], database: Database) -> bool:
    """Whether a call waits for a lock, or has ended."""
    from sqlalchemy import text

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with database.engine.connect() as connection:
        return call.done() or bool(connection.scalar(text(waiting)))


def rerun(airflow: Airflow, ref: RunRef, *assets: str, rerun_id: int = 1) -> Statements:
    airflow.dispatch(ref, rerun_id=rerun_id)
    airflow.start(ref)
    statements = airflow.succeed(ref, *(assets or ("a",)))
    airflow.schedule()
    return statements


class TestOneConsumer:
    def test_a_rerun_makes_no_second_run(self, airflow, one_consumer):
        (consumer,) = airflow.runs("consumer")

        rerun(airflow, one_consumer)

        assert airflow.runs("consumer") == [consumer]
        assert airflow.queued() == []

    def test_without_our_manager_it_makes_one(self, airflow, one_consumer, monkeypatch):
        from airflow.assets.manager import AssetManager

        airflow.use(AssetManager(), monkeypatch)
        rerun(airflow, one_consumer)

        assert len(airflow.runs("consumer")) == 2

    def test_the_consumer_sees_the_repeat_alone_once_it_is_dispatched_itself(self, airflow, one_consumer):
        rerun(airflow, one_consumer)

        first, second = airflow.events()
        (consumer,) = airflow.runs("consumer")
        assert airflow.events(consumer) == [first], "its history stands until it is its turn"
        airflow.dispatch(airflow.ref("consumer"))
        assert airflow.events(consumer) == [second]

    def test_the_consumer_sees_it_too_once_a_rerun_follows_what_somebody_else_has_cleared(self, airflow, one_consumer):
        rerun(airflow, one_consumer)
        _, second = airflow.events()
        consumer = airflow.ref("consumer")
        airflow.clear_by_hand(consumer)
        airflow.take_over(consumer)
        assert airflow.events(airflow.runs("consumer")[0]) == [second]

    def test_a_repeat_comes_right_after_its_original(self, airflow, one_consumer, session):
        rerun(airflow, one_consumer)
        rerun(airflow, one_consumer, rerun_id=2)

        rows = sorted(scene.rows("asset_event", session=session), key=lambda row: row["id"])
        times = [row["timestamp"] for row in rows]
        assert times == sorted(set(times))
        assert moment(times[2]) - moment(times[0]) <= timedelta(microseconds=2)

    def test_the_next_cycle_consumes_its_own_events(self, airflow, one_consumer):
        rerun(airflow, one_consumer)
        airflow.dispatch(airflow.ref("consumer"))

        airflow.succeed(airflow.run("producer", day=2), "a")
        airflow.schedule()

        before, after = airflow.runs("consumer")
        _first, again, next_day = airflow.events()
        assert (airflow.events(before), airflow.events(after)) == ([again], [next_day])

    @pytest.mark.parametrize("each_time", [True, False], ids=["rerun each time", "rerun the second time only"])
    def test_a_second_rerun_is_no_different(self, airflow, one_consumer, each_time):
        rerun(airflow, one_consumer)
        if each_time:
            airflow.dispatch(airflow.ref("consumer"))
        rerun(airflow, one_consumer, rerun_id=2)
        airflow.dispatch(airflow.ref("consumer"))

        (consumer,) = airflow.runs("consumer")
        assert airflow.events(consumer) == airflow.events()[-1:]

    def test_a_task_of_another_name_repeats_the_one_that_is_gone(self, airflow, one_consumer):
        airflow.save(dag("producer", outlets=[asset("a")], tasks=("make_clean",)))
        airflow.dispatch(one_consumer)
        airflow.move_to_latest(one_consumer)
        airflow.start(one_consumer, "make_clean")
        airflow.succeed(one_consumer, "a", task_id="make_clean")
        airflow.schedule()

        (consumer,) = airflow.runs("consumer")
        airflow.dispatch(airflow.ref("consumer"))
        assert airflow.events(consumer) == airflow.events()[-1:]

    def test_a_task_of_another_name_that_is_cleared_by_hand_is_airflows(self, airflow, one_consumer):
        self.test_a_task_of_another_name_repeats_the_one_that_is_gone(airflow, one_consumer)

        airflow.clear_by_hand(one_consumer, "make_clean")
        airflow.start(one_consumer, "make_clean")
        airflow.succeed(one_consumer, "a", task_id="make_clean")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 2

    def test_a_task_beside_those_that_were_dispatched_is_airflows(self, airflow):
        both = ("make", "other")
        airflow.save(dag("producer", outlets=[asset("a")], tasks=both), dag("consumer", [asset("a")]))
        ref = airflow.run("producer", day=1)
        for task_id in both:
            airflow.succeed(ref, "a", task_id=task_id)
        airflow.schedule()
        before = len(airflow.runs("consumer"))

        airflow.dispatch(ref)
        airflow.clear_by_hand(ref, "other")
        airflow.start(ref, "other")
        airflow.succeed(ref, "a", task_id="other")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == before + 1

    def test_a_try_that_failed_before_changes_nothing(self, airflow, one_consumer):
        airflow.dispatch(one_consumer)
        for _ in range(3):
            airflow.start(one_consumer)
        airflow.succeed(one_consumer, "a")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 1

    def test_a_repair_by_hand_before_the_try_succeeded_is_still_the_reruns(self, airflow, one_consumer):
        airflow.dispatch(one_consumer)
        airflow.start(one_consumer)
        airflow.clear_by_hand(one_consumer)
        airflow.start(one_consumer)
        airflow.succeed(one_consumer, "a")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 1

    def test_what_is_cleared_by_hand_afterwards_is_airflows(self, airflow, one_consumer):
        rerun(airflow, one_consumer)

        airflow.clear_by_hand(one_consumer)
        airflow.start(one_consumer)
        airflow.succeed(one_consumer, "a")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 2

    @pytest.mark.parametrize("begun", [False, True])
    def test_what_is_cleared_by_hand_and_taken_over_is_the_reruns(self, airflow, one_consumer, begun):
        rerun(airflow, one_consumer)

        airflow.clear_by_hand(one_consumer)
        if begun:
            airflow.start(one_consumer)
        airflow.take_over(one_consumer)
        if not begun:
            airflow.start(one_consumer)
        airflow.succeed(one_consumer, "a")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 1

    def test_what_has_ended_before_it_is_taken_over_stays_airflows(self, airflow, one_consumer):
        rerun(airflow, one_consumer)

        airflow.clear_by_hand(one_consumer)
        airflow.start(one_consumer)
        airflow.succeed(one_consumer, "a")
        airflow.take_over(one_consumer)
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 2

    def test_a_run_that_no_rerun_touched_is_airflows(self, airflow, one_consumer):
        rerun(airflow, one_consumer)

        airflow.succeed(airflow.run("producer", day=2), "a")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 2

    @pytest.mark.parametrize("together", [True, False])
    def test_an_original_whose_run_has_not_been_made_yet_still_makes_it(self, airflow, together):
        """It takes both events, or the repeat where it takes those that are queued."""
        airflow.save(dag("producer", outlets=[asset("a")]), dag("consumer", [asset("a")], together=together))
        ref = airflow.run("producer", day=1)
        airflow.succeed(ref, "a")

        rerun(airflow, ref)

        (consumer,) = airflow.runs("consumer")
        assert airflow.events(consumer) == (airflow.events()[1:] if QUEUED_BY_EVENT else airflow.events())

    def test_half_a_condition_waits_for_the_repeat(self, airflow):
        airflow.save(dag("producer", outlets=[asset("a"), asset("b")]), dag("consumer", [asset("a"), asset("b")]))
        ref = airflow.run("producer", day=1)
        airflow.succeed(ref, "a")
        rerun(airflow, ref)
        rerun(airflow, ref, rerun_id=2)
        assert (airflow.queued(), airflow.runs("consumer")) == (["consumer"], [])
        airflow.succeed(airflow.run("producer", day=2), "b")
        airflow.schedule()

        (consumer,) = airflow.runs("consumer")
        assert airflow.events(consumer) == (airflow.events()[2:] if QUEUED_BY_EVENT else airflow.events())

    def test_a_frozen_consumer_reads_the_repeat_when_it_is_released(self, airflow):
        airflow.save(dag("producer", outlets=[asset("a")]), dag("consumer", [asset("a")], together=False))
        ref = airflow.run("producer", day=1)
        with airflow.database.session() as session:
            freezing.members(1, session=session)
            freezing.freeze(FutureRef("consumer", next=True), session=session)
        airflow.succeed(ref, "a")
        rerun(airflow, ref)
        assert airflow.runs("consumer") == []
        with airflow.database.session() as session:
            assert freezing.release(session=session)
        airflow.schedule()

        (consumer,) = airflow.runs("consumer")
        assert airflow.events(consumer) == (airflow.events()[1:] if QUEUED_BY_EVENT else airflow.events())

    def test_a_freeze_on_its_way_and_a_repeat_do_not_wait_for_each_other(self, airflow):
        """Both lock the consumer's Dag before what is queued for it, or one of them would be killed."""
        if airflow.database.engine.dialect.name != "postgresql":
            pytest.skip("only PostgreSQL locks rows")
        airflow.save(dag("producer", outlets=[asset("a")]), dag("consumer", [asset("a")], together=False))
        ref = airflow.run("producer", day=1)
        airflow.succeed(ref, "a")  # the consumer has no run of it yet
        airflow.dispatch(ref, rerun_id=1)
        airflow.start(ref)
        with airflow.database.session() as session, ThreadPoolExecutor(1) as pool:
            freezing.members(1, session=session)
            freezer = AirflowFreezer(session)
            freezer.lock(["consumer"])
            repeat = pool.submit(airflow.succeed, ref, "a")
            wait_until(partial(stands, repeat, airflow.database), 30, "the repeat waits for the freeze, or is there")
            freezer.freeze(1, FutureRef("consumer", next=True), rerun_id=1)
            session.commit()
            repeat.result(30)
        airflow.schedule()
        assert (airflow.queued(), airflow.runs("consumer")) == ([], [])
        with airflow.database.session() as session:
            assert freezing.release(session=session)
        airflow.schedule()

        (consumer,) = airflow.runs("consumer")
        assert airflow.events(consumer) == (airflow.events()[1:] if QUEUED_BY_EVENT else airflow.events())

    def test_a_task_that_had_never_emitted_starts_its_consumers(self, airflow):
        airflow.save(dag("producer", outlets=[asset("a")]), dag("consumer", [asset("a")]))
        ref = airflow.run("producer", day=1, states={"make": "failed"})

        rerun(airflow, ref)

        assert len(airflow.runs("consumer")) == 1
        airflow.clear_by_hand(ref)
        airflow.start(ref)
        airflow.succeed(ref, "a")
        airflow.schedule()
        assert len(airflow.runs("consumer")) == 2

    def test_one_asset_repeats_and_another_is_new(self, airflow, one_consumer):
        airflow.save(dag("producer", outlets=[asset("a"), asset("b")]), dag("of_b", [asset("b")]))

        rerun(airflow, one_consumer, "a", "b")

        assert (len(airflow.runs("consumer")), len(airflow.runs("of_b"))) == (1, 1)


class TestTwoAssets:
    @pytest.fixture
    def refs(self, airflow) -> tuple[RunRef, RunRef]:
        """The runs of two producers, whose events together started the run of a consumer."""
        both = asset("a") & asset("b")
        airflow.save(dag("one", outlets=[asset("a")]), dag("two", outlets=[asset("b")]), dag("consumer", both))
        one, two = airflow.run("one", day=1), airflow.run("two", day=1)
        airflow.succeed(one, "a")
        airflow.succeed(two, "b")
        airflow.schedule()
        return one, two

    def test_a_rerun_leaves_no_half_condition(self, airflow, refs):
        rerun(airflow, refs[0])

        assert airflow.queued() == []
        airflow.succeed(airflow.run("two", day=2), "b")
        airflow.schedule()
        assert len(airflow.runs("consumer")) == 1

    def test_the_next_cycle_waits_for_both_and_consumes_its_own(self, airflow, refs):
        rerun(airflow, refs[0])
        rerun(airflow, refs[1], "b")
        airflow.dispatch(airflow.ref("consumer"))

        airflow.succeed(airflow.run("two", day=2), "b")
        airflow.succeed(airflow.run("one", day=2), "a")
        airflow.schedule()

        before, after = airflow.runs("consumer")
        assert airflow.events(after) == airflow.events()[-2:]
        assert airflow.events(before) == airflow.events()[2:4]

    def test_a_half_condition_of_the_next_cycle_stays(self, airflow, refs):
        airflow.succeed(airflow.run("one", day=2), "a")
        assert airflow.queued() == ["consumer"]

        rerun(airflow, refs[0])
        rerun(airflow, refs[1], "b")

        assert airflow.queued() == ["consumer"]
        assert len(airflow.runs("consumer")) == 1

    def test_without_our_manager_the_next_cycle_starts_early(self, airflow, refs, monkeypatch):
        from airflow.assets.manager import AssetManager

        airflow.use(AssetManager(), monkeypatch)
        rerun(airflow, refs[0])
        airflow.succeed(airflow.run("two", day=2), "b")
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 2


class TestAliases:
    @pytest.fixture
    def ref(self, airflow) -> RunRef:
        """A run that emitted one asset through two aliases, in two events, with a consumer of each alias."""
        from airflow.sdk import AssetAlias

        aliases = [AssetAlias(name) for name in ("x", "y")]
        airflow.save(dag("producer", outlets=[*aliases]), *(dag(f"of_{alias.name}", [alias]) for alias in aliases))
        ref = airflow.run("producer", day=1)
        airflow.succeed(ref, through={"x": {"a": {"rows": 1}}, "y": {"a": {"rows": 2}}})
        airflow.schedule()
        return ref

    def again(self, airflow, ref: RunRef, through: dict[str, dict[str, Any]]) -> None:
        airflow.dispatch(ref)
        airflow.start(ref)
        airflow.succeed(ref, through=through)
        airflow.schedule()

    def test_both_events_of_a_first_try_start_their_consumers(self, airflow, ref):
        assert (len(airflow.runs("of_x")), len(airflow.runs("of_y"))) == (1, 1)

    def test_a_rerun_makes_no_second_runs(self, airflow, ref):
        self.again(airflow, ref, {"x": {"a": {"rows": 1}}, "y": {"a": {"rows": 2}}})

        assert airflow.queued() == []
        third, fourth = airflow.events()[2:]
        assert {self.reads(airflow, "of_x"), self.reads(airflow, "of_y")} == {(third,), (fourth,)}

    def reads(self, airflow, dag_id: str) -> tuple[int, ...]:
        """The events that a Dag's only run consumes once it is dispatched."""
        airflow.dispatch(airflow.ref(dag_id))
        (run,) = airflow.runs(dag_id)
        return tuple(airflow.events(run))

    def test_one_event_may_take_the_place_of_two(self, airflow, ref):
        self.again(airflow, ref, {"x": {"a": {"rows": 3}}, "y": {"a": {"rows": 3}}})

        last = airflow.events()[-1]
        assert len(airflow.events()) == 3
        assert [self.reads(airflow, dag_id) for dag_id in ("of_x", "of_y")] == [(last,), (last,)]

    def test_what_an_alias_names_now_takes_the_place_of_what_it_named_before(self, airflow):
        from airflow.sdk import AssetAlias

        waits = {"of_alias": [AssetAlias("x")], "of_wrong": [asset("wrong")], "of_right": [asset("right")]}
        airflow.save(dag("producer", outlets=[AssetAlias("x")]), *(dag(name, what) for name, what in waits.items()))
        ref = airflow.run("producer", day=1)
        airflow.succeed(ref, through={"x": {"wrong": {}}})
        airflow.schedule()
        assert [len(airflow.runs(name)) for name in waits] == [1, 1, 0]

        self.again(airflow, ref, {"x": {"right": {}}})

        assert [len(airflow.runs(name)) for name in waits] == [1, 1, 1], "nobody had heard of the right asset"
        wrong, right = airflow.events()
        assert [self.reads(airflow, name) for name in waits] == [(right,), (wrong,), (right,)]

    def test_an_alias_may_name_fewer_and_more(self, airflow):
        from airflow.sdk import AssetAlias

        airflow.save(dag("producer", outlets=[AssetAlias("x")]), dag("of_x", [AssetAlias("x")]))
        ref = airflow.run("producer", day=1)
        airflow.succeed(ref, through={"x": {"a": {}, "b": {}}})
        airflow.schedule()
        self.again(airflow, ref, {"x": {"b": {}}})
        first = self.reads(airflow, "of_x")
        self.again(airflow, ref, {"x": {"b": {}, "c": {}}})

        assert (first, self.reads(airflow, "of_x")) == ((airflow.events()[2],), tuple(airflow.events()[3:]))

    def test_an_alias_that_was_not_used_before_starts_its_consumers(self, airflow, ref):
        from airflow.sdk import AssetAlias

        airflow.save(dag("of_z", [AssetAlias("z")]))
        self.again(airflow, ref, {"z": {"a": {}}})

        assert [len(airflow.runs(dag_id)) for dag_id in ("of_x", "of_y", "of_z")] == [1, 1, 1]


class TestMappedTasks:
    def mapped(self, airflow, count: int) -> RunRef:
        from airflow.sdk import DAG, task

        with DAG("producer", schedule="@daily", start_date=scene.START) as producer:

            @task(outlets=[asset("a")])
            def make(number: int) -> None: ...

            make.expand(number=[1, 2, 3])
        airflow.save(producer, dag("consumer", [asset("a")]))
        ref = airflow.run("producer", day=1)
        with airflow.database.session() as session:
            for (_, map_index), ti in scene.instances(ref, session=session).items():
                if map_index >= count:
                    session.delete(ti)
            session.commit()
        for index in range(count):
            airflow.succeed(ref, "a", map_index=index)
        airflow.schedule()
        return ref

    def test_every_index_repeats_its_own_event(self, airflow):
        ref = self.mapped(airflow, 3)
        airflow.dispatch(ref)
        for index in range(3):
            airflow.start(ref, map_index=index)
            airflow.succeed(ref, "a", map_index=index)
        airflow.schedule()

        (consumer,) = airflow.runs("consumer")
        airflow.dispatch(airflow.ref("consumer"))
        _, _, _, *again = airflow.events()
        # Up to Airflow 3.3 the run was made with the first index's event.
        assert airflow.events(consumer) == (again if QUEUED_BY_EVENT else again[:1])

    def test_an_index_that_is_new_repeats_its_siblings(self, airflow):
        ref = self.mapped(airflow, 2)
        airflow.dispatch(ref)
        with airflow.database.session() as session:
            from airflow.models.taskinstance import TaskInstance

            sibling = scene.instance(ref, "make", 0, session=session)
            task = scene.latest("producer", session=session).get_task("make")
            version = sibling.dag_version_id
            session.add(TaskInstance(task, run_id=ref.run_id, map_index=2, dag_version_id=version))
            session.commit()
        for _ in range(2):
            airflow.start(ref, map_index=2)
        airflow.succeed(ref, "a", map_index=2)
        airflow.schedule()

        (consumer,) = airflow.runs("consumer")
        found = self.remembered(airflow)
        airflow.dispatch(airflow.ref("consumer"))
        assert airflow.events(consumer) == airflow.events()[-1:]
        assert (found[-1]["first_try"], found[-1]["emitted_try"]) == (1, None)
        assert (found[2]["first_try"], found[2]["emitted_try"]) == (1, 2)

    def remembered(self, airflow) -> dict[int, dict[str, Any]]:
        with airflow.database.session() as session:
            rows = scene.rows("rerun_downstream_dispatched_task", session=session)
        return {row["map_index"]: row for row in rows}

    def test_an_index_that_had_failed_starts_a_run(self, airflow):
        ref = self.mapped(airflow, 3)
        with airflow.database.session() as session:
            scene.instance(ref, "make", 2, session=session).state = "failed"
            session.execute(_delete_event_of(2))
            session.commit()
        airflow.dispatch(ref)
        airflow.start(ref, map_index=2)
        airflow.succeed(ref, "a", map_index=2)
        airflow.schedule()

        assert len(airflow.runs("consumer")) == 2


def _delete_event_of(map_index: int) -> Any:
    from airflow.models.asset import AssetEvent
    from sqlalchemy import delete

    return delete(AssetEvent).where(AssetEvent.source_map_index == map_index)


class TestPartitions:
    @pytest.fixture(autouse=True)
    def partitioned(self) -> None:
        from airflow.models.asset import AssetEvent

        if not hasattr(AssetEvent, "partition_key"):
            pytest.skip("this Airflow has no partitions")

    @pytest.fixture
    def ref(self, airflow) -> RunRef:
        from airflow.sdk import CronPartitionTimetable, PartitionedAssetTimetable

        daily = CronPartitionTimetable("0 0 * * *", timezone="UTC")
        timetable = PartitionedAssetTimetable(assets=asset("a"))
        airflow.save(dag("producer", daily, outlets=[asset("a")]), dag("consumer", timetable))
        ref = airflow.run("producer", day=1, partition_key="p1")
        airflow.succeed(ref, "a")
        airflow.schedule()
        return ref

    def partitions(self, airflow) -> int:
        with airflow.database.session() as session:
            return len(scene.rows("asset_partition_dag_run", session=session))

    def test_a_rerun_makes_no_second_run_of_a_partition(self, airflow, ref):
        rerun(airflow, ref)

        assert (len(airflow.runs("consumer")), self.partitions(airflow)) == (1, 1)

    def test_another_partition_is_new(self, airflow, ref):
        rerun(airflow, ref)
        airflow.succeed(airflow.run("producer", day=2, partition_key="p2"), "a")
        airflow.schedule()

        assert (len(airflow.runs("consumer")), self.partitions(airflow)) == (2, 2)


class TestHarmless:
    """Decision 12: where our tables aren't what the code expects, Airflow goes on as if we weren't there."""

    @pytest.fixture
    def ref(self, airflow) -> RunRef:
        airflow.save(dag("producer", outlets=[asset("a")]), dag("consumer", [asset("a")]))
        return airflow.run("producer", day=1)

    def goes_on(self, airflow, ref: RunRef) -> None:
        airflow.succeed(ref, "a")
        airflow.schedule()
        assert len(airflow.runs("consumer")) == 1
        assert len(airflow.events()) == 1

    def test_never_migrated(self, airflow, ref):
        scene.drop(airflow.database)
        self.goes_on(airflow, ref)

    def test_dropped_a_moment_ago(self, airflow, ref, guard):
        with airflow.database.engine.connect() as connection:
            assert guard.ready(connection)
        scene.drop(airflow.database)
        self.goes_on(airflow, ref)

    def test_an_event_without_a_task(self, airflow, ref, session):
        from airflow_rerun_downstream.asset_manager import RerunAssetManager

        event = RerunAssetManager().register_asset_change(asset=asset("a"), session=session, extra={"by": "hand"})
        session.commit()
        assert event is not None
        assert airflow.queued() == ["consumer"]

    def test_an_unknown_asset(self, airflow, ref, session):
        from airflow_rerun_downstream.asset_manager import RerunAssetManager

        ti = scene.instance(ref, "make", session=session)
        manager = RerunAssetManager()
        assert manager.register_asset_change(task_instance=ti, asset=asset("other"), session=session) is None

    def test_a_first_try_costs_one_short_read_for_each_event_that_dags_wait_for(self, airflow, ref, guard, monkeypatch):
        """Whether one of these Dags is frozen. A run that was never cleared has no try of a rerun's."""
        from airflow.assets.manager import AssetManager

        from airflow_rerun_downstream.asset_manager import RerunAssetManager

        airflow.save(dag("producer", outlets=[asset("a"), asset("b")]))
        airflow.succeed(ref, "a", "b")
        sent = []
        for manager in (AssetManager(), RerunAssetManager()):
            airflow.use(manager, monkeypatch)
            sent.append([airflow.succeed(ref, *assets).texts for assets in (["a"], ["a", "b"])])

        for plain, ours in zip(*sent, strict=True):
            added = [text for text in ours if "SAVEPOINT" not in text.upper()]
            before = [text for text in plain if "SAVEPOINT" not in text.upper()]
            assert len(added) == len(before) + 1, "nothing waits for the second asset"
            # PostgreSQL's way to read harmlessly.
            points = 0 if airflow.database.backend == "sqlite" else 2
            assert len(ours) == len(plain) + 1 + points


class TestConfigured:
    def test_active_is_what_this_process_uses(self, database, monkeypatch):
        import airflow.assets.manager as theirs

        from airflow_rerun_downstream.airflow3.hooks import asset_events
        from airflow_rerun_downstream.airflow3.hooks.asset_events import RerunAssetMixin
        from airflow_rerun_downstream.airflow3.hooks.asset_events import active_here as active
        from airflow_rerun_downstream.asset_manager import RerunAssetManager

        assert not active()
        monkeypatch.setattr(theirs, "asset_manager", RerunAssetManager())
        assert active()

        class SiteManager(RerunAssetMixin, theirs.AssetManager):
            """A site's own."""

        monkeypatch.setattr(theirs, "asset_manager", SiteManager())
        assert active()
        monkeypatch.setattr(asset_events, "_inside", None)
        assert not active(), "what it stands on could not be imported"

    @pytest.mark.parametrize(
        "first",
        ["airflow.assets.manager", "airflow_rerun_downstream.asset_manager", "airflow.models.taskinstance"],
    )
    def test_any_order_of_imports_will_do(self, first, tmp_path):
        import os
        import subprocess
        import sys

        code = (
            f"import {first}\n"
            "from airflow_rerun_downstream.asset_manager import RerunAssetManager\n"
            "from airflow.assets.manager import asset_manager\n"
            "assert type(asset_manager) is RerunAssetManager\n"
            "from airflow.models import import_all_models\n"
            "from sqlalchemy.orm import configure_mappers\n"
            "from airflow_rerun_downstream.airflow3.hooks.asset_events import working\n"
            "import_all_models(); configure_mappers()\n"
            "assert working(), 'prepared before the first query'\n"
        )
        name = "airflow_rerun_downstream.asset_manager.RerunAssetManager"
        env = {**os.environ, "AIRFLOW__CORE__ASSET_MANAGER_CLASS": name, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    def test_the_module_has_nothing_else(self):
        import airflow_rerun_downstream.asset_manager as module

        with pytest.raises(AttributeError, match="no attribute 'AssetManager'"):
            _ = module.AssetManager
