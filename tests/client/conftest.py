from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_rerun_downstream.client import retries
from tests.client.twins import TWINS


@pytest.fixture(params=TWINS, ids=["sync", "async"])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes either client, which doesn't wait before it sends a call again."""
    monkeypatch.setattr(retries, "BACK_OFF", lambda _state: 0.0)
    made: Callable[..., Any] = request.param
    return made
