"""The verbs. The example of each is shown by its help."""

from __future__ import annotations

from airflow_rerun_downstream.cli.argument_groups import (
    COMMON,
    DRY_RUN,
    FILTERS,
    MEMBER,
    PAGE,
    PART,
    PART_OF_RECORD,
    RERUN,
    SELECTION,
    SOURCE,
    TARGET,
    WAITING,
    WAITING_FOR_RELEASE,
)
from airflow_rerun_downstream.cli.arguments import Verb, argument, positive, switch

RUN = "shop_orders scheduled__2026-01-05T01:00:00+00:00"
"""The source run of the examples."""

VERBS = (
    Verb("plan", "Preview what a rerun would do; changes nothing", f"plan {RUN}", (*SOURCE, *COMMON)),
    Verb(
        "submit",
        "Rerun a run and what is downstream of it",
        f"submit {RUN} --wait --timeout 3600",
        (*SOURCE, *SELECTION, DRY_RUN, *WAITING, *COMMON),
    ),
    Verb(
        "propose",
        "Store a rerun for somebody who may edit its Dags' runs to approve",
        f'propose {RUN} --reason "wrong exchange rate"',
        (*SOURCE, *SELECTION, DRY_RUN, *WAITING, *COMMON),
    ),
    Verb(
        "approve",
        "Carry out a proposed rerun, as if you submitted it",
        "approve 7 --wait --timeout 3600",
        (
            RERUN,
            argument(
                "--plan-token",
                help="A later plan's token, of --dry-run: accept what has changed until then.",
                metavar="TOKEN",
            ),
            switch("--dry-run", "Only show what it would do now, and what has changed since it was proposed."),
            *WAITING,
            *COMMON,
        ),
    ),
    Verb(
        "reject",
        "End a proposed rerun; your own needs no right to edit runs",
        'reject 7 --reason "the feed is still wrong"',
        (RERUN, argument("--reason", help="Why, for the record."), *COMMON),
    ),
    Verb("list", "List the reruns", "list --state running --state failed", (*FILTERS, *PAGE, *COMMON)),
    Verb(
        "show",
        "Show a rerun and its members",
        "show 7 --output json",
        (RERUN, PART, *PART_OF_RECORD, *WAITING, *COMMON),
    ),
    Verb(
        "verify",
        "Check that a rerun made everything anew in order, by when its tasks ran",
        "verify 7 --csv",
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
        "estimate 7",
        (
            RERUN,
            argument(
                "--limit", help="The maximum number of members in a list.", type=positive, default=100, metavar="N"
            ),
            *COMMON,
        ),
    ),
    Verb("pause", "Dispatch nothing new; runs in flight continue", "pause 7", (RERUN, *COMMON), calls=True),
    Verb("resume", "Resume a paused rerun, or retry a failed one", "resume 7", (RERUN, *COMMON), calls=True),
    Verb("terminate", "End a rerun", "terminate 7", (RERUN, *COMMON), calls=True),
    Verb(
        "release",
        "Release a rerun's frozen runs, one of them, or all frozen runs",
        "release 7 --wait --timeout 600",
        (
            argument("rerun_id", help="The rerun's id.", type=int, metavar="ID", nargs="?"),
            argument("member_id", help="Only this member.", type=int, metavar="MEMBER_ID", nargs="?"),
            switch("--all", "All frozen runs of all reruns, for example before removing the package."),
            *WAITING_FOR_RELEASE,
            *COMMON,
        ),
    ),
    Verb("retry", "Dispatch a failed member again", "retry 7 12", (RERUN, MEMBER, *COMMON), calls=True),
    Verb("skip", "Continue as if a failed member had succeeded", "skip 7 12", (RERUN, MEMBER, *COMMON), calls=True),
    Verb(
        "comment",
        "Write a comment into a rerun's record",
        'comment 7 "The feed is right since 9:00"',
        (RERUN, argument("text", help="The comment, at most 2,000 characters.", metavar="TEXT"), *COMMON),
    ),
    Verb(
        "links",
        "Show what is upstream and downstream of a Dag, or a run's links, and how each is known",
        "links shop_orders",
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
        "conductor --once",
        (
            switch("--once", "Run one tick and exit."),
            switch("--release", "Take the lease from the current conductor, so that another can take over at once."),
        ),
    ),
    Verb(
        "db",
        "Migrate, downgrade, check or clean the package's tables",
        "db clean --before 2026-01-01 --dry-run",
        (
            argument(
                "action",
                help="migrate, downgrade, check, clean, export-archived or drop-archived.",
                metavar="ACTION",
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
    Verb(
        "check-upgrade",
        "Show what must end before upgrading Airflow or removing the package or its tables",
        "check-upgrade",
        (),
    ),
    Verb(
        "check-config",
        "Check the options of the package: wrong values, and names that nothing reads",
        "check-config",
        (),
    ),
    Verb("health", "Check the installation", "health --output json", COMMON),
    Verb("targets", "List the notification targets, and how their last tests went", "targets", COMMON),
    Verb("test-target", "Send a notification target a test message", "test-target data-team", (TARGET, *COMMON)),
)
