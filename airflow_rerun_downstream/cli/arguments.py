"""What can be typed: the verbs and their arguments. Light, because every ``airflow`` command reads it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any

NAME = "rerun-downstream"


@dataclass(frozen=True)
class Argument:
    """An argument as both argparse and Airflow's own parser take it."""

    flags: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verb:
    """A subcommand. ``calls``: the call of the contract that its name is takes its ids, and what that answers is shown;
    what any other verb does stands in `commands`."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    calls: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the arguments without a dash."""
        return tuple(each.flags[0] for each in self.arguments if not each.flags[0].startswith("-"))


def argument(*flags: str, **options: Any) -> Argument:
    """An argument; the flags come first."""
    return Argument(flags, options)


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def switch(flag: str, help: str) -> Argument:
    """An option without a value."""
    return argument(flag, help=help, action="store_true", default=False)


def many(flag: str, help: str, **options: Any) -> Argument:
    """An option that may be repeated."""
    return argument(flag, help=f"{help} May be repeated.", action="append", default=None, **options)


class TasksOfMember(argparse.Action):
    """Narrows the ``--member`` that stands right before to some of its tasks."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Put the tasks beside their run."""
        named = getattr(namespace, "member", None) or [()]
        if not isinstance(named[-1], str):
            raise argparse.ArgumentError(self, "use it once, right after the --member it applies to")
        named[-1] = (named[-1], values)


REACH = (
    argument(
        "--url",
        help=(
            "Airflow's address, to use its REST API. Default: the metadata database of the local Airflow. Also "
            "$AIRFLOW_RERUN_DOWNSTREAM_URL."
        ),
    ),
    argument(
        "--token",
        help=(
            "A token for --url. Prefer $AIRFLOW_RERUN_DOWNSTREAM_TOKEN: anyone on this machine can read a "
            "process's arguments."
        ),
    ),
    argument(
        "--username",
        help=(
            "A username for --url instead of a token; the password is $AIRFLOW_RERUN_DOWNSTREAM_PASSWORD, or "
            "prompted for. Also $AIRFLOW_RERUN_DOWNSTREAM_USERNAME."
        ),
    ),
)
OUTPUT = (
    argument(
        "--output",
        "-o",
        help="Output format: a table, or the REST API's objects as JSON or YAML.",
        choices=("table", "json", "yaml"),
        default="table",
    ),
)
COMMON = REACH + OUTPUT

SOURCE = (
    argument("dag_id", help="The Dag of the source run.", metavar="DAG_ID", nargs="?"),
    argument("run_id", help="The source run.", metavar="RUN_ID", nargs="?"),
    many(
        "--task-id",
        "A task (or task group) of the source run to rerun, task_id or task_id[map_index]. "
        "Default: the failed ones, or all if none has failed.",
        metavar="TASK",
    ),
    switch("--already-right", "The source's data is already right: rerun only what is downstream of it."),
    switch("--include-manual", "Show manual and backfill runs too."),
    many(
        "--link-kind",
        "Follow only links of this kind: asset, trigger, sensor, marker, inlet, previous_run or declared.",
        metavar="KIND",
    ),
    argument("--max-runs", help="Refuse a plan with more downstream runs.", type=positive, metavar="N"),
    argument("--max-depth", help="Follow links to this depth only.", type=positive, metavar="N"),
    argument("--file", "-f", help="A REST API request body (JSON) instead of arguments; - reads stdin."),
)
SELECTION = (
    many(
        "--member",
        "A downstream run to rerun; everything after the first slash is the run id. Default: the plan's selection.",
        metavar="DAG_ID/RUN_ID",
    ),
    argument(
        "--member-tasks",
        help=(
            "The tasks of the preceding --member, task_id or task_id[map_index]. Default: the plan's selection "
            "for that run."
        ),
        action=TasksOfMember,
        dest="member",
        default=argparse.SUPPRESS,
        metavar="TASK[,TASK…]",
    ),
    switch("--only-source", "Rerun nothing downstream."),
    switch("--freeze-mode", "Also accept queued or running --member runs: they are stopped, then rerun in order."),
    many(
        "--freeze",
        "A downstream run to hold until the rerun succeeds, in freeze mode: DAG_ID@LOGICAL_DATE or "
        "DAG_ID@next (not created yet; next: started by assets), DAG_ID@partition:KEY, or DAG_ID/RUN_ID.",
        metavar="DAG_ID@WHICH",
    ),
    argument("--plan-token", help="The plan's token: refuse if something has changed since.", metavar="TOKEN"),
    argument("--name", help="A name for the record."),
    argument("--reason", help="Why, for the record."),
    argument(
        "--on-failure",
        help="If a member fails: continue with the branches that don't need it, or pause.",
        choices=("continue_other_branches", "pause"),
    ),
    argument("--max-active-members", help="How many runs may be in flight at once.", type=positive, metavar="N"),
    switch("--latest-version", "Run on the latest version of each Dag."),
    switch("--same-version", "Run on the Dag version that each run had."),
    switch("--no-stop-on-terminate", "Let runs in flight continue when the rerun is terminated."),
    switch("--accept-unknown-offsets", "Continue although runs of sensors with an unknown offset may be missing."),
    switch("--accept-duplicate-runs", "Continue although repeated asset events would start extra runs."),
    many(
        "--notify",
        "Notify a configured target: TARGET, or TARGET:condition,condition with succeeded, terminated, member_failed, "
        "paused, not_proven, frozen_too_long. Default: the first three.",
        metavar="TARGET[:CONDITION,…]",
    ),
)
DRY_RUN = switch("--dry-run", "Only show what would happen, in which order, or why it would be refused.")
WAITING = (
    switch("--wait", "Wait until the rerun ends and show progress; fail unless it succeeds."),
    argument("--timeout", help="Wait at most this many seconds.", type=float, metavar="SECONDS"),
)
WAITING_FOR_RELEASE = (
    switch("--wait", "Wait until the conductor has released them."),
    argument("--timeout", help="Wait at most this many seconds.", type=float, metavar="SECONDS"),
)
RERUN = argument("rerun_id", help="The rerun's id.", type=int, metavar="ID")
MEMBER = argument("member_id", help="The member's id.", type=int, metavar="MEMBER_ID")
TARGET = argument("target", help="The target's name.", metavar="TARGET")
PAGE = (
    argument("--limit", help="How many entries.", type=int, default=50, metavar="N"),
    argument("--offset", help="How many entries to skip.", type=int, default=0, metavar="N"),
)
FILTERS = (
    many("--state", "Only reruns in this state."),
    argument("--dag-id", help="Only reruns with a run of this Dag."),
    argument("--run-id", help="Only reruns with this run."),
    argument("--created-by", help="Only this user's reruns."),
    argument("--created-at-gte", help="Only reruns from this time on (ISO 8601 with zone)."),
    argument("--created-at-lte", help="Only reruns up to this time (ISO 8601 with zone)."),
    switch("--frozen", "Only reruns with frozen runs; the table lists those runs."),
    argument("--order-by", help="A field, with - before it for descending.", default="-id", metavar="FIELD"),
)
PARTS = (
    argument(
        "--part",
        help="Print this part of the record instead of the summary.",
        choices=("members", "not-made-anew", "links", "events", "notifications"),
    ),
)

VERBS = (
    Verb("plan", "Preview what a rerun would do; changes nothing", (*SOURCE, *COMMON)),
    Verb("submit", "Rerun a run and what is downstream of it", (*SOURCE, *SELECTION, DRY_RUN, *WAITING, *COMMON)),
    Verb("list", "List the reruns", (*FILTERS, *PAGE, *COMMON)),
    Verb("show", "Show a rerun and its members", (RERUN, *PARTS, *PAGE, *WAITING, *COMMON)),
    Verb(
        "verify",
        "Check that a rerun made everything anew in order, by when its tasks ran",
        (
            RERUN,
            argument("--limit", help="The maximum number of findings.", type=positive, default=1_000, metavar="N"),
            switch("--csv", "Print the findings as CSV, for a spreadsheet."),
            *COMMON,
        ),
    ),
    Verb(
        "estimate",
        "Show when a rerun is expected to end, which members decide that, and what delays it",
        (
            RERUN,
            argument(
                "--limit", help="The maximum number of members in a list.", type=positive, default=100, metavar="N"
            ),
            *COMMON,
        ),
    ),
    Verb("pause", "Dispatch nothing new; runs in flight continue", (RERUN, *COMMON), calls=True),
    Verb("resume", "Resume a paused rerun, or retry a failed one", (RERUN, *COMMON), calls=True),
    Verb("terminate", "End a rerun", (RERUN, *COMMON), calls=True),
    Verb(
        "release",
        "Release a rerun's frozen runs, one of them, or all frozen runs",
        (
            argument("rerun_id", help="The rerun's id.", type=int, metavar="ID", nargs="?"),
            argument("member_id", help="Only this member.", type=int, metavar="MEMBER_ID", nargs="?"),
            switch("--all", "All frozen runs of all reruns, for example before removing the package."),
            *WAITING_FOR_RELEASE,
            *COMMON,
        ),
    ),
    Verb("retry", "Dispatch a failed member again", (RERUN, MEMBER, *COMMON), calls=True),
    Verb("skip", "Continue as if a failed member had succeeded", (RERUN, MEMBER, *COMMON), calls=True),
    Verb(
        "links",
        "Show what is upstream and downstream of a Dag, or a run's links, and how each is known",
        (
            argument("dag_id", help="The Dag; with --check, the file.", metavar="DAG_ID", nargs="?"),
            argument("run_id", help="The run. Default: what the Dags define.", metavar="RUN_ID", nargs="?"),
            switch("--include-manual", "Show manual and backfill runs too."),
            switch(
                "--check",
                "Read a declared links file (default: declared_links_file) and report its errors.",
            ),
            *COMMON,
        ),
    ),
    Verb(
        "conductor",
        "Run the conductor in the foreground until interrupted",
        (
            switch("--once", "Run one tick and exit."),
            switch("--release", "Take the lease from the current conductor, so that another can take over at once."),
        ),
    ),
    Verb(
        "db",
        "Migrate, downgrade, check or clean the package's tables",
        (
            argument(
                "action",
                help="What to do.",
                choices=("migrate", "downgrade", "check", "clean", "export-archived", "drop-archived"),
            ),
            argument("--revision", help="downgrade: the revision to go back to; base removes the tables."),
            argument("--yes", "-y", help="Don't ask.", action="store_true", default=False),
            argument(
                *("--before", "--clean-before-timestamp"),
                help="clean: remove the records of reruns that ended before (ISO 8601, by default in Airflow's zone).",
                metavar="TIMESTAMP",
            ),
            switch("--dry-run", "clean: only say what would go."),
            argument("--batch-size", help="clean: about as many rows in one transaction.", type=positive),
            switch("--skip-archive", "clean: keep no copy of the rows in archive tables."),
            argument("--output-path", help="export-archived: the folder of the files.", metavar="DIRPATH"),
            argument("--export-format", help="export-archived: csv.", choices=("csv",), default="csv"),
            switch("--drop-archives", "export-archived: drop the archive tables afterwards."),
        ),
    ),
    Verb("check-upgrade", "Show what must end before upgrading Airflow or removing the package or its tables", ()),
    Verb("check-config", "Check the options of the package: wrong values, and names that nothing reads", ()),
    Verb("health", "Check the installation", COMMON),
    Verb("targets", "List the notification targets, and how their last tests went", COMMON),
    Verb("test-target", "Send a notification target a test message", (TARGET, *COMMON)),
)
