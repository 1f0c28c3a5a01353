"""What a process of its own writes where, whatever else is written in it, and how it ends when it is disturbed."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.cli import main as main_module
from airflow_rerun_downstream.cli import streams
from airflow_rerun_downstream.cli.exit_codes import ExitCode
from airflow_rerun_downstream.cli.main import main

ROOT = Path(__file__).resolve().parents[2]

NOISY = """
import logging, os, subprocess, sys, warnings
logging.basicConfig(stream=sys.stdout, level="INFO")
from airflow_rerun_downstream.cli import commands, main
from airflow_rerun_downstream.cli.streams import answer
def noisy(args):
    logging.getLogger("airflow").warning("logged")
    print("printed")
    os.write(1, b"written\\n")
    subprocess.run([sys.executable, "-c", "print('by a child')"])
    warnings.warn("warned")
    answer('{"answer": "\\u00e9"}')
    return 0
commands.ACTIONS = {"list": noisy}
code = main.main(["list"])
print("afterwards")
logging.getLogger("airflow").warning("as before")
sys.exit(code)
"""

LONG = """
import sys
from airflow_rerun_downstream.cli import commands, main
from airflow_rerun_downstream.cli.streams import answer
commands.ACTIONS = {"list": lambda args: [answer(number) for number in range(100_000)] and 0}
sys.exit(main.main(["list"]))
"""


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=ROOT, check=False)


def test_only_the_answer_is_on_stdout() -> None:
    done = python(NOISY)
    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"answer": "\u00e9"}\nafterwards\nWARNING:airflow:as before\n'
    for word in ("WARNING:airflow:logged", "printed", "written", "by a child", "UserWarning: warned"):
        assert word in done.stderr


def test_an_answer_that_the_encoding_does_not_have_is_readable() -> None:
    assert python(NOISY, PYTHONIOENCODING="ascii").stdout.startswith('{"answer": "\\xe9"}\n')


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(closed: str) -> None:
    code = LONG.replace("100_000", "3")
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("" if ">&-" in closed.replace("2>&-", "") else "0\n1\n2\n")


@pytest.mark.parametrize("numbers", ["100_000", "1"])
def test_whoever_has_read_enough_ends_it_quietly(numbers: str) -> None:
    end, begin = os.pipe()
    os.close(end)
    done = subprocess.run(
        [sys.executable, "-c", LONG.replace("100_000", numbers)],
        stdout=begin, stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    os.close(begin)
    assert (done.returncode, done.stderr) == (ExitCode.CLOSED, "")


@pytest.mark.parametrize("module", ["pydantic", "airflow_rerun_downstream.settings"])
def test_an_interrupt_while_modules_are_imported_is_quiet(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def interrupted(name: str, *more: Any, **named: Any) -> Any:
        if name == module:
            raise KeyboardInterrupt
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    assert main(["list"]) == ExitCode.INTERRUPTED
    assert tuple(capsys.readouterr()) == ("", "Interrupted; a submitted rerun continues.\n")


def test_an_interrupt_that_a_library_makes_another_error_of_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Panic(BaseException):
        pass

    def panics(_args: object) -> int:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            raise Panic from None
        return 0

    monkeypatch.setattr(main_module, "ended", panics)
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        assert main(["list"]) == ExitCode.INTERRUPTED
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert tuple(capsys.readouterr()) == ("", "Interrupted; a submitted rerun continues.\n")


def test_an_interrupt_that_is_ignored_stays_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_args: object) -> int:
        os.kill(os.getpid(), signal.SIGINT)
        return 0

    monkeypatch.setattr(main_module, "ended", interrupted)
    inherited = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert main(["list"]) == 0
    finally:
        signal.signal(signal.SIGINT, inherited)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("sub", ["submit"]),
        ("show 7 --part not-", ["not-made-anew"]),
        ("show 7 --par", ["--part"]),
        ("list --state runn", ["running"]),
        ("plan d r --link-kind as", ["asset"]),
        ("list --output ", ["table", "json", "yaml"]),
    ],
)
def test_a_shell_is_told_how_a_line_goes_on(typed: str, offered: list[str], tmp_path: Path) -> None:
    line, found = f"airflow-rerun-downstream {typed}", tmp_path / "found"
    env = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(found),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    command = [sys.executable, "-m", "airflow_rerun_downstream.cli.main"]
    subprocess.run(command, env=env, cwd=ROOT, check=False, capture_output=True)
    assert [each.strip() for each in found.read_text().split("\n")] == offered


def test_the_width_of_a_terminal_may_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            raise OSError

    monkeypatch.setattr(sys, "stdout", Terminal())
    for said, wide in (("133", 133), ("", streams.TERMINAL_WIDTH), ("wide", streams.TERMINAL_WIDTH)):
        monkeypatch.setenv("COLUMNS", said)
        assert streams.width() == wide
