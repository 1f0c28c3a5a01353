"""Sum pytest's JUnit reports into one closing line, `N passed, N failed`."""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def read(report: Path) -> Outcome:
    """Read one report; a broken one, of a session that was killed, counts as a failure."""
    try:
        suites = list(ET.parse(report).getroot().iter("testsuite"))
    except ET.ParseError:
        return Outcome(failed=1)
    return sum((_of_suite(suite) for suite in suites), Outcome())


def _of_suite(suite: ET.Element) -> Outcome:
    total, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Outcome(passed=max(total - failed - skipped, 0), failed=failed, skipped=skipped)


def summarize(reports: Iterable[Path], failed_steps: int) -> Outcome:
    """Sum the reports; steps that failed without any failed test still show as failures."""
    total = sum((read(report) for report in reports), Outcome())
    return total if total.failed else total + Outcome(failed=failed_steps)


def main() -> None:
    """Print the closing line of the reports in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--failed-steps", type=int, default=0, help="steps that ended with an error")
    arguments = parser.parse_args()
    outcome = summarize(sorted(arguments.folder.glob("*.xml")), arguments.failed_steps)
    print(f"{outcome.skipped:6d}   skipped\n{outcome}")


if __name__ == "__main__":
    main()
