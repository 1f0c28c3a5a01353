"""What `tests/mutants.yaml` says is there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "airflow_rerun_downstream"
KNOWN = yaml.safe_load((ROOT / "tests" / "mutants.yaml").read_text())
TOLD = [
    (function, change, why)
    for table in KNOWN.values()
    for function, changes in (table or {}).items()
    for change, why in changes.items()
]


def test_each_mutant_is_told_once_with_a_reason() -> None:
    assert all(" -> " in change and why for _, change, why in TOLD)
    assert len({(function, change) for function, change, _ in TOLD}) == len(TOLD)


def test_the_tests_that_kill_them_exist() -> None:
    for changes in (KNOWN["killed"] or {}).values():
        for test in changes.values():
            path, *_, name = test.split("::")
            assert f"def {name}(" in (ROOT / path).read_text(), test


def test_what_they_change_is_still_there() -> None:
    """A key that has gone stale spares nobody anything: its mutant would be tried, and told, as a new one."""
    gone = [f"{function}: {change}" for function, change, _ in TOLD if not stands(function, change)]
    assert not gone, "\n".join(gone)


def stands(function: str, change: str) -> bool:
    """Whether the code has a function, and in it the lines that a change replaces."""
    module, names = found(function)
    lines = functions(module).get(names)
    arrows = [at for at in range(len(change)) if change.startswith(" -> ", at)]
    return lines is not None and any(change[:at] in lines for at in arrows)


def found(function: str) -> tuple[Path, str]:
    """The file of `module.Class.method`, and the name within it; of a property without `get_`."""
    parts = function.split(".")
    for count in range(1, len(parts)):
        path = PACKAGE.joinpath(*parts[:count])
        if path.with_suffix(".py").exists():
            return path.with_suffix(".py"), ".".join(parts[count:])
    count = next(count for count in range(len(parts), 0, -1) if PACKAGE.joinpath(*parts[:count]).is_dir())
    return PACKAGE.joinpath(*parts[:count]) / "__init__.py", ".".join(parts[count:])


@cache
def functions(path: Path) -> dict[str, str]:
    """The functions and methods of a file, each in one line; properties under the name that the mutants go by, too."""
    code = path.read_text()
    held: dict[str, str] = {}
    body = [("", node) for node in ast.parse(code).body]
    for prefix, node in body:
        if isinstance(node, ast.ClassDef):
            body += [(f"{node.name}.", inner) for inner in node.body]
        elif isinstance(node, ast.FunctionDef):
            lines = code.splitlines()[node.lineno - 1 : node.end_lineno]
            name = f"get_{node.name}" if node.decorator_list else node.name
            held[prefix + name] = held[prefix + node.name] = " ".join(line.strip() for line in lines)
    return held
