"""Waiting for the end of a rerun, and what its task says of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from airflow_rerun_downstream.client import ConnectionProblem, RefusedError, RerunDownstreamClient
from airflow_rerun_downstream.client.waiting import Wait
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.operators.submitting import said, title
from airflow_rerun_downstream.operators.task_errors import AirflowException, AirflowFailException
from airflow_rerun_downstream.rest.record_payloads import Rerun

POLL_INTERVAL = 10.0
"""Seconds between two looks, where the author doesn't say."""

PATIENCE = 600.0
"""Seconds for which the server may be away while a rerun is waited for."""

NAMED = 5
NAP = 0.5
"""The longest sleep: whoever is killed meanwhile stops waiting after that."""

Result = dict[str, Any]


def wait(
    client: RerunDownstreamClient,
    rerun_id: int,
    *,
    interval: float,
    patience: float,
    stop: Callable[[], bool],
    log: Any,
) -> Rerun:
    """Wait until a rerun has ended; a server that is away is waited for. Raises `AirflowException` after ``stop``."""
    waiting = Wait(timeout=None, on_change=lambda now: log.info(progress(now)), patience=patience, interval=interval)
    while not stop():
        try:
            found = client.rerun(rerun_id)
        except (ConnectionProblem, RefusedError) as error:
            waiting.pass_over(error)
            log.warning("%s The rerun is asked for again.", error)
        else:
            if waiting.has_ended(found):
                return found
        sleep(waiting.pause(), stop)
    raise AirflowException(f"The task was killed while it waited for rerun {rerun_id}.")


def sleep(seconds: float, stop: Callable[[], bool]) -> None:
    """Sleep, unless there is no more to wait for."""
    until = time.monotonic() + seconds
    while not stop() and (left := until - time.monotonic()) > 0:
        time.sleep(min(NAP, left))


def progress(rerun: Rerun) -> str:
    """How far it has come, for the task's log."""
    counts = {name: count for name, count in rerun.counts.model_dump().items() if count}
    return f"{title(rerun)} is {rerun.state.value}: {', '.join(f'{count} {name}' for name, count in counts.items())}"


def result(rerun: Rerun, server: Server) -> Result:
    """What a task returns of a rerun."""
    return {
        "rerun_id": rerun.id,
        "state": rerun.state.value,
        "state_reason": rerun.state_reason,
        "counts": rerun.counts.model_dump(),
        "not_made_anew": rerun.not_made_anew,
        "url": server.record(rerun.id),
    }


def failures(client: RerunDownstreamClient, rerun: Rerun) -> str:
    """Which members have failed, and why: the first of them."""
    failed = (one for one in client.iter_members(rerun.id) if one.state is MemberState.FAILED)
    first = [f"{one.dag_id} / {one.run_id} ({one.state_reason})" for one in islice(failed, NAMED)]
    more = rerun.counts.failed - len(first)
    return ", ".join(first) + (f" and {more} more" if more > 0 else "")


def judged(client: RerunDownstreamClient, rerun: Rerun, server: Server) -> Result:
    """What the task returns where the rerun has succeeded; otherwise its end.

    A retry of the task retries what has failed; after a termination none is made.
    """
    if rerun.state is RerunState.SUCCEEDED:
        return result(rerun, server)
    address = server.record(rerun.id)
    if rerun.state is RerunState.FAILED:
        raise AirflowException(f"{title(rerun)} has failed: {failures(client, rerun) or said(rerun)}. See {address}")
    raise AirflowFailException(f"{title(rerun)} was terminated. {said(rerun)} See {address}")
