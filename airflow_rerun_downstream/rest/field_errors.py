"""What pydantic finds wrong with a field, as a sentence of ours: people read it on the pages, in their language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from airflow_rerun_downstream.domain.sentence import Sentence, sentence_in

SIMPLE: Mapping[str, str] = {
    "missing": "field.missing",
    "extra_forbidden": "field.unknown",
    "string_type": "field.not_text",
    "string_unicode": "field.surrogate",
    "string_pattern_mismatch": "field.odd_characters",
    "int_type": "field.not_integer",
    "int_parsing": "field.not_integer",
    "int_from_float": "field.not_integer",
    "bool_type": "field.not_boolean",
    "bool_parsing": "field.not_boolean",
    "list_type": "field.not_list",
    "dict_type": "field.not_object",
    "model_type": "field.not_object",
    "model_attributes_type": "field.not_object",
    "datetime_type": "field.not_moment",
    "datetime_parsing": "field.not_moment",
    "datetime_from_date_parsing": "field.not_moment",
    "datetime_object_invalid": "field.not_moment",
    "timezone_aware": "field.no_time_zone",
    "json_invalid": "field.not_json",
}
"""Errors that are told without a number, by pydantic's type."""

LIMITS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("field.at_least", "ge"),
    "less_than_equal": ("field.at_most", "le"),
    "string_too_short": ("field.too_short", "min_length"),
    "string_too_long": ("field.too_long", "max_length"),
    "too_short": ("field.short_list", "min_length"),
    "too_long": ("field.long_list", "max_length"),
}
"""Errors about a limit, and what pydantic calls that."""

CHOICES = frozenset({"literal_error", "enum"})

MAX_SENTENCE = 500
"""Characters of what pydantic says itself."""


def what_is_wrong(error: Mapping[str, Any]) -> Sentence:
    """What to say of one error as pydantic lists it: our words, or pydantic's own where there are none.

    What was sent isn't in it, but for the name of an order.
    """
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind == "value_error" and (own := own_sentence(context.get("error"))):
        return own
    if kind in SIMPLE:
        return Sentence(SIMPLE[kind])
    if kind in LIMITS:
        code, limit = LIMITS[kind]
        return Sentence(code, limit=context[limit])
    if kind in CHOICES:
        return Sentence("field.none_of", known=re.findall("'([^']*)'", str(context["expected"])))
    return Sentence("field.said", said=pydantics(error))


def own_sentence(raised: object) -> Sentence | None:
    """The sentence with which one of our own validators refused."""
    return sentence_in(raised.args[0]) if isinstance(raised, ValueError) and raised.args else None


def pydantics(error: Mapping[str, Any]) -> str:
    """Pydantic's own words, without their prefix."""
    return str(error["msg"])[:MAX_SENTENCE].removeprefix("Value error, ")
