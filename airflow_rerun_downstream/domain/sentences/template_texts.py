"""Why a Dag author's template can't be rendered without a running task: clauses, after a colon."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Template

TEMPLATES: Mapping[str, Template] = {
    "error": "{said}",
    "not_a_date": "{text} is not a date",
    "running_task_only": "{name} is known to a running task only",
    "not_given": "{name} isn't among what the run was given",
    "too_long": "the text has more than {limit} characters",
    "too_many_parts": "the template has more than {limit} parts, or more than {depth} in one another",
    "more_than_reckoned": "{what} is more than is reckoned for a date",
    # what is more than is reckoned
    "comparison_of_all": "a comparison of all that a run was given",
    "format": "that format of a date",
    "long_text": "a text of more than {limit} characters",
    "large_number": "a number beyond {limit}",
    "of_type": "a {name}",
    "statement": "a template with {example} in it",
    "bare_name": "a name without a field",
    "expression": "an expression of the kind {name}",
    "operator": "{name} of these values",
    "no_else": "an if without an else",
    "compare": "the comparison {name}",
    "index": "[ ] of anything but a text",
    "attribute": "the attribute {name}",
    "method": "the method {name}",
    "filter": "the filter {name}",
    "call": "a call of anything but a macro or a method",
    "starred": "a call with * or **",
}
