"""Sum pytest's JUnit reports: what failed, each with its first line, then one closing line, `N passed, N failed`."""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SHOWN = 300
"""Characters of a failure's message; the whole of it is above, in the log."""


@dataclass(frozen=True)
class Outcome:
    """How many tests ended how; ``failures`` has a line for each that failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.failures + other.failures,
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def read(report: Path) -> Outcome:
    """Read one report; a broken one, of a session that was killed, counts as a failure."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    except ET.ParseError as error:
        return Outcome(failed=1, failures=(f"{report.name} can't be read: {error}",))
    return sum((_of_suite(suite) for suite in suites), Outcome())


def _of_suite(suite: ET.Element) -> Outcome:
    total, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    lines = tuple(line for case in suite.iter("testcase") for line in _problems(case))
    return Outcome(passed=max(total - failed - skipped, 0), failed=failed, skipped=skipped, failures=lines)


def _problems(case: ET.Element) -> Iterable[str]:
    for kind in ("failure", "error"):
        for problem in case.findall(kind):
            message = " ".join((problem.get("message") or problem.text or "").split())
            yield f"{kind}: {case.get('classname')}::{case.get('name')}: {message[:SHOWN]}"


def summarize(reports: Iterable[Path], failed_steps: int) -> Outcome:
    """Sum the reports; steps that failed without any failed test still show as failures."""
    total = sum((read(report) for report in reports), Outcome())
    return total if total.failed else total + Outcome(failed=failed_steps)


def main() -> None:
    """Print what failed and the closing line of the reports in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--failed-steps", type=int, default=0, help="steps that ended with an error")
    arguments = parser.parse_args()
    outcome = summarize(sorted(arguments.folder.glob("*.xml")), arguments.failed_steps)
    for line in outcome.failures:
        print(line)
    print(f"{outcome.skipped:6d}   skipped\n{outcome}")


if __name__ == "__main__":
    main()
