"""One rerun for one task: its tries find the rerun that the first of them made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_rerun_downstream.client import RefusedError, RerunDownstreamClient
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.operators.task_errors import AirflowFailException
from airflow_rerun_downstream.operators.what import What
from airflow_rerun_downstream.rest.record_payloads import Rerun

REUSED = "idempotency_key_reused"
ENDING = frozenset({RerunState.TERMINATING, RerunState.TERMINATED})

OTHER_REQUEST = (
    "An earlier try of this task has asked for something else. Leave out of the request what changes from try to try, "
    "such as the present time; clear the task to ask for something new."
)

Wait = Callable[[Rerun], Rerun]


@dataclass(frozen=True)
class Submission:
    """What is submitted, and under which key. ``log`` is the task's."""

    server: Server
    what: What
    key: str
    log: Any

    def made(self, client: RerunDownstreamClient, wait: Wait) -> Rerun:
        """The task's rerun: that of an earlier try, or a new one. ``wait``: waits for the end of one.

        A rerun that has failed meanwhile is resumed: a retry of the task retries the failed runs. One that an earlier
        try terminated when it was killed is followed by another. Raises `AirflowFailException` for one that somebody
        else has terminated.
        """
        key = self.key
        while True:
            rerun = self._submitted(client, key)
            if rerun.state not in ENDING:
                break
            ended = wait(rerun)
            if not by_us(ended):
                raise AirflowFailException(f"{title(ended)} was terminated. {said(ended)}".rstrip())
            self.log.info("%s of an earlier try was terminated; another one begins.", title(ended))
            key = f"{self.key}.{ended.id}"
        if rerun.state is RerunState.FAILED:
            self.log.info("%s has failed; its failed runs are retried.", title(rerun))
            return client.resume(rerun.id)
        return rerun

    def found(self, client: RerunDownstreamClient) -> Rerun | None:
        """The last rerun that has come of the task so far."""
        key, last = self.key, None
        while found := client.reruns(idempotency_key=key).reruns:
            last = found[0]
            key = f"{self.key}.{last.id}"
        return last

    def _submitted(self, client: RerunDownstreamClient, key: str) -> Rerun:
        # What a filter keeps of a plan isn't the same at another time: the runs may be on their way by now.
        if self.what.filtered and (found := client.reruns(idempotency_key=key).reruns):
            return found[0]
        body = self.what.body(self.server, client)
        try:
            return client.submit(body, idempotency_key=key)
        except RefusedError as refusal:
            if refusal.reason == REUSED:
                raise AirflowFailException(OTHER_REQUEST) from refusal
            raise


def by_us(rerun: Rerun) -> bool:
    """Whether whoever submitted a rerun has terminated it, as a task does that is killed."""
    return rerun.cause is not None and rerun.cause.by == rerun.created_by


def title(rerun: Rerun) -> str:
    """What a rerun is called in sentences."""
    return f"Rerun {rerun.id}" + (f" ({rerun.name})" if rerun.name else "")


def said(rerun: Rerun) -> str:
    """Why it stands where it stands, in the server's words."""
    return f"Reason: {rerun.state_reason}." if rerun.state_reason else ""
