"""What others build on stays: REST, command line, tables, configuration and public names may grow, not change."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from dev.public_surface import surface

STORED = Path(__file__).with_name("public_surface.txt").read_text(encoding="utf-8").splitlines()
KINDS = ("REST", "command", "table", "option", "import")


def broken(now: list[str]) -> list[str]:
    """The promises that aren't kept, and what is newly asked of a caller."""
    asked = [line for line in now if line.endswith(" required") and is_asked(line)]
    return sorted({*STORED}.difference(now)) + [f"new: {line}" for line in asked if line not in STORED]


def is_asked(line: str) -> bool:
    """Whether a line is about what a caller has to send: a parameter, or a field of a body."""
    return " takes " in line or line.split(".")[0].endswith("Body")


@pytest.mark.parametrize("kind", KINDS)
def test_every_promise_of_a_kind_is_kept(kind: str) -> None:
    assert [line for line in STORED if line.startswith(kind)] != []
    assert [line for line in broken(surface()) if line.removeprefix("new: ").startswith(kind)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_noticed_when_one_is_broken(kind: str) -> None:
    gone = next(line for line in STORED if line.startswith(kind))
    assert broken([line for line in STORED if line != gone]) == [gone]


def test_it_is_noticed_when_more_is_asked_of_a_caller() -> None:
    more = "REST RerunBody.sponsor required"
    assert broken([*STORED, more]) == [f"new: {more}"]
    assert broken([*STORED, "REST Rerun.sponsor required", "REST RerunBody.sponsor: string"]) == []


def test_every_name_can_be_imported() -> None:
    for line in STORED:
        if line.startswith("import "):
            module, _, name = line.removeprefix("import ").rpartition(".")
            assert hasattr(importlib.import_module(module), name) or importlib.import_module(f"{module}.{name}")
