"""`make demo`: one polluted day, seen and repaired, on a real Airflow in a temporary folder.

It starts Airflow with the shop's Dags (`dev/dags/`), lets the scheduler make three days of history, the
last one from a feed with a wrong exchange rate, corrects the feed, reruns the source and all that is
downstream of it, and checks every table. Then it stays until Ctrl-C, or ends with `--exit`. The exit
status says whether every table became right and no run too many was made.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from dev.airflow_client import AirflowClient, Json
from dev.live_airflow import ROOT, LiveAirflow
from dev.waiting import wait_until

DAGS = ROOT / "dev" / "dags"
API = "/rerun-downstream/api/v1"
SOURCE = "shop_orders"
DAILY = (
    SOURCE,
    "shop_clean_orders",
    "shop_revenue",
    "shop_customers",
    "shop_report",
    "shop_export",
    "shop_finance",
    "shop_dashboard",
)
WEEKLY = "shop_weekly"
# The tables that a polluted day spoils, and the Dag that writes each.
TABLES = {
    "orders": SOURCE,
    "clean_orders": "shop_clean_orders",
    "revenue": "shop_revenue",
    "customers": "shop_customers",
    "report": "shop_report",
    "export": "shop_export",
    "ledger": "shop_finance",
    "dashboard": "shop_dashboard",
    "weekly": WEEKLY,
}
RUNS_TIMEOUT = 60
RERUN_TIMEOUT = 240.0


class StoryFailed(Exception):
    """Something in the story isn't as it should be; the message says what."""


def days_of_the_story(now: datetime) -> list[str]:
    """Three days that end with the last Monday whose last run, at 04:00, is due: a week's last day."""
    due = (now - timedelta(hours=4, minutes=1)).date()
    monday = due - timedelta(days=due.weekday())
    return [str(monday - timedelta(days=ago)) for ago in (2, 1, 0)]


@dataclass
class Story:
    """The steps of the demo, in their order."""

    console: Console
    home: Path
    port: int
    days: list[str]
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.settings = {
            "RERUN_DEMO_DB": str(self.home / "shop" / "shop.db"),
            "RERUN_DEMO_FIRST_DAY": self.days[0],
            "RERUN_DEMO_LAST_DAY": self.days[-1],
            # The last Monday may be six days ago; by default only runs since yesterday can be a source.
            "AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE": "P30D",
        }
        self.airflow = LiveAirflow(self.home, dags=[DAGS], env=self.settings, port=self.port)
        self.shop = _import_shop(self.settings)

    @property
    def polluted_day(self) -> str:
        """The day whose feed arrives with a wrong exchange rate."""
        return self.days[-1]

    def tell(self) -> None:
        """Play all steps; the Airflow runs already."""
        client = self.log_in()
        self.make_history(client)
        self.show_tables("The wrong rate has flowed into every table", right=False)
        before = client.dag_runs()
        self.correct_the_feed()
        source = self.source_run(before)
        plan = self.plan(client, source)
        rerun = self.submit(client, source, plan)
        self.follow(client, rerun["id"])
        self.show_tables("Every table is right again", right=True)
        self.check_runs(before, self.ended_runs(client))

    # --- the steps ----------------------------------------------------------------------------------

    def log_in(self) -> AirflowClient:
        """Wait for the Dags, and say where Airflow is."""
        with self.step("Dag files are parsed"):
            self.airflow.wait_for_dags(*DAILY, WEEKLY)
        self.show_address()
        return self.airflow.login("admin")

    def show_address(self) -> None:
        """Print the address and the logins."""
        self.console.print(f"\n  {self.airflow.base_url}   user [bold]admin[/], password [bold]admin[/]")
        self.console.print("  (or viewer / viewer, who may look but not rerun)\n")

    def make_history(self, client: AirflowClient) -> None:
        """Let a day's feed arrive when the day before is finished, as in daily life."""
        for number, day in enumerate(self.days, start=1):
            polluted = day == self.polluted_day
            rate = self.shop.WRONG_RATE if polluted else self.shop.RIGHT_RATE
            self.shop.send_feed(day, rate)
            expected = dict.fromkeys(DAILY, number) | ({WEEKLY: 1} if polluted else {})
            with self.step(f"The feed of {day} arrives, with the rate {rate}; the scheduler runs {len(expected)} Dags"):
                client.make_history(expected)

    def correct_the_feed(self) -> None:
        """Write the polluted day's feed again, right this time."""
        self.shop.send_feed(self.polluted_day, self.shop.RIGHT_RATE)
        self.console.print(f"The feed of {self.polluted_day} is corrected: the rate is {self.shop.RIGHT_RATE}.\n")

    def source_run(self, runs: list[Json]) -> Json:
        """Pick the run whose data was wrong."""
        wanted = [run for run in runs if run["dag_id"] == SOURCE and run["logical_date"][:10] == self.polluted_day]
        if len(wanted) != 1:
            raise StoryFailed(f"{len(wanted)} runs of {SOURCE} on {self.polluted_day}, instead of one")
        return {"dag_id": SOURCE, "run_id": wanted[0]["dag_run_id"]}

    def plan(self, client: AirflowClient, source: Json) -> Json:
        """Ask what is downstream of the source, and show it; nothing is touched."""
        self.say(f"POST {API}/plans: what has consumed {source['dag_id']} {source['run_id']}?")
        plan = client.call("POST", f"{API}/plans", json={"source": source})
        self.console.print(_plan_table(plan))
        for warning in plan["warnings"]:
            self.console.print(f"  warning: {warning['detail']}")
        self.console.print()
        return plan

    def submit(self, client: AirflowClient, source: Json, plan: Json) -> Json:
        """Rerun the source and all that the plan selects."""
        self.say(f"POST {API}/reruns: rerun them, each after what it reads from")
        body = {
            "source": source,
            "plan_token": plan["plan_token"],
            "name": f"Right rate for {self.polluted_day}",
            "reason": "The feed came with a wrong exchange rate",
        }
        return client.call("POST", f"{API}/reruns", json=body)

    def follow(self, client: AirflowClient, rerun_id: int) -> None:
        """Print each change of a member's state until the rerun has ended."""
        started = time.monotonic()
        seen: dict[int, str] = {}

        def ended() -> Json | None:
            rerun = client.call("GET", f"{API}/reruns/{rerun_id}")
            for member in client.pages(f"{API}/reruns/{rerun_id}/members", "members"):
                if seen.get(member["id"]) != member["state"]:
                    self._print_progress(member, seen.get(member["id"]), time.monotonic() - started)
                    seen[member["id"]] = member["state"]
            return rerun if rerun["state"] in ("succeeded", "failed", "terminated") else None

        rerun = wait_until(ended, RERUN_TIMEOUT, f"rerun {rerun_id} to end", interval=0.5)
        seconds = time.monotonic() - started
        self.say(f"Rerun {rerun_id} has {rerun['state']} after {seconds:.0f} s: {_counts(rerun['counts'])}\n")
        if rerun["state"] != "succeeded":
            raise StoryFailed(f"the rerun has {rerun['state']}: {rerun['state_reason']}")

    def _print_progress(self, member: Json, before: str | None, seconds: float) -> None:
        waiting = sorted({run["dag_id"] for run in member["waiting_on"]}) if member["state"] == "pending" else []
        move = f"{before} → {member['state']}" if before else member["state"]
        behind = f"  waits for {', '.join(waiting)}" if waiting else ""
        self.console.print(f"  {seconds:5.1f} s  {member['dag_id']:<18} {move:<22}{behind}")

    def show_tables(self, title: str, *, right: bool) -> None:
        """Show what each table says of the polluted day, and fail unless all are right, or all wrong."""
        table = Table("table", "written by", "euros", "should be", "", title=title, title_justify="left")
        verdicts = set()
        for name, dag_id in TABLES.items():
            euros, wanted = self.shop.total(name, self.polluted_day), self.expected(name)
            is_right = abs(euros - wanted) < 0.05  # the rows are rounded to cents
            verdicts.add(is_right)
            verdict = "[green]right[/]" if is_right else "[red]WRONG[/]"
            table.add_row(name, dag_id, f"{euros:,.2f}", f"{wanted:,.2f}", verdict)
        self.console.print(table, "")
        if verdicts != {right}:
            raise StoryFailed(f"not all tables are {'right' if right else 'wrong'}")

    def expected(self, table: str) -> float:
        """Give what a table should say of the polluted day, from the feeds alone."""
        days = self.days if table == "weekly" else [self.polluted_day]
        return sum(self._right_total(day) for day in days)

    def _right_total(self, day: str) -> float:
        feed = json.loads(self.shop.feed_of(day).read_text())
        dollars = sum(order["dollars"] for order in feed["orders"] if not order["cancelled"])
        return float(dollars * self.shop.RIGHT_RATE)

    def ended_runs(self, client: AirflowClient) -> list[Json]:
        """The Dag runs when all have ended: the scheduler ends a run some time after the last of its tasks."""

        def ended() -> list[Json] | None:
            runs = client.dag_runs()
            return runs if all(run["state"] in ("success", "failed") for run in runs) else None

        return wait_until(ended, RUNS_TIMEOUT, "all Dag runs to end")

    def check_runs(self, before: list[Json], after: list[Json]) -> None:
        """No run was added, none failed, and the other days' runs were left alone."""
        old = {(run["dag_id"], run["dag_run_id"]): run for run in before}
        extra = [f"{run['dag_id']} {run['dag_run_id']}" for run in after if _key(run) not in old]
        if extra:
            raise StoryFailed(f"{len(extra)} Dag runs too many: {', '.join(extra)}")
        repeated = [run for run in after if run["start_date"] != old[_key(run)]["start_date"]]
        unfinished = [_key(run) for run in after if run["state"] != "success"]
        if unfinished or len(repeated) != len(TABLES):
            raise StoryFailed(f"{len(repeated)} runs instead of {len(TABLES)} ran again; not successful: {unfinished}")
        self.say(f"{len(repeated)} Dag runs ran again, {len(after) - len(repeated)} were left alone, 0 were added.")

    # --- how it is told -----------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Print a sentence of the story."""
        self.console.print(text, highlight=False, markup=False)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what is being done, and how long it took."""
        started = time.monotonic()
        with self.console.status(text):
            yield
        self.say(f"{text} … {time.monotonic() - started:.0f} s")


def _plan_table(plan: Json) -> Table:
    reached_by: dict[tuple[str, str], list[str]] = {}
    for link in plan["links"]:
        downstream = (link["downstream"]["dag_id"], link["downstream"].get("run_id", ""))
        reached_by.setdefault(downstream, []).append(
            f"{link['kind']} of {link['upstream']['dag_id']} ({link['evidence']})"
        )
    table = Table("", "Dag", "run", "status", "reached by", title="The plan", title_justify="left")
    for run in [plan["source"], *plan["runs"]]:
        key = (run["dag_id"], run["run_id"] or "")
        chosen = "[x]" if run["selected"] or run is plan["source"] else "[ ]"
        links = "\n".join(sorted(set(reached_by.get(key, ["the source"]))))
        table.add_row(chosen.replace("[", r"\["), run["dag_id"], _short(run), run["status"], links)
    return table


def _short(run: Json) -> str:
    """Name a run by its kind and date; ids of asset-triggered runs are too long for a table."""
    return f"{run['run_type']} {(run['logical_date'] or run['run_after'] or 'next')[:16]}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def _key(run: Json) -> tuple[str, str]:
    return run["dag_id"], run["dag_run_id"]


def _import_shop(settings: Mapping[str, str]) -> Any:
    """Import the Dags' own module; it reads its settings from the environment when it is imported."""
    os.environ.update({name: value for name, value in settings.items() if name.startswith("RERUN_DEMO")})
    sys.path.insert(0, str(DAGS))
    sys.modules.pop("shop", None)  # a second story in one process has other settings
    return importlib.import_module("shop")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _end_on_sigterm(number: int, frame: FrameType | None) -> None:
    """Leave by the usual way, so that Airflow's processes end too."""
    raise KeyboardInterrupt


def play(console: Console, port: int, home: Path, *, stay: bool) -> int:
    """Start Airflow, play the story and return the exit status."""
    story = Story(console, home, port, days_of_the_story(datetime.now(timezone.utc)))
    with ExitStack() as stack:
        with story.step("Airflow starts: database, api-server, scheduler, dag-processor, triggerer"):
            stack.enter_context(story.airflow)
        try:
            story.tell()
        except (StoryFailed, TimeoutError, RuntimeError, httpx.HTTPError) as error:
            print(f"{story.airflow.log_tails()}\n\nThe story went wrong: {error}", flush=True)
            return 1
        story.say(f"\nThe story is true. It took {time.monotonic() - story.started:.0f} s.")
        if stay:
            story.show_address()
            story.say("Airflow stays until Ctrl-C.")
            threading.Event().wait()
    return 0


def main() -> None:
    """Read the command line and play the story in a temporary folder, which is removed afterwards."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--exit", action="store_true", help="end after the story instead of staying")
    parser.add_argument("--port", type=int, help="port of the api-server; default: 8080, or any free one")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, _end_on_sigterm)
    console = Console(width=None if sys.stdout.isatty() else 120)
    port = arguments.port or (8080 if _free(8080) else 0)
    home = Path(tempfile.mkdtemp(prefix="rerun-demo-"))
    story_status = 1
    try:
        story_status = play(console, port, home, stay=not arguments.exit)
    except KeyboardInterrupt:
        console.print("\nAirflow ends.")
        story_status = 0
    finally:
        shutil.rmtree(home, ignore_errors=True)
    sys.exit(story_status)


if __name__ == "__main__":
    main()
