"""What a pytest session that doesn't end well makes of `make test`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import run_tests

SESSIONS = {
    "fails": ("def test_it(): raise AssertionError", 1),
    "is killed": ("import os, signal\ndef test_it(): os.kill(os.getpid(), signal.SIGKILL)", 1),
    "has no tests": ("", 0),  # -k may leave none in one session of several
}


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session(session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, expected = SESSIONS[session]
    file = tmp_path / "test_one.py"
    file.write_text(text)
    monkeypatch.setattr(run_tests, "REPORTS", tmp_path)
    monkeypatch.setattr(run_tests, "sessions", lambda *_: [("one", str(file))])
    monkeypatch.setattr("sys.argv", ["run_tests", "bench", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        run_tests.main()
    assert ended.value.code == expected


def test_one_that_is_killed_outweighs_one_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal's status is negative."""
    statuses = iter([0, -9, 0])
    monkeypatch.setattr(run_tests, "run_session", lambda *_: next(statuses))
    monkeypatch.setattr(run_tests, "sessions", lambda *_: [("one",), ("two",), ("three",)])
    monkeypatch.setattr("sys.argv", ["run_tests", "bench"])
    with pytest.raises(SystemExit) as ended:
        run_tests.main()
    assert ended.value.code == 1


@pytest.mark.parametrize("part", [None, "quick", "live"])
def test_a_part_of_the_suites_is_one_of_their_sessions(part: str | None) -> None:
    names = [name for name, *_ in run_tests.sessions("suites", part)]
    assert names == ([part] if part else ["quick", "live"])


@pytest.mark.parametrize("what", ["suites", "acceptance"])
def test_a_part_that_is_not_there_ends_with_what_is(what: str) -> None:
    with pytest.raises(SystemExit, match=r"no part 'telepathy'.*there are: "):
        run_tests.sessions(what, "telepathy")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("order crash", ["test_order.py", "test_crash.py"]),
        ("freeze", ["test_freeze.py", "test_freeze_assets.py", "test_freeze_crash.py"]),
        ("freeze.py", ["test_freeze.py"]),
    ],
)
def test_a_part_is_every_file_whose_name_begins_so(part: str, expected: list[str]) -> None:
    ((_, *files),) = run_tests.sessions("acceptance", part)
    assert [Path(file).name for file in files] == expected
