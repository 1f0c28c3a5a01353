"""What a member makes anew on top of data that another member leaves as it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from airflow_rerun_downstream.domain.facts import DagStructure, node_of
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import Link, LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.selection import downstream_tasks
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.domain.verdict import NotMadeAnew

REBUILT = "rebuilt_on_polluted"

TOLERATED = "tolerated"

STAYS = frozenset({"skipped_by_user", "marked_success", "tasks_skipped", REBUILT})
"""Why what a task holds isn't right, although its member counts: it is older than the rerun, or made of such data.

So is what a teardown had made that failed this time; no task of its own run reads that. And so is what a Dag has
dropped after somebody may have read it. See `conductor.rebuilt_since.left_as_it_was`.
"""


def rebuilt(
    member: Member,
    links: Iterable[Link],
    left: Sequence[tuple[Member, NotMadeAnew]],
    structures: Structures,
    besides: Collection[NotMadeAnew],
    old: Collection[tuple[Member, NotMadeAnew]] = (),
    dropped: Collection[tuple[RunRef, str]] = frozenset(),
) -> tuple[NotMadeAnew, ...]:
    """The selected tasks of a member that have read what others left, or what it left itself, with one run each that it
    comes from.

    ``links``: those into the run and out of it; they name runs as they were at submit. ``left``: what others, and
    the member itself, hold that isn't right. ``besides``: what the member itself hasn't made anew. ``old``: what their
    Dags have dropped of which the member's run has read an asset event from before, or what stood before the task which
    had made it. ``dropped``: the tasks that their Dags have dropped. Who has read from one may read from any other of
    its run now: a link doesn't name what has taken its place.
    """
    here, structure = at_submit(member), structures.was(member.ref)
    found: dict[str, NotMadeAnew] = {}
    stays: dict[RunRef, list[tuple[Member, NotMadeAnew]]] = {}
    for one, what in left:
        stays.setdefault(at_submit(one), []).append((one, what))
    for link in links:
        if link.upstream == here and isinstance(link.downstream, RunRef):
            for one, what in stays.get(link.downstream, ()) if waits(link, structure) else ():
                for task_id in reading(member, link.from_task_id, structure) - {link.from_task_id}:
                    found.setdefault(task_id, NotMadeAnew(task_id, None, REBUILT, what.by, what.because_of or one.ref))
        if link.downstream != here:
            continue
        for one, what in old:
            if at_submit(one) == link.upstream and (link.kind is LinkKind.TRIGGER or what.task_id == link.from_task_id):
                for task_id in reading(member, link.to_task_id, structure):
                    found.setdefault(task_id, NotMadeAnew(task_id, None, REBUILT, what.by, one.ref))
        for one, what in stays.get(link.upstream, ()):
            if in_place_of(link, dropped) or reads(link, what.task_id, structures.was(one.ref)):
                because = what.because_of or one.ref
                for task_id in reading(member, link.to_task_id, structure):
                    found.setdefault(task_id, NotMadeAnew(task_id, None, REBUILT, what.by, because))
    for _, what in stays.get(here, ()):
        if what.reason != TOLERATED:
            for task_id in reading(member, what.task_id, structure) - {what.task_id}:
                found.setdefault(task_id, NotMadeAnew(task_id, None, REBUILT, what.by, member.ref))
    known = {one.task_id for one in besides if one.map_index in (None, -1)}
    return tuple(found[task_id] for task_id in sorted(found.keys() - known))


def through_waiting(links: Iterable[Link]) -> list[Link]:
    """Links from the runs that tasks waited for to who reads from these tasks: they have read what that run made.

    Those of runs for which such a run has waited in its turn follow from what is found.
    """
    leaving: dict[RunRef, list[Link]] = {}
    waited: list[tuple[RunRef, str | None, RunRef]] = []
    for link in links:
        if isinstance(link.downstream, RunRef):
            leaving.setdefault(link.upstream, []).append(link)
            if link.kind is LinkKind.TRIGGER and link.via.get("wait_for_completion"):
                back = link.to_task_id is not None
                parent, child = (link.downstream, link.upstream) if back else (link.upstream, link.downstream)
                waited.append((parent, link.to_task_id or link.from_task_id, child))
    found: dict[tuple[RunRef, object, str | None], Link] = {}
    pending = bool(waited)
    while pending:
        pending = False
        for parent, task_id, child in waited:
            for link in [*leaving.get(parent, ())]:
                made = link.kind is LinkKind.TRIGGER and link.to_task_id is None
                key = child, link.downstream, link.to_task_id
                if made or key in found or link.downstream in (parent, child):
                    continue
                if link.from_task_id in (None, task_id):
                    found[key] = replace(link, upstream=child, from_task_id=None)
                    leaving.setdefault(child, []).append(found[key])
                    pending = True
    return list(found.values())


def waits(link: Link, structure: DagStructure | None) -> bool:
    """Whether the task that made the run at the end of a link waits for it, so that what follows the task reads it."""
    node = node_of(structure, link.from_task_id)
    return link.kind is LinkKind.TRIGGER and node is not None and node.waits_for_run


def reads(link: Link, task_id: str, structure: DagStructure | None) -> bool:
    """Whether what a task holds, or what follows it has made of that, goes through a link.

    The run that a task makes has read what stands before the task, not what that made itself.
    """
    if link.from_task_id is None:
        return True
    after = downstream_tasks(structure, [task_id])
    return link.from_task_id in (after - {task_id} if link.kind is LinkKind.TRIGGER else after)


def in_place_of(link: Link, dropped: Collection[tuple[RunRef, str]]) -> bool:
    """Whether the task that a link names is gone, so that whoever reads by it reads what has taken its place."""
    return link.kind is not LinkKind.TRIGGER and (link.upstream, link.from_task_id) in dropped


def reading(member: Member, task_id: str | None, structure: DagStructure | None) -> set[str]:
    """The selected tasks that read by a link, with all that follows them."""
    ids = {task.task_id for task in member.tasks}
    if task_id is None or structure is None or task_id not in structure.tasks:
        return ids
    return ids & downstream_tasks(structure, [task_id])


def places_of(member: Member) -> tuple[RunRef, ...]:
    """The runs that a member had before its present one, from the one that it had when its rerun was submitted on."""
    before = dict.fromkeys((at_submit(member).run_id, *member.runs_between))
    return tuple(RunRef(member.ref.dag_id, run_id) for run_id in before if run_id != member.ref.run_id)


def at_submit(member: Member) -> RunRef:
    """The run that a member had when its rerun was submitted; links name that one."""
    return RunRef(member.ref.dag_id, member.original_run_id or member.ref.run_id)
