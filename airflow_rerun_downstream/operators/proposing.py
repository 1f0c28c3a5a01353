"""One proposal for one failure, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from airflow_rerun_downstream.client import ClientError, RerunDownstreamClient
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.operators.submitting import title
from airflow_rerun_downstream.operators.what import What
from airflow_rerun_downstream.rest.record_payloads import Rerun

RETRIES = 3
"""How often a call is sent again. A Dag processor that is kept for long parses no Dags, and is killed."""

COUNTED = 1_000
"""Members of which the Dags are counted."""


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
    with server.client(retries=RETRIES) as client:
        # What a template or a filter comes to may be something else by now: the failure is the same.
        earlier = client.reruns(idempotency_key=key).reruns
        if earlier:
            rerun, url = earlier[0], server.record(earlier[0].id)
            return Proposed(rerun, url, False, f"{title(rerun)} of this failure is {rerun.state.value}: {url}")
        rerun = client.submit({**what.body(server, client), "propose": True}, idempotency_key=key)
        url = server.record(rerun.id)
        return Proposed(rerun, url, True, message(client, rerun, url))


def message(client: RerunDownstreamClient, rerun: Rerun, url: str) -> str:
    """What is proposed, and where to approve it."""
    runs = sum(rerun.counts.model_dump().values())
    until = f" until {rerun.expires_at:%Y-%m-%d %H:%M %Z}" if rerun.expires_at else ""
    what = f"{number(runs, 'run')}{of_dags(client, rerun.id, runs)}"
    source = f"{rerun.source.dag_id} / {rerun.source.run_id}"
    return f"{title(rerun)} is proposed: {what}, from {source}. Approve it{until} at {url}"


def of_dags(client: RerunDownstreamClient, rerun_id: int, runs: int) -> str:
    """Of how many Dags the members are; nothing where that can't be told: the proposal stands all the same."""
    try:
        found = [one.dag_id for one in islice(client.iter_members(rerun_id), COUNTED)]
    except ClientError:
        return ""
    return f" of {'at least ' if len(found) < runs else ''}{number(len(set(found)), 'Dag')}"


def number(count: int, of: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{count:,} {of}" + ("" if count == 1 else "s")
