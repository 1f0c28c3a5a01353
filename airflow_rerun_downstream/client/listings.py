"""A list in full, page after page: which call comes next, and which of its entries are new.

A list may change while it is read. What is there all the time comes once: a page begins with the last entry of the one
before, and where that isn't known, because something before it has gone, the reading goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, ParamSpec, TypeVar

from pydantic import BaseModel

from airflow_rerun_downstream.client import calls
from airflow_rerun_downstream.client.call import Call
from airflow_rerun_downstream.rest.plan_payloads import DagRuns, Run
from airflow_rerun_downstream.rest.record_payloads import (
    Deliveries,
    Events,
    Links,
    Members,
    NotMadeAnewList,
    RerunDags,
    Reruns,
)

PAGE = 100
"""Airflow's own largest page, where it isn't configured; a server cuts what is larger than its own."""

P = ParamSpec("P")
Page = TypeVar("Page", bound=Reruns | Members | RerunDags | Links | NotMadeAnewList | Events | Deliveries | DagRuns)
Item = TypeVar("Item", bound=BaseModel)


@dataclass(frozen=True)
class Listed(Generic[P, Page, Item]):
    """A call that answers a page of a list, and where in the answer the entries are."""

    page: Callable[P, Call[Page]]
    items: Callable[[Page], Sequence[Item]]


RERUNS = Listed(calls.reruns, lambda page: page.reruns)
MEMBERS = Listed(calls.members, lambda page: page.members)
DAGS = Listed(calls.dags, lambda page: page.dags)
LINKS = Listed(calls.links, lambda page: page.links)
NOT_MADE_ANEW = Listed(calls.not_made_anew, lambda page: page.not_made_anew)
EVENTS = Listed(calls.events, lambda page: page.events)
NOTIFICATIONS = Listed(calls.notifications, lambda page: page.notifications)
DAG_RUNS = Listed(calls.dag_runs, lambda page: page.dag_runs)


class Listing(Generic[Page, Item]):
    """The way through a list, from ``offset`` on and ``limit`` entries at most, as the call for a page says."""

    def __init__(self, call: Call[Page], items: Callable[[Page], Sequence[Item]]) -> None:
        self._call = call
        self._items = items
        self._first = self._from = call.params["offset"] or 0
        self._left: int | None = call.params["limit"]
        self._longest = 0
        self._seen: set[Hashable] = set()
        self._over = False

    def next_call(self) -> Call[Page] | None:
        """The call for the next page; None: that was the last."""
        if self._over or self._left == 0:
            return None
        return replace(self._call, params={**self._call.params, "limit": PAGE, "offset": self._from})

    def new(self, page: Page) -> Sequence[Item]:
        """The entries of a page that didn't come before."""
        items = self._items(page)
        again = 1 if self._from > self._first and self._longest > 1 else 0
        if again and (not items or key(items[0]) not in self._seen):
            self._from = max(self._from - self._longest, self._first)
            return ()
        found = [each for each in items if key(each) not in self._seen][: self._left]
        self._seen.update(map(key, found))
        self._longest = max(self._longest, len(items))
        self._over = len(items) <= again or self._from + len(items) >= page.total_entries
        self._from += len(items) - (1 if self._longest > 1 else 0)
        if self._left is not None:
            self._left -= len(found)
        return found


def key(item: BaseModel) -> Hashable:
    """What an entry is known by: its id, a run's two, or all that it says."""
    if isinstance(item, Run):
        return item.dag_id, item.run_id
    return getattr(item, "id", None) or item.model_dump_json()
