"""The command line as scripts use it, on a real Airflow: every verb, with every output, in every place.

The command lines are generated as in `tests/cli`; here nothing is a stub. What only a process of its own can show is
started as one, by both names where this Airflow has both.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_rerun_downstream import host
from airflow_rerun_downstream.cli.exit_codes import MEANINGS, ExitCode
from tests.cli import generated

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent

PROGRAMS = ("airflow-rerun-downstream",) if host.airflow_version() < (3, 2) else ("airflow-rerun-downstream", "airflow")

SEED = """
import os, sys
os.environ |= {"RERUN_TEST_HOME": os.environ["AIRFLOW_HOME"], "RERUN_TEST_PID": str(os.getpid())}
from tests.airflow3 import history, scene
from airflow.utils.session import create_session
with create_session() as session:
    scene.save(history.dag("orders"), session=session)
    scene.create_run("orders", session=session, state="failed")
"""

PLUGIN = """
import logging, sys, warnings
print("a plugin prints")
print("a plugin complains", file=sys.stderr)
warnings.warn("a plugin warns")
logging.getLogger("airflow.a_plugin").error("a plugin logs")
"""

WORDS = {**generated.WORDS, "run_id": "scheduled__2026-11-01T00:00:00+00:00", "rerun_id": "1", "member_id": "1"}
ALWAYS = ("list", "show", "plan", "links", "health", "targets", "verify", "estimate")
"""Verbs that the rerun's state doesn't matter to."""

PLACES = (120, 80, None)
"""Columns of a terminal; none where there is none, and the answer goes to a file."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A migrated Airflow with a Dag, a failed run and a rerun of it; one of its plugins is talkative."""
    home = tmp_path_factory.mktemp("home")
    (home / "plugins").mkdir()
    (home / "dags").mkdir()
    (home / "plugins" / "talkative.py").write_text(PLUGIN)
    found = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "RERUN_TEST"))}
    found |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE": "unlimited",
        "PYTHONWARNINGS": "default",
    }
    for command in (
        [BIN / "airflow", "db", "migrate"],
        [BIN / "airflow-rerun-downstream", "db", "migrate"],
        [sys.executable, "-c", SEED],
        [BIN / "airflow-rerun-downstream", "submit", WORDS["dag_id"], WORDS["run_id"], "--output", "json"],
    ):
        done = subprocess.run(command, env=found, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["id"] == 1
    return found


def lines() -> Iterator[tuple[int | None, list[str]]]:
    """Every command line in every place."""
    for columns in PLACES:
        for first in generated.answering(WORDS):
            for output in generated.OUTPUTS:
                yield columns, [*first, "--output", output]
        yield columns, ["check-upgrade"]
        yield columns, ["check-config"]
        yield columns, ["conductor", "--release"]
        yield columns, ["db", "check"]
        yield columns, ["db", "clean", "--before", "2026-01-01", "--dry-run"]
        yield columns, ["db", "clean"]


@pytest.fixture(scope="module", params=PROGRAMS)
def done(
    request: pytest.FixtureRequest, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[int | None, list[str], dict[str, Any]]]:
    """What each command line has done."""
    folder, wanted = tmp_path_factory.mktemp("commands"), list(lines())
    (folder / "lines.json").write_text(json.dumps(wanted))
    command = [sys.executable, "-m", "tests.thorough.many_commands", request.param, str(folder)]
    ran = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads((folder / "done.json").read_text())
    return [(columns, line, each) for (columns, line), each in zip(wanted, found, strict=True)]


def test_every_command_ends_as_documented(done: list[tuple[int | None, list[str], dict[str, Any]]]) -> None:
    assert {line[0] for _, line, _ in done} == set(generated.verbs())
    for columns, line, each in done:
        where = f"{line} at {columns}: {each}"
        assert "Traceback" not in each["err"], where
        if line == ["db", "clean"]:
            assert each["code"] == ExitCode.USAGE, where
        elif line[0] in ALWAYS:
            assert each["code"] in (ExitCode.DONE, ExitCode.NEGATIVE), where
        else:
            assert each["code"] in (ExitCode.DONE, ExitCode.NEGATIVE, ExitCode.REFUSED), where
        if each["code"] in (ExitCode.REFUSED, ExitCode.USAGE):
            assert each["out"] == "", where
            assert each["err"] != "", where


def test_every_answer_can_be_read(done: list[tuple[int | None, list[str], dict[str, Any]]]) -> None:
    read = {"json": json.loads, "yaml": yaml.safe_load}
    answered = set()
    for columns, line, each in done:
        if each["code"] in (ExitCode.DONE, ExitCode.NEGATIVE):
            answered.add((line[0], columns))
            if line[-1] in read:
                assert isinstance(read[line[-1]](each["out"]), dict), f"{line} at {columns}: {each}"
            elif columns is not None:
                assert [one for one in each["out"].splitlines() if len(one) > columns] == [], line
    assert {(verb, columns) for verb in ALWAYS for columns in PLACES} <= answered


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> list[str]:
    """A command, as it is typed before a verb."""
    return [str(BIN / "airflow"), "rerun-downstream"] if request.param == "airflow" else [str(BIN / request.param)]


def test_a_process_of_its_own_answers_alone_on_stdout(program: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*program, "show", "1", "-o", "json"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["members"][0]["dag_id"] == "orders"


def test_other_commands_of_airflow_write_what_they_wrote(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [BIN / "airflow", "version"], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1].startswith(".".join(map(str, host.airflow_version())))


def test_head_ends_it_quietly(program: list[str], environment: dict[str, str]) -> None:
    line = f"set -o pipefail; {' '.join(program)} show 1 --part events -o json | true"
    done = subprocess.run(["bash", "-c", line], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.CLOSED, done.stderr
    assert "BrokenPipe" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell's background job ignores interrupts, as does what it starts."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, inherited)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("library", ["pydantic_core", "sqlalchemy"])
def test_an_interrupt_during_imports_is_quiet(library: str, environment: dict[str, str]) -> None:
    """When a library is mapped into the process, its imports are under way."""
    command = [str(BIN / "airflow-rerun-downstream"), "list"]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        maps = Path(f"/proc/{process.pid}/maps")
        while process.poll() is None and library not in maps.read_text():
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, err
    assert out == ""
    assert "Traceback" not in err
    assert "Interrupted" in err


@pytest.mark.parametrize("argv", [["db", "downgrade", "--revision", "base"], ["db", "clean", "--before", "2026-01-01"]])
def test_a_question_without_a_terminal_names_the_option(argv: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [str(BIN / "airflow-rerun-downstream"), *argv],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == ExitCode.USAGE, done.stderr
    assert "--yes" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_has_an_example_by_both_names(program: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*program, "submit", "--help"], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    name = " ".join([Path(program[0]).name, *program[1:]])
    assert f"{name} submit shop_orders" in done.stdout
    assert all(meaning in done.stdout for meaning in MEANINGS.values())


def test_a_shell_completes_both_names(program: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    typed, found = " ".join([Path(program[0]).name, *program[1:], "term"]), tmp_path / "found"
    env = {
        **environment,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(found),
        "COMP_LINE": typed,
        "COMP_POINT": str(len(typed)),
    }
    subprocess.run(program[:1], env=env, cwd=ROOT, check=False, capture_output=True)
    assert found.read_text().strip() == "terminate"
