"""The settings of a rerun as they travel. Both models are made of `RerunSettings`: a new setting is there at once."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import create_model

from airflow_rerun_downstream.domain.rerun_request import RerunSettings
from airflow_rerun_downstream.rest.fields import Body, Count, Payload
from airflow_rerun_downstream.rest.word_lists import listed


def asked(kind: Any) -> Any:
    """The type of a setting in a request: numbers are above 0."""
    return {int: Count, int | None: Count | None}.get(kind, kind)


def answered(name: str, kind: Any) -> Any:
    """The type of a setting in an answer: a record may hold a word of another release, which passes."""
    return listed(name.title().replace("_", ""), get_args(kind)) if get_origin(kind) is Literal else kind


if TYPE_CHECKING:
    SettingsBody = RerunSettings
    Settings = RerunSettings
else:
    SETTINGS = [(each.name, each.default) for each in fields(RerunSettings)]
    KINDS = get_type_hints(RerunSettings)
    SettingsBody = create_model(
        "SettingsBody",
        __base__=Body,
        __doc__="How a rerun is carried out. ``run_on_latest_version`` null: as Airflow is configured.",
        **{name: (asked(KINDS[name]), default) for name, default in SETTINGS},
    )
    Settings = create_model(
        "Settings",
        __base__=Payload,
        __doc__="How a rerun is carried out.",
        **{name: (answered(name, KINDS[name]), ...) for name, _ in SETTINGS},
    )
