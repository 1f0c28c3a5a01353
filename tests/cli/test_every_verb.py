"""Every verb, in every place, with every kind of output: what scripts rely on. The command lines are generated."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any, cast

import pytest
import yaml
from pytest_mock import MockerFixture

from airflow_rerun_downstream.cli import backends, commands, layout
from airflow_rerun_downstream.cli.argument_groups import LINK_KINDS
from airflow_rerun_downstream.cli.cells import NOTHING
from airflow_rerun_downstream.cli.exit_codes import MEANINGS, ExitCode
from airflow_rerun_downstream.cli.hints import REFUSALS, RUNS
from airflow_rerun_downstream.cli.main import main, parser
from airflow_rerun_downstream.cli.verbs import VERBS
from airflow_rerun_downstream.domain.errors import Refusal, RunInActiveRerun, SchemaMismatch
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.reasons import REASONS
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.rest import problems
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.service import Service
from tests.cli import generated
from tests.cli.places import PLACES, Done, Place
from tests.rest.stub import MEMBERS, StubService
from tests.rest.test_api import ANA

Run = Callable[..., Done]
Line = tuple[str, ...]

NEGATIVE = ("verify", "health")
"""What the stub's answer is negative of."""

LINES = list(generated.answering())

lines = pytest.mark.parametrize("line", LINES, ids=" ".join)
lines_refused = pytest.mark.parametrize("line", [each for each in LINES if each[0] != "health"], ids=" ".join)
"""Health answers whatever is wrong."""

everywhere = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
without_terminal = next(place for place in PLACES if place.columns is None)


@pytest.fixture
def stub(mocker: MockerFixture) -> StubService:
    made = StubService()
    mocker.patch.object(
        commands, "backend", autospec=True, return_value=Api(cast("Service", made), ANA, maximum=backends.NO_MAXIMUM)
    )
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line in a place; whatever it is, nobody sees a traceback."""

    def one(place: Place, *argv: str) -> Done:
        done = place.run(lambda: main(argv), monkeypatch)
        assert "Traceback" not in done.err
        assert done.code in set(ExitCode)
        return done

    return one


@everywhere
@lines
def test_stdout_is_the_answer_and_nothing_else(line: Line, place: Place, stub: StubService, run: Run) -> None:
    found: dict[str, Any] = {}
    for output, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        done = run(place, *line, "--output", output)
        assert done.code == (ExitCode.NEGATIVE if line[0] in NEGATIVE else ExitCode.DONE), done.err
        found[output] = read(done.out)
    assert found["json"] == found["yaml"]
    assert isinstance(found["json"], dict)


@everywhere
@lines
def test_a_table_breaks_no_word_and_fits(
    line: Line, place: Place, stub: StubService, run: Run, mocker: MockerFixture
) -> None:
    done = run(place, *line)
    assert done.code == (ExitCode.NEGATIVE if line[0] in NEGATIVE else ExitCode.DONE), done.err
    printed = done.out.splitlines()
    assert printed
    assert "\x1b" not in done.out
    assert [each for each in printed if each != each.rstrip()] == []
    if place.columns is not None and not place.piped:
        assert [each for each in printed if len(each) > place.columns] == []
    # Of a column in which there is nothing, a terminal is spared the head.
    piped = mocker.spy(layout, "piped")
    words = set(run(Place("file"), *line).out.split()) - {NOTHING}
    empty = {
        word
        for call in piped.call_args_list
        for head, *cells in zip(call.args[0].columns, *call.args[0].rows, strict=True)
        for word in head.split()
        if set(cells) == {NOTHING}
    }
    assert words - empty - set(done.out.split()) == set()


@lines_refused
def test_a_refusal_leaves_stdout_empty(line: Line, stub: StubService, run: Run) -> None:
    for place, output in product(PLACES, generated.OUTPUTS):
        for refusal, code in (
            (RunInActiveRerun("The run takes part in rerun 3."), ExitCode.REFUSED),
            (SchemaMismatch("The tables are older."), ExitCode.ERROR),
        ):
            stub.refusal = refusal
            done = run(place, *line, "--output", output)
            assert (done.code, done.out) == (code, "")
            assert f"{refusal.detail} ({refusal.reason})" in done.err


@lines_refused
def test_an_error_that_nobody_foresaw_has_its_code(
    line: Line, stub: StubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.error = ZeroDivisionError("odd")
    for place in PLACES:
        done = place.run(lambda: main(line), monkeypatch)
        assert (done.code, done.out) == (ExitCode.ERROR, "")
        assert "ZeroDivisionError: odd" in done.err


@everywhere
@pytest.mark.parametrize("output", generated.OUTPUTS)
@pytest.mark.parametrize("verb", generated.with_option("--wait", "--output"))
def test_waiting_ends_with_a_code_of_its_own(verb: str, output: str, place: Place, stub: StubService, run: Run) -> None:
    argv = (verb, *generated.positional(verb), "--output", output, "--wait", "--timeout", "0")
    if verb != "release":
        for state, code in ((RerunState.FAILED, 4), (RerunState.TERMINATED, 4), (RerunState.SUCCEEDED, 0)):
            stub.state = state
            done = run(place, *argv)
            assert done.code == code
            assert state.value in done.out
    else:
        stub.member_list = (replace(MEMBERS[0], state=MemberState.FROZEN),)
    stub.state = RerunState.RUNNING
    done = run(place, *argv)
    assert done.code == ExitCode.TIMEOUT, done.err
    assert " after 0 seconds" in done.err
    assert done.out != ""  # a script learns the id all the same


@pytest.mark.parametrize("verb", generated.verbs())
def test_wrong_arguments_are_a_usage_error(verb: str, run: Run) -> None:
    for place in PLACES:
        done = run(place, verb, *generated.positional(verb), "--fly")
        assert (done.code, done.out) == (ExitCode.USAGE, "")
        assert "--fly" in done.err
        if verb in generated.needing():
            done = run(place, verb)
            assert (done.code, done.out) == (ExitCode.USAGE, "")


@pytest.mark.parametrize("verb", generated.with_option("--username"))
def test_nobody_is_asked_for_a_password_without_a_terminal(verb: str, run: Run) -> None:
    argv = (verb, *generated.positional(verb), "--url", "https://airflow.example.com", "--username", "ana")
    done = run(without_terminal, *argv)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert "AIRFLOW_RERUN_DOWNSTREAM_PASSWORD" in done.err
    assert "--token" in done.err


@pytest.mark.parametrize("verb", generated.verbs())
def test_help_has_an_example_and_the_exit_codes(verb: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(PLACES[1], verb, "--help")
    assert (done.code, done.err) == (0, "")
    example = next(each.example for each in VERBS if each.name == verb)
    assert f"Example:\n  airflow-rerun-downstream {example}\n" in done.out
    assert parser().parse_args(shlex.split(example)).subcommand == verb
    for code, meaning in MEANINGS.items():
        assert re.search(rf"^  {code.value} +{re.escape(meaning)}$", done.out, re.MULTILINE)
    assert [line for line in done.out.splitlines() if len(line) > 80 and example not in line] == []
    done.out.encode("ascii")


def test_the_help_of_all_has_them_too(run: Run) -> None:
    done = run(PLACES[1], "--help")
    assert "Example:" in done.out
    assert all(meaning in done.out for meaning in MEANINGS.values())
    assert set(MEANINGS) == set(ExitCode)


def test_the_words_of_options_are_those_of_the_contract() -> None:
    assert set(LINK_KINDS) == {kind.value for kind in LinkKind}


def test_every_refusal_was_thought_about() -> None:
    def kinds(kind: type[Refusal] = Refusal) -> set[str]:
        return {kind.reason}.union(*map(kinds, kind.__subclasses__()))

    assert set(REFUSALS) == kinds() | set(problems.REASONS.values())
    assert set(RUNS) <= set(REASONS)


def test_every_option_in_a_hint_exists() -> None:
    known = {flag for verb in generated.verbs() for flag in generated.options(verb)}
    said = " ".join(filter(None, (*REFUSALS.values(), *RUNS.values())))
    assert set(re.findall(r"--[a-z-]+", said)) <= known
    assert {each.split()[0] for each in re.findall(r"`([^`]+)`", said)} <= set(generated.verbs())
