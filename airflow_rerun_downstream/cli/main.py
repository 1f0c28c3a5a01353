# PYTHON_ARGCOMPLETE_OK
"""The console script ``airflow-rerun-downstream``, and how a verb is carried out. `exit_codes` says how it ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from textwrap import fill
from types import FrameType

from airflow_rerun_downstream import __version__
from airflow_rerun_downstream.cli.arguments import NAME, OneOf
from airflow_rerun_downstream.cli.exit_codes import ExitCode, help_text
from airflow_rerun_downstream.cli.streams import answers_only, say
from airflow_rerun_downstream.cli.verbs import VERBS

PROGRAM = f"airflow-{NAME}"

HELP_WIDTH = 78
"""Columns of a sentence in a help page."""


def parser() -> argparse.ArgumentParser:
    """The console script's parser."""
    made = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Rerun a Dag run and everything downstream of it, across Dags and in dependency order.",
        epilog=help_text(f"{PROGRAM} {VERBS[0].example}"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=__version__)
    subparsers = made.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    for verb in VERBS:
        command = subparsers.add_parser(
            verb.name,
            help=verb.help,
            description=fill(verb.help, HELP_WIDTH),
            epilog=help_text(f"{PROGRAM} {verb.example}"),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        for each in verb.arguments:
            action = command.add_argument(*each.flags, **each.options)
            if isinstance(words := each.options.get("type"), OneOf):
                action.completer = words.completions  # type: ignore[attr-defined]  # argcomplete looks for it
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line; answer the exit code."""
    made = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks how the line may go on
        import argcomplete

        argcomplete.autocomplete(made)
    return carry_out(made.parse_args(argv))


def carry_out(args: argparse.Namespace) -> int:
    """Carry a verb out; say on stderr why not. However it ends, there is an exit code and no traceback of ours."""
    with interrupts() as noted:
        try:
            with answers_only():
                code = ended(args)
        except BrokenPipeError:
            return ExitCode.CLOSED
        except BaseException as error:
            if not noted and not isinstance(error, KeyboardInterrupt):
                raise
            return complain("Interrupted; a submitted rerun continues.", ExitCode.INTERRUPTED)
        return code


@contextmanager
def interrupts() -> Iterator[list[int]]:
    """Note that somebody interrupts. In the middle of an import a library may make another error of it."""
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield noted
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def ended(args: argparse.Namespace) -> int:
    """Carry a verb out; answer how it ended."""
    from pydantic import ValidationError

    from airflow_rerun_downstream.cli import commands
    from airflow_rerun_downstream.cli.exit_codes import Usage
    from airflow_rerun_downstream.cli.hints import hint
    from airflow_rerun_downstream.client.exceptions import ClientError, RefusedError
    from airflow_rerun_downstream.domain.errors import Refusal
    from airflow_rerun_downstream.rest.problems import of_errors
    from airflow_rerun_downstream.settings import InvalidSetting

    try:
        return commands.ACTIONS[args.subcommand](args)
    except Usage as error:
        return complain(str(error), ExitCode.USAGE)
    except ValidationError as error:
        status, body = of_errors(error.errors())
        return complain(f"{body['detail']} ({body['reason']})", code_of(status))
    except (Refusal, RefusedError) as refusal:
        said = f"{refusal.detail} ({refusal.reason})"
        return complain("\n".join(filter(None, (said, hint(refusal.reason, refusal.extra)))), code_of(refusal.status))
    except (ClientError, InvalidSetting) as error:
        return complain(str(error), ExitCode.ERROR)
    except BrokenPipeError:
        raise
    except Exception:
        import traceback

        return complain(traceback.format_exc(), ExitCode.ERROR)


def code_of(status: int) -> ExitCode:
    """The exit code of a refusal, by its HTTP status: local and remote commands end alike."""
    if status >= 500:
        return ExitCode.ERROR
    return ExitCode.USAGE if status == 422 else ExitCode.REFUSED


def complain(message: str, code: ExitCode) -> ExitCode:
    """Print a message for people and answer the code."""
    with suppress(BrokenPipeError):  # nobody reads it, either
        say(message)
    return code


if __name__ == "__main__":
    sys.exit(main())
