"""The fake answers every question as Airflow does, in histories that nobody has thought of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.airflow3.conftest import make_once
from tests.contracts.conftest import BACKENDS
from tests.contracts.random_histories import Step, answers, differing_parts, histories, play
from tests.contracts.stages import FakeStage

FEW = settings(
    max_examples=8,
    derandomize=True,  # the same ones each time: a change is told apart from luck
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a smaller history would take minutes to find
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Any:
    found = make_once(request.param)
    found.use()
    return found


@FEW
@given(history=histories(), cut=st.integers(1, 6))
def test_airflow_answers_as_the_fake_does(database: Any, history: list[Step], cut: int) -> None:
    """And what is said of a run doesn't depend on the others that are asked about."""
    check(database, history, cut)


def check(database: Any, history: list[Step], cut: int) -> None:
    """Play a history in memory and in Airflow, and compare all answers."""
    from tests.contracts.airflow_stage import AirflowStage

    wanted = answers(play(history, FakeStage()))
    database.empty()
    with database.session() as session:
        played = play(history, AirflowStage(session))
        found = answers(played)
        assert differing_parts(played, cut) == set()
    differing = {name: (found[name], answer) for name, answer in wanted.items() if found[name] != answer}
    assert differing == {}
