"""What is wrong with an option of the configuration, and what would be right."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Template

DURATION = "an ISO 8601 duration of weeks, days, hours, minutes and seconds such as P30D or PT12H"
DOES_NOTHING = "[rerun_downstream] {name} is not an option and does nothing"

OPTIONS: Mapping[str, Template] = {
    "wrong": "[rerun_downstream] {name} = {value}: give {right}.",
    "unread": (
        "[rerun_downstream] {name} = ?: reading it failed ({error}); look at its command, its secret or its % signs."
    ),
    # what can't be used has no effect
    "only_for_sensitive": f"{DOES_NOTHING}: Airflow reads a command or a secret only for {{names}}.",
    "in_capitals": f"{DOES_NOTHING}: write it as {{lower}} in a file, and as {{upper}} in a variable's name.",
    "misspelled": f"{DOES_NOTHING}. Did you mean {{near}}?",
    "unknown": f"{DOES_NOTHING}. There are {{names}}.",
    "misspelled_section": "Nothing reads the section [{section}]. Did you mean [{near}]?",
    # what is right, after "give"
    "number": "a whole number from 1 to {most}",
    "seconds": "seconds, above 0 and below 86400, such as 1.0",
    "either": "{first} or {second}",
    "ready_since": f"yesterday, unlimited, or {DURATION}, a hundred years at most",
    "duration": f"{DURATION}, a hundred years at most",
    "a_day_at_least": f"{DURATION}, a day at least and a hundred years at most",
    "above_nothing": f"{DURATION}, above nothing and a hundred years at most",
    "path": "the path of a YAML file",
    "json_object": "a JSON object such as {example}",
    "connection": "the id of an Airflow connection",
}
