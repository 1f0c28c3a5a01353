"""Two streams that don't mix: answers go to stdout, and nothing else does.

Where Airflow logs to depends on its version; a plugin or a library may print what it likes, and Python's warnings come
when something is imported. None of that is an answer. So for as long as a command works, whoever else writes to stdout
writes to stderr. Nobody's logging is configured anew: what was is there again afterwards.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from contextvars import ContextVar
from typing import TextIO

STDOUT, STDERR = 1, 2
"""The file descriptors."""

TERMINAL_WIDTH = 80
"""Columns of a terminal that doesn't say how many it has."""

_kept: ContextVar[TextIO | None] = ContextVar("kept", default=None)


def answers() -> TextIO:
    """Where answers go."""
    return _kept.get() or sys.stdout


def answer(line: object, end: str = "\n") -> None:
    """Print a line of the answer."""
    print(line, file=answers(), end=end)


def say(line: object) -> None:
    """Print a line for people, which isn't part of the answer."""
    if sys.stderr is not None:  # closed before we were started; `print` would take stdout for it
        print(line, file=sys.stderr, flush=True)


def width() -> int | None:
    """The columns of the terminal on which the answer is read; None: it isn't one, and has no width."""
    stream = answers()
    if not stream.isatty():
        return None
    if (told := os.environ.get("COLUMNS", "")).isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or TERMINAL_WIDTH
    except (OSError, ValueError):
        return TERMINAL_WIDTH


@contextmanager
def answers_only() -> Iterator[None]:
    """Keep stdout for `answer`: what anything else writes there meanwhile goes to stderr."""
    with kept_stdout() as stream, redirect_stdout(sys.stderr):
        token = _kept.set(stream)
        try:
            yield
            stream.flush()
        finally:
            _kept.reset(token)


@contextmanager
def kept_stdout() -> Iterator[TextIO]:
    """A stream to stdout that only we have.

    Of a process's own stdout it is a copy, and the descriptor leads to stderr meanwhile: a log handler may have kept
    the stream object, and a child process inherits the descriptor. A stream that stands for stdout is taken as it is.
    """
    stream = sys.stdout
    if stream is None:  # closed before we were started
        with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
            yield nowhere
    elif descriptor(stream) != STDOUT or descriptor(sys.stderr) != STDERR:
        yield stream
    else:
        stream.flush()
        copy = os.dup(STDOUT)
        with open(copy, "w", encoding=stream.encoding, errors="backslashreplace") as ours:  # noqa: PTH123
            os.dup2(STDERR, STDOUT)
            try:
                yield ours
            finally:
                stream.flush()
                os.dup2(copy, STDOUT)


def descriptor(stream: TextIO | None) -> int:
    """A stream's file descriptor; -1 where there is none."""
    try:
        return stream.fileno() if stream is not None else -1
    except (OSError, ValueError):  # closed, or in memory
        return -1
