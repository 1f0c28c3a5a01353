"""Frozen Dags that assets start: nothing while they are frozen, and afterwards what would have come."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import insert, text

from airflow_rerun_downstream.airflow3.holding import parking
from airflow_rerun_downstream.airflow3.holding.freezer import AirflowFreezer
from airflow_rerun_downstream.airflow3.hooks import recognition
from airflow_rerun_downstream.airflow3.lineage_facts import readers
from airflow_rerun_downstream.airflow3.versions import EVENTS_COME_ALONE, HAS_PARTITIONS, QUEUED_BY_EVENT
from airflow_rerun_downstream.domain.errors import CannotFreeze
from airflow_rerun_downstream.domain.plan import FutureRef
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.store.guard import SchemaGuard
from airflow_rerun_downstream.store.tables import parked, parked_event
from tests.airflow3 import assets, freezing, history, scene, scheduler

NEXT, BOTH = FutureRef("c", next=True), FutureRef("both", next=True)
partitions = pytest.mark.skipif(not HAS_PARTITIONS, reason="Airflow 3.1 has no partitions")
by_event = pytest.mark.skipif(not QUEUED_BY_EVENT, reason="Airflow's queue has a row for each asset")
by_asset = pytest.mark.skipif(QUEUED_BY_EVENT, reason="Airflow's queue has a row for each event")
batches = pytest.mark.skipif(not EVENTS_COME_ALONE, reason="Airflow always takes events together")


class Airflow:
    """Producer ``p``; ``c`` and ``other`` start with asset one, ``both`` with assets one and two."""

    def __init__(self, database: Any, session: Any) -> None:
        self.database, self.session = database, session
        one, two = assets.asset("one"), assets.asset("two")
        scene.save(
            history.dag("p", schedule="@daily"),
            history.dag("c", schedule=[one]),
            history.dag("other", schedule=[one]),
            history.dag("both", schedule=[one, two]),
            session=session,
        )
        self.producer = scene.create_run("p", session=session)
        freezing.members(3, session=session)

    def emit(self, name: str, **more: Any) -> int:
        return assets.emit(self.producer, name, session=self.session, manager=assets.manager(), **more)

    def turn(self) -> None:
        scheduler.make_runs(session=self.session)

    def runs(self, dag_id: str) -> list[set[int]]:
        """The events that each run of a Dag has consumed, in the order of the runs."""
        found = scheduler.refs(dag_id, session=self.session)
        made = sorted((scene.run_of(ref, session=self.session) for ref in found), key=lambda run: run.id)
        return [{event.id for event in run.consumed_asset_events} for run in made]

    def freeze(self, target: FutureRef, member_id: int = 1) -> None:
        freezing.freeze(target, session=self.session, member_id=member_id)

    def empty_queue(self) -> None:
        """As if nothing had been queued."""
        self.session.execute(text("DELETE FROM asset_dag_run_queue"))
        self.session.commit()

    def asset_id(self, name: str) -> int:
        (row,) = scene.rows("asset", session=self.session, name=name)
        return int(row["id"])

    def park(self, table: Any, dag_id: str = "c", **values: Any) -> None:
        """A row that was parked earlier, perhaps on another Airflow."""
        self.session.execute(insert(table).values(dag_id=dag_id, **values))
        self.session.commit()

    def release(self, member_id: int = 1) -> None:
        assert freezing.release(session=self.session, member_id=member_id)


def consumed(*events: int) -> list[set[int]]:
    """What the runs consume that come of several events, where Airflow is left to its defaults."""
    return [{event} for event in events] if EVENTS_COME_ALONE else [set(events)]


@pytest.fixture
def airflow(database, session, monkeypatch) -> Airflow:
    scene.migrate(database)
    monkeypatch.setattr(recognition, "guard", SchemaGuard())
    return Airflow(database, session)


class TestAssets:
    def test_nothing_comes_while_it_is_frozen_and_all_of_it_afterwards(self, airflow):
        airflow.freeze(NEXT)
        events = [airflow.emit("one")]
        airflow.turn()
        events.append(airflow.emit("one"))
        airflow.turn()
        assert airflow.runs("c") == []
        assert airflow.runs("other") == [{events[0]}, {events[1]}]
        airflow.release()
        airflow.turn()
        airflow.turn()
        assert airflow.runs("c") == consumed(*events)

    def test_the_run_after_it_consumes_its_own_events_only(self, airflow):
        airflow.freeze(NEXT)
        first = airflow.emit("one")
        airflow.release()
        airflow.turn()
        second = airflow.emit("one")
        airflow.turn()
        assert airflow.runs("c") == [{first}, {second}]

    def test_what_stood_already_is_parked_too(self, airflow):
        event = airflow.emit("one")
        airflow.freeze(NEXT)
        airflow.turn()
        assert (airflow.runs("c"), airflow.runs("other")) == ([], [{event}])
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == [{event}]

    def test_a_half_condition(self, airflow):
        one = airflow.emit("one")
        airflow.freeze(BOTH)
        two = airflow.emit("two")
        airflow.turn()
        assert airflow.runs("both") == []
        airflow.release()
        airflow.turn()
        assert airflow.runs("both") == [{one, two}]
        airflow.emit("two")
        airflow.turn()
        assert len(airflow.runs("both")) == 1

    def test_a_half_that_stays_half(self, airflow):
        airflow.freeze(BOTH)
        one = airflow.emit("one")
        airflow.release()
        airflow.turn()
        assert airflow.runs("both") == []
        two = airflow.emit("two")
        airflow.turn()
        assert airflow.runs("both") == [{one, two}]

    def test_nothing_happened(self, airflow):
        airflow.freeze(NEXT)
        airflow.release()
        airflow.turn()
        assert (airflow.runs("c"), scene.rows("asset_dag_run_queue", session=airflow.session)) == ([], [])

    def test_the_last_rerun_lets_it_go(self, airflow):
        airflow.freeze(NEXT)
        airflow.freeze(NEXT, member_id=2)
        event = airflow.emit("one")
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == []
        airflow.release(2)
        airflow.turn()
        assert airflow.runs("c") == [{event}]

    def test_strays_are_swept_up(self, airflow):
        airflow.freeze(NEXT)
        event = assets.emit(airflow.producer, "one", session=airflow.session)  # Airflow's own manager
        AirflowFreezer(airflow.session).sweep()
        airflow.session.commit()
        airflow.turn()
        assert (airflow.runs("c"), airflow.runs("other")) == ([], [{event}])
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == [{event}]

    def test_an_event_that_a_run_took_after_all_starts_no_other(self, airflow):
        event = airflow.emit("one")
        (row,) = scene.rows("asset_dag_run_queue", session=airflow.session, target_dag_id="c")
        airflow.turn()
        airflow.freeze(NEXT)
        kept = {"event_id": event} if QUEUED_BY_EVENT else {"asset_id": row["asset_id"]}
        airflow.park(parked_event if QUEUED_BY_EVENT else parked, **kept, created_at=taken(airflow))
        airflow.release()
        assert scene.rows("asset_dag_run_queue", session=airflow.session, target_dag_id="c") == []
        airflow.turn()
        assert airflow.runs("c") == [{event}]

    def test_an_asset_that_starts_the_dag_no_more(self, airflow):
        airflow.freeze(NEXT)
        airflow.emit("one")
        scene.save(history.dag("c", schedule=[assets.asset("two")]), session=airflow.session)
        airflow.release()
        assert scene.rows("asset_dag_run_queue", session=airflow.session, target_dag_id="c") == []

    def test_a_paused_dag_stays_paused(self, airflow):
        from airflow.models.dag import DagModel

        airflow.freeze(NEXT)
        event = airflow.emit("one")
        airflow.session.get(DagModel, "c").is_paused = True
        airflow.session.commit()
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == []
        assert airflow.session.get(DagModel, "c").is_paused
        airflow.session.get(DagModel, "c").is_paused = False
        airflow.session.commit()
        airflow.turn()
        assert airflow.runs("c") == [{event}]

    def test_two_events_of_one_transaction(self, airflow):
        from airflow.assets.manager import AssetManager

        assert issubclass(assets.manager(), AssetManager)
        airflow.freeze(NEXT)
        ti = scene.instance(airflow.producer, "t", session=airflow.session)
        events = [
            assets.manager()().register_asset_change(
                task_instance=ti, asset=assets.asset("one"), session=airflow.session
            )
            for _ in range(2)
        ]
        airflow.session.commit()
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == consumed(*(event.id for event in events))

    def test_it_still_waits_in_a_plan(self, airflow):
        airflow.freeze(NEXT)
        airflow.emit("one")
        found = readers(airflow.session).assets.waiting([airflow.producer])
        assert [one.dag_id for one in found] == ["both", "c", "other"]

    def test_a_dag_that_assets_do_not_start(self, airflow):
        with pytest.raises(CannotFreeze, match="dag_gone"):
            airflow.freeze(FutureRef("p", next=True))


def emitted_at(airflow: Airflow, event: int) -> Any:
    from airflow.models.asset import AssetEvent

    return airflow.session.get(AssetEvent, event).timestamp


class TestAnotherAirflowInBetween:
    """What was parked before an upgrade or a downgrade of Airflow comes as Airflow's own queue does."""

    @by_event
    def test_what_was_parked_by_its_asset_are_the_events_that_the_next_run_would_have_consumed(self, airflow):
        early = airflow.emit("one")
        airflow.turn()
        events = [assets.emit(airflow.producer, "one", session=airflow.session) for _ in range(2)]
        airflow.empty_queue()
        airflow.freeze(NEXT)
        airflow.park(parked, asset_id=airflow.asset_id("one"), created_at=emitted_at(airflow, events[1]))
        later = airflow.emit("one")
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == [{early}, {events[0]}, {events[1]}, {later}]
        assert scene.rows("rerun_downstream_parked", session=airflow.session) == []
        assert scene.rows("rerun_downstream_parked_event", session=airflow.session) == []

    @by_event
    def test_the_first_run_takes_nothing_from_before_its_dag_was_scheduled_by_the_asset(self, airflow):
        from airflow.models.asset import AssetEvent

        old, new = (assets.emit(airflow.producer, "one", session=airflow.session) for _ in range(2))
        airflow.session.get(AssetEvent, old).timestamp = scene.START
        airflow.empty_queue()
        airflow.freeze(NEXT)
        airflow.park(parked, asset_id=airflow.asset_id("one"), created_at=emitted_at(airflow, new))
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == [{new}]

    @by_event
    def test_half_a_condition_stays_half(self, airflow):
        one = assets.emit(airflow.producer, "one", session=airflow.session)
        airflow.empty_queue()
        airflow.freeze(BOTH)
        airflow.park(parked, "both", asset_id=airflow.asset_id("one"), created_at=emitted_at(airflow, one))
        airflow.release()
        airflow.turn()
        assert airflow.runs("both") == []
        two = airflow.emit("two")
        airflow.turn()
        assert airflow.runs("both") == [{one, two}]

    @by_event
    def test_an_event_and_its_repeat_come_once(self, airflow):
        from airflow_rerun_downstream.store.tables import repeat

        first, again = (assets.emit(airflow.producer, "one", session=airflow.session) for _ in range(2))
        airflow.session.execute(insert(repeat).values(event_id=again, original_id=first))
        airflow.empty_queue()
        airflow.freeze(NEXT)
        airflow.park(parked, asset_id=airflow.asset_id("one"), created_at=emitted_at(airflow, again))
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == [{first}]

    @by_asset
    def test_what_was_parked_by_its_event_is_queued_by_its_asset_up_to_the_last_one(self, airflow):
        events = [assets.emit(airflow.producer, "one", session=airflow.session) for _ in range(2)]
        airflow.empty_queue()
        airflow.freeze(NEXT)
        for event in events:
            airflow.park(parked_event, event_id=event, created_at=scene.START)
        airflow.release()
        (row,) = scene.rows("asset_dag_run_queue", session=airflow.session, target_dag_id="c")
        assert row["asset_id"] == airflow.asset_id("one")
        airflow.turn()
        assert airflow.runs("c") == [set(events)]

    def test_an_event_that_is_gone(self, airflow):
        airflow.freeze(NEXT)
        airflow.park(parked_event, event_id=10_000, created_at=scene.START)
        airflow.release()
        assert scene.rows("asset_dag_run_queue", session=airflow.session, target_dag_id="c") == []
        assert scene.rows("rerun_downstream_parked_event", session=airflow.session) == []


@batches
class TestBatches:
    """Dags whose runs take all events together, as their authors may say since each event has a run of its own."""

    def test_one_run_comes_of_all_events(self, airflow):
        from airflow.sdk import AssetTriggeredTimetable

        schedule = AssetTriggeredTimetable(assets.asset("one"), batch_asset_events=True)
        scene.save(history.dag("c", schedule=schedule), session=airflow.session)
        airflow.freeze(NEXT)
        events = {airflow.emit("one") for _ in range(3)}
        airflow.release()
        airflow.turn()
        assert airflow.runs("c") == [events]

    def test_one_run_comes_of_a_partition(self, airflow):
        scene.save(assets.partitioned("k", "one", batch_asset_events=True), session=airflow.session)
        airflow.freeze(FutureRef("k", partition_key="x"))
        events = {airflow.emit("one", partition_key="x") for _ in range(2)}
        events.add(assets.emit(airflow.producer, "one", session=airflow.session, partition_key="x"))
        airflow.release()
        airflow.turn()
        airflow.turn()
        assert airflow.runs("k") == [events]


def taken(airflow: Airflow) -> Any:
    (ref,) = scheduler.refs("c", session=airflow.session)
    return scene.run_of(ref, session=airflow.session).run_after


@partitions
class TestPartitions:
    @pytest.fixture(autouse=True)
    def by_key(self, airflow) -> None:
        scene.save(assets.partitioned("k", "one"), assets.partitioned("k2", "one", "two"), session=airflow.session)

    def keys(self, airflow: Airflow, dag_id: str) -> list[str]:
        found = scheduler.refs(dag_id, session=airflow.session)
        return sorted(scene.run_of(ref, session=airflow.session).partition_key for ref in found)

    def test_one_key_is_frozen(self, airflow):
        airflow.freeze(FutureRef("k", partition_key="x"))
        for key in ("x", "y", "x"):
            airflow.emit("one", partition_key=key)
            airflow.turn()
        assert self.keys(airflow, "k") == ["y"]
        airflow.release()
        airflow.turn()
        airflow.turn()
        assert self.keys(airflow, "k") == (["x", "x", "y"] if EVENTS_COME_ALONE else ["x", "y"])

    def test_all_keys_are_frozen(self, airflow):
        airflow.freeze(FutureRef("k", next=True))
        events = [airflow.emit("one", partition_key=key) for key in ("x", "y", "x")]
        airflow.turn()
        assert self.keys(airflow, "k") == []
        airflow.release()
        airflow.turn()
        expected = [[event] for event in events] if EVENTS_COME_ALONE else [[events[0], events[2]], [events[1]]]
        assert sorted(map(sorted, airflow.runs("k"))) == expected

    def test_what_stood_already_and_half_a_condition(self, airflow):
        one = airflow.emit("one", partition_key="x")
        airflow.freeze(FutureRef("k2", partition_key="x"))
        two = airflow.emit("two", partition_key="x")
        airflow.turn()
        assert (self.keys(airflow, "k2"), self.keys(airflow, "k")) == ([], ["x"])
        airflow.release()
        airflow.turn()
        assert airflow.runs("k2") == [{one, two}]

    def test_one_rerun_has_a_key_and_another_all(self, airflow):
        airflow.freeze(FutureRef("k", partition_key="x"))
        airflow.freeze(FutureRef("k", next=True), member_id=2)
        for key in ("x", "y"):
            airflow.emit("one", partition_key=key)
        airflow.release(2)
        airflow.turn()
        assert self.keys(airflow, "k") == ["y"]
        airflow.release()
        airflow.turn()
        assert self.keys(airflow, "k") == ["x", "y"]

    def test_a_stray_and_what_is_parked_become_what_airflow_would_have_made_of_them(self, airflow):
        airflow.freeze(FutureRef("k", partition_key="x"))
        parked = airflow.emit("one", partition_key="x")
        stray = assets.emit(airflow.producer, "one", session=airflow.session, partition_key="x")
        airflow.release()
        airflow.turn()
        airflow.turn()
        assert airflow.runs("k") == consumed(parked, stray)

    def test_it_still_waits_in_a_plan(self, airflow):
        airflow.freeze(FutureRef("k", partition_key="x"))
        airflow.emit("one", partition_key="x")
        found = readers(airflow.session).assets.waiting([airflow.producer])
        assert {(one.dag_id, one.partition_key) for one in found} >= {("k", "x"), ("k2", "x")}

    def test_the_longest_name_fits(self):
        assert len(parking.parked_name("d" * 250)) == 250


class TestTransactions:
    def test_without_our_tables_airflow_goes_on(self, airflow, database):
        with database.engine.connect() as connection:
            assert recognition.guard.ready(connection)
        scene.drop(database)
        try:
            event = airflow.emit("one")
            airflow.turn()
            assert airflow.runs("c") == [{event}]
        finally:
            scene.migrate(database)

    def test_an_event_costs_one_statement_more(self, airflow, database):
        airflow.emit("one")
        with database.counted() as statements:
            airflow.emit("one")
        ours = [text for text in statements.texts if "rerun_downstream_hold" in text and "SELECT DISTINCT" in text]
        assert len(ours) == 1

    @pytest.mark.parametrize("database", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
    @pytest.mark.parametrize("key", [None, pytest.param("x", marks=partitions)])
    def test_an_event_and_a_freeze_at_the_same_time(self, airflow, database, key):
        """Whichever comes first: what the event queues is parked."""
        dag_id, more = ("k", {"partition_key": key}) if key else ("c", {})
        if key:
            scene.save(assets.partitioned("k", "one"), session=airflow.session)
        for event_first in (True, False):
            with database.session() as events, database.session() as freezes:
                freezer = AirflowFreezer(freezes)

                def emit(session: Any = events) -> None:
                    assets.manager()().register_asset_change(
                        task_instance=scene.instance(airflow.producer, "t", session=session),
                        asset=assets.asset("one"),
                        session=session,
                        **more,
                    )

                def freeze(freezer: Any = freezer) -> None:
                    freezer.lock([dag_id])
                    freezer.freeze(1, FutureRef(dag_id, next=True), rerun_id=1)

                first, second = (emit, freeze) if event_first else (freeze, emit)
                first()
                other = threading.Thread(target=second)
                other.start()
                time.sleep(0.3)
                (events if event_first else freezes).commit()
                other.join(15)
                (freezes if event_first else events).commit()
            airflow.turn()
            assert airflow.runs(dag_id) == []
            airflow.session.commit()
            airflow.release()
            clear(airflow, dag_id)


def clear(airflow: Airflow, dag_id: str) -> None:
    """Let what is queued become a run, and delete it."""
    airflow.turn()
    for ref in scheduler.refs(dag_id, session=airflow.session):
        scene.delete_run(RunRef(dag_id, ref.run_id), session=airflow.session)
