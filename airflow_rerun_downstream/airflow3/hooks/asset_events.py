"""What makes a rerun's asset events start nothing: the door of `RerunAssetManager`, for any asset manager.

Airflow calls it in the transaction in which it records a task's success, and imports it in the middle of importing its
own models. So this module is light, and what it stands on, `recognition`, is imported once these models are there.
Until then, and wherever ours fails, it is the parent class alone: an error in here is told and goes no further, one of
the parent's goes its way as it would without us.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from airflow_rerun_downstream import host
from airflow_rerun_downstream.harmless import harmless, log_error

if TYPE_CHECKING:
    from types import ModuleType

    from airflow_rerun_downstream.airflow3.hooks.recognition import Given, Repeating, Waiting

PART = "asset_manager"

_current: ContextVar[Repeating | None] = ContextVar("rerun_downstream_repeating", default=None)
"""The event that is being registered, if it repeats an earlier one."""


class RerunAssetMixin:
    """To be put before an asset manager: ``class OurManager(RerunAssetMixin, SiteManager)``.

    An event of a try that a rerun started, which repeats an earlier one, queues no Dag run. What any other event
    queues for a frozen Dag is parked at once. Everything else is the parent class's.
    """

    @classmethod
    def register_asset_change(cls, *args: Any, **kwargs: Any) -> Any:
        """Register an event as the parent class does; one that repeats an earlier one queues no Dag run."""
        repeating = begin(kwargs)
        try:
            event = super().register_asset_change(*args, **kwargs)  # type: ignore[misc]
        finally:
            forget()
        owed = end(repeating, event)
        if owed is not None:
            cls._queue_dagruns(*owed[0], **owed[1])
        return event

    @classmethod
    def _queue_dagruns(cls, *args: Any, **kwargs: Any) -> Any:
        """The one way by which every supported Airflow gets from an event to Dag runs, partitioned ones too."""
        given = admitted(args, kwargs)
        waiting = before_queueing(given)
        queued = super()._queue_dagruns(*given[0], **given[1])  # type: ignore[misc]
        after_queueing(waiting)
        return queued


def begin(given: dict[str, Any]) -> Repeating | None:
    """Look whether an event comes from a try that a rerun started, and which ones it repeats."""
    try:
        return beginning(given)
    except Exception as error:
        log_error(PART, error)
        regret(given)
    return None


def beginning(given: dict[str, Any]) -> Repeating | None:
    """See `begin`."""
    if _inside is None:
        return None
    repeating: Repeating | None = _inside.begin(given)
    _current.set(repeating if repeating is not None and repeating.found else None)
    return repeating


@harmless(PART)
def regret(given: dict[str, Any]) -> None:
    """Forget the event, and let its rerun's record say that an extra run may come of it."""
    _current.set(None)
    if _inside is not None:
        _inside.regret(given)


@harmless(PART)
def forget() -> None:
    """The event is registered, or can't be."""
    _current.set(None)


def end(repeating: Repeating | None, event: Any) -> Given | None:
    """Note an event of a rerun's try; answer what it has to queue after all, because that has failed."""
    try:
        ending(repeating, event)
    except Exception as error:
        log_error(PART, error)
        regret_repeat(repeating)
    return owing(repeating, event)


def ending(repeating: Repeating | None, event: Any) -> None:
    """See `end`."""
    if repeating is not None and event is not None:
        repeating.finish(event)


@harmless(PART)
def regret_repeat(repeating: Repeating | None) -> None:
    """Let the rerun's record say that an extra run may come of an event."""
    if repeating is not None and not repeating.done:
        repeating.regret()


@harmless(PART)
def owing(repeating: Repeating | None, event: Any) -> Given | None:
    """What was held back for an event that could not be made a repeated one."""
    return repeating.owed() if repeating is not None and event is not None else None


def admitted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
    """The call that queues Dags, without those that an event repeats an earlier one for."""
    try:
        return admitting(args, kwargs)
    except Exception as error:
        log_error(PART, error)
        spoil()
    return (args, kwargs)


def admitting(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Given:
    """See `admitted`."""
    repeating = _current.get()
    return (args, kwargs) if repeating is None else repeating.admit(args, kwargs)


@harmless(PART)
def spoil() -> None:
    """All Dags are queued: nothing else must be done for a repeated event."""
    repeating = _current.get()
    if repeating is not None:
        repeating.spoil()


@harmless(PART)
def before_queueing(given: Given) -> Waiting | None:
    """Which Dags are about to be queued, and whether one of them may be frozen."""
    return _inside.before_queueing(given) if _inside is not None else None


@harmless(PART)
def after_queueing(waiting: Waiting | None) -> None:
    """Park what was queued for frozen Dags."""
    if waiting is not None:
        waiting.park()


_inside: ModuleType | None = None
"""`recognition`, once it could be imported."""


@harmless(PART)
def prepare() -> None:
    """Import all that the work takes. Where that fails, this process's asset manager is Airflow's own."""
    global _inside
    if _inside is None and host.supported():
        from airflow_rerun_downstream.airflow3.hooks import recognition

        _inside = recognition


@harmless(PART)
def prepare_when_safe() -> None:
    """`prepare` as soon as Airflow's models are all there: now, or when SQLAlchemy has mapped them.

    It does that before the first query of a process, so before any transaction in which a task can succeed.
    """
    from sqlalchemy import event
    from sqlalchemy.orm import Mapper

    models = sys.modules.get("airflow.models.taskinstance")
    mapper = getattr(getattr(models, "TaskInstance", None), "__mapper__", None)
    if mapper is not None and mapper.configured:
        prepare()
    elif host.supported():
        event.listen(Mapper, "after_configured", prepare, once=True)


def working() -> bool:
    """Whether repeated events are recognised in this process, if its asset manager is ours."""
    return _inside is not None


def active_here() -> bool:
    """Whether repeated events are recognised in this process."""
    from airflow.assets.manager import asset_manager

    from airflow_rerun_downstream.airflow3.installation.process_reports import recognises

    return recognises(type(asset_manager)) and working()


prepare_when_safe()
