"""Nothing of ours writes a state past the tables of moves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from airflow_rerun_downstream.store import tables

PACKAGE = Path(tables.__file__).resolve().parents[1]
MOVES = PACKAGE / "store" / "moves.py"
STATES = {"rerun", "member"}
"""The tables that have a ``state``."""
WRITERS = {"write_member", "write_members", "write_changed"}
"""What changes members for others, with the values that these give."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def updates(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls of ``update(<a table that has a state>)`` and ``<such a table>.update()``."""
    aliases = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("store.tables")
        for alias in node.names
        if alias.name in STATES
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = getattr(node.func, "id", getattr(node.func, "attr", None))
            on = [ast.unparse(each).split(".")[-1] for each in node.args[:1]]
            if isinstance(node.func, ast.Attribute):
                on.append(ast.unparse(node.func.value).split(".")[-1])
            stateful = aliases & set(on) | ({"tables.rerun", "tables.member"} & set(on))
            if named in WRITERS or (named == "update" and stateful):
                yield node


def states_written(function: ast.AST) -> set[str]:
    """The mentions of a column ``state`` in a function: a key of a dict, an item, or a keyword."""
    constants = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
    keywords = {node.arg for node in ast.walk(function) if isinstance(node, ast.keyword)}
    return {"state"} & (constants | keywords)


def functions_that_update(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(True for _ in updates(rebound(tree, node))):
            yield node


def rebound(tree: ast.AST, function: ast.FunctionDef) -> ast.Module:
    """A function alone, with the imports of its module."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return ast.Module(body=[*imports, function], type_ignores=[])


def test_only_moves_writes_a_state() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}:{function.name}"
        for path, tree in sources()
        if path != MOVES
        for function in functions_that_update(tree)
        if isinstance(function, ast.FunctionDef) and states_written(function)
    }
    assert found == set()


def test_what_is_looked_for_is_there() -> None:
    """The search sees the updates that there are: those of a state, and those of other columns."""
    tree = ast.parse(MOVES.read_text(encoding="utf-8"))
    writing = {node.name for node in functions_that_update(tree) if isinstance(node, ast.FunctionDef)}
    moving = {"move_rerun", "hold_rerun", "move_member", "move_members", "next_stage", "stage_back", "adopt_member"}
    assert writing == moving | WRITERS | {"begin_change"}
    others = {path.name for path, tree in sources() if path != MOVES and any(True for _ in updates(tree))}
    assert others == {"rerun_store.py", "expiry.py", "proposal_rows.py"}


def test_no_text_of_sql_writes_one() -> None:
    written = re.compile(r"\bupdate\s+\S*rerun_downstream_", re.IGNORECASE)
    assert [str(path) for path, _ in sources() if written.search(path.read_text(encoding="utf-8"))] == []
