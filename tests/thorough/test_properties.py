"""Every property of the quick suite with other examples; what fails is an `@example` of its test from then on.

``PROPERTY_SEEDS=0-3 make thorough PART=properties`` tries other seeds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from dev.run_tests import ROOT

BEGIN = int(time.time()) % 1_000_000
SEEDS = f"{BEGIN}-{BEGIN + 10}"
"""Others each time; the last isn't tried."""


def test_with_other_examples(capsys: pytest.CaptureFixture[str]) -> None:
    failed = []
    first, last = map(int, os.environ.get("PROPERTY_SEEDS", SEEDS).split("-"))
    for seed in range(first, last):
        chosen = ("-m", "hypothesis", "--hypothesis-profile=default", f"--hypothesis-seed={seed}")
        quiet = ("-q", "-n", "auto", "--ignore=tests/live", "--ignore=tests/acceptance", "--ignore=tests/thorough")
        command = [sys.executable, "-m", "pytest", *chosen, *quiet, "tests"]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if done.returncode:
            failed.append(seed)
        with capsys.disabled():
            print(f"\nseed {seed}: {done.stdout if done.returncode else done.stdout.strip().splitlines()[-1]}")
    assert not failed
