"""A module's name is enough to find it: no two have the same one, but for a port and what implements it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "airflow_rerun_downstream"
PORTS = {path.stem for path in (PACKAGE / "ports").glob("*.py")}
FIXED = {"asset_manager", "facts"}
"""Airflow's configuration names the door of the one; the other is what the lineage port reads, and what reads it."""


def test_no_two_modules_have_one_name() -> None:
    found: dict[str, list[str]] = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        if path.stem != "__init__" and "static" not in path.parts and "versions" not in path.parts:
            found[path.stem].append(str(path.relative_to(PACKAGE)))
    twice = {name: places for name, places in found.items() if len(places) > 1 and name not in FIXED}
    for name in PORTS & twice.keys():
        assert len([place for place in twice.pop(name) if not place.startswith("ports/")]) <= 1, name
    assert twice == {}
