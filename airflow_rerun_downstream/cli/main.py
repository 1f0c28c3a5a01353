"""The console script ``airflow-rerun-downstream``, and how a verb is carried out.

Exit codes: 0 done, 1 refused or (when waiting) not succeeded, 2 the command can't be understood.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from airflow_rerun_downstream import __version__
from airflow_rerun_downstream.cli.arguments import NAME, VERBS

DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130


def parser() -> argparse.ArgumentParser:
    """The console script's parser."""
    made = argparse.ArgumentParser(
        prog=f"airflow-{NAME}",
        description="Rerun a Dag run and everything downstream of it, across Dags and in dependency order.",
    )
    made.add_argument("--version", action="version", version=__version__)
    subparsers = made.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)
    for verb in VERBS:
        command = subparsers.add_parser(verb.name, help=verb.help, description=verb.help)
        for each in verb.arguments:
            command.add_argument(*each.flags, **each.options)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line; answer the exit code."""
    return carry_out(parser().parse_args(argv))


def carry_out(args: argparse.Namespace) -> int:
    """Carry a verb out; say on stderr why not."""
    from pydantic import ValidationError

    from airflow_rerun_downstream.cli import commands
    from airflow_rerun_downstream.client.exceptions import ClientError, RefusedError
    from airflow_rerun_downstream.domain.errors import Refusal
    from airflow_rerun_downstream.rest.problems import of_errors
    from airflow_rerun_downstream.settings import InvalidSetting

    try:
        return commands.ACTIONS[args.subcommand](args)
    except commands.Usage as error:
        return complain(str(error), USAGE)
    except ValidationError as error:
        _, body = of_errors(error.errors())
        return complain(f"{body['detail']} ({body['reason']})", REFUSED)
    except (Refusal, RefusedError) as refusal:
        return complain(f"{refusal.detail} ({refusal.reason})", REFUSED)
    except (ClientError, InvalidSetting) as error:
        return complain(str(error), REFUSED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read the output has enough of it
        return DONE
    except KeyboardInterrupt:
        return complain("Interrupted; a submitted rerun continues.", INTERRUPTED)


def complain(message: str, code: int) -> int:
    """Print a message for people and answer the code."""
    print(message, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
