"""Differences between Airflow's versions are told in one module, by name; nowhere else is one looked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOM = Path(__file__).resolve().parents[2] / "airflow_rerun_downstream" / "airflow3"
HOME = ROOM / "versions.py"

NUMBERS = {"airflow.__version__", "airflow.version.version", "importlib.metadata.version", "packaging.version.Version"}
"""What tells an Airflow's number, or compares two; and our own `host.airflow_version`."""


def looks_for_a_version(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Where a module asks what Airflow has, or which one it is.

    ``hasattr`` and ``getattr`` count where they ask a module or a class that was imported; of a value, they ask what
    it is. A column counts where it is asked for by name.
    """
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="hasattr"), args=[ast.Name(id=asked), _]) if asked in imported:
                yield node.lineno, f"asks whether {asked} has something"
            case ast.Call(func=ast.Name(id="getattr"), args=[ast.Name(id=asked), _, _]) if asked in imported:
                yield node.lineno, f"asks whether {asked} has something"
            case ast.Compare(left=ast.Constant(value=str()), ops=[ast.In() | ast.NotIn()], comparators=[asked]) if (
                columns(asked)
            ):
                yield node.lineno, "asks whether there is a column"
            case ast.ExceptHandler(type=type_) if type_ is not None and names(type_) & {
                "ImportError",
                "ModuleNotFoundError",
            }:
                yield node.lineno, "asks whether something can be imported"
            case ast.ImportFrom(module=str(module), names=aliases) if any(
                f"{module}.{alias.name}" in NUMBERS or alias.name == "airflow_version" for alias in aliases
            ):
                yield node.lineno, "asks for a number"
            case ast.Attribute(attr="airflow_version" | "__version__"):
                yield node.lineno, "asks for a number"


def columns(node: ast.expr) -> bool:
    """Whether it is a table's columns: ``….c``, or what a module names in capitals."""
    return (isinstance(node, ast.Attribute) and node.attr == "c") or (isinstance(node, ast.Name) and node.id.isupper())


def names(node: ast.expr) -> set[str]:
    """The names in an expression."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


MODULES = [path for path in sorted(ROOM.rglob("*.py")) if path != HOME]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_no_other_module_looks_for_a_version(path: Path) -> None:
    assert list(looks_for_a_version(ast.parse(path.read_text()))) == []


def test_the_home_of_the_differences_is_seen_through() -> None:
    assert len(list(looks_for_a_version(ast.parse(HOME.read_text())))) >= 6


@pytest.mark.parametrize(
    "code",
    [
        "from airflow.models import asset\nX = hasattr(asset, 'AssetPartitionDagRun')",
        "from airflow.timetables.base import Timetable\nX = getattr(Timetable, 'partitioned', False)",
        "X = 'created_at' in DagRun.__table__.c",
        "RUN = DagRun.__table__.c\nX = 'created_at' not in RUN",
        "try:\n    import airflow.new\nexcept ImportError:\n    pass",
        "try:\n    import airflow.new\nexcept (ImportError, AttributeError):\n    pass",
        "from airflow import __version__",
        "import airflow\nX = airflow.__version__ >= '3.2'",
        "from airflow_rerun_downstream.host import airflow_version",
    ],
)
def test_each_way_to_look_for_one_is_known(code: str) -> None:
    assert list(looks_for_a_version(ast.parse(code)))
