"""Following a rerun while it goes on: what changed, line by line, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from airflow_rerun_downstream.cli.backends import Backend
from airflow_rerun_downstream.client.waiting import wait
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.rest import record_payloads

PAGE = 100


def followed(
    to: Backend, rerun_id: int, *, timeout: float | None = None, interval: float = 1.0
) -> record_payloads.Rerun:
    """Wait for a rerun's end and show its progress; answer its last state. See `wait` for the errors."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    follower = Follower(to, console)
    if not console.is_terminal:
        return wait(lambda: to.rerun(rerun_id), timeout=timeout, on_change=follower.show, interval=interval)
    with console.status(f"Rerun {rerun_id}") as status:

        def show(rerun: record_payloads.Rerun) -> None:
            follower.show(rerun)
            status.update(escape(summary(rerun)))

        return wait(lambda: to.rerun(rerun_id), timeout=timeout, on_change=show, interval=interval)


class Follower:
    """Tells of each member that moved, and of the rerun."""

    def __init__(self, to: Backend, console: Console) -> None:
        self._to = to
        self._console = console
        self._states: dict[int, MemberState] = {}

    def show(self, rerun: record_payloads.Rerun) -> None:
        """Print what has changed since the last time."""
        for member in every_member(self._to, rerun.id):
            before = self._states.get(member.id)
            if before is not member.state and (before or member.state is not MemberState.PENDING):
                self._print(f"{member.state.value:10} {member.dag_id} / {member.run_id}{reason(member)}")
            self._states[member.id] = member.state
        self._print(summary(rerun))

    def _print(self, line: str) -> None:
        self._console.print(escape(f"{datetime.now().astimezone():%H:%M:%S} {line}"))


def reason(of: record_payloads.Member | record_payloads.Rerun) -> str:
    """Why it stands where it stands, if there is something to say."""
    return f" ({of.state_reason})" if of.state_reason else ""


def summary(rerun: record_payloads.Rerun) -> str:
    """A rerun in a line."""
    counts = ", ".join(f"{number} {state}" for state, number in rerun.counts.model_dump().items() if number)
    left = f", {rerun.not_made_anew} not made anew" if rerun.not_made_anew else ""
    return f"rerun {rerun.id} is {rerun.state.value}{reason(rerun)}: {counts or 'no members'}{left}"


def every_member(to: Backend, rerun_id: int, *, offset: int = 0) -> Iterator[record_payloads.Member]:
    """All members, page by page: a server may answer with shorter pages than it was asked for."""
    while True:
        page = to.members(rerun_id, limit=PAGE, offset=offset)
        yield from page.members
        offset += len(page.members)
        if not page.members or offset >= page.total_entries:
            return
