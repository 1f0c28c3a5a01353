"""`make check`: run every static check, also after one has failed, and fail if any did."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TOOLS = ROOT / ".venvs" / "tools" / "bin"
CHECKS = (
    (BIN / "ruff", "check", "."),
    (BIN / "ruff", "format", "--check", "."),
    (BIN / "mypy",),
    (BIN / "lint-imports",),
    (TOOLS / "python", "ui/node.py", "types:check", "tsc", "format:check", "lint"),
)


def main() -> None:
    """Run the checks; the exit status says whether all passed."""
    failed = []
    for executable, *arguments in CHECKS:
        name = " ".join([executable.name, *arguments])
        print(f"== {name}", flush=True)
        if subprocess.run([executable, *arguments], cwd=ROOT, check=False).returncode:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
