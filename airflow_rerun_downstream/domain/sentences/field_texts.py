"""What is wrong with a field of a request; each stands behind the field's name."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Template

FIELDS: Mapping[str, Template] = {
    "said": "{said}",
    "missing": "it is missing",
    "unknown": "there is no such field",
    "not_text": "it isn't text",
    "odd_characters": "it has characters that aren't allowed there, or too many or too few",
    "not_integer": "it isn't a whole number",
    "not_boolean": "it is neither true nor false",
    "not_list": "it isn't a list",
    "not_object": "it isn't an object",
    "not_moment": "it isn't a date with time in ISO 8601",
    "no_time_zone": "it has no time zone",
    "not_json": "it isn't JSON",
    "at_least": "it must be at least {limit}",
    "at_most": "it must be at most {limit}",
    "too_short": "it needs at least {limit} characters",
    "too_long": "it may have at most {limit} characters",
    "short_list": "it needs at least {limit} entries",
    "long_list": "it may have at most {limit} entries",
    "none_of": "it must be one of {known}",
    "nul": "a NUL character can't be stored",
    "surrogate": "half of a character (a lone surrogate) can't be stored",
    "out_of_range": "the moment is out of range",
    "fields_unknown": "there are {given} fields; known are {known}",
    "one_name": "give exactly one of run_id, logical_date, partition_key and next",
    "alternatives_limited": "a pattern has at most {limit} alternatives",
    "not_an_order": "{given} is none of {known} (with - before it: descending)",
}
