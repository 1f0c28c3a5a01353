"""Tasks that read assets, the events of these assets, and when the tasks started."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_rerun_downstream.airflow3.versions import DAGS_HAVE_GATES
from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3 import history, scene

START = scene.START
HOUR = timedelta(hours=1)
URI = "x://orders/all"


@pytest.fixture
def facts(session):
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    return readers(session)


def reader(*assets: Any, mapped: bool = False) -> Any:
    from airflow.providers.standard.operators.bash import BashOperator

    def build() -> None:
        if mapped:
            BashOperator.partial(task_id="read", inlets=list(assets)).expand(bash_command=["a", "b"])
        else:
            BashOperator(task_id="read", bash_command="true", inlets=list(assets))

    return build


def told(facts: Any) -> list[tuple[str, str, str]]:
    return [(each.dag_id, each.task_id, each.asset) for each in facts.dags.definitions().inlets]


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("by", ["name", "uri", "alias"])
def test_inlets_that_a_task_only_names(facts, session, by, mapped):
    from airflow.models.asset import AssetAliasModel, AssetModel
    from airflow.sdk import Asset, AssetAlias
    from sqlalchemy import select

    one = Asset("one", uri="x://one/all")
    named = {"name": Asset.ref(name="one"), "uri": Asset.ref(uri="x://one/all"), "alias": AssetAlias("some")}[by]
    scene.save(
        history.dag("makes", reader(Asset("other", uri="x://other/all"), one)),
        history.dag("reads", reader(named, mapped=mapped)),
        history.dag("scheduled", reader(named, mapped=mapped), schedule=[one]),
        session=session,
    )
    if by == "alias":
        alias = session.scalar(select(AssetAliasModel).where(AssetAliasModel.name == "some"))
        alias.assets = [session.scalar(select(AssetModel).where(AssetModel.uri == "x://one/all"))]
        session.commit()
    assert [each for each in told(facts) if each[0] != "makes"] == [
        ("reads", "read", "x://one/all"),
        ("scheduled", "read", "x://one/all"),
    ]


def test_inlets_of_active_dags_and_what_schedules_them(facts, session):
    from airflow.models.asset import AssetAliasModel, AssetModel
    from airflow.models.dag import DagModel
    from airflow.sdk import Asset, AssetAlias
    from sqlalchemy import select

    one, two = Asset("one", uri="x://one/all"), Asset("two", uri="x://two/all")
    dags = {
        "plain": history.dag("plain", reader(one, two)),
        "mapped": history.dag("mapped", reader(one, mapped=True)),
        "by_asset": history.dag("by_asset", reader(one, two), schedule=[one]),
        "by_name": history.dag("by_name", reader(one, two), schedule=[Asset.ref(name="two")]),
        "by_uri": history.dag("by_uri", reader(one, two), schedule=[Asset.ref(uri="x://one/all")]),
        "by_alias": history.dag("by_alias", reader(one, two), schedule=[AssetAlias("both")]),
        "stale": history.dag("stale", reader(one)),
    }
    scene.save(*dags.values(), session=session)
    alias = session.scalar(select(AssetAliasModel).where(AssetAliasModel.name == "both"))
    alias.assets = [session.scalar(select(AssetModel).where(AssetModel.uri == "x://two/all"))]
    session.scalar(select(DagModel).where(DagModel.dag_id == "stale")).is_stale = True
    session.commit()
    readers = ("plain", "by_asset", "by_name", "by_uri", "by_alias")
    assert set(told(facts)) == {
        *((dag_id, "read", f"x://{name}/all") for dag_id in readers for name in ("one", "two")),
        ("mapped", "read", "x://one/all"),
    }
    ids = {each.asset_id: each.asset for each in facts.dags.definitions().inlets}
    # What came through an alias starts a Dag by it only when it comes through it again.
    assert {(each.dag_id, ids[each.asset_id], each.alias) for each in facts.dags.definitions().asset_schedules} == {
        ("by_asset", "x://one/all", None),
        ("by_name", "x://two/all", None),
        ("by_uri", "x://one/all", None),
        ("by_alias", "x://two/all", "both"),
    }


@pytest.mark.parametrize("by", ["itself", "name", "uri"])
def test_outlets_that_somebody_takes(facts, session, by):
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import Asset, AssetAlias

    read, started, nobody = (Asset(name, uri=f"x://{name}/all") for name in ("read", "started", "nobody"))

    def called(asset: Any) -> Any:
        return {"itself": asset, "name": Asset.ref(name=asset.name), "uri": Asset.ref(uri=asset.uri)}[by]

    def build() -> None:
        made = [called(read), called(started), called(nobody), AssetAlias("some")]
        BashOperator(task_id="make", bash_command="true", outlets=made)

    scene.save(
        history.dag("makes", build),
        history.dag("reads", reader(read)),
        history.dag("started", schedule=[started]),
        history.dag("keeps", lambda: BashOperator(task_id="t", bash_command="true", outlets=[nobody])),
        session=session,
    )
    assert {(each.dag_id, each.task_id, each.asset) for each in facts.dags.definitions().outlets} == {
        ("makes", "make", "x://read/all"),
        ("makes", "make", "x://started/all"),
    }


@pytest.mark.parametrize("by", ["name", "uri"])
def test_outlets_that_somebody_takes_by_their_name_or_uri_alone(facts, session, by):
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import Asset

    read = Asset("read", uri="x://read/all")
    named = {"name": Asset.ref(name="read"), "uri": Asset.ref(uri="x://read/all")}[by]

    def build() -> None:
        BashOperator(task_id="make", bash_command="true", outlets=[read])

    scene.save(history.dag("makes", build), history.dag("reads", reader(named)), session=session)
    assert [(each.task_id, each.asset) for each in facts.dags.definitions().outlets] == [("make", "x://read/all")]


@pytest.fixture
def runs(session) -> list[RunRef]:
    """Three days of a producer, and the Dag of a reader."""
    from airflow.sdk import Asset

    scene.save(history.dag("a"), history.dag("r", reader(Asset(URI))), session=session)
    found = [scene.create_run("a", session=session, day=day) for day in range(3)]
    for day, ref in enumerate(found):
        start = START + timedelta(days=day)
        history.finish(ref, "success", session=session, start=start, end=start + 3 * HOUR)
    return found


def test_an_event_lasts_until_another_run_of_its_dag_emits(facts, session, runs):
    from airflow.models.asset import AssetEvent

    asset_id = history.model(URI, session=session).id
    first = history.emit(runs[0], session=session, asset=URI, at=START + HOUR, task_id="t")
    again = history.emit(runs[0], session=session, asset=URI, at=START + 2 * HOUR, task_id="u")
    history.emit(runs[0], session=session, at=START + 2 * HOUR, asset="x://other/all")
    second = history.emit(runs[1], session=session, asset=URI, at=START + 24 * HOUR)
    outside = AssetEvent(asset_id=asset_id, extra={}, timestamp=START + 30 * HOUR)
    session.add(outside)
    scene.save(history.dag("b"), session=session)
    other = scene.create_run("b", session=session)
    history.emit(other, session=session, asset=URI, at=START + 3 * HOUR)
    third = history.emit(runs[2], session=session, asset=URI, at=START + 48 * HOUR)
    found = facts.assets.emissions([*runs, RunRef("a", "gone")], [asset_id])
    assert [(each.event_id, each.producer, each.task_id) for each in found] == [
        (first, runs[0], "t"),
        (again, runs[0], "u"),
        (second, runs[1], "t"),
        (third, runs[2], "t"),
    ]
    assert [(each.at - START) / HOUR for each in found] == [1, 2, 24, 48]
    assert [each.until and (each.until - START) / HOUR for each in found] == [24, 24, 48, None]
    assert facts.assets.emissions(runs, []) == facts.assets.emissions([], [asset_id]) == []


def started(session: Any, ref: RunRef, at: float, *, state: str | None = "success", end: float | None = None) -> None:
    instance = scene.instance(ref, "read", session=session)
    scene.put(instance, state, date=START + at * HOUR)
    instance.start_date = START + at * HOUR
    session.commit()
    history.finish(ref, "success", session=session, start=START, end=None if end is None else START + end * HOUR)


def test_when_tasks_started(facts, session, runs):
    days = [scene.create_run("r", session=session, day=day) for day in range(6)]
    started(session, days[0], 1, end=2)
    started(session, days[1], 5, end=6)
    started(session, days[2], 6, end=6)
    started(session, days[3], 7, state="skipped", end=9)
    started(session, days[4], 8, state="running")
    started(session, days[5], 9, end=10)
    found = facts.tasks.task_starts({("r", "read"), ("a", "gone")}, since=START + 5 * HOUR, until=START + 9 * HOUR)
    assert [(each.run.ref, each.task_id, (each.at - START) / HOUR) for each in found] == [
        (days[1], "read", 5),
        (days[2], "read", 6),
        (days[4], "read", 8),
    ]
    assert [
        each.run.ref for each in facts.tasks.task_starts({("r", "read")}, since=START + 8 * HOUR, until=None)
    ] == days[4:]
    assert facts.tasks.task_starts([], since=START, until=None) == []


def test_tasks_started_when_airflow_says_where_our_tables_were_never_made(facts, session, monkeypatch):
    from weakref import WeakSet

    from airflow_rerun_downstream.airflow3.lineage_facts import own_starts

    scene.save(history.dag("r", reader("x://orders/all")), session=session)
    ref = scene.create_run("r", session=session)
    monkeypatch.setattr(own_starts, "KNOWN_DATABASES", WeakSet())
    own_starts.own_start.drop(session.connection())
    session.commit()
    try:
        found = facts.tasks.task_starts({("r", "read")}, since=START - HOUR, until=None)
    finally:
        session.rollback()
        own_starts.own_start.create(session.connection())
        session.commit()
    assert [(each.run.ref, each.at) for each in found] == [
        (ref, scene.instance(ref, "read", session=session).start_date)
    ]
    assert facts.tasks.task_starts({("r", "read")}, since=START - HOUR, until=None) == found


def test_statements_do_not_grow_with_runs(facts, session, runs, database):
    asset_id = history.model(URI, session=session).id
    for day, ref in enumerate(runs):
        history.emit(ref, session=session, asset=URI, at=START + timedelta(days=day))
        started(session, scene.create_run("r", session=session, day=day), 24 * day + 1, end=24 * day + 2)
    for count in (1, 3):
        with database.counted() as statements:
            events = facts.assets.emissions(runs[:count], [asset_id])
            starts = facts.tasks.task_starts({("r", "read")}, since=events[0].at, until=events[-1].until)
        assert (len(events), len(starts)) == (count, count)
        assert len(statements) == 3 + DAGS_HAVE_GATES


def test_which_assets_have_started_a_reader_s_run(facts, session, runs):
    from airflow.sdk import Asset

    scene.save(history.dag("by", reader(Asset(URI)), schedule=[Asset(URI)]), session=session)
    found = history.run("by", "1", by="asset", session=session, run_after=START + HOUR)
    clock = scene.create_run("by", session=session, day=1)
    for ref in (found, clock):
        started(session, ref, 2)
    history.emit(runs[0], found, session=session, asset=URI, at=START + HOUR)
    history.emit(runs[0], found, session=session, asset="x://other/all", at=START + HOUR)
    ids = {history.model(uri, session=session).id for uri in (URI, "x://other/all")}
    starts = facts.tasks.task_starts({("by", "read")}, since=START, until=None)
    assert {each.run.ref: each.consumed for each in starts} == {found: ids, clock: frozenset()}


@pytest.mark.parametrize("state", ["success", "running"])
def test_an_event_long_after_its_run_s_end(facts, session, runs, state):
    """Somebody marked the run; its task went on for a day."""
    asset_id = history.model(URI, session=session).id
    instance = scene.instance(runs[0], "t", session=session)
    scene.put(instance, state, date=START)
    instance.end_date = START + 30 * HOUR if state == "success" else None
    session.commit()
    reader_ = scene.create_run("r", session=session, day=5)
    history.emit(runs[0], reader_, session=session, asset=URI, at=START + 30 * HOUR)
    assert [each.consumer.ref for each in facts.assets.consumptions([runs[0]])] == [reader_]
    assert len(facts.assets.emissions([runs[0]], [asset_id])) == 1
