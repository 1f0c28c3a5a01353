"""What Airflow does with us in its own transactions: stories that are told again and again, with an error in each line.

A story prepares a database once. Its `act` is what Airflow does, up to the commit; what the database has then is
compared with what it has without us, and with us unharmed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, event, update
from sqlalchemy.pool import NullPool

from airflow_rerun_downstream import harmless
from airflow_rerun_downstream.domain.plan import FutureRef
from tests.airflow3 import assets, faults, freezing, history, scene, scheduler
from tests.airflow3.hooks.test_asset_events import Airflow, asset, dag
from tests.airflow3.hooks.test_expected_runs import Rerun
from tests.airflow3.restoring import Contents, Rows, airflows

if TYPE_CHECKING:
    from tests.airflow3.database import Database

RECORD = "rerun_downstream_event"


@dataclass
class Story:
    """``without`` does the same where we aren't installed. ``told``: an error that costs an extra run is in the
    record of a rerun.
    """

    act: Callable[[], Any]
    without: Callable[[], Any]
    told: bool = False


def ours_and_theirs(airflow: Airflow, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any], **more: Any) -> Story:
    """A story of the asset manager."""
    from airflow.assets.manager import AssetManager

    from airflow_rerun_downstream.asset_manager import RerunAssetManager

    def using(manager: Any) -> Callable[[], Any]:
        def run() -> Any:
            airflow.use(manager, monkeypatch)
            return act()

        return run

    return Story(using(RerunAssetManager()), using(AssetManager()), **more)


def producer_and_consumer(airflow: Airflow) -> Any:
    """A run of a producer whose event has started a consumer's run."""
    airflow.save(dag("producer", outlets=[asset("a"), asset("b")]), dag("consumer", [asset("a")]))
    ref = airflow.run("producer", day=1)
    airflow.succeed(ref, "a")
    airflow.schedule()
    return ref


def first_try(airflow: Airflow) -> Callable[[], Any]:
    producer_and_consumer(airflow)
    ref = airflow.run("producer", day=2)
    return lambda: airflow.succeed(ref, "a", "b")


def cleared_by_hand(airflow: Airflow) -> Callable[[], Any]:
    ref = producer_and_consumer(airflow)
    airflow.clear_by_hand(ref)
    airflow.start(ref)
    return lambda: airflow.succeed(ref, "a")


def repeated(airflow: Airflow) -> Callable[[], Any]:
    ref = producer_and_consumer(airflow)
    record_of(airflow, 1)
    airflow.dispatch(ref)
    airflow.start(ref)
    return lambda: airflow.succeed(ref, "a")


def repeated_and_new(airflow: Airflow) -> Callable[[], Any]:
    ref = producer_and_consumer(airflow)
    airflow.save(dag("other", [asset("b")]))
    record_of(airflow, 1)
    airflow.dispatch(ref)
    airflow.start(ref)
    return lambda: airflow.succeed(ref, "b", "a")


def through_an_alias(airflow: Airflow) -> Callable[[], Any]:
    from airflow.sdk import AssetAlias

    airflow.save(dag("producer", outlets=[AssetAlias("x")]), dag("of_x", [AssetAlias("x")]))
    ref = airflow.run("producer", day=1)
    again = {"x": {"a": {"rows": 1}}}
    airflow.succeed(ref, through=again)
    airflow.schedule()
    record_of(airflow, 1)
    airflow.dispatch(ref)
    airflow.start(ref)
    return lambda: airflow.succeed(ref, through=again)


def an_alias_that_names_another_asset(airflow: Airflow) -> Callable[[], Any]:
    """One Dag has heard of the event before, another hasn't."""
    from airflow.sdk import AssetAlias

    airflow.save(
        dag("producer", outlets=[AssetAlias("x")]), dag("of_x", [AssetAlias("x")]), dag("of_right", [asset("right")])
    )
    ref = airflow.run("producer", day=1)
    airflow.succeed(ref, through={"x": {"wrong": {}}})
    airflow.schedule()
    record_of(airflow, 1)
    airflow.dispatch(ref)
    airflow.start(ref)
    with airflow.database.session() as session:  # Airflow would make it in the middle of the story
        from airflow.models.asset import AssetModel

        if not session.query(AssetModel).filter_by(name="right").first():
            session.add(AssetModel(name="right", uri="test://assets/right"))
        session.commit()
    return lambda: airflow.succeed(ref, through={"x": {"right": {}}})


def a_task_of_another_name(airflow: Airflow) -> Callable[[], Any]:
    ref = producer_and_consumer(airflow)
    record_of(airflow, 1)
    airflow.save(dag("producer", outlets=[asset("a")], tasks=("make_clean",)))
    airflow.dispatch(ref)
    airflow.move_to_latest(ref)
    airflow.start(ref, "make_clean")
    return lambda: airflow.succeed(ref, "a", task_id="make_clean")


def a_new_index(airflow: Airflow) -> Callable[[], Any]:
    from airflow.models.taskinstance import TaskInstance
    from airflow.sdk import DAG, task

    with DAG("producer", schedule="@daily", start_date=scene.START) as made:

        @task(outlets=[asset("a")])
        def make(number: int) -> None: ...

        make.expand(number=[1, 2, 3])
    airflow.save(made, dag("consumer", [asset("a")]))
    ref = airflow.run("producer", day=1)
    with airflow.database.session() as session:
        session.delete(scene.instance(ref, "make", 2, session=session))
        session.commit()
    for index in range(2):
        airflow.succeed(ref, "a", map_index=index)
    airflow.schedule()
    record_of(airflow, 1)
    airflow.dispatch(ref)
    with airflow.database.session() as session:
        sibling = scene.instance(ref, "make", 0, session=session)
        operator = scene.latest("producer", session=session).get_task("make")
        session.add(TaskInstance(operator, run_id=ref.run_id, map_index=2, dag_version_id=sibling.dag_version_id))
        session.commit()
    airflow.start(ref, map_index=2)
    return lambda: airflow.succeed(ref, "a", map_index=2)


def emits_before_it_is_adopted(airflow: Airflow) -> Callable[[], Any]:
    made = Rerun(airflow)
    made.submit()
    new = made.made("new", day=2)
    made.record(new)
    return lambda: airflow.succeed(new, "a")


def emits_after_it_was_adopted(airflow: Airflow) -> Callable[[], Any]:
    made = Rerun(airflow)
    made.submit()
    new = made.made("new", day=2)
    made.record(new)
    made.adopt(new)
    return lambda: airflow.succeed(new, "a")


def made_by_a_run_that_is_not_adopted_yet(airflow: Airflow) -> Callable[[], Any]:
    made = Rerun(airflow)
    made.through_a_middle()
    made.submit()
    again, new = made.made("again", day=2, dag_id="middle"), made.made("new", day=2)
    made.record(again)
    made.record(new, by=again)
    return lambda: airflow.succeed(new, "a")


def frozen_consumer(airflow: Airflow) -> Callable[[], Any]:
    producer_and_consumer(airflow)
    with airflow.database.session() as session:
        freezing.members(1, session=session)
        freezing.freeze(FutureRef("consumer"), session=session)
    ref = airflow.run("producer", day=2)
    return lambda: airflow.succeed(ref, "a")


def frozen_partition(airflow: Airflow) -> Callable[[], Any]:
    with airflow.database.session() as session:
        scene.save(history.dag("producer", schedule="@daily"), assets.partitioned("consumer", "a"), session=session)
        ref = scene.create_run("producer", session=session, state="running")
        freezing.members(1, session=session)
        freezing.freeze(FutureRef("consumer", partition_key="k"), session=session)

    def act() -> None:
        from airflow.models.taskinstance import asset_manager

        with airflow.database.session() as session:
            ti = scene.instance(ref, "t", session=session)
            asset_manager.register_asset_change(
                task_instance=ti, asset=assets.asset("a"), session=session, partition_key="k"
            )
            session.commit()

    return act


MANAGER = {
    story.__name__: story
    for story in (
        first_try,
        cleared_by_hand,
        repeated,
        repeated_and_new,
        through_an_alias,
        an_alias_that_names_another_asset,
        a_task_of_another_name,
        a_new_index,
        emits_before_it_is_adopted,
        emits_after_it_was_adopted,
        made_by_a_run_that_is_not_adopted_yet,
        frozen_consumer,
        frozen_partition,
    )
}
TOLD = {repeated, repeated_and_new, through_an_alias, an_alias_that_names_another_asset, a_new_index}


def record_of(airflow: Airflow, rerun_id: int) -> None:
    """A rerun that a dispatch may name."""
    with airflow.database.session() as session:
        freezing.members(rerun_id, session=session)


def made_runs(airflow: Airflow, *, held: bool) -> Callable[[], Any]:
    """A scheduler makes the run of a Dag that time starts; whether it is frozen."""
    with airflow.database.session() as session:
        scene.save(history.dag("daily", schedule="@daily", catchup=True), session=session)
        freezing.members(1, session=session)
        if held:
            freezing.freeze(FutureRef("daily", logical_date=scene.START), session=session)

    def act() -> None:
        with airflow.database.session() as session:
            scheduler.make_runs(session=session)

    return act


def without_hook(act: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    from airflow.models.dagrun import DagRun

    from airflow_rerun_downstream.airflow3.hooks import dag_run_insert

    def run() -> Any:
        event.remove(DagRun, dag_run_insert.BEFORE_INSERT, dag_run_insert.hold_at_birth)
        with monkeypatch.context() as patched:
            patched.setattr(dag_run_insert, "install", lambda: None)  # a scheduler would do it at its start
            act()
        dag_run_insert.install()

    return run


HOOK = ("a_run_is_made", "a_frozen_run_is_made")


def story(name: str, airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Prepare a story by its name."""
    if name in HOOK:
        from airflow_rerun_downstream.airflow3.hooks import dag_run_insert, scheduler_watch

        # No thread that an error would leave behind.
        monkeypatch.setattr(scheduler_watch.Watch, "_run", lambda _self: None)
        dag_run_insert.install()
        act = made_runs(airflow, held=name == "a_frozen_run_is_made")
        return Story(act, without_hook(act, monkeypatch))
    build = MANAGER[name]
    if build is frozen_partition and not partitions():
        pytest.skip("Airflow 3.1 has no partitions")
    return ours_and_theirs(airflow, monkeypatch, build(airflow), told=build in TOLD)


def partitions() -> bool:
    from airflow.models import asset as models

    return hasattr(models, "AssetPartitionDagRun")


def begin_anew(*, cold: bool = False) -> None:
    """Forget what a process has learnt; ``cold``: also how its first statements were compiled."""
    from airflow import settings

    from airflow_rerun_downstream.airflow3.hooks import dag_run_insert, recognition

    recognition.guard.forget()
    dag_run_insert.guard.forget()
    harmless.forget()
    if cold:
        settings.engine.clear_compiled_cache()
        settings.engine.dialect._type_memos.clear()


def long_ago(database: Database) -> None:
    """Move the events that there are into the past: a moment of now is told apart from theirs."""
    from airflow.models.asset import AssetEvent

    with database.engine.begin() as connection:
        connection.execute(update(AssetEvent.__table__).values(timestamp=scene.START))


def shown(changed: dict[str, Any]) -> str:
    """The rows of tables that only one side has."""
    return "\n".join(
        f"{name}: {[row for row in now if row not in plain]} {[row for row in plain if row not in now]}"
        for name, (now, plain) in changed.items()
    )


@cache
def contents_of(database: Database) -> Contents:
    """A database's tables are looked at once."""
    return Contents(database)


class Trial:
    """A story that is told with errors in it."""

    def __init__(self, database: Database, told: Story) -> None:
        self.contents = contents_of(database)
        long_ago(database)
        self.before = self.contents.read()
        self.now: Rows | None = None
        self.story = told
        self.plain = self._after(told.without)
        begin_anew(cold=True)
        cold = self._walk()  # a process's first: what is executed while statements are compiled is in it
        begin_anew()
        warm = self._walk()
        self.unharmed = airflows(self.contents.read())
        assert harmless.troubles() == []
        self.warm = frozenset(warm)
        self.lines = [*warm, *(line for line in cold if line not in self.warm)]

    def _walk(self) -> list[faults.Line]:
        self.contents.restore(self.before)
        return faults.lines(self.story.act)

    def _after(self, act: Callable[[], Any]) -> Any:
        self.contents.restore(self.before)
        act()
        return airflows(self.contents.read())

    def new_lines(self, seen: set[tuple[str, int]]) -> Iterator[faults.Line]:
        """The lines that no story before has come to, and of each the first and the last visit."""
        last = {(line.file, line.number): line for line in sorted(self.lines)}
        for line in self.lines:
            key = (line.file, line.number)
            if key not in seen and (line.visit == 1 or line == last[key]):
                yield line
        seen |= set(last)

    def fault(self, line: faults.Line) -> None:
        """Tell the story with an error at a line: Airflow's transaction ends as it does without us, or unharmed."""
        self.contents.restore(self.before, self.now)
        self.now = None
        begin_anew(cold=line not in self.warm)
        with faults.raising(line) as raised:
            self.story.act()
        assert raised == [line], f"{line} is not come to any more"
        self.judge(str(line))

    def damaged(self, damage: str, repair: str, *, known: bool) -> None:
        """Tell the story with damaged tables; ``known``: they were right a moment ago."""
        from airflow_rerun_downstream.airflow3.hooks import dag_run_insert, recognition

        self.contents.restore(self.before)
        begin_anew()
        if known:
            with self.contents.database.engine.connect() as connection:
                assert recognition.guard.ready(connection)
                assert dag_run_insert.guard.ready(connection)
        # On connections of their own: one that is kept may not have heard of SQLite's last change of a table.
        apart = create_engine(self.contents.database.url, poolclass=NullPool)
        with apart.begin() as connection:
            connection.exec_driver_sql(damage)
        try:
            self.story.act()
        finally:
            with apart.begin() as connection:
                connection.exec_driver_sql(repair)
        now = airflows(self.contents.read())
        assert now in (self.plain, self.unharmed), damage
        assert now == self.unharmed or harmless.troubles() or not known, f"{damage}: nobody was told"

    def judge(self, what: str) -> None:
        rows = self.now = self.contents.read()
        now = airflows(rows)
        if now != self.unharmed:
            changed = {name: (some, self.plain[name]) for name, some in now.items() if some != self.plain[name]}
            assert changed == {}, f"{what}: Airflow's rows, and what they are without us: {shown(changed)}"
        assert harmless.troubles(), f"{what}: nobody was told"
        if self.story.told and now != self.unharmed:
            added = len(rows[RECORD]) - len(self.before[RECORD])
            assert added == 1, f"{what}: the rerun's record doesn't say that an extra run may come of it"
