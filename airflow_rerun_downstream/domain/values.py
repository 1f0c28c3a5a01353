"""Values of a configuration or of params that are kept as they are: numbers and short texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Untold:
    """Stands for a value that is there, and isn't a number or a short text."""


UNTOLD = Untold()

Value = str | int | float | bool | Untold | None

Params = tuple[tuple[str, Value], ...]
"""What a task's templates find under ``params``, as its Dag says: the names, each with its default."""
