"""Verbs of those who run the installation: they work on the Airflow beside us."""

from __future__ import annotations

import logging
import signal
import threading
from argparse import Namespace
from types import FrameType
from typing import TYPE_CHECKING

from airflow_rerun_downstream import host, unsupported
from airflow_rerun_downstream.cli import cleaning_commands
from airflow_rerun_downstream.cli.exit_codes import ExitCode, Usage
from airflow_rerun_downstream.cli.questions import agreed, check_answerable
from airflow_rerun_downstream.cli.streams import answer, say
from airflow_rerun_downstream.conductor import loop
from airflow_rerun_downstream.domain.errors import SchemaMismatch

if TYPE_CHECKING:
    from airflow_rerun_downstream.conductor.tick import Conductor

CLEANING = {
    "clean": cleaning_commands.clean,
    "export-archived": cleaning_commands.export_archived,
    "drop-archived": cleaning_commands.drop_archived,
}

TELLING = 30.0
"""Seconds after which `conductor --once` begins to send no other notification."""

REPORTED_WITHIN = 5.0
"""Seconds that the last report gets at the end."""

TOLD_WITHIN = 10.0
"""Seconds that a notification gets which is on its way at the end."""


def conductor(args: Namespace) -> int:
    """Conduct until interrupted, or once; or take the lease from whoever has it."""
    if args.release:
        return free_lease()
    host.room("configuration").log_what_is_wrong()
    made = host.room("wiring").conductor()
    logging.getLogger("airflow_rerun_downstream").setLevel(logging.INFO)
    if args.once:
        return conduct_once(made)
    stop, wake = threading.Event(), threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        wake.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    reporter = host.room("wiring").reporter(host.room("installation.process_reports").CONDUCTOR)
    reporting = threading.Thread(target=reporter.run, args=(stop,), daemon=True)
    reporting.start()
    telling = threading.Thread(target=host.room("wiring").courier(made).run, args=(stop,), daemon=True)
    telling.start()
    say(f"Conductor {made.owner} is running; interrupt to stop it.")
    loop.run(made, stop, wake)
    reporting.join(REPORTED_WITHIN)
    telling.join(TOLD_WITHIN)
    say("The conductor has stopped.")
    return ExitCode.DONE


def conduct_once(made: Conductor) -> int:
    """Look once, and tell what is due to be told. What gets due later waits for the next time."""
    report = made.tick()
    if report.leading:
        host.room("wiring").courier(made).once(TELLING)
    made.resign()
    answer(
        f"{report.active} active reruns, {report.steps} steps done."
        if report.leading
        else "Another conductor is active; nothing was done."
    )
    return ExitCode.DONE


def free_lease() -> int:
    """Take the lease from whoever has it, so that any conductor can lead at once."""
    owner = host.room("wiring").free_lease()
    answer(
        "No conductor has the lease."
        if owner is None
        else (f"The lease of {owner} is free; the next conductor takes it.")
    )
    return ExitCode.DONE


def check_links(args: Namespace) -> int:
    """Print what a file of declared links says; negative when something in it is wrong."""
    configuration = host.room("configuration")
    found = configuration.read_declarations(args.dag_id) if args.dag_id else configuration.declarations()
    for link in found.links:
        ends = " -> ".join(
            ".".join(filter(None, end))
            for end in (
                (link.upstream_dag_id, link.upstream_task_id),
                (link.downstream_dag_id, link.downstream_task_id),
            )
        )
        answer(f"{link.file}:{link.line}: {ends} ({link.offset_text})")
    for problem in found.problems:
        say(problem.sentence())
    say(f"{len(found.links)} links are declared, {len(found.problems)} problems were found.")
    return ExitCode.NEGATIVE if found.problems else ExitCode.DONE


def check_config(_args: Namespace) -> int:
    """Say what is wrong with the options in this environment; negative if one can't be used. Needs no database."""
    configuration = host.room("configuration")
    wrong, without_effect = configuration.wrong_options(), configuration.options_without_effect()
    for each in (*wrong, *without_effect):
        answer(each)
    if not wrong and not without_effect:
        answer("Every option can be used.")
    return ExitCode.NEGATIVE if wrong else ExitCode.DONE


def check_upgrade(_args: Namespace) -> int:
    """Say what of ours can't be left alone, on whatever Airflow this is; negative if there is something."""
    left = unsupported.left()
    for rerun_id, dag_id, run_id in left.held:
        answer(f"rerun {rerun_id} holds {dag_id} / {run_id}" if run_id else f"rerun {rerun_id} freezes {dag_id}")
    for dag_id in left.parked:
        answer(f"asset events of {dag_id} are parked")
    if left.active:
        answer(f"active reruns: {', '.join(map(str, left.active))}")
    if not left:
        answer("Ready: no run is frozen, and no rerun is active.")
        return ExitCode.DONE
    if not host.supported():
        say(f"{host.why_not()} {unsupported.TOO_LATE}")
        return ExitCode.NEGATIVE
    say(
        "Wait for the reruns to end, or terminate them. Then release what is still frozen, with a "
        "conductor running: `airflow-rerun-downstream release --all --wait`."
    )
    return ExitCode.NEGATIVE


def db(args: Namespace) -> int:
    """Migrate, downgrade or check the tables, or clean them."""
    if args.action in CLEANING:
        return CLEANING[args.action](args)
    tables = host.room("database.our_tables")
    if args.action == "downgrade":
        return downgrade(args)
    if args.action == "migrate":
        tables.migrate()
    try:
        tables.check()
    except SchemaMismatch as mismatch:
        say(mismatch.detail)
        return ExitCode.NEGATIVE
    answer("The tables are up to date.")
    return ExitCode.DONE


def downgrade(args: Namespace) -> int:
    """Go back to an older revision, after a question; not while something would be lost with the tables."""
    if not args.revision:
        raise Usage("Give --revision; base removes the tables and every record in them.")
    question = f"The tables will be downgraded to {args.revision}. Records may be lost."
    check_answerable(question, yes=args.yes)
    tables = host.room("database.our_tables")
    tables.check_downgrade()
    if not agreed(question, "y", yes=args.yes):
        return ExitCode.NEGATIVE
    tables.downgrade(args.revision)
    answer(f"The tables are at {args.revision}.")
    return ExitCode.DONE
