"""The closing line adds up, and never hides a failure."""

from __future__ import annotations

from pathlib import Path

from dev.junit_summary import Outcome, read, summarize

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"></testsuite></testsuites>'


def report(folder: Path, name: str, *numbers: int) -> Path:
    path = folder / f"{name}.xml"
    path.write_text(REPORT.format(*numbers))
    return path


def test_reports_are_added_up(tmp_path: Path) -> None:
    reports = [report(tmp_path, "quick", 10, 1, 0, 2), report(tmp_path, "live", 5, 0, 1, 0)]
    assert summarize(reports, failed_steps=1) == Outcome(passed=11, failed=2, skipped=2)


def test_the_line_is_plain() -> None:
    assert str(Outcome(passed=3, failed=0, skipped=2)) == "3 passed, 0 failed"


def test_a_step_that_failed_without_a_failed_test_is_a_failure(tmp_path: Path) -> None:
    assert summarize([report(tmp_path, "quick", 10, 0, 0, 0)], failed_steps=2).failed == 2


def test_a_broken_report_is_a_failure(tmp_path: Path) -> None:
    broken = tmp_path / "live.xml"
    broken.write_text("<testsuites><test")
    outcome = read(broken)
    assert outcome.failed == 1
    assert "live.xml can't be read" in outcome.failures[0]


def test_what_failed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "live.xml"
    path.write_text(
        '<testsuites><testsuite tests="3" failures="1" errors="1" skipped="0">'
        '<testcase classname="tests.a" name="test_x"><failure message="assert 1&#10; == 2">long</failure></testcase>'
        '<testcase classname="tests.a" name="test_y"><error message="boom"/></testcase>'
        '<testcase classname="tests.a" name="test_z"/></testsuite></testsuites>'
    )
    assert read(path).failures == ("failure: tests.a::test_x: assert 1 == 2", "error: tests.a::test_y: boom")
