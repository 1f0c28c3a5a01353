"""What makes a rerun's asset events start nothing: the logic of `RerunAssetManager`, for any asset manager.

What any other event queues for a frozen Dag is parked at once.

An asset event of a try that a rerun started *repeats* the one that the task instance emitted before, or that the same
task emitted in the run whose place this one takes. It
is recorded and its listeners are told, but no Dag run is queued for it. The runs that consumed the original see it
instead of that when they are rerun themselves. Everything else is the parent class's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream import host
from airflow_rerun_downstream.airflow3 import adoptions, repeats
from airflow_rerun_downstream.store.guard import SchemaGuard
from airflow_rerun_downstream.store.tables import child, dispatched_task, hold, member, repeat

if TYPE_CHECKING:
    from airflow.models.asset import AssetEvent
    from airflow.models.taskinstance import TaskInstance
    from sqlalchemy.orm import Session

guard = SchemaGuard()
"""Until it confirms our tables on a connection of its own, nothing here touches Airflow's transaction."""

_repeating: ContextVar[Repeating | None] = ContextVar("rerun_downstream_repeating", default=None)

REMEMBERED = "_rerun_downstream_try"


class RerunAssetMixin:
    """To be put before an asset manager: ``class OurManager(RerunAssetMixin, SiteManager)``."""

    @classmethod
    def register_asset_change(
        cls, *, task_instance: TaskInstance | None = None, asset: Any, session: Session, **kwargs: Any
    ) -> AssetEvent | None:
        """Register an event as the parent class does; one that repeats an earlier one queues no Dag run."""
        given = {"task_instance": task_instance, "asset": asset, "session": session, **kwargs}
        if not host.supported():
            return super().register_asset_change(**given)  # type: ignore[misc, no-any-return]
        rerun = rerun_try(task_instance, session=session) if task_instance is not None else None
        found = rerun.repeats(asset, kwargs, session=session) if rerun else None
        with queueing(found, kwargs) as repeating:
            event: AssetEvent | None = super().register_asset_change(**given)  # type: ignore[misc]
        if rerun and event is not None and (found or not rerun.new):
            rerun.emitted(event, session=session)
            if found:
                # Where a Dag takes it for a first one, it must find it in the window of its next run.
                repeats.note(event, found, backdate=not repeating.queued, session=session)
        return event

    @classmethod
    def _queue_dagruns(cls, *args: Any, **kwargs: Any) -> Any:
        """The one way by which every supported Airflow gets from an event to Dag runs, partitioned ones too."""
        if not host.supported():
            return super()._queue_dagruns(*args, **kwargs)  # type: ignore[misc]
        given = {**dict(zip(("asset_id", "dags_to_queue", "session"), args, strict=False)), **kwargs}
        if (repeating := _repeating.get()) is not None:
            given["dags_to_queue"] = repeating.first_time(given)
            if not given["dags_to_queue"]:
                return None
        dag_ids = {dag.dag_id for dag in given["dags_to_queue"]}
        with parking_for(dag_ids, by_key=given.get("partition_key") is not None, session=given["session"]):
            return super()._queue_dagruns(**given)  # type: ignore[misc]


@contextmanager
def parking_for(dag_ids: Collection[str], *, by_key: bool, session: Session) -> Iterator[None]:
    """What is queued inside for those of the Dags that are frozen is parked in the same transaction.

    It is asked afterwards whether they are: a freeze that was on its way has let the rows in only when it was done.
    """
    # Not before it is needed: Airflow's models ask for the asset manager while they are being imported.
    from airflow_rerun_downstream.airflow3 import parking

    usable = bool(dag_ids) and guard.usable(session, hold.name)
    if usable and by_key:
        parking.hold_off(session, dag_ids)
    yield
    if usable and (keys := parking.frozen(session, dag_ids)):
        parking.park(session, keys)


@dataclass
class Repeating:
    """An event that repeats others is being registered, through the aliases ``names``.

    ``queued``: some Dag takes it for a first one all the same.
    """

    found: repeats.Repeat
    names: frozenset[str]
    queued: bool = False

    def first_time(self, given: Mapping[str, Any]) -> set[Any]:
        """The Dags to be queued that it is new to, such as those that wait for an alias it didn't come through."""
        dags = {dag.dag_id: dag for dag in given["dags_to_queue"]}
        new = repeats.new_to(dags, self.found, self.names, given["asset_id"], session=given["session"])
        self.queued = bool(new)
        return {dags[dag_id] for dag_id in new}


@contextmanager
def queueing(found: repeats.Repeat | None, kwargs: Mapping[str, Any]) -> Iterator[Repeating]:
    """What is queued for an event that is registered inside; for one that repeats nothing, all that Airflow queues."""
    repeating = Repeating(found or repeats.FIRST, frozenset(kwargs.get("source_alias_names") or ()))
    token = _repeating.set(repeating if found else None)
    try:
        yield repeating
    finally:
        _repeating.reset(token)


def rerun_try(task_instance: TaskInstance, *, session: Session) -> repeats.RerunTry | None:
    """The task instance's try, if it is a rerun's. Looked up once for all events that the try emits together.

    It is kept on the task instance's object, which lives as long as the request in which the task succeeded.
    """
    kept: tuple[int, repeats.RerunTry | None] | None = vars(task_instance).get(REMEMBERED)
    if kept is not None and kept[0] == task_instance.try_number:
        return kept[1]
    tables = [dispatched_task, child, member] if adoptions.possible(task_instance) else [dispatched_task]
    if not all(guard.usable(session, table.name) for table in tables):
        return None
    found = repeats.find_try(task_instance, session=session)
    if found is not None and not guard.usable(session, repeat.name):
        found = None
    setattr(task_instance, REMEMBERED, (task_instance.try_number, found))
    return found


def active() -> bool:
    """Whether the asset manager of this process recognises repeated events."""
    from airflow.assets.manager import asset_manager

    return isinstance(asset_manager, RerunAssetMixin)
