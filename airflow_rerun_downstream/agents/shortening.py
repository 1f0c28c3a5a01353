"""Answers that fit into an agent's context: what is cut is counted, so that nobody takes a part for the whole."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

LARGEST = 40_000
"""Characters of an answer, as JSON."""

LONGEST_TEXT = 1_000
SHORTEST_TEXT = 60
MOST_FIELDS = 60


def shortened(answer: BaseModel | Mapping[str, Any], limit: int) -> dict[str, Any]:
    """An answer as JSON has it, with no list longer than ``limit``, or than what the largest answer allows.

    ``left_out`` counts what was cut, by the names on the way to it. Where single entries are too large, their texts are
    cut further.
    """
    whole = to_jsonable_python(answer)
    longest = LONGEST_TEXT
    while True:
        knife = Knife(limit, longest)
        found: dict[str, Any] = {**knife.cut(whole), "left_out": dict(knife.left_out)}
        if len(json.dumps(found)) <= LARGEST or longest <= SHORTEST_TEXT:
            return found
        limit, longest = (limit // 2, longest) if limit > 1 else (1, longest // 2)


class Knife:
    """Cuts lists, texts and objects, and counts what it has cut off."""

    def __init__(self, limit: int, longest: int) -> None:
        self.left_out: Counter[str] = Counter()
        self._limit = limit
        self._longest = longest

    def cut(self, value: Any, path: str = "") -> Any:
        """What is left of a value."""
        if isinstance(value, dict):
            self._count(path, len(value) - MOST_FIELDS)
            kept = list(value.items())[:MOST_FIELDS]
            return {name: self.cut(each, f"{path}.{name}".lstrip(".")) for name, each in kept}
        if isinstance(value, list):
            self._count(path, len(value) - self._limit)
            return [self.cut(each, path) for each in value[: self._limit]]
        if isinstance(value, str) and len(value) > self._longest:
            self._count(f"{path} (characters)", len(value) - self._longest)
            return f"{value[: self._longest]}…"
        return value

    def _count(self, path: str, more: int) -> None:
        if more > 0:
            self.left_out[path] += more
