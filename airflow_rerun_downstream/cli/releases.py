"""``release``: frozen runs of one rerun, one of them, or all there are."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterable

from airflow_rerun_downstream.cli import rendering
from airflow_rerun_downstream.cli.backends import Backend
from airflow_rerun_downstream.cli.exit_codes import ExitCode, Usage
from airflow_rerun_downstream.cli.progress import every_member
from airflow_rerun_downstream.cli.streams import say
from airflow_rerun_downstream.domain.states import MemberState
from airflow_rerun_downstream.rest import record_payloads
from airflow_rerun_downstream.rest.api import Api

PAGE = 100
"""Entries of a list that are asked for at once."""

INTERVAL = 1.0
"""Seconds between two looks while waiting."""


def release(args: Namespace, to: Backend) -> int:
    """Ask for the release, and wait until it is done if that is wanted."""
    if args.all == (args.rerun_id is not None):
        raise Usage("Give the id of a rerun, or --all.")
    if args.member_id is not None:
        rendering.show(to.release_member(args.rerun_id, args.member_id), args.output)
        wanted = [args.rerun_id]
    elif args.rerun_id is not None:
        rendering.show(to.release(args.rerun_id), args.output)
        wanted = [args.rerun_id]
    else:
        wanted = [each.id for each in freezing(to)]
        released = [to.release(rerun_id) for rerun_id in wanted]
        if isinstance(to, Api):
            for ref, due in to.release_lost():
                say(f"{ref} was held without a record; it starts at {due.isoformat()}.")
        rendering.show(record_payloads.Reruns(reruns=released, total_entries=len(released)), args.output)
    if args.wait and not released_in_time(to, wanted, args.member_id, timeout=args.timeout):
        say(f"Runs are still frozen after {args.timeout:g} seconds; a conductor will release them.")
        return ExitCode.TIMEOUT
    return ExitCode.DONE


def freezing(to: Backend) -> list[record_payloads.Rerun]:
    """Every rerun that holds frozen runs."""
    found: list[record_payloads.Rerun] = []
    while True:
        page = to.reruns(frozen=True, order_by="id", limit=PAGE, offset=len(found))
        found += page.reruns
        if not page.reruns or len(found) >= page.total_entries:
            return found


def frozen_members(to: Backend, reruns: Iterable[record_payloads.Rerun]) -> list[record_payloads.Member]:
    """The frozen members of reruns."""
    return [each for one in reruns for each in every_member(to, one.id) if each.state is MemberState.FROZEN]


def released_in_time(to: Backend, rerun_ids: Iterable[int], member_id: int | None, *, timeout: float | None) -> bool:
    """Wait until none of the runs is frozen any more; False if that takes too long."""
    until = None if timeout is None else time.monotonic() + timeout
    left = list(rerun_ids)
    while True:
        left = [each for each in left if still_frozen(to, each, member_id)]
        if not left:
            return True
        if until is not None and time.monotonic() >= until:
            return False
        time.sleep(INTERVAL)


def still_frozen(to: Backend, rerun_id: int, member_id: int | None) -> bool:
    """Whether a rerun has frozen runs, or this one is frozen."""
    if member_id is None:
        return to.rerun(rerun_id).counts.frozen > 0
    return any(each.id == member_id for each in every_member(to, rerun_id) if each.state is MemberState.FROZEN)
