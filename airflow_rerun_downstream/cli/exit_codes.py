"""How a command ends: the exit codes, which scripts branch on, and the one error that only a command line knows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """What a process answers its caller."""

    DONE = 0
    NEGATIVE = 1
    USAGE = 2
    REFUSED = 3
    UNSUCCESSFUL = 4
    TIMEOUT = 5
    ERROR = 6
    INTERRUPTED = 130
    CLOSED = 141


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.DONE: "success",
    ExitCode.NEGATIVE: "a check found something wrong, or you answered a question with no",
    ExitCode.USAGE: "wrong arguments, or a question without a terminal",
    ExitCode.REFUSED: "refused; nothing has changed",
    ExitCode.UNSUCCESSFUL: "--wait: the rerun failed or was terminated",
    ExitCode.TIMEOUT: "--wait: the timeout is over; the rerun continues",
    ExitCode.ERROR: "error: Airflow, its database or its configuration can't be used, or a bug",
    ExitCode.INTERRUPTED: "interrupted; a submitted rerun continues",
    ExitCode.CLOSED: "whoever read the output closed it before the end",
}
"""For the help and the documentation."""


class Usage(Exception):
    """The arguments contradict each other, or can't be understood, or nobody is there to answer a question."""


def help_text(example: str) -> str:
    """What stands at the end of a help page; ``example`` is a whole command line."""
    codes = "\n".join(f"  {code.value:<4} {meaning}" for code, meaning in MEANINGS.items())
    return f"Example:\n  {example}\n\nExit codes:\n{codes}"
