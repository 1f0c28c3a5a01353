"""Where a command may run: at a terminal of some width, in a pipe, or with no terminal anywhere.

Each place gives a process's own streams to what runs in it, as a shell does, and tells what was written.
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TextIO

import pytest


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Place:
    """``columns``: of the terminal at which somebody sits; None: nobody does. ``piped``: a program reads the answer."""

    name: str
    columns: int | None = None
    piped: bool = False

    def run(self, command: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> Done:
        """Run a command here."""
        monkeypatch.delenv("COLUMNS", raising=False)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            out, read_out = self.stdout(stack, folder)
            err = stack.enter_context((folder / "err").open("w+", encoding="utf-8"))
            stdin: TextIO | None = None  # no terminal: it is closed
            if self.columns is not None:
                _, stdin = terminal(self.columns, stack)
            with monkeypatch.context() as streams:
                streams.setattr(sys, "stdin", stdin)
                streams.setattr(sys, "stdout", out)
                streams.setattr(sys, "stderr", err)
                code = ended(command)
            out.close()
            err.seek(0)
            return Done(code, read_out(), err.read())

    def stdout(self, stack: ExitStack, folder: Path) -> tuple[TextIO, Callable[[], str]]:
        """A stream to write to, and what reads it at the end."""
        if self.columns is not None and not self.piped:
            main, stream = terminal(self.columns, stack)
            reader = Reader(main)
            return stream, lambda: reader.text().replace("\r\n", "\n")
        if self.piped:
            end, begin = os.pipe()
            stack.callback(os.close, end)
            reader = Reader(end)
            return stack.enter_context(os.fdopen(begin, "w", encoding="utf-8")), reader.text
        file = folder / "out"
        return stack.enter_context(file.open("w", encoding="utf-8")), lambda: file.read_text(encoding="utf-8")


def terminal(columns: int, stack: ExitStack) -> tuple[int, TextIO]:
    """A terminal of so many columns: the end of whoever looks at it, and the stream of what runs in it."""
    main, inside = pty.openpty()
    stack.callback(os.close, main)
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    return main, stack.enter_context(os.fdopen(inside, "w", encoding="utf-8"))


class Reader:
    """Reads until the other end is closed, so that a writer never has to wait."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._found = b""
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while True:
            try:
                some = os.read(self._descriptor, 65_536)
            except OSError:  # a terminal's way to say that it is closed
                return
            if not some:
                return
            self._found += some

    def text(self) -> str:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self._found.decode()


def ended(command: Callable[[], int]) -> int:
    """A command's exit code, however it says it."""
    try:
        return int(command())
    except SystemExit as end:
        return int(end.code or 0)


PLACES = (
    Place("terminal", columns=120),
    Place("80 columns", columns=80),
    Place("pipe", columns=80, piped=True),
    Place("no terminal"),
)
