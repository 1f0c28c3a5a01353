"""The list of metrics, the page about them and what the log says are one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports.metrics import LEASE_AGE, METRICS, PREFIX, TICKS
from tests.fakes.telemetry import documented_actions

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text()
TRACES = PAGE.partition("\n## Traces\n")[2].partition("\n## ")[0]
PACKAGE = ROOT / "airflow_rerun_downstream"
ROW = re.compile(rf"^\| `({PREFIX}\.[\w.]+)` \| (\w+) \| (\w+) \| (.+) \|$", re.MULTILINE)
NAME = re.compile(rf"(?<!\w){PREFIX}\.[a-z_.]+[a-z]")


def test_the_table_is_the_list() -> None:
    assert ROW.findall(PAGE) == [(one.name, one.kind.value, one.unit, one.meaning) for one in METRICS]


def test_no_name_is_there_twice_and_none_is_outside_of_what_backends_take() -> None:
    names = [one.name for one in METRICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"rerun_downstream(\.[a-z_]+)+", name) and len(name) < 100 for name in names)
    assert not any(other.startswith(f"{name}.") for name in names for other in names), "a name that is a folder, too"


def test_the_page_names_no_other_metric() -> None:
    known = {one.name for one in METRICS}
    for name in NAME.findall(PAGE.replace(TRACES, "")):
        assert name in known or any(each.startswith(f"{name}.") for each in known), name


def test_no_alert_rests_on_a_gauge_that_stands_still_when_its_process_is_gone() -> None:
    alerts = PAGE.partition("\nWorth an alert:\n")[2].partition("\n### ")[0]
    assert f"| no conductor | `{TICKS}`" in alerts
    assert f"`{LEASE_AGE}` is over" not in alerts
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text())
    of_the_lease = next(panel for panel in dashboard["panels"] if panel["title"] == "Age of the lease")
    assert "nobody leads" not in of_the_lease["description"]


def test_every_action_of_the_page_is_in_the_code() -> None:
    source = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    moves = {f"member_{state.value}" for state in MemberState} | {f"rerun_{state.value}" for state in RerunState}
    assert len(documented_actions()) > 30
    assert {one for one in documented_actions() if f'"{one}"' not in source} - moves == set()


def test_the_dashboard_uses_every_metric_and_no_other() -> None:
    """By the names that Airflow's own chart gives them, whose exporter turns dots into underscores."""
    dashboard = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text())
    used = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"[a-z_]+_[a-z_]*[a-z](?=[{\[)])", target["expr"])
    }
    assert used == {f"airflow_{one.name.replace('.', '_')}" for one in METRICS}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
