"""Which reruns, and which part of one, somebody asks our tables for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, RerunState


@dataclass(frozen=True)
class RerunFilter:
    """A question for a page of reruns. None: no restriction. ``dag_id_pattern``: see `RunFilter`.

    ``search``: a part of the name or of the reason, in any case and letter by letter.
    ``readable`` restricts the source's Dag, and what is asked of members to those that may be read.
    ``idempotency_key``: the digest of `domain.idempotency.users_key`.
    """

    states: frozenset[RerunState] | None = None
    dag_id: str | None = None
    dag_id_pattern: str | None = None
    run_id: str | None = None
    search: str | None = None
    created_by: str | None = None
    created_at_gte: datetime | None = None
    created_at_lte: datetime | None = None
    readable: frozenset[str] | None = None
    frozen: bool | None = None
    idempotency_key: str | None = None
    limit: int = 50
    offset: int = 0
    order_by: str = "-id"


@dataclass(frozen=True)
class Part:
    """A part of a rerun's rows: of those about Dags in ``readable``, at most ``limit`` from the one at ``offset`` on.

    None: about any Dag; all there are. Of a link both Dags count, of a line of the record that of its member, if any.
    """

    readable: frozenset[str] | None = None
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Lines:
    """What lines of a record are about.

    ``members``: how many are about members of each Dag; None: about no member that there is. ``others``: the Dags that
    they name besides. ``last``: the greatest id of these lines and those before them.
    """

    members: Mapping[str | None, int] = field(default_factory=dict)
    others: frozenset[str] = frozenset()
    last: int = 0

    def and_later(self, more: Lines) -> Lines:
        """These lines and later ones."""
        counts = Counter(self.members)
        counts.update(more.members)
        return Lines(dict(counts), self.others | more.others, more.last)


EVERYTHING = Part()
"""All of a rerun's rows."""


@dataclass(frozen=True)
class Head:
    """What tells at a glance whether a rerun has changed.

    ``revision`` goes up with each change of the rerun, of a member, of the record, and of what wasn't made anew. What
    is read after a revision was seen has all that was written with it and with those below it.
    """

    id: int
    source: RunRef
    state: RerunState
    created_at: datetime
    revision: int

    @property
    def active(self) -> bool:
        """Whether the rerun may still move."""
        return self.state in ACTIVE_RERUN_STATES
