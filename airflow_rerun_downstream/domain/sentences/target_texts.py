"""What is wrong with a notification target; each stands behind its name, and names no value."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Template

TARGETS: Mapping[str, Template] = {
    "at": "{name} ({where})",
    "nameless": "one whose name is of type {kind}",
    "unreadable_source": "it can't be read, or isn't an object of targets by their names",
    "unreadable": "it can't be read ({error})",
    "notifier_not_made": "its notifier can't be made ({error})",
    "another": "there is another one of that name, which counts",
    "not_object": "it isn't an object",
    "bad_name": "the name is empty, longer than {limit} characters, or has one of {characters} in it",
    "unknown_kind": "kind is none of {names}",
    "unknown_option": "a target of kind {kind} has no option {name}",
    "no_address": "it has neither url nor conn_id",
    "bad_header": "headers has a name or a value that isn't allowed",
    "option_not_object": "{name} isn't an object",
    "not_https": "url is not an https address, or has a user name in it",
    "not_base64": "secret isn't Base64 after its prefix",
    "recipients": "to is neither an e-mail address nor a list of 1 to {limit}",
    "not_an_address": "{name} has something in it that isn't an e-mail address",
    "bad_class": "class isn't the dotted path of a class",
    "not_json": "arguments has something in it that JSON doesn't have",
    "bad_timeout": "timeout isn't a number of seconds from 1 to {limit}",
    "connection_elsewhere": "conn_id belongs into the arguments, by the name that the notifier has for it",
    "either": "give either {first} or {second}",
    "unreadable_file": "{name} can't be read",
    "bad_template": "a template can't be understood",
    "not_text": "{name} isn't a text",
    "not_boolean": "{name} is neither true nor false",
}
