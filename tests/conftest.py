"""For all tests: on an Airflow that isn't known they aren't even collected, for thousands would fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_rerun_downstream import host
from tests.fakes.parameters import no_english_in_parameters

__all__ = ["no_english_in_parameters"]

UNKNOWN = Path(__file__).parent / "thorough" / "test_unknown_airflow.py"
"""What can be tested there."""


def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop before anything is collected, with one sentence."""
    chosen = {Path(session.config.invocation_params.dir, one.partition("::")[0]) for one in session.config.args}
    if not host.supported() and chosen != {UNKNOWN}:
        *known, last, this = (".".join(map(str, each)) for each in (*host.KNOWN, host.airflow_version()))
        pytest.exit(
            f"Airflow {this} isn't known ({', '.join(known)} and {last} are, see KNOWN in "
            "airflow_rerun_downstream/host.py): the package is inert on it, which `make thorough PART=unknown_airflow` "
            "shows, and nothing else can be tested.",
            returncode=1,
        )
