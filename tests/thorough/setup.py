"""Debian's packages that some tests need: installed where that can be done, otherwise the tests are skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

QUIET = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


def need(command: str, *packages: str) -> str:
    """The path of a command; its packages are installed for it by root on Debian. Skips where it can't be had."""
    if shutil.which(command) is None and os.geteuid() == 0 and Path("/etc/debian_version").exists():
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", *arguments], env=QUIET, check=False, capture_output=True)
    found = shutil.which(command)
    if found is None:
        pytest.skip(
            f"{command} isn't there, and can't be installed here (Debian: apt-get install {' '.join(packages)})"
        )
    return found
