"""Runs many command lines in one process, each through the real entry point and on file descriptors of its own.

``python -m tests.thorough.many_commands PROGRAM FOLDER`` reads ``FOLDER/lines.json``, a list of places and command
lines, and writes ``FOLDER/done.json``. To start Airflow for each of them would take an hour.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.cli.places import Reader, ended, terminal


def entry_point(program: str) -> Callable[[Sequence[str]], int]:
    """What a shell would start."""
    if program == "airflow":
        from airflow.__main__ import main as airflow

        def run(line: Sequence[str]) -> int:
            sys.argv = ["airflow", "rerun-downstream", *line]
            return airflow() or 0

        return run
    from airflow_rerun_downstream.cli.main import main

    return main


def done(run: Callable[[Sequence[str]], int], line: Sequence[str], columns: int | None, folder: Path) -> dict[str, Any]:
    """Run a command line at a terminal of so many columns, or where there is none."""
    with ExitStack() as stack:
        kept = [os.dup(each) for each in (0, 1, 2)]
        err = stack.enter_context((folder / "err").open("w+", encoding="utf-8"))
        reader = None
        if columns is None:
            nothing = stack.enter_context(Path(os.devnull).open(encoding="utf-8"))
            out = stack.enter_context((folder / "out").open("w+", encoding="utf-8"))
            os.dup2(nothing.fileno(), 0)
        else:
            main, out = terminal(columns, stack)
            reader = Reader(main)
            os.dup2(out.fileno(), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        code = ended(lambda: run(line))
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in enumerate(kept):
            os.dup2(copy, number)
            os.close(copy)
        if reader is not None:
            out.close()
            written = reader.text().replace("\r\n", "\n")
        else:
            written = (folder / "out").read_text(encoding="utf-8")
        return {"code": code, "out": written, "err": (folder / "err").read_text(encoding="utf-8")}


def main() -> None:
    """Run them all."""
    program, folder = sys.argv[1], Path(sys.argv[2])
    run = entry_point(program)
    lines = json.loads((folder / "lines.json").read_text(encoding="utf-8"))
    found = [done(run, line, columns, folder) for columns, line in lines]
    (folder / "done.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
