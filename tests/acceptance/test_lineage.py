"""Each kind of link on a history that the real scheduler made, of the Dags that `tests/airflow3/lineage_rows.py` uses.

The Dag processor parses the files, the scheduler and its workers make the runs, and a plan over REST has exactly the
links that are expected: one run for each Dag, but for the one that depends on its own past.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.acceptance.story import Story
from tests.live.harness import Json, StartAirflow

pytestmark = pytest.mark.acceptance

HERE = Path(__file__).parent
PARTITIONS = not version("apache-airflow-core").startswith("3.1.")
HOURS = 12
"""So long is the time for which the Dags have runs: a daily one has one, from 00:00."""

FIRST = (
    *("make", "plain", "second", "aliased", "other", "both"),
    *("parent", "child", "grandchild", "fixed_child", "named_child", "mapped_one", "mapped_two"),
    *("up", "an_hour_later", "a_group", "mapped", "templated", "deferrable", "up_one", "by_function"),
    *("marking", "marked", "writer", "reader", "rates"),
    *(("undated", "parts", "part_reader") if PARTITIONS else ()),
)
HISTORY = {**dict.fromkeys(FIRST, 1), "past": 3}
THEN = {"rates_reader": 1}
"""What is to run when the others have."""

NEEDS_PARTITIONS = pytest.mark.skipif(not PARTITIONS, reason="Airflow 3.1 has no partitions")
SENSORS = (
    "up > an_hour_later.wait: sensor recorded",
    "up > a_group.wait: sensor recorded",
    "up > mapped.wait: sensor recorded",  # its two indexes wait for two tasks
    "up > templated.wait: sensor recorded",
    "up > deferrable.wait: sensor recorded",
    *(("up > undated.wait: sensor recorded",) if PARTITIONS else ()),
)

ROWS = {
    "make": (
        "make.load > plain: asset recorded",
        "plain.load > second: asset recorded",
        "make.name_it > aliased: asset recorded",
        "make.load > both: asset recorded",
    ),
    "other": ("other.load > both: asset recorded",),
    "parts": ("parts.cut > part_reader: asset recorded",),
    "parent": (
        "parent.go > child: trigger recorded",
        "child.hand_on > grandchild: trigger recorded",
        "parent.go_fixed > fixed_child: trigger recorded",
        "parent.go_named > named_child: trigger recorded",
        "parent.go_mapped > mapped_one: trigger recorded",
        "parent.go_mapped > mapped_two: trigger recorded",
    ),
    "up": SENSORS,
    "up_one": ("up_one > by_function.wait: sensor recorded",),
    "marking": ("marking.mark > marked.read: marker derived", "marking.mark_live > marked?.read: marker unresolved"),
    "rates": ("rates.fetch > rates_reader.read: inlet derived",),
    "past": (
        "past.add > past#2.add: previous_run derived",
        "past#2.add > past#3.add: previous_run derived",
    ),
    "writer": ("writer.copy > reader.fetch: declared declared",),
}


class Lineage(Story):
    """A live Airflow with a run of each Dag, called by its Dag; ``past#2`` is the second one."""

    def make_history(self) -> None:
        """Let the scheduler make the runs, and find out their names."""
        self.airflow.wait_for_dags(*HISTORY, *THEN)
        for wanted in (HISTORY, THEN):
            self.client.make_history(wanted)
        self.names: dict[tuple[str, str], str] = {}
        seen: Counter[str] = Counter()
        for run in sorted(self.client.dag_runs(), key=lambda run: run["run_after"]):
            dag_id = run["dag_id"]
            seen[dag_id] += 1
            self.names[dag_id, run["dag_run_id"]] = dag_id if seen[dag_id] == 1 else f"{dag_id}#{seen[dag_id]}"
        assert seen == Counter({**HISTORY, **THEN}), "each Dag has the runs that it should have"

    def source(self, dag_id: str = "up") -> Json:
        """The first run of a Dag."""
        ((_, run_id),) = [ref for ref, name in self.names.items() if name == dag_id]
        return {"dag_id": dag_id, "run_id": run_id}

    def links(self, dag_id: str) -> list[str]:
        """The links of the plan for a Dag's first run, but those to runs that aren't made yet."""
        found = self.plan(source=self.source(dag_id))["links"]
        return [self.written(link) for link in found if "run_id" in link["downstream"] or len(link["downstream"]) == 1]

    def written(self, link: Json) -> str:
        """A link in the words of the table."""
        ends = [self.end(link["upstream"], link["from_task_id"]), self.end(link["downstream"], link["to_task_id"])]
        return f"{' > '.join(ends)}: {link['kind']} {link['evidence']}"

    def end(self, ref: Json, task_id: str | None) -> str:
        """An end of a link; ``dag?`` for a run that can't be told."""
        run_id = ref.get("run_id")
        name = f"{ref['dag_id']}?" if run_id is None else self.names[ref["dag_id"], run_id]
        return f"{name}.{task_id}" if task_id else name


@pytest.fixture(scope="module")
def lineage(start_airflow: StartAirflow) -> Lineage:
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    env = {
        "LINEAGE_START": (today - timedelta(days=1)).isoformat(),
        "LINEAGE_HOURS": str(HOURS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(HERE / "plugins_lineage"),
        "AIRFLOW__RERUN_DOWNSTREAM__DECLARED_LINKS_FILE": str(HERE / "lineage_links.yaml"),
    }
    made = Lineage(start_airflow(dags=[HERE / "dags_lineage"], database="postgresql", env=env))
    made.make_history()
    return made


@pytest.mark.parametrize(
    "dag_id", [pytest.param(dag_id, marks=NEEDS_PARTITIONS if dag_id == "parts" else ()) for dag_id in ROWS]
)
def test_a_plan_has_the_links_of_a_real_history(lineage: Lineage, dag_id: str) -> None:
    assert sorted(lineage.links(dag_id)) == sorted(ROWS[dag_id])
