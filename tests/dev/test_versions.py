"""What is said of Airflow's versions in several places is the same."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from airflow_rerun_downstream import host
from dev.environment import FIRST_RELEASES, PRE_RELEASES

ROOT = Path(__file__).resolve().parents[2]
NAMES = [".".join(map(str, each)) for each in host.KNOWN]


def dependency() -> Requirement:
    (found,) = re.findall(r'^  "(apache-airflow[<>=][^"]*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    return Requirement(found)


def test_pip_lets_in_what_is_known_and_nothing_else() -> None:
    bounds = dependency().specifier
    for name in NAMES:
        assert bounds.contains(Version(f"{name}.1"))
    assert not bounds.contains(Version("3.1.0")), "its server takes no cookie: nobody could open a page"
    last = host.KNOWN[-1]
    for other in ("2.11.0", f"{last[0]}.{last[1] + 1}.0", "4.0.0"):
        assert not bounds.contains(Version(other))
    assert not bounds.contains(Version(f"{last[0]}.{last[1] + 1}.0b2"), prereleases=True)


def test_each_known_version_has_pins() -> None:
    assert {path.stem for path in (ROOT / "constraints").glob("*.txt") if "-" not in path.stem} >= set(NAMES)


def test_each_known_version_that_is_released_has_pins_of_its_first_release() -> None:
    first = set(FIRST_RELEASES)
    assert {name.rpartition(".")[0] for name in first} == set(NAMES) - set(PRE_RELEASES)
    assert all(dependency().specifier.contains(Version(name)) for name in first)
    assert {path.stem for path in (ROOT / "constraints").glob("*.*.*.txt") if "-" not in path.stem} == first
    for name in first:
        assert f"apache-airflow-core=={name}\n" in (ROOT / "constraints" / f"{name}.txt").read_text()


def test_the_known_versions_are_told() -> None:
    sentence = f"{', '.join(NAMES[:-1])} or {NAMES[-1]}"
    assert f"Apache Airflow {sentence}" in (ROOT / "docs" / "installing.md").read_text()
    for name in NAMES:
        assert name in host.why_not()


def test_on_an_airflow_that_is_not_known_a_test_session_ends_with_one_sentence() -> None:
    code = (
        "import sys, pytest\nfrom airflow_rerun_downstream import host\n"
        "host.airflow_version = lambda: (3, 99)\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '--collect-only', *sys.argv[1:]]))"
    )

    def collected(what: str) -> tuple[int, str]:
        command = [sys.executable, "-c", code, what]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    status, said = collected("tests/domain/test_words.py")
    assert status == 1
    assert f"Airflow 3.99 isn't known ({', '.join(NAMES[:-1])} and {NAMES[-1]} are" in said
    assert "test_words" not in said
    status, said = collected("tests/thorough/test_unknown_airflow.py")
    assert (status, "test_everything_runs_as_without_the_package" in said) == (0, True)
