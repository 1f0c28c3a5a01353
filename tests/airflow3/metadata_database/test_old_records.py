"""Exactly what nothing needs any more goes: random reruns against an oracle that knows how they were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.database.transactions import Transactions
from airflow_rerun_downstream.airflow3.hooks import recognition
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.ports.retention import Cleaning
from airflow_rerun_downstream.ports.work import UnitOfWork
from airflow_rerun_downstream.store import archives, tables
from tests.airflow3 import scene, task_rows

BEFORE = datetime(2026, 6, 1, tzinfo=timezone.utc)
OLD, YOUNG = BEFORE - timedelta(seconds=1), BEFORE
STATES = [state.value for state in RerunState]
FINAL = ("succeeded", "terminated")


@pytest.fixture
def open_work(database: Any) -> UnitOfWork:
    scene.migrate(database)
    return wiring.AirflowUnitOfWork(Transactions())


@dataclass
class Made:
    """What a world has of each table, by key; those that are to ``go``, and those that come with a rerun."""

    rows: dict[str, set[Any]] = field(default_factory=dict)
    go: dict[str, set[Any]] = field(default_factory=dict)
    whole: dict[int, int] = field(default_factory=dict)

    def note(self, table: Any, key: Any, *, goes: bool) -> None:
        self.rows.setdefault(table.name, set()).add(key)
        if goes:
            self.go.setdefault(table.name, set()).add(key)

    @property
    def stay(self) -> dict[str, set[Any]]:
        return {name: keys - self.go.get(name, set()) for name, keys in self.rows.items()}


class Maker:
    """Makes a world of reruns, runs and events."""

    def __init__(self, session: Any, seed: int) -> None:
        self.session = session
        self.random = Random(seed)
        self.made = Made()
        self.number = 0

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def put(self, table: Any, **values: Any) -> Any:
        (known,) = task_rows.as_kept(table, [values])
        return self.session.connection().execute(insert(table).values(known)).inserted_primary_key

    def run(self, *, there: bool) -> tuple[str, int]:
        """A run's id and number; one that isn't there any more was there once."""
        from airflow.models.dagrun import DagRun

        self.number += 1
        run_id = f"run_{self.number}"
        if not there:
            return run_id, 1_000_000 + self.number
        date = {"run_after": BEFORE, "logical_date": BEFORE + timedelta(seconds=self.number)}
        more = {"run_type": "manual", "state": "success", "clear_number": 0, "span_status": "ended"}
        return run_id, self.put(DagRun.__table__, dag_id="d", run_id=run_id, **date, **more)[0]

    def event(self, *, there: bool) -> int:
        from airflow.models.asset import AssetEvent

        self.number += 1
        if not there:
            return 1_000_000 + self.number
        return int(self.put(AssetEvent.__table__, asset_id=1, extra={}, timestamp=OLD)[0])

    def world(self) -> Made:
        for _ in range(self.random.randint(1, 6)):
            self.rerun()
        for _ in range(self.random.randint(0, 6)):
            self.strays()
        self.session.commit()
        return self.made

    def rerun(self) -> None:
        """A rerun with its rows. Whether it goes is decided here, row by row, and not asked of the database."""
        state, ended = self.random.choice(STATES), self.random.choice((OLD, YOUNG))
        over = state in FINAL
        source = {"source_dag_id": "d", "source_run_id": "r", "created_by": "ann", "created_by_id": "1"}
        plain: dict[str, Any] = {"settings": {}, "options": {}, "notifications": [], "warnings": []}
        times = {"created_at": OLD, "ended_at": ended if over else None}
        reason = self.random.choice((None, "released_all", "x"))
        ends = {"state": state, "state_reason": reason, "freeze_mode": False, **times}
        rerun_id = self.put(tables.rerun, **ends, **source, **plain)[0]
        members = [self.member(rerun_id) for _ in range(self.random.randint(1, 5))]
        there = {member_id for member_id, is_there, _ in members if is_there}
        needed = any(is_there and adopted for _, is_there, adopted in members)
        held, makes = self.chance(0.2), self.chance(0.25)
        parent, child = self.random.choice(members)[0], self.random.choice(members)[0]
        if held:
            self.put(tables.hold, member_id=parent, rerun_id=rerun_id, dag_id="d", assets=False)
        told = self.random.choice((None, None, "pending", "sent", "failed"))
        needed |= held or (makes and parent in there) or told == "pending"
        goes = over and ended is OLD and not needed
        self.made.note(tables.rerun, (rerun_id,), goes=goes)
        for member_id, _, _ in members:
            self.made.note(tables.member, (member_id,), goes=goes)
        if held:
            self.made.note(tables.hold, (parent,), goes=False)
        if told:
            key = self.told(rerun_id, told)
            self.made.note(tables.delivery, key, goes=goes)
        if makes:
            where = {"parent_member_id": parent, "task_id": "t", "map_index": -1}
            self.put(tables.child, **where, member_id=child, rerun_id=rerun_id, dag_id="d")
            self.made.note(tables.child, (parent, "t", -1), goes=goes)
        self.parts(rerun_id, [each[0] for each in members], goes)
        self.dispatched(rerun_id, goes)

    def member(self, rerun_id: int) -> tuple[int, bool, bool]:
        there, adopted = self.chance(0.5), self.chance(0.2)
        run_id, _ = self.run(there=there)
        shape = {"role": "downstream", "state": "succeeded", "tasks": [], "depth": 0, "attempt": 1}
        original = "before" if adopted else self.random.choice((run_id, None))
        ids = {"rerun_id": rerun_id, "dag_id": "d", "run_id": run_id, "original_run_id": original}
        return self.put(tables.member, **ids, **shape)[0], there, adopted

    def told(self, rerun_id: int, state: str) -> tuple[int]:
        self.number += 1
        told = {"message_id": str(self.number), "target": "ops", "condition": "succeeded", "actor": "", "members": []}
        times = {"created_at": OLD, "due_at": OLD, "occurrences": 1, "tries": 1, "state": state}
        return (self.put(tables.delivery, rerun_id=rerun_id, **told, **times)[0],)

    def parts(self, rerun_id: int, members: list[int], goes: bool) -> None:
        mine = {"rerun_id": rerun_id}
        for one, other in pairwise(members):
            self.put(tables.gate, member_id=other, waits_for_member_id=one, stage=0, **mine)
            self.made.note(tables.gate, (other, one, 0), goes=goes)
        for place in range(self.random.randint(0, 8)):
            line = {"at": OLD, "actor": "", "action": "dispatch", "member_id": members[0]}
            self.made.note(tables.event, tuple(self.put(tables.event, **mine, **line)), goes=goes)
            ends = dict.fromkeys(("upstream_dag_id", "upstream_run_id", "downstream_dag_id"), "d")
            told = {"kind": "asset", "evidence": "recorded", "via": {}, "position": place}
            self.made.note(tables.link, tuple(self.put(tables.link, **mine, **ends, **told)), goes=goes)
        if self.chance(0.5):
            left = {"member_id": members[0], "task_id": "t", "reason": "skipped"}
            self.made.note(tables.not_made_anew, tuple(self.put(tables.not_made_anew, **mine, **left)), goes=goes)
            self.put(tables.passage, **mine, number=1, members=members, passages=[])
            self.made.note(tables.passage, (rerun_id, 1), goes=goes)

    def dispatched(self, rerun_id: int, goes: bool) -> None:
        for there in (True, False):
            run_id, _ = self.run(there=there)
            key = ("d", run_id, "t", -1)
            names = dict(zip(("dag_id", "run_id", "task_id", "map_index"), key, strict=True))
            self.put(tables.dispatched_task, **names, rerun_id=rerun_id, member_id=None, first_try=2)
            self.made.note(tables.dispatched_task, key, goes=goes and not there)

    def strays(self) -> None:
        there = self.chance(0.5)
        _, number = self.run(there=there)
        start = {"started_at": OLD, "max_tries": 0}
        self.put(tables.own_start, dag_run_id=number, task_id="t", map_index=-1, **start)
        self.made.note(tables.own_start, (number, "t", -1), goes=not there)
        both = [self.chance(0.7) for _ in range(2)]
        pair = tuple(self.event(there=is_there) for is_there in both)
        self.put(tables.repeat, event_id=pair[0], original_id=pair[1])
        self.made.note(tables.repeat, pair, goes=not all(both))


def keys(session: Any) -> dict[str, set[Any]]:
    """Every key of our tables."""
    found = {}
    for table in tables.metadata.sorted_tables:
        rows = session.execute(select(*table.primary_key.columns)).all()
        if rows and table.name.removeprefix(tables.PREFIX) not in ("lease", "process"):
            found[table.name] = {tuple(row) for row in rows}
    return found


def some(found: dict[str, set[Any]]) -> dict[str, set[Any]]:
    return {name: those for name, those in found.items() if those}


def carried_out(open_work: UnitOfWork, cleaning: Cleaning, rows: int) -> Iterator[Cleaning]:
    while not cleaning.done:
        with open_work() as work:
            cleaning = work.retention.clean(cleaning, rows=rows)
        yield cleaning


def lines(session: Any) -> Counter[int]:
    rows = session.execute(select(tables.event.c.rerun_id, func.count()).group_by(tables.event.c.rerun_id))
    return Counter(dict(map(tuple, rows)))


@pytest.mark.parametrize("seed", range(40))
def test_exactly_what_nothing_needs_goes(open_work: UnitOfWork, database: Any, seed: int) -> None:
    with database.session() as session:
        made = Maker(session, seed).world()
        assert keys(session) == some(made.rows)
        before = lines(session)
    size = Random(seed).choice((1, 3, 10, 1000))
    *_, told = carried_out(open_work, Cleaning(BEFORE, dry_run=True), size)
    with database.session() as session:
        assert keys(session) == some(made.rows), "a dry run changes nothing"
    gone = {name: len(those) for name, those in made.go.items()}
    assert told.rows == gone
    last = 0
    for step in carried_out(open_work, Cleaning(BEFORE), size):
        assert step.total - last <= size + 50, "a batch is no larger than it may be"
        last = step.total
        with open_work() as work, database.session() as session:
            reruns, total = work.store.page(RerunFilter(limit=100))
            assert total == len(reruns)
            now = lines(session)
            assert all(now[one.id] == before[one.id] for one in reruns), "nobody sees half a record"
            assert all(work.store.get(one.id) and work.store.head(one.id) for one in reruns)
    assert step.rows == gone
    with database.session() as session:
        assert keys(session) == some(made.stay)


def test_who_comes_later_goes_on_with_what_has_begun(open_work: UnitOfWork, database: Any) -> None:
    """Whatever date that one has."""
    with database.session() as session:
        maker = Maker(session, 1)
        while not maker.made.go.get(tables.rerun.name):
            maker.world()
        going = {number for (number,) in maker.made.go[tables.rerun.name]}
    first = next(carried_out(open_work, Cleaning(BEFORE), 1))
    assert first.reruns
    with open_work() as work:
        assert work.store.get(first.reruns[0]) is None
        assert work.store.head(first.reruns[0]) is None
    *_, last = carried_out(open_work, Cleaning(datetime(2000, 1, 1, tzinfo=timezone.utc)), 3)
    with database.session() as session:
        left = set(session.execute(select(tables.rerun.c.id)).scalars())
    assert set(first.reruns) & left == set()
    assert going - set(first.reruns) <= left
    assert last.rows[tables.rerun.name] == len(first.reruns)


def test_the_archive_has_the_rows_as_they_were(open_work: UnitOfWork, database: Any) -> None:
    with database.session() as session:
        maker = Maker(session, 7)
        while len(maker.made.go.get(tables.rerun.name, ())) < 3:
            maker.world()
        made = maker.made
        rows = session.execute(select(tables.rerun.c.id, tables.rerun.c.state_reason))
        reasons = dict(map(tuple, rows))
    *_, last = carried_out(open_work, Cleaning(BEFORE, archive="202611300600"), 5)
    with database.engine.begin() as connection:
        names = archives.names(connection)
        technical = {tables.dispatched_task.name, tables.own_start.name, tables.repeat.name}
        assert names == sorted(
            archives.name_of(tables.metadata.tables[name], "202611300600") for name in set(last.rows) - technical
        )
        assert all(len(name) <= 63 and name.startswith("_airflow_deleted__rerun_downstream_") for name in names)
        for name in set(last.rows) - technical:
            table = tables.metadata.tables[name]
            head, *rows = archives.rows(connection, archives.name_of(table, "202611300600"))
            assert list(head) == [column.name for column in table.columns]
            place = [list(head).index(column.name) for column in table.primary_key.columns]
            assert {tuple(row[each] for each in place) for row in rows} == made.go[name]
            if table is tables.rerun:
                at = list(head).index("state_reason")
                assert {row[0]: row[at] for row in rows} == {row[0]: reasons[row[0]] for row in rows}
        for name in names:
            archives.drop(connection, name)
        assert archives.names(connection) == []


@pytest.mark.parametrize("begun_into", ["202611300600", None])
def test_who_goes_on_archives_as_was_begun(open_work: UnitOfWork, database: Any, begun_into: str | None) -> None:
    """A copy is whole or there is none, and it is in one archive."""
    with database.session() as session:
        maker = Maker(session, 7)
        while len(maker.made.go.get(tables.rerun.name, ())) < 3:
            maker.world()
        made = maker.made
    first = next(carried_out(open_work, Cleaning(BEFORE, archive=begun_into), 1))
    begun = set(first.reruns or ())
    assert begun
    with database.session() as session:
        rows = session.execute(select(tables.member.c.id).where(tables.member.c.rerun_id.in_(begun)))
        members = set(map(tuple, rows))
    goes_on = None if begun_into else "202611300700"
    *_, last = carried_out(open_work, Cleaning(BEFORE, archive=goes_on), 3)
    assert last.done
    theirs = {(one,) for one in begun}
    with database.engine.begin() as connection:
        in_first = archived(connection, tables.rerun, begun_into), archived(connection, tables.member, begun_into)
        in_second = archived(connection, tables.rerun, goes_on), archived(connection, tables.member, goes_on)
        for name in archives.names(connection):
            archives.drop(connection, name)
    of_others = made.go[tables.rerun.name] - theirs, made.go[tables.member.name] - members
    assert members
    assert in_first == ((theirs, members) if begun_into else (set(), set()))
    assert in_second == (of_others if goes_on else (set(), set()))


def archived(connection: Any, table: Any, ending: str | None) -> set[tuple[Any, ...]]:
    """The keys that an archive has of a table; each row is there once."""
    if ending is None or archives.name_of(table, ending) not in archives.names(connection):
        return set()
    head, *rows = archives.rows(connection, archives.name_of(table, ending))
    place = [list(head).index(column.name) for column in table.primary_key.columns]
    found = [tuple(row[each] for each in place) for row in rows]
    assert len(found) == len(set(found))
    return set(found)


def test_why_reruns_stay(open_work: UnitOfWork, database: Any) -> None:
    with database.session() as session:
        maker = Maker(session, 3)
        for _ in range(60):
            maker.world()
        over = tables.rerun.c.state.in_(FINAL) & (tables.rerun.c.ended_at < BEFORE)
        old = session.execute(select(func.count()).select_from(tables.rerun).where(over)).scalar_one()
    with open_work() as work:
        kept = work.retention.kept(BEFORE)
    assert set(kept) == {"frozen", "telling", "making_runs", "took_places"}
    assert all(kept.values())
    assert sum(kept.values()) == old - len(maker.made.go[tables.rerun.name])


def test_an_id_never_comes_back(open_work: UnitOfWork, database: Any) -> None:
    from tests.store.test_rows import wide

    ids = []
    for _ in range(3):
        with open_work() as work:
            ids.append(work.store.add(wide(1), now=OLD))
        with open_work() as work:
            for state in (RerunState.TERMINATING, RerunState.TERMINATED):
                assert work.store.move_rerun(ids[-1], after=state, reason=None, now=OLD)
        *_, last = carried_out(open_work, Cleaning(BEFORE), 100)
        assert last.rows[tables.rerun.name] == 1
    assert ids == [ids[0], ids[0] + 1, ids[0] + 2]


def test_a_line_about_a_late_try_of_a_rerun_that_is_gone_is_left_out(open_work: UnitOfWork, database: Any) -> None:
    with database.engine.begin() as connection:
        recognition.note(connection, [(77, None)], "events_not_recognised", "x")
        assert connection.execute(select(func.count()).select_from(tables.event)).scalar_one() == 0


def test_the_audit_log_has_a_line(open_work: UnitOfWork, database: Any) -> None:
    import json

    from airflow.models.log import Log

    with open_work() as work:
        work.retention.note(Cleaning(BEFORE, rows={"a": 1}, done=True), actor="ann")
    with database.session() as session:
        (row,) = session.execute(select(Log.event, Log.owner, Log.extra)).all()
    assert row[:2] == ("rerun_downstream.db_clean", "ann")
    assert json.loads(row[2]) == {"before": BEFORE.isoformat(), "archive": None, "done": True, "rows": {"a": 1}}
