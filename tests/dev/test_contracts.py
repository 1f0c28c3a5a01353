"""Each import contract of ``pyproject.toml`` fails when it is broken on purpose."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="it isn't there beside the first release of an Airflow")

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "airflow_rerun_downstream"
CONTRACT = re.compile(r"^(.+) (KEPT|BROKEN)$", re.MULTILINE)

VIOLATIONS = {
    "The house: imports run down the list only": ("rest/__init__.py", f"import {PACKAGE}.client"),
    "Inside Airflow 3's folder: imports run down the list only": (
        "airflow3/database/key_lists.py",
        f"from {PACKAGE}.airflow3.acting import clearing",
    ),
    "The composition root is imported by the web app only": (
        "airflow3/db_manager.py",
        f"from {PACKAGE}.airflow3 import wiring",
    ),
    "No two neighbours import each other, on any floor": (
        "airflow3/acting/clearing.py",
        f"from {PACKAGE}.airflow3.acting import gateway",
    ),
    "The inside knows neither Airflow, a database nor a web framework": (
        "conductor/__init__.py",
        "import sqlalchemy",
    ),
    "The words are standard library only": ("domain/states.py", "import pydantic"),
    "The proof shares no code with what it checks": (
        "domain/proof_clocks.py",
        f"from {PACKAGE}.domain import order",
    ),
    "The client, and what runs in a worker, reach neither tables nor the conductor": (
        "client/transport.py",
        f"from {PACKAGE}.store import tables",
    ),
    "The client stands alone, without Airflow, and so does what serves agents": (
        "client/calls.py",
        f"from {PACKAGE}.rest import queries",
    ),
    "The store and the messages know no Airflow": ("store/tables.py", "import airflow"),
    "What Airflow loads at start-up imports nothing heavy": ("provider_info.py", "import pydantic"),
}
"""For each contract, a file and the line that it must not have."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's Python files and its configuration, to be changed."""
    found = tmp_path_factory.mktemp("contracts")
    shutil.copy(ROOT / "pyproject.toml", found)
    shutil.copytree(ROOT / PACKAGE, found / PACKAGE, ignore=shutil.ignore_patterns("static", "__pycache__"))
    return found


def verdicts(root: Path) -> dict[str, str]:
    """What import-linter says of each contract."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    found = dict(CONTRACT.findall(done.stdout))
    assert found, done.stdout + done.stderr
    return found


def test_every_contract_is_tried(copy: Path) -> None:
    assert verdicts(copy) == dict.fromkeys(VIOLATIONS, "KEPT")


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_bad_import_is_found(copy: Path, contract: str) -> None:
    file, line = VIOLATIONS[contract]
    path = copy / PACKAGE / file
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        assert verdicts(copy)[contract] == "BROKEN"
    finally:
        path.write_text(before)
