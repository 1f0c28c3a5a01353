from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from airflow_rerun_downstream.client import ConnectionProblem, RefusedError, StillRunning, waiting
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.rest import presenters, record_payloads
from airflow_rerun_downstream.service import RerunView
from tests.rest.stub import RERUN

Wait = Callable[..., record_payloads.Rerun]


def rerun(state: RerunState = RerunState.RUNNING, **changes: Any) -> record_payloads.Rerun:
    found = presenters.rerun(RerunView(RERUN, ("pause",)))
    return found.model_copy(update={"state": state, **changes})


def driven(look: Callable[[], record_payloads.Rerun], **options: Any) -> record_payloads.Rerun:
    async def looked() -> record_payloads.Rerun:
        return look()

    return asyncio.run(waiting.wait_async(looked, **options))


@pytest.fixture(params=[waiting.wait, driven], ids=["sync", "async"])
def wait(request: pytest.FixtureRequest) -> Wait:
    found: Wait = request.param
    return found


class Looks:
    """Answers one after the other; an error is raised."""

    def __init__(self, *answers: record_payloads.Rerun | Exception) -> None:
        self.answers = list(answers)

    def __call__(self) -> record_payloads.Rerun:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize("end", [RerunState.SUCCEEDED, RerunState.FAILED, RerunState.TERMINATED])
def test_waiting_tells_of_each_change_and_ends(wait: Wait, end: RerunState) -> None:
    told: list[record_payloads.Rerun] = []
    looks = Looks(rerun(), rerun(), rerun(state_reason="x"), rerun(RerunState.PAUSED), rerun(end))
    assert wait(looks, on_change=told.append, interval=0).state is end
    assert told == [rerun(), rerun(state_reason="x"), rerun(RerunState.PAUSED), rerun(end)]


def test_waiting_outlives_a_restart_of_the_server(wait: Wait) -> None:
    looks = Looks(rerun(), ConnectionProblem("away"), ConnectionProblem("away"), rerun(RerunState.SUCCEEDED))
    assert wait(looks, interval=0).state is RerunState.SUCCEEDED


def test_waiting_ends_when_the_server_stays_away(wait: Wait) -> None:
    with pytest.raises(ConnectionProblem):
        wait(Looks(ConnectionProblem("away")), interval=0.01, patience=0.02)


def test_waiting_has_a_limit(wait: Wait) -> None:
    with pytest.raises(StillRunning, match=r"is running after 0\.02 seconds"):
        wait(Looks(rerun()), timeout=0.02, interval=0.01)


def test_a_refusal_ends_the_waiting(wait: Wait) -> None:
    with pytest.raises(RefusedError):
        wait(Looks(RefusedError(404, "not_found", "There is no rerun 7.", {})), interval=0)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_says_it_is_away_is_waited_for(wait: Wait, status: int) -> None:
    away = RefusedError(status, "unavailable", "Not now.", {})
    assert wait(Looks(rerun(), away, rerun(RerunState.SUCCEEDED)), interval=0).state is RerunState.SUCCEEDED
    with pytest.raises(RefusedError):
        wait(Looks(away), interval=0.01, patience=0.02)
