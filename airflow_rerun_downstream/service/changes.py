"""What has changed in a rerun since somebody looked, so that following it costs what happens and not what there is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from airflow_rerun_downstream import __version__
from airflow_rerun_downstream.domain.errors import NotFound
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.domain.states import ACTIVE_RERUN_STATES, RerunState
from airflow_rerun_downstream.ports.record_parts import Head
from airflow_rerun_downstream.ports.work import Work
from airflow_rerun_downstream.service.core import Core
from airflow_rerun_downstream.service.names import Named
from airflow_rerun_downstream.service.records import eyes, member_views, part_of, readable_head, rerun_views
from airflow_rerun_downstream.service.views import ChangesView

LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Cursor:
    """How much of a rerun somebody knows: all that stands at revision ``since``, and the record until line ``line``.

    ``until`` is the revision of the look that is under way, of whose members those until ``after`` are known; None:
    all of them. ``sight``: what else an answer hangs on. Where that is another one, nothing is known.
    """

    since: int
    until: int
    after: int | None
    line: int
    sight: str

    @property
    def under_way(self) -> bool:
        """Whether the last look hasn't ended."""
        return self.since < self.until

    def __str__(self) -> str:
        after = "" if self.after is None else self.after
        return f"{self.since}.{self.until}.{after}.{self.line}.{self.sight}"

    @classmethod
    def read(cls, text: str | None) -> Cursor | None:
        """The cursor that a text says; None: it says none."""
        try:
            since, until, after, line, sight = (text or "").split(".")
            found = cls(int(since), int(until), int(after) if after else None, int(line), sight)
        except ValueError:
            return None
        return found if all(-1 <= one <= LARGEST for one in found.numbers) else None

    @property
    def numbers(self) -> tuple[int, ...]:
        """What a database is asked with."""
        return self.since, self.until, self.after or 0, self.line


class Changes(Core):
    """Following a rerun."""

    def changes(self, actor: Actor, rerun_id: int, *, since: str | None, limit: int) -> ChangesView:
        """What has changed since an answer whose cursor ``since`` was; all there is, where that doesn't help.

        At most ``limit`` members and as many lines of the record at a time. Raises `NotFound`.
        """
        with self.unit_of_work() as work:
            head = readable_head(actor, work, rerun_id)
            named = self.names.of(work, head)
            sight = sight_of(actor, work, head, named)
            known = Cursor.read(since)
            whole = known is None or known.sight != sight or known.until > head.revision
            at = Cursor(-1, -1, None, 0, sight) if known is None or whole else known
            if not at.under_way and at.until == head.revision:
                return ChangesView(str(at))
            return news(actor, work, at, head, named, limit=limit, whole=whole)


def news(
    actor: Actor, work: Work, at: Cursor, head: Head, named: Named, *, limit: int, whole: bool = False
) -> ChangesView:
    """The next part of what has changed. What comes after the revision with which a look began may be in it; the next
    look has it once more."""
    rerun = work.store.get(head.id)
    if rerun is None:
        raise NotFound(Sentence("refusal.unknown_rerun", rerun=head.id))
    begins = not at.under_way
    until, after = (head.revision, 0) if begins else (at.until, at.after)
    part = part_of(named.members, eyes(actor, work).among(named.members), limit, 0)
    members, lines = [], work.store.events(rerun.id, part, after=at.line)
    if after is not None:
        members = work.store.changed_members(rerun.id, since=at.since, after=after, readable=part.readable, limit=limit)
    more = limit in (len(members), len(lines))
    line = lines[-1].id if lines else at.line
    last = members[-1].id if len(members) == limit else None
    return ChangesView(
        cursor=str(Cursor(at.since if more else until, until, last, line, at.sight)),
        whole=whole,
        more=more,
        rerun=rerun_views(actor, work, [rerun], {rerun.id: named.members}, ended_too=True)[0] if begins else None,
        members=tuple(member_views(actor, work, rerun, members, named.members)),
        events=tuple(eyes(actor, work).events(lines, named.members)),
    )


def sight_of(actor: Actor, work: Work, head: Head, named: Named) -> str:
    """What answers about a rerun hang on besides what is stored of it: what whoever asks may read and do, and whether
    anything can be done at all. Two who see different things have different ones."""
    members = frozenset(named.members) | {head.source.dag_id}
    seen = eyes(actor, work).among(members | named.others)
    may_act = members <= work.permissions.may_rerun(actor, members)
    acting = head.state in ACTIVE_RERUN_STATES, head.state is RerunState.TERMINATING
    told = repr((__version__, head.created_at.isoformat(), sorted(seen), may_act, acting))
    return hashlib.sha256(told.encode()).hexdigest()[:20]
