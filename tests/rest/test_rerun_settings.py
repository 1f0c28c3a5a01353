"""A setting is written once: the request and the answer have every one that the inside has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import TypeAdapter, ValidationError

from airflow_rerun_downstream.domain.rerun_request import RerunSettings
from airflow_rerun_downstream.rest.requests import RerunBody
from airflow_rerun_downstream.rest.rerun_settings import Settings

SOURCE = {"dag_id": "a", "run_id": "r"}


@pytest.mark.parametrize(
    "settings",
    [
        RerunSettings(),
        RerunSettings(
            max_active_members=7,
            on_failure="pause",
            run_on_latest_version=True,
            stop_running_on_terminate=False,
            accept_duplicate_runs=True,
            accept_unknown_offsets=True,
        ),
    ],
    ids=["all defaults", "no default"],
)
def test_every_setting_goes_in_and_comes_out(settings: RerunSettings) -> None:
    assert settings == RerunSettings() or not {*vars(settings).items()} & {*vars(RerunSettings()).items()}
    said = TypeAdapter(RerunSettings).dump_python(settings)
    asked = RerunBody.model_validate({"source": SOURCE, "settings": said})
    assert asked.rerun_request().settings == settings
    assert TypeAdapter(Settings).dump_python(Settings(**vars(settings))) == said


def test_a_word_of_another_release_comes_out_but_does_not_go_in() -> None:
    settings = replace(RerunSettings(), on_failure="retry")  # type: ignore[arg-type]
    assert str(Settings(**vars(settings)).on_failure) == "retry"
    with pytest.raises(ValidationError, match="on_failure"):
        RerunBody.model_validate({"source": SOURCE, "settings": {"on_failure": "retry"}})
