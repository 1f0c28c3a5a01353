"""The plan token: a digest per run, so that a stale plan can be refused with what changed."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from airflow_rerun_downstream.domain.errors import Invalid
from airflow_rerun_downstream.domain.plan import Link, PlanContent, PlannedRun
from airflow_rerun_downstream.domain.refs import RunRef, Tasks, by_name
from airflow_rerun_downstream.domain.sentence import Sentence

SIZE = 6
"""Bytes of each digest: two of them per run keep a plan of 10,000 runs under 160 kB."""

SELECTED = 1
"""The bit of a run's digest that says whether it was selected by itself."""


def digest(*words: object) -> bytes:
    """A short digest of words."""
    return hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()[:SIZE]


def run_digests(plan: PlanContent) -> dict[RunRef, bytes]:
    """What the token says of each shown run: its attempt, selectability, selected tasks and incoming links."""
    selections: dict[Tasks, bytes] = {}
    incoming: dict[RunRef, list[Link]] = {}
    for link in plan.links:
        if isinstance(link.downstream, RunRef):
            incoming.setdefault(link.downstream, []).append(link)
    found = {}
    for run in (plan.source, *plan.runs):
        tasks = selections.get(run.tasks)
        if tasks is None:
            tasks = selections[run.tasks] = digest(*run.tasks)
        found[run.ref] = content(run, tasks, incoming.get(run.ref, ()))
    return found


def content(run: PlannedRun, tasks: bytes, links: Iterable[Link]) -> bytes:
    """The digest of one run; its last bit says whether the run was selected by itself."""
    origins = sorted({(link.upstream.dag_id, link.upstream.run_id, link.kind.value) for link in links})
    found = digest(run.facts.clear_number, run.selectable, run.selected, tasks.hex(), *origins)
    return found[:-1] + bytes([found[-1] & ~SELECTED | SELECTED * run.selected])


def make_token(plan: PlanContent) -> str:
    """The token of a plan: opaque text, safe in JSON and URLs."""
    found = run_digests(plan)
    parts = (digest(ref) + found[ref] for ref in sorted(found, key=by_name))
    return base64.urlsafe_b64encode(b"".join(parts)).decode().rstrip("=")


def read_token(token: str) -> dict[bytes, bytes]:
    """Digest of a run's name → digest of its content. Raises `Invalid`."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(Sentence("refusal.not_a_plan_token")) from error
    if not raw or len(raw) % (2 * SIZE):
        raise Invalid(Sentence("refusal.not_a_plan_token"))
    return {raw[i : i + SIZE]: raw[i + SIZE : i + 2 * SIZE] for i in range(0, len(raw), 2 * SIZE)}


@dataclass(frozen=True)
class Change:
    """How one run differs from the preview: ``added`` or ``changed``."""

    ref: RunRef
    change: str


def dropped(token: str, plan: PlanContent, taken: Collection[RunRef]) -> tuple[list[Change], int]:
    """The runs that were selected by themselves then and aren't ``taken`` now, and how many more have gone since.

    Of those that have gone only a digest of their names is known.
    """
    names = {digest(ref): ref for ref in {plan.source.ref, *(run.ref for run in plan.runs), *taken}}
    then = {name for name, said in read_token(token).items() if said[-1] & SELECTED}
    found = [names[name] for name in then & set(names) if names[name] not in taken]
    return [Change(ref, "changed") for ref in sorted(found, key=by_name)], len(then - set(names))


def changes(token: str, plan: PlanContent, taken: Iterable[RunRef]) -> list[Change]:
    """What changed since the token was made, among the runs that are ``taken`` into the rerun."""
    before = read_token(token)
    now: Mapping[RunRef, bytes] = run_digests(plan)
    found = []
    for ref in sorted(taken, key=by_name):
        seen = before.get(digest(ref))
        if seen is None:
            found.append(Change(ref, "added"))
        elif seen != now.get(ref):
            found.append(Change(ref, "changed"))
    return found
