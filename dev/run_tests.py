"""`make test`, `make acceptance`, `make thorough` and `make bench`: which tests run, how, and where the reports go.

Arguments that aren't known here go to pytest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / ".reports"
NO_TESTS_COLLECTED = 5
# A live Airflow keeps both cores busy: those tests run one after the other, the rest on every core.
QUICK = (
    "quick",
    "-m",
    "not live and not acceptance",
    "--ignore=tests/bench",  # what is measured beside other tests says nothing
    "--ignore=tests/thorough",  # takes too long for every change
    "-n",
    "auto",
    "--dist",
    "loadfile",
    "--no-loadscope-reorder",  # files of few and long tests would come last, one core idle
)
PAGES = (".venvs/tools/bin/python", "ui/node.py", "test")
"""The unit tests of the web pages; they write their report themselves."""
LIVE = ("live", "-m", "live and not acceptance", "tests/live")
BENCH = (
    "bench",
    "tests/bench",
    "--benchmark-only",
    "--benchmark-columns=min,median,max,rounds",
)


def main() -> None:
    """Run the chosen pytest sessions, all of them also after one has failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["suites", "acceptance", "thorough", "bench"])
    parser.add_argument("--part", help="quick or live of the suites; test_<part>*.py of the others")
    arguments, extra = parser.parse_known_args()
    quick = arguments.what == "suites" and arguments.part in (None, "quick")
    if arguments.part != "quick":
        subprocess.run([sys.executable, "-m", "dev.chromium"], cwd=ROOT, check=False)
    statuses = [run_session(session, extra) for session in sessions(arguments.what, arguments.part)]
    if quick and not extra:
        statuses.append(subprocess.run(PAGES, cwd=ROOT, check=False).returncode)
    sys.exit(1 if any(statuses) else 0)  # a session that a signal ended has a negative one


def sessions(what: str, part: str | None) -> list[tuple[str, ...]]:
    """Give the pytest sessions of one make target: a name, then pytest's arguments."""
    if what == "suites":
        found: list[tuple[str, ...]] = [session for session in (QUICK, LIVE) if part in (None, session[0])]
        return found or sys.exit(f"no part {part!r} of the suites; there are: {QUICK[0]}, {LIVE[0]}")
    return [BENCH] if what == "bench" else [folder_session(what, part)]


def folder_session(name: str, part: str | None) -> tuple[str, ...]:
    """Give the session of all tests in a folder of `tests/`, or of some parts of them: names, with spaces between."""
    folder = ROOT / "tests" / name
    if part is None:
        return (name, str(folder))
    found = sorted(folder.rglob("test_*.py"))
    files = {one: [str(path) for path in found if path.name.startswith(f"test_{one}")] for one in part.split()}
    if unknown := [one for one, chosen in files.items() if not chosen]:
        parts = ", ".join(path.stem.removeprefix("test_") for path in found)
        sys.exit(f"no part {unknown[0]!r} of the {name} tests; there are: {parts}")
    return (f"{name}-{'-'.join(files)}", *chain.from_iterable(files.values()))


def run_session(session: Sequence[str], extra: Sequence[str]) -> int:
    """Run one pytest session and say how long it took; a session without tests isn't a failure."""
    name, *options = session
    report = REPORTS / f"{name}-{Path(sys.prefix).name}.xml"
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="airflow-home-") as home:
        status = subprocess.run(
            [sys.executable, "-m", "pytest", f"--junitxml={report}", *options, *extra],
            cwd=ROOT,
            env=test_environment(home),
            check=False,
        ).returncode
    print(f"== {name}: {time.monotonic() - started:.0f} s", flush=True)
    return 0 if status == NO_TESTS_COLLECTED else status


def test_environment(home: str) -> dict[str, str]:
    """Keep what a developer has configured for their own Airflow away from the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return {**inherited, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


if __name__ == "__main__":
    main()
