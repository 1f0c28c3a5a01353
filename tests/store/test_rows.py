"""What the store on a database does beyond the contract: statements counted, what the cache may and may not keep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from datetime import timezone as timezones
from itertools import pairwise

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from airflow_rerun_downstream.domain.errors import RunInActiveRerun
from airflow_rerun_downstream.domain.new_rerun import NewMember, NewRerun
from airflow_rerun_downstream.domain.passages import Passage
from airflow_rerun_downstream.domain.plan import Evidence, Link, LinkKind, PlanOptions
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import Actor, RerunSettings
from airflow_rerun_downstream.domain.states import MemberState, RerunState, Role
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.store.active_reruns import SnapshotCache
from airflow_rerun_downstream.store.lease import SqlLease
from airflow_rerun_downstream.store.rerun_store import SqlRerunStore
from tests.store.databases import REAL, database

NOW = datetime(2026, 3, 1, tzinfo=timezones.utc)


@pytest.fixture(params=REAL)
def engine(request: pytest.FixtureRequest) -> Engine:
    return database(request.param)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def wide(size: int, dag_id: str = "dag") -> NewRerun:
    """A chain of runs."""
    refs = [RunRef(dag_id, f"r{number:05}") for number in range(size)]
    members = tuple(
        NewMember(ref, Role.DOWNSTREAM, MemberState.PENDING, (TaskRef("t"),), depth, frozenset(refs[depth - 1 : depth]))
        for depth, ref in enumerate(refs)
    )
    links = tuple(Link(one, two, LinkKind.ASSET, Evidence.RECORDED) for one, two in pairwise(refs))
    return NewRerun(refs[0], members, links, RerunSettings(), (), PlanOptions(), (), Actor("1", "ann"))


def test_the_conductors_look_is_one_statement(engine: Engine) -> None:
    cache = SnapshotCache()
    with Session(engine) as session, session.begin():
        SqlRerunStore(session, cache).add(wide(1000), now=NOW)
        SqlRerunStore(session, cache).add(wide(10, "other"), now=NOW)
    with Session(engine) as session, statements(engine) as first:
        one = SqlRerunStore(session, cache).active()
    with Session(engine) as session, statements(engine) as second:
        two = SqlRerunStore(session, cache).active()
    assert (len(first), len(second)) == (5, 1)
    assert one == two
    assert [len(found.members) for found in two] == [1000, 10]
    assert len(two[0].members[999].waits_for) == 1


def test_a_tick_of_the_leaders_lease_is_one_statement(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        SqlLease(session).acquire(owner="a", lasts=timedelta(seconds=30))
    with Session(engine) as session, statements(engine) as sent:
        SqlLease(session).acquire(owner="a", lasts=timedelta(seconds=30))
    assert len(sent) == 1


def test_a_page_is_three_statements_whatever_its_length(session: Session, engine: Engine) -> None:
    store = SqlRerunStore(session)
    for number in range(20):
        store.add(wide(3, f"dag{number}"), now=NOW)
    with statements(engine) as sent:
        found, total = store.page(RerunFilter(limit=20))
    assert (len(found), total, len(sent)) == (20, 20, 3)


def test_a_large_rerun_is_stored_in_few_statements(session: Session, engine: Engine) -> None:
    with statements(engine) as sent:
        SqlRerunStore(session).add(wide(1000), now=NOW)
    assert len([one for one in sent if not one.startswith(("SAVEPOINT", "RELEASE"))]) <= 12


def test_an_id_that_was_rolled_back_and_given_anew_does_not_bring_the_old_rerun_back(engine: Engine) -> None:
    cache = SnapshotCache()
    with Session(engine) as session:
        first = SqlRerunStore(session, cache)
        first.add(wide(3, "old"), now=NOW)
        assert first.active()[0].rerun.source.dag_id == "old"
        session.rollback()
    with Session(engine) as session, session.begin():
        second = SqlRerunStore(session, cache)
        second.add(wide(2, "new"), now=NOW + timedelta(microseconds=1))
        assert [one.rerun.source.dag_id for one in second.active()] == ["new"]
        assert [len(one.members) for one in second.active()] == [2]


def test_what_was_rolled_back_is_read_anew(engine: Engine) -> None:
    cache = SnapshotCache()
    with Session(engine) as session, session.begin():
        rerun_id = SqlRerunStore(session, cache).add(wide(3), now=NOW)
    with Session(engine) as session:
        store = SqlRerunStore(session, cache)
        last = store.active()[0].members[-1].id
        assert store.move_member(last, after=MemberState.FAILED, reason=None, now=NOW)
        assert store.active()[0].by_id[last].state is MemberState.FAILED
        session.rollback()
    with Session(engine) as session:
        assert [list(one.members) for one in SqlRerunStore(session, cache).active()] == [
            SqlRerunStore(session).members(rerun_id)
        ]


def test_only_what_has_changed_is_read_again(engine: Engine) -> None:
    cache = SnapshotCache()
    with Session(engine) as session, session.begin():
        SqlRerunStore(session, cache).add(wide(100), now=NOW)
        before = SqlRerunStore(session, cache).active()[0]
        last = before.members[-1].id
    with Session(engine) as session, session.begin():
        SqlRerunStore(session).move_member(last, after=MemberState.FAILED, reason="x", now=NOW)
    with Session(engine) as session, statements(engine) as sent:
        after = SqlRerunStore(session, cache).active()[0]
        assert SqlRerunStore(session, cache).active()[0] is after
    assert len(sent) == 3, "what there is, what has changed, and that nothing has since"
    assert [one is two for one, two in zip(before.members, after.members, strict=True)] == [True] * 99 + [False]
    assert after.members[-1].state_reason == "x"


def test_the_cache_forgets_what_is_final(session: Session) -> None:
    cache = SnapshotCache()
    store = SqlRerunStore(session, cache)
    ids = [store.add(wide(2, f"dag{number}"), now=NOW) for number in range(5)]
    store.active()
    assert len(cache.keep([(one, NOW) for one in ids])) == 5
    for rerun_id in ids[1:]:
        store.move_rerun(rerun_id, after=RerunState.SUCCEEDED, reason=None, now=NOW)
    store.active()
    assert list(cache.keep([(one, NOW) for one in ids])) == [(ids[0], NOW)]


def test_the_store_takes_a_connection_as_well(engine: Engine) -> None:
    with engine.begin() as connection:
        assert isinstance(connection, Connection)
        store = SqlRerunStore(connection)
        rerun_id = store.add(wide(2), now=NOW)
        with pytest.raises(RunInActiveRerun):
            store.add(wide(1), now=NOW)
        store.add_event(rerun_id, at=NOW, actor="ann", action="submitted")
        assert SqlLease(connection).acquire(owner="a", lasts=timedelta(1)).number == 1
    with engine.connect() as connection:
        assert SqlRerunStore(connection).members(rerun_id)[1].waits_for
        assert len(SqlRerunStore(connection).active()) == 1


def test_nothing_is_committed(engine: Engine) -> None:
    with Session(engine) as session:
        store = SqlRerunStore(session)
        store.add(wide(2), now=NOW)
        with pytest.raises(RunInActiveRerun):
            store.add(wide(1), now=NOW)
        SqlLease(session).acquire(owner="a", lasts=timedelta(1))
        session.rollback()
    with Session(engine) as session:
        assert SqlRerunStore(session).page(RerunFilter()) == ([], 0)
        assert SqlLease(session).read() is None


def test_a_rerun_takes_its_rows_along_when_it_is_deleted(session: Session) -> None:
    store = SqlRerunStore(session)
    new = wide(3)
    rerun_id = store.add(replace(new, passages=(Passage(frozenset({new.source})),)), now=NOW)
    assert len(store.passages(rerun_id)) == 1
    store.add_event(rerun_id, at=NOW, actor="ann", action="submitted")
    session.execute(text("DELETE FROM rerun_downstream_rerun"))
    for table in ("member", "gate", "passage", "link", "event", "active_run"):
        count = session.execute(text(f"SELECT count(*) FROM rerun_downstream_{table}")).scalar_one()
        assert (table, count) == (table, 0)


def test_a_naive_moment_is_refused(session: Session) -> None:
    with pytest.raises(Exception, match="has no time zone"):
        SqlRerunStore(session).add(wide(1), now=NOW.replace(tzinfo=None))
