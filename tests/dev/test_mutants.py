"""What `tests/mutants.yaml` says is there."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
KNOWN = yaml.safe_load((ROOT / "tests" / "mutants.yaml").read_text())


def test_each_mutant_is_told_once_with_a_reason() -> None:
    told = [
        (function, change, why)
        for table in KNOWN.values()
        for function, changes in (table or {}).items()
        for change, why in changes.items()
    ]
    assert all(" -> " in change and why for _, change, why in told)
    assert len({(function, change) for function, change, _ in told}) == len(told)


def test_the_tests_that_kill_them_exist() -> None:
    for changes in (KNOWN["killed"] or {}).values():
        for test in changes.values():
            path, *_, name = test.split("::")
            assert f"def {name}(" in (ROOT / path).read_text(), test
