"""Write .github/workflows/ci.yml: the commands of `.ci/run`, one step each. `python -m dev.workflow` does it.

What `.ci/run` does beside another step, the workflow does where that is begun.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
MARK = "=== "
"""`.ci/run` prints it before each command."""

STUB = f"""#!{sys.executable}
import shlex, sys
with open(sys.argv[0] + ".log", "a") as log:
    print(" ".join(["make", *sys.argv[1:]]), shlex.join(["make", *sys.argv[1:]]), sep="\\t", file=log)
"""

HEAD = """\
# `python -m dev.workflow` writes this file; its commands are those of .ci/run.
name: CI
on:
  push:
    branches: [main]
  pull_request:
permissions:
  contents: read
jobs:
  ci:
    runs-on: ubuntu-latest
    timeout-minutes: 350
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
"""
STEP = """\
      - if: ${{{{ !cancelled() }}}}
        run: |
          {command}
"""


def commands() -> list[str]:
    """What `.ci/run` calls, in its order: it is run, with a `make` that only writes down how it was called."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make = folder / "make"
        make.write_text(STUB)
        make.chmod(0o755)
        (folder / ".ci").mkdir()
        script = shutil.copy(ROOT / ".ci" / "run", folder / ".ci")
        path = os.pathsep.join([name, os.environ["PATH"]])
        done = subprocess.run(
            ["bash", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        quoted = dict(line.split("\t") for line in Path(f"{make}.log").read_text().splitlines())
    said = [line.removeprefix(MARK).partition(" (in the background")[0] for line in done.stdout.splitlines()]
    return [quoted[line] for line in said if line in quoted]


def text() -> str:
    """The whole file. After a failed step the others run, too, as in `.ci/run`."""
    steps = "".join(STEP.format(command=each) for each in commands())
    return HEAD + steps + STEP.format(command="python dev/junit_summary.py .reports")


if __name__ == "__main__":
    WORKFLOW.write_text(text())
    print(f"{WORKFLOW.relative_to(ROOT)}: {len(commands())} commands")
