"""What tells more of members than the states of their tasks: read for all that are about to be judged at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from airflow_rerun_downstream.domain.facts import REMOVED_TASK_STATE, Observation
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.rebuilt import at_submit, places_of
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.structures import Structures
from airflow_rerun_downstream.domain.verdict import Evidence, evidence
from airflow_rerun_downstream.ports.work import Work


def gather(
    work: Work,
    reruns: Sequence[tuple[Rerun, Sequence[Member]]],
    runs: Mapping[RunRef, Observation],
) -> dict[int, Evidence]:
    """The evidence about members, by their ids. A run that is gone has none."""
    members = [member for _, some in reruns for member in some]
    if not members:
        return {}
    places = {member.ref: places_of(member) for member in members}
    since = {member.ref: rerun.created_at for rerun, some in reruns for member in some}
    accounts = work.facts.tasks.accounts(list(places), places=places, since=since)
    structures = structures_of(work, [member.ref for member in members])
    found: dict[int, Evidence] = {}
    for rerun, some in reruns:
        # Links are read where they matter: where something may be tolerated, or was skipped.
        asked = [at_submit(member) for member in some if uneven(runs[member.ref])]
        links = work.store.links_out_of(rerun.id, asked) if asked else []
        readers = {link.downstream for link in links if isinstance(link.downstream, RunRef)}
        taking_part = work.store.taking_part(rerun.id, readers) if readers else frozenset()
        leaving = by_upstream(links)
        for member in some:
            if (account := accounts.get(member.ref)) is not None:
                place = at_submit(member)
                structure = structures.was(member.ref)
                found[member.id] = evidence(account, structure, leaving.get(place, ()), taking_part, place)
    return found


def by_upstream(links: Iterable[Link]) -> dict[RunRef, list[Link]]:
    """The links that leave each run."""
    found: dict[RunRef, list[Link]] = {}
    for link in links:
        found.setdefault(link.upstream, []).append(link)
    return found


def structures_of(work: Work, refs: Sequence[RunRef]) -> Structures:
    """The Dags as the task instances of runs have them now."""
    if not refs:
        return Structures()
    found = Structures(work.facts.dags.structures({ref.dag_id for ref in refs}))
    older = [ref for ref in refs if found.has_versions(ref.dag_id)]
    found.own.update(work.facts.dags.own_versions(older) if older else {})
    return found


def uneven(run: Observation) -> bool:
    """Whether a task instance of a run has ended otherwise than in success."""
    return any(task.state not in ("success", REMOVED_TASK_STATE) for task in run.task_instances)
