"""What one person gets to see of plans and records: what may not be read is counted, never named.

Whatever names a Dag, a run or a task on its way to a person passes through here, in a plan as in a record. A text is
shown or withheld as a whole, by the Dags that it says it names (``dag_ids``); nobody looks for names in it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.plan import Link, PlanWarning
from airflow_rerun_downstream.domain.rerun import RerunEvent
from airflow_rerun_downstream.domain.sentence import Sentence

HIDDEN: Mapping[str, Any] = {"hidden": True}
"""What stands in the place of something that has a name."""

UNTOLD = Sentence("record.untold")
"""What stands in the place of a detail."""

ERROR = "dispatch_error"
"""The reason that once had the error's text behind it."""


@dataclass(frozen=True)
class Seeing:
    """One person's eyes. ``readable`` answers which of some Dags exist and may be read."""

    readable: Callable[[Collection[str]], Collection[str]]

    def among(self, dag_ids: Iterable[str]) -> frozenset[str]:
        """The names among ``dag_ids`` that the person may see; a template of a name is only a text of another Dag."""
        asked = frozenset(dag_ids)
        closed = frozenset(dag_id for dag_id in asked if not is_open(dag_id))
        return (asked - closed).union(self.readable(closed) if closed else ())

    def warnings(self, of: Iterable[PlanWarning]) -> tuple[PlanWarning, ...]:
        """Those that name nothing hidden, and how many others there are."""
        every = tuple(of)
        seen = self.among(dag_id for each in every for dag_id in each.names)
        shown = tuple(each for each in every if each.names <= seen)
        folded = len(every) - len(shown)
        return (*shown, folded_warnings(folded)) if folded else shown

    def links(self, of: Sequence[Link]) -> list[Link]:
        """Those between runs that the person may see; of hidden runs that one passes through, that there are some."""
        ends = {dag_id for each in of for dag_id in (each.upstream.dag_id, each.downstream.dag_id)}
        seen = self.among(ends.union(*(named_in(each.via) for each in of)))
        return [
            each if named_in(each.via) <= seen else replace(each, via=HIDDEN)
            for each in of
            if each.upstream.dag_id in seen and each.downstream.dag_id in seen
        ]

    def edges(self, dag_id: str, of: Sequence[DagEdge]) -> tuple[tuple[DagEdge, ...], frozenset[str]]:
        """A Dag's edges to Dags that the person may see, and the Dags that the others lead to.

        What the Dag itself names is no more than its own text, and shown: as a Dag that isn't there, if it is hidden.
        """
        seen = self.among(name for each in of for name in each.dag_ids)
        shown: list[DagEdge] = []
        hidden: set[str] = set()
        for each in of:
            unseen = each.dag_ids - seen
            if not unseen:
                shown.append(each)
            elif each.written_in == dag_id:
                shown.append(each.without(unseen))
            else:
                hidden |= unseen
        return tuple(shown), frozenset(hidden)

    def events(self, of: Sequence[RerunEvent], dag_ids: Collection[str]) -> list[RerunEvent]:
        """Lines of a record about members that the person may see, without details that name anything else.

        ``dag_ids``: those of the rerun's members.
        """
        every = frozenset(dag_ids)
        seen = self.among(every.union(*(each.dag_ids or () for each in of)))
        return [
            event_shown(each) if (every if each.dag_ids is None else each.dag_ids) <= seen else event_hidden(each)
            for each in of
        ]


def is_open(name: str) -> bool:
    """Whether a Dag's name is a template, which nobody has filled in."""
    return "{{" in name or "{%" in name


def folded_warnings(number: int) -> PlanWarning:
    """What is left of warnings about hidden Dags."""
    return PlanWarning("hidden_warnings", Sentence("warning.hidden_warnings", count=number))


def named_in(value: object) -> frozenset[str]:
    """The Dags that are named inside what was seen of a link: objects that have a ``dag_id``."""
    return frozenset(words_in(value))


def words_in(value: object) -> Iterator[str]:
    """See `named_in`."""
    if isinstance(value, Mapping):
        if isinstance(dag_id := value.get("dag_id"), str):
            yield dag_id
        for each in value.values():
            yield from words_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from words_in(each)


def reason(text: str | None) -> str | None:
    """A reason as it may be shown: a database's error names hosts, tables and values."""
    return ERROR if text is not None and text.startswith(f"{ERROR}:") else text


def event_shown(event: RerunEvent) -> RerunEvent:
    """A line without the error that once stood in it."""
    shown = reason(event.detail)
    return event if shown == event.detail else replace(event, detail=shown)


def event_hidden(event: RerunEvent) -> RerunEvent:
    """A line without its detail, which it says."""
    return replace(event, detail=UNTOLD, dag_ids=frozenset())
