"""One proposal for one failure, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, takewhile
from math import inf
from time import monotonic, sleep
from typing import Any

from airflow_rerun_downstream.client import ClientError, ConnectionProblem, RefusedError, RerunDownstreamClient
from airflow_rerun_downstream.client.client import submitted
from airflow_rerun_downstream.client.retries import unavailable, unsent
from airflow_rerun_downstream.domain.states import MemberState, Role
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.operators.submitting import REUSED, title
from airflow_rerun_downstream.operators.what import What
from airflow_rerun_downstream.rest.record_payloads import Member, Rerun

TIMEOUT = 10.0
"""Seconds for which an answer is waited for. A Dag processor that is kept for long parses no Dags, and is killed."""

LOOKUP_TIMEOUT = 5.0
"""The same for Airflow's own lists, which are short."""

BEGUN_WITHIN = 15.0
"""Seconds after which no step is begun any more: with the last one's answers, the whole stays below the 50 seconds of
``dag_file_processor_timeout``."""

PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further try."""

COUNTED = 1_000
"""Members of which the Dags are counted."""


class Unsure(ConnectionProblem):
    """The answer to a submit is lost: the server may have stored the proposal."""


@dataclass(frozen=True)
class Proposed:
    """A rerun that waits for somebody's approval. ``new``: it did not before; ``message``: that, for people."""

    rerun: Rerun
    url: str
    new: bool
    message: str

    def told(self) -> dict[str, Any]:
        """What other notifiers find in their context."""
        return {"rerun_id": self.rerun.id, "url": self.url, "message": self.message}


def propose(server: Server, what: What, key: str) -> Proposed:
    """Propose a rerun, unless one has come of the key already. Raises `ClientError`."""
    return Proposing(replace(server, timeout=min(server.timeout, TIMEOUT)), what, key).done()


@dataclass
class Proposing:
    """The tries to propose. ``lost``: the answer to a submit has been lost."""

    server: Server
    what: What
    key: str
    lost: bool = False
    began: float = field(default_factory=lambda: monotonic())

    def done(self) -> Proposed:
        """What came of them. Raises `ClientError`."""
        pauses = iter(PAUSES)
        while True:
            try:
                with self.server.client(retries=0) as client:  # a client's own retries know no common end
                    return self._tried(client)
            except ClientError as error:
                pause = next(pauses, inf)
                if not unavailable(error) or not self._in_time(pause):
                    if self.lost:
                        raise Unsure(str(error)) from error
                    raise
            sleep(pause)

    def _in_time(self, later: float = 0.0) -> bool:
        return monotonic() - self.began + later < BEGUN_WITHIN

    def _tried(self, client: RerunDownstreamClient) -> Proposed:
        # What a template or a filter comes to may be something else by now: the failure is the same.
        if earlier := self._earlier(client):
            return self._proposed(client, earlier, new=self.lost)
        self._check_time()
        lookups = replace(self.server, timeout=min(self.server.timeout, LOOKUP_TIMEOUT))
        body = {**self.what.body(lookups, client), "propose": True}
        self._check_time()
        rerun, new = self._submitted(client, body)
        return self._proposed(client, rerun, new=new or self.lost)

    def _check_time(self) -> None:
        if not self._in_time():
            raise ConnectionProblem(f"{self.server.url} answers too slowly: {BEGUN_WITHIN:.0f} seconds have passed.")

    def _earlier(self, client: RerunDownstreamClient) -> Rerun | None:
        return next(iter(client.reruns(idempotency_key=self.key).reruns), None)

    def _submitted(self, client: RerunDownstreamClient, body: dict[str, Any]) -> tuple[Rerun, bool]:
        try:
            return submitted(client, body, idempotency_key=self.key)
        except RefusedError as refusal:
            # Another index of a mapped task has been here since the key was looked up, with another body.
            if refusal.reason == REUSED and (earlier := self._earlier(client)):
                return earlier, False
            self.lost |= unavailable(refusal) and not unsent(refusal)
            raise
        except ConnectionProblem as problem:
            self.lost |= not unsent(problem)
            raise

    def _proposed(self, client: RerunDownstreamClient, rerun: Rerun, *, new: bool) -> Proposed:
        url = self.server.record(rerun.id)
        if not new:
            return Proposed(rerun, url, False, f"{title(rerun)} of this failure is {rerun.state.value}: {url}")
        frozen = len(self.what.frozen or ())  # of a proposal, their state doesn't tell: they are pending, too
        runs = rerun.counts.pending - frozen
        dags = of_dags(takewhile(lambda _: self._in_time(), client.iter_members(rerun.id)), runs)
        held = f" and {number(frozen, 'frozen run')}" if frozen else ""
        return Proposed(rerun, url, True, message(rerun, f"{number(runs, 'run')}{dags}{held}", url))


def message(rerun: Rerun, what: str, url: str) -> str:
    """What is proposed, and where to approve it."""
    until = f" until {rerun.expires_at:%Y-%m-%d %H:%M %Z}" if rerun.expires_at else ""
    source = f"{rerun.source.dag_id} / {rerun.source.run_id}"
    return f"{title(rerun)} is proposed: {what}, from {source}. Approve it{until} at {url}"


def of_dags(members: Iterator[Member], runs: int) -> str:
    """Of how many Dags the runs are; nothing where that can't be told: the proposal stands all the same."""
    try:
        found = [one.dag_id for one in islice(members, COUNTED) if would_run(one)]
    except ClientError:
        return ""
    if not found and runs:
        return ""
    least = "at least " if len(found) < runs else ""
    return f" of {least}{number(len(set(found)), 'Dag')}"


def would_run(member: Member) -> bool:
    """Whether it would run once it is approved: a source that is right already wouldn't, nor would a frozen run."""
    return member.state is MemberState.PENDING and member.role is not Role.FROZEN


def number(count: int, of: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{count:,} {of}" + ("" if count == 1 else "s")
