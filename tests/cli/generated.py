"""Command lines, made from the parser: a new verb or a new argument takes part by itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from airflow_rerun_downstream.cli.main import parser

OUTPUTS = ("table", "json", "yaml")

WORDS = {"dag_id": "orders", "run_id": "scheduled__2026-03-01T00:00:00+00:00", "target": "data-team"}
"""What is typed for an argument without a dash."""


def verbs() -> dict[str, argparse.ArgumentParser]:
    """The parsers of the verbs by name."""
    (found,) = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))
    return dict(found.choices)


def positional(verb: str, words: dict[str, str] = WORDS) -> list[str]:
    """What has to be typed after a verb, and what may be; of choices the first."""
    typed = []
    for action in verbs()[verb]._actions:
        if not action.option_strings:
            choice = next(iter(action.choices), None) if action.choices else None
            typed.append(str(words.get(action.dest) or choice or ("1" if action.type is int else "x")))
    return typed


def options(verb: str) -> set[str]:
    """The options of a verb."""
    return {flag for action in verbs()[verb]._actions for flag in action.option_strings}


def answering(words: dict[str, str] = WORDS) -> Iterator[tuple[str, ...]]:
    """Command lines that answer an object of the contract: each verb, and with each choice that an option has."""
    for verb, made in verbs().items():
        if "--output" in options(verb):
            line = (verb, *positional(verb, words))
            yield line
            for action in made._actions:
                if action.option_strings and action.choices and "--output" not in action.option_strings:
                    yield from ((*line, action.option_strings[0], str(choice)) for choice in action.choices)
    yield from (("links", words["dag_id"]), ("list", "--frozen"), ("submit", *positional("submit", words), "--dry-run"))


def with_option(*names: str) -> list[str]:
    """The verbs that have all of these options."""
    return [verb for verb in verbs() if options(verb).issuperset(names)]


def needing() -> list[str]:
    """The verbs that can't do without an argument."""
    return [
        verb
        for verb, made in verbs().items()
        if any(not each.option_strings and each.nargs != "?" for each in made._actions)
    ]
