"""Airflow's tables are made once in a process: the next live Airflow of the same kind starts with a copy.

Making them takes ten seconds of one core, mostly to import Airflow, while nothing else can begin.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

CONFIGURATION = "airflow.cfg"
"""What the first command in a home writes. Several components at once would read each other's half of it."""
HOME = "{{ the home }}"


def make_or_copy(kind: str, home: Path, data: Path, make: Callable[[], None]) -> None:
    """Fill ``data``, the file or folder of a database that isn't running, for the Airflow in ``home``.

    ``make`` is called for the first one of a ``kind``; when it returns, the database must have been stopped.
    """
    kept = _folder() / kind
    if kept.exists():
        _copy(kept / data.name, data)
        (home / "logs").mkdir(exist_ok=True)
        (home / CONFIGURATION).write_text((kept / CONFIGURATION).read_text().replace(HOME, str(home)))
        return
    make()
    making = kept.with_suffix(".making")
    making.mkdir()
    _copy(data, making / data.name)
    (making / CONFIGURATION).write_text((home / CONFIGURATION).read_text().replace(str(home), HOME))
    making.rename(kept)


def _copy(source: Path, target: Path) -> None:
    """Copy with owners: as root, PostgreSQL's server runs as a user of its own."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


@cache
def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="rerun-migrated-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
