"""An error at every line of ours that Airflow executes in its own work: which lines there are, and what they are.

`lines` walks what a call executes, so that a new line is in by itself. `raising` lets one of them raise. What is left
out is what can't raise by its form, and only in functions that consist of nothing else: see `bare`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import airflow_rerun_downstream

ROOT = Path(airflow_rerun_downstream.__file__).parent


class Fault(RuntimeError):
    """The error of the tests."""


@dataclass(frozen=True, order=True)
class Line:
    """A line of a function of ours; ``visit`` counts how often it was come to."""

    file: str
    number: int
    visit: int = 1

    def __str__(self) -> str:
        return f"{Path(self.file).relative_to(ROOT)}:{self.number}#{self.visit}"


def ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(f"{ROOT}/")


@contextmanager
def tracing(on_line: Callable[[Line], None]) -> Iterator[None]:
    visits: dict[tuple[str, int], int] = {}

    def local(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            key = (frame.f_code.co_filename, frame.f_lineno)
            visits[key] = visits.get(key, 0) + 1
            on_line(Line(*key, visits[key]))
        return local

    before = sys.gettrace()
    sys.settrace(lambda frame, _event, _argument: local if ours(frame) else None)
    try:
        yield
    finally:
        sys.settrace(before)


def lines(call: Callable[[], Any]) -> list[Line]:
    """Every line of ours that a call comes to, in order, without what can't raise."""
    found: list[Line] = []
    with tracing(found.append):
        call()
    return [line for line in found if line.number not in bare(line.file)]


@contextmanager
def raising(at: Line) -> Iterator[list[Line]]:
    """Raise a `Fault` when a line is come to. Answers a list that has the line once it has."""
    raised: list[Line] = []

    def check(line: Line) -> None:
        if line == at and not raised:
            raised.append(line)
            raise Fault(str(at))

    with tracing(check):
        yield raised


SHELLS = {
    "airflow3/hooks/asset_events.py": {"register_asset_change", "_queue_dagruns", "begin", "end", "admitted"},
    "harmless.py": {"shell", "log_error"},
    "store/apart.py": {"apart"},
}
"""What Airflow's frames see of ours, and what it stands on: it calls, and it catches, and that is all."""

HARMLESS = {
    *("begin", "forget", "end", "admitted", "before_queueing", "after_queueing"),
    *("regret", "regret_repeat", "owing", "spoil", "tell"),
}
"""What a shell calls without a net: other shells, or functions with a net of their own."""


@cache
def bare(file: str) -> frozenset[int]:
    """The numbers of the lines in a file's shells that can't raise."""
    wanted = SHELLS.get(str(Path(file).relative_to(ROOT)), set())
    tree = ast.parse(Path(file).read_text())
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in wanted:
            for statement in node.body:
                found |= set(without_net(statement))
    return frozenset(found)


def without_net(statement: ast.stmt) -> Iterator[int]:
    """The lines of a shell's statement that no ``except`` covers and that are of a form that can't raise.

    Any other is walked, and has to be survived.
    """
    match statement:
        case ast.Expr(value=ast.Constant()):  # the docstring
            return
        case ast.Try(body=body, handlers=handlers, finalbody=final, orelse=[]):
            yield statement.lineno
            if not handlers:  # ``finally`` alone: Airflow's own call
                for each in body:
                    yield from without_net(each)
            for handler in handlers:
                yield from range(handler.lineno, (handler.end_lineno or handler.lineno) + 1)
            for each in final:
                yield from without_net(each)
        case ast.If(test=test, body=body, orelse=[]):
            if harmless_test(test):
                yield statement.lineno
            for each in body:
                yield from without_net(each)
        case ast.Return(value=None | ast.Name() | ast.Constant() | ast.Tuple(elts=[ast.Name(), ast.Name()])):
            yield statement.lineno
        case (
            ast.Return(value=ast.Call() as call)
            | ast.Expr(value=ast.Call() as call)
            | ast.Assign(targets=[ast.Name()], value=ast.Call() as call)
        ):
            if harmless_call(call):
                yield statement.lineno


def harmless_test(test: ast.expr) -> bool:
    match test:
        case ast.Compare(left=ast.Name(), ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Call():
            return harmless_call(test)
    return False


def harmless_call(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name):
            return name in HARMLESS
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")) | ast.Name(id="cls")):  # Airflow's own
            return True
    return False
