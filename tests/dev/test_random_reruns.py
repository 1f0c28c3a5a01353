"""A random rerun is told by its seed alone, or nobody could look at one again: see ``tests/reruns``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEEDS = [str(seed) for seed in range(30)]


def test_two_hash_seeds_tell_the_same_reruns() -> None:
    command = [sys.executable, "-m", "tests.reruns", *SEEDS]
    told = [
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1")
    ]
    assert all(f"Seed {seed}, " in told[0] for seed in SEEDS)
    assert told[0] == told[1]
