"""The installation that we are a guest of: who may do what, is it healthy, whom to notify, what time is it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence, sentence_in


class Clock(Protocol):
    """The time, the same for every process that shares the database."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


class Permissions(Protocol):
    """What the configured auth manager says of a user, asked in the caller's transaction, each question once."""

    def readable(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """The Dags among ``dag_ids`` of which the user may read all: runs and task instances, too.

        An auth manager knows nothing of a Dag that isn't there. Whoever may read everything may read what is kept of
        such a Dag as well, so that a rerun of it can still be looked at, and ended, at the machine.
        """
        ...

    def all_readable(self, actor: Actor) -> frozenset[str] | None:
        """Every Dag that the user may see; None: all there are."""
        ...

    def may_rerun(self, actor: Actor, dag_ids: Collection[str]) -> frozenset[str]:
        """The Dags among ``dag_ids`` whose runs and task instances the user may edit."""
        ...


@dataclass(frozen=True)
class ComponentHealth:
    """One component: ``status`` is healthy, degraded or unhealthy; ``detail`` says why and what to do.

    ``tasks`` are those, each with its Dag before it, that it is about. The detail names none: not everybody may read
    their Dags. ``since``: the last sign of life of what has been silent since; None where there is none, or it is well.
    """

    status: str
    detail: str
    tasks: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None

    @property
    def sentence(self) -> Sentence | None:
        """The detail as its code and parameters."""
        return sentence_in(self.detail)


class Health(Protocol):
    """The installation's state. Answers also when nothing else works.

    It reads in transactions of its own: ask it outside of any other.
    """

    def components(self, only: Collection[str] | None = None) -> Mapping[str, ComponentHealth]:
        """``configuration``, ``database``, ``conductor``, ``clocks``, ``asset_manager``, ``freeze_hook``, ``hooks``,
        ``frozen``, ``policy``, ``listener``, ``declared_links``, ``notifications``; ``only``: those among these, and
        the others aren't looked at."""
        ...

    def asset_manager_active(self) -> bool:
        """Whether repeated asset events are recognised in the api-servers that serve tasks."""
        ...

    def freeze_hook_active(self) -> bool:
        """Whether every live scheduler holds the runs that it makes for a frozen Dag."""
        ...

    def cannot_freeze(self) -> Sentence | None:
        """What says why nothing can be frozen in this installation; None: that depends on the run."""
        ...


class Notifier(Protocol):
    """The notification targets that the deployment configured."""

    def targets(self) -> Sequence[tuple[str, str, str]]:
        """Name, kind and description of each."""
        ...
