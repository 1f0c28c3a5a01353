"""What a table of sentences is made of."""

from __future__ import annotations

from typing import NamedTuple


class Plural(NamedTuple):
    """A template that depends on the parameter ``count``."""

    one: str
    other: str


Template = str | Plural
"""Parameters stand in braces."""
