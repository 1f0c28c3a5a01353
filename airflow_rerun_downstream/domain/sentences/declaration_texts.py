"""What is wrong in the file of declared links; each stands behind a line of the file."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Template

DECLARATIONS: Mapping[str, Template] = {
    "unreadable": "The file can't be read: {said}",
    "not_yaml": "This is not YAML: {said}",
    "too_deep": "It is nested too deeply",
    "not_a_list": "links is not a list",
    "no_end": "the link has no {name}",
    "to_itself": "the link joins a run to itself: give an offset, or another Dag",
    "not_an_offset": "{text} is neither 'same' nor an ISO 8601 duration such as P1D, -PT1H or P1M",
    "conf_not_a_mapping": "conf is not a mapping of names to texts",
    "not_after": "within is no time after the upstream run",
    "no_dag_id": "there is no dag_id",
    "not_a_mapping": "{what} is not a mapping of {names}",
    "none_of": "{name} is none of {names}",
    "twice": "{name} is there twice",
    "not_a_text": "{name} is not a text",
    # what has no name
    "file": "the file",
    "link": "a link",
    "end": "upstream or downstream",
    "key": "a key",
    "conf_name": "a name",
    "conf_value": "a value",
}
