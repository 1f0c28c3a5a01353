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
    """A subcommand."""

    name: str
    help: str
    arguments: tuple[Argument, ...]


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
            raise argparse.ArgumentError(self, "give it once, right after the --member that it belongs to")
        named[-1] = (named[-1], values)


REACH = (
    argument(
        "--url",
        help="Airflow's address, to speak to its REST API; without it the command uses the metadata database of "
        "the Airflow beside it. Also $AIRFLOW_RERUN_DOWNSTREAM_URL.",
    ),
    argument(
        "--token",
        help="A token for --url. Better $AIRFLOW_RERUN_DOWNSTREAM_TOKEN: everybody on this machine can read the "
        "arguments of a process.",
    ),
    argument(
        "--username",
        help="A login for --url instead of a token; the password is $AIRFLOW_RERUN_DOWNSTREAM_PASSWORD, or asked for. "
        "Also $AIRFLOW_RERUN_DOWNSTREAM_USERNAME.",
    ),
)
OUTPUT = (
    argument(
        "--output",
        "-o",
        help="How to print: a table, or the objects of the REST API as JSON or YAML.",
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
    switch("--already-right", "The source's data is right already: rerun only what is downstream of it."),
    switch("--include-manual", "Show manual and backfill runs too."),
    many(
        "--link-kind",
        "Follow only links of this kind: asset, trigger, sensor, marker, inlet, previous_run or declared.",
        metavar="KIND",
    ),
    argument("--max-runs", help="Refuse a plan with more downstream runs.", type=positive, metavar="N"),
    argument("--max-depth", help="Follow links only so far.", type=positive, metavar="N"),
    argument("--file", "-f", help="A body of the REST API as JSON instead of arguments; - reads it from stdin."),
)
SELECTION = (
    many(
        "--member",
        "A downstream run to rerun, DAG_ID/RUN_ID: all that comes after the slash is the run's id. "
        "Default: what the plan selects.",
        metavar="DAG_ID/RUN_ID",
    ),
    argument(
        "--member-tasks",
        help="The tasks of the --member right before it, task_id or task_id[map_index]. Default: what the plan selects "
        "of that run.",
        action=TasksOfMember,
        dest="member",
        default=argparse.SUPPRESS,
        metavar="TASK[,TASK…]",
    ),
    switch("--only-source", "Rerun nothing downstream."),
    switch("--freeze-mode", "Take --member runs that are queued or running too: they are stopped, and rerun in turn."),
    many(
        "--freeze",
        "A downstream run to hold until the rerun has succeeded, in freeze mode: DAG_ID@LOGICAL_DATE or DAG_ID@next "
        "(not made yet; the next one that assets start), DAG_ID@partition:KEY, or DAG_ID/RUN_ID.",
        metavar="DAG_ID@WHICH",
    ),
    argument("--plan-token", help="The plan's token: refuse if something has changed since.", metavar="TOKEN"),
    argument("--name", help="A name for the record."),
    argument("--reason", help="Why, for the record."),
    argument(
        "--on-failure",
        help="When a member fails: go on with the branches that don't need it, or pause.",
        choices=("continue_other_branches", "pause"),
    ),
    argument("--max-active-members", help="How many runs may be in flight at once.", type=positive, metavar="N"),
    switch("--latest-version", "Run on the latest version of each Dag."),
    switch("--same-version", "Run on the Dag version that each run had."),
    switch("--no-stop-on-terminate", "Terminating the rerun lets runs in flight go on."),
    switch("--accept-unknown-offsets", "Go on although runs of sensors whose offset isn't known may be missing."),
    switch("--accept-duplicate-runs", "Go on although repeated asset events would start extra runs."),
    many(
        "--notify",
        "Notify a target of the deployment, TARGET or TARGET:condition,condition out of succeeded, terminated, "
        "member_failed.",
        metavar="TARGET[:CONDITION,…]",
    ),
)
DRY_RUN = switch("--dry-run", "Only say what would happen, in which order, or why it would be refused.")
WAITING = (
    switch("--wait", "Wait for the end, showing progress; fails unless the rerun succeeds."),
    argument("--timeout", help="Wait no longer than this many seconds.", type=float, metavar="SECONDS"),
)
WAITING_FOR_RELEASE = (
    switch("--wait", "Return when the conductor has released them."),
    argument("--timeout", help="Wait no longer than this many seconds.", type=float, metavar="SECONDS"),
)
RERUN = argument("rerun_id", help="The rerun's id.", type=int, metavar="ID")
MEMBER = argument("member_id", help="The member's id.", type=int, metavar="MEMBER_ID")
PAGE = (
    argument("--limit", help="How many entries.", type=int, default=50, metavar="N"),
    argument("--offset", help="How many entries to leave out first.", type=int, default=0, metavar="N"),
)
FILTERS = (
    many("--state", "Only reruns in this state."),
    argument("--dag-id", help="Only reruns with a run of this Dag."),
    argument("--run-id", help="Only reruns with this run."),
    argument("--created-by", help="Only this user's reruns."),
    argument("--created-at-gte", help="Only reruns from this time on (ISO 8601 with zone)."),
    argument("--created-at-lte", help="Only reruns up to this time (ISO 8601 with zone)."),
    switch("--frozen", "Only reruns that hold frozen runs; as a table, with these runs."),
    argument("--order-by", help="A field, with - before it for descending.", default="-id", metavar="FIELD"),
)
PARTS = (
    argument(
        "--part",
        help="Print this part of the record instead of its summary.",
        choices=("members", "not-made-anew", "links", "events"),
    ),
)

VERBS = (
    Verb("plan", "Preview what a rerun would do; changes nothing", (*SOURCE, *COMMON)),
    Verb("submit", "Rerun a run and what is downstream of it", (*SOURCE, *SELECTION, DRY_RUN, *WAITING, *COMMON)),
    Verb("list", "List the reruns", (*FILTERS, *PAGE, *COMMON)),
    Verb("show", "Show a rerun and its members", (RERUN, *PARTS, *PAGE, *WAITING, *COMMON)),
    Verb(
        "verify",
        "Prove that a rerun made everything anew in order, from when its tasks ran",
        (
            RERUN,
            argument("--limit", help="At most so many findings.", type=positive, default=1_000, metavar="N"),
            switch("--csv", "Print the findings as CSV, for a spreadsheet."),
            *COMMON,
        ),
    ),
    Verb("pause", "Dispatch nothing new; runs in flight go on", (RERUN, *COMMON)),
    Verb("resume", "Let a paused rerun go on; a failed one retries", (RERUN, *COMMON)),
    Verb("terminate", "End a rerun", (RERUN, *COMMON)),
    Verb(
        "release",
        "Release frozen runs: those of a rerun, one of them, or all there are",
        (
            argument("rerun_id", help="The rerun's id.", type=int, metavar="ID", nargs="?"),
            argument("member_id", help="Only this member.", type=int, metavar="MEMBER_ID", nargs="?"),
            switch("--all", "Every frozen run of every rerun, as before the package is removed."),
            *WAITING_FOR_RELEASE,
            *COMMON,
        ),
    ),
    Verb("retry", "Dispatch a failed member again", (RERUN, MEMBER, *COMMON)),
    Verb("skip", "Go on as if a failed member had succeeded", (RERUN, MEMBER, *COMMON)),
    Verb(
        "links",
        "Show what is upstream and downstream of a Dag, or a run's links, and how each is known",
        (
            argument("dag_id", help="The Dag; with --check, the file.", metavar="DAG_ID", nargs="?"),
            argument("run_id", help="The run; without it, what the Dags define.", metavar="RUN_ID", nargs="?"),
            switch("--include-manual", "Show manual and backfill runs too."),
            switch(
                "--check",
                "Read a file of declared links, by default that of declared_links_file, and say what is wrong with it.",
            ),
            *COMMON,
        ),
    ),
    Verb(
        "conductor",
        "Conduct reruns in the foreground until interrupted",
        (
            switch("--once", "Look once, do what can be done now, and end."),
            switch("--release", "Take the lease from the conductor that has it, so that another one can lead at once."),
        ),
    ),
    Verb(
        "db",
        "Migrate, downgrade or check the package's tables",
        (
            argument("action", help="What to do.", choices=("migrate", "downgrade", "check")),
            argument("--revision", help="downgrade: the revision to go back to; base removes the tables."),
            argument("--yes", "-y", help="Don't ask.", action="store_true", default=False),
        ),
    ),
    Verb("check-upgrade", "Show what must be over before Airflow is upgraded, or the package or its tables go", ()),
    Verb("health", "Show whether every part of the installation works", COMMON),
)
