"""The rules by which a green rerun means right data: each is shown on the inside, and on both databases of Airflow."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

INSIDE = {
    "pollution and selection are one set": ["lineage/test_one_set.py"],
    "the structure is that of the run's own version": ["lineage/test_versions.py"],
    "no gaps": ["lineage/test_no_gaps.py", "conductor/test_stages.py", "conductor/test_random_stages.py"],
    "the verdict follows what Airflow did": ["conductor/test_verdicts.py", "conductor/test_green_means_right.py"],
    "gates are looked at again": ["conductor/test_gates_looked_at_again.py"],
    "a retry clears as Airflow clears a part": ["domain/test_again.py"],
    "lost evidence is said": ["lineage/test_lost_events.py", "lineage/test_behind.py"],
    "what does not move says why": ["conductor/test_what_does_not_move.py"],
    "one bad step stops nothing else": ["conductor/test_one_bad_step.py"],
}
ON_AIRFLOW = {
    "pollution and selection are one set": ["contracts/test_one_set.py"],
    "the structure is that of the run's own version": ["airflow3/lineage_facts/test_run_versions.py"],
    "no gaps": ["airflow3/test_stages.py", "airflow3/hooks/test_expected_runs.py"],
    "the verdict follows what Airflow did": ["airflow3/test_verdict.py"],
    "gates are looked at again": ["airflow3/test_gates_looked_at_again.py"],
    "a repeat takes the original's place": ["airflow3/hooks/test_asset_events.py"],
    "a retry clears as Airflow clears a part": ["airflow3/acting/test_retries.py"],
    "lost evidence is said, and a second repair finds the first one's readers": [
        "contracts/test_lineage_records.py",
        "contracts/test_lineage_assets.py",
    ],
    "what does not move says why": ["airflow3/acting/test_why_waiting.py"],
    "one bad step stops nothing else": ["airflow3/test_one_bad_step.py"],
    "what can't start takes no place": ["airflow3/acting/test_why_waiting.py"],
}


def test_each_is_shown_on_the_inside() -> None:
    files = [ROOT / "tests" / name for some in INSIDE.values() for name in some]
    assert [str(file) for file in files if "def test_" not in file.read_text()] == []


def test_each_is_shown_on_both_databases() -> None:
    files = sorted({f"tests/{name}" for some in ON_AIRFLOW.values() for name in some})
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", "-p", "no:cacheprovider", *files]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, set[str]] = defaultdict(set)
    for line in answer.stdout.splitlines():
        name, _, rest = line.partition("::")
        found[name] |= {database for database in ("sqlite", "postgres") if database in rest.partition("[")[2]}
    assert [name for name in files if found[name] != {"sqlite", "postgres"}] == []
