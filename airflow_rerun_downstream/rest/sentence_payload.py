"""A sentence as it travels: a page says it in its own words."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from airflow_rerun_downstream.domain import sentence
from airflow_rerun_downstream.rest.fields import Payload


class Sentence(Payload):
    """Which sentence it is, and what stands in it; the English beside it is made of the same.

    A parameter is a name, a number, a list, or a sentence itself; a moment is in ISO 8601, and its name ends with
    ``_at`` or ``_date``. Texts that a user wrote are parameters, never sentences.
    """

    code: str
    params: dict[str, str | int | Sentence | list[str | Sentence]]


def parts(given: object) -> Any:
    """A sentence of the inside as its parts; None for a text that is none."""
    found = sentence.sentence_in(given)
    if found is not None:
        return sentence.to_json(found)
    return None if isinstance(given, str) else given


Said = Annotated[Sentence | None, BeforeValidator(parts)]
"""The text beside it as a sentence; null: a user wrote that text, or an earlier version of the package."""
