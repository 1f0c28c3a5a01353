"""An error at each visit to each line, in each story; `tests/airflow3/test_no_harm.py` tries each line once."""

from __future__ import annotations

import pytest

from tests.airflow3 import harm
from tests.airflow3.conftest import database, session
from tests.airflow3.hooks.test_asset_events import Airflow
from tests.airflow3.test_no_harm import STORIES, airflow

__all__ = ["airflow", "database", "session"]


@pytest.mark.parametrize("name", STORIES)
def test_an_error_at_each_visit_to_each_line(airflow: Airflow, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = harm.Trial(airflow.database, harm.story(name, airflow, monkeypatch))
    assert trial.lines
    for line in trial.lines:
        trial.fault(line)
