"""How an argument and a verb are described: once, for argparse and for Airflow's own parser.

Light, like `verbs` and `argument_groups`: every ``airflow`` command reads them.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

NAME = "rerun-downstream"
"""The group of commands in ``airflow``; after ``airflow-``, the console script."""


@dataclass(frozen=True)
class Argument:
    """An argument as both argparse and Airflow's own parser take it."""

    flags: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verb:
    """A subcommand; ``example``: what may be typed after the program's name. ``calls``: the call of the contract that
    its name is takes its ids, and what that answers is shown; what any other verb does stands in `commands`."""

    name: str
    help: str
    example: str
    arguments: tuple[Argument, ...]
    calls: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the arguments without a dash."""
        return tuple(each.flags[0] for each in self.arguments if not each.flags[0].startswith("-"))


def argument(*flags: str, **options: Any) -> Argument:
    """An argument; the flags come first."""
    return Argument(flags, options)


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


class OneOf:
    """One of some words. Unlike ``choices`` it may be given a word more in a later version: the list is no promise."""

    def __init__(self, what: str, words: Collection[str]) -> None:
        self.what = what
        self.words = tuple(words)

    def __call__(self, text: str) -> str:
        """The word. Raises what argparse makes a usage error of."""
        if text not in self.words:
            raise argparse.ArgumentTypeError(f"{text!r} is no {self.what}; give one of {', '.join(self.words)}")
        return text

    def completions(self, **_: Any) -> tuple[str, ...]:
        """The words, for a shell."""
        return self.words


def switch(flag: str, help: str) -> Argument:
    """An option without a value."""
    return argument(flag, help=help, action="store_true", default=False)


def many(flag: str, help: str, **options: Any) -> Argument:
    """An option that may be repeated."""
    return argument(flag, help=f"{help} May be repeated.", action="append", default=None, **options)


class TasksOfMember(argparse.Action):
    """Narrows the ``--member`` that stands right before to some of its tasks."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Put the tasks beside their run."""
        named = getattr(namespace, "member", None) or [()]
        if not isinstance(named[-1], str):
            raise argparse.ArgumentError(self, "use it once, right after the --member it applies to")
        named[-1] = (named[-1], values)
