"""The commands as Airflow 3.2 and later take them from a provider."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand

from airflow_rerun_downstream.cli.arguments import NAME
from airflow_rerun_downstream.cli.exit_codes import help_text
from airflow_rerun_downstream.cli.verbs import VERBS

typed_arg: Any = Arg
"""Airflow's class has no annotations."""


def run(args: Namespace) -> None:
    """Carry a command out; ``args.subcommand`` names the verb."""
    from airflow_rerun_downstream.cli.main import carry_out

    if code := carry_out(args):
        raise SystemExit(code)


def get_cli_commands() -> list[CLICommand]:
    """``airflow rerun-downstream`` with all its verbs."""
    subcommands = [
        ActionCommand(
            name=verb.name,
            help=verb.help,
            func=run,
            args=tuple(typed_arg(flags=each.flags, **each.options) for each in verb.arguments),
            epilog=help_text(f"airflow {NAME} {verb.example}"),
        )
        for verb in VERBS
    ]
    return [GroupCommand(name=NAME, help="Rerun a Dag run and everything downstream", subcommands=subcommands)]
