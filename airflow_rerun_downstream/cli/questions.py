"""Asking a person. Where nobody can answer, the error names the option that answers instead."""

from __future__ import annotations

import getpass
import sys

from airflow_rerun_downstream.cli.exit_codes import Usage
from airflow_rerun_downstream.cli.streams import say


def agreed(question: str, words: str, *, yes: bool) -> bool:
    """Whether somebody has typed the words, or ``--yes`` stands for them. Raises `Usage` where nobody can."""
    check_answerable(question, yes=yes)
    if yes:
        return True
    say(question)
    print(f"Enter '{words}' (without quotes) to proceed: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() == words:
        return True
    say("Nothing was changed.")
    return False


def check_answerable(question: str, *, yes: bool) -> None:
    """Refuse what will ask a question where nobody can answer it. Raises `Usage`."""
    if not yes and not can_ask():
        raise Usage(f"There is no terminal to ask for confirmation: use --yes. {question}")


def asked_password(username: str, url: str) -> str:
    """The password that a person types. Raises `Usage` where nobody can."""
    instead = "set AIRFLOW_RERUN_DOWNSTREAM_PASSWORD, or use a token: AIRFLOW_RERUN_DOWNSTREAM_TOKEN or --token."
    if not can_ask():
        raise Usage(f"There is no terminal to prompt for the password: {instead}")
    try:
        return getpass.getpass(f"Password of {username} at {url}: ")
    except EOFError:
        raise Usage(f"No password was typed: {instead}") from None


def can_ask() -> bool:
    """Whether a person sits at a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()
