"""What a member has made anew on top of wrong data, read from the record at the moment when the member is settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from airflow_rerun_downstream.conductor.evidence import structures_of
from airflow_rerun_downstream.domain.plan import Link
from airflow_rerun_downstream.domain.rebuilt import STAYS, at_submit, rebuilt, stays_as_it_was, through_waiting
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Member, Rerun
from airflow_rerun_downstream.domain.states import SATISFIED
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.work import Work


def rebuilt_by(work: Work, rerun: Rerun, member: Member, besides: Collection[NotMadeAnew]) -> tuple[NotMadeAnew, ...]:
    """What a member has made anew on top of what others, or it itself, left as it was.

    ``besides``: what it hasn't made anew. Mostly there is nothing like that, and little is read.
    """
    links, left = list[Link](), list[tuple[Member, NotMadeAnew]]()
    if work.store.counts_not_made_anew([rerun.id])[rerun.id]:
        here = at_submit(member)
        links = [*work.store.links_into(rerun.id, here), *work.store.links_out_of(rerun.id, [here])]
        left = stays_as_it_was(member, work.store.not_made_anew_of(rerun.id, ends_of(links) - {here}))
    if not left and all(one.reason not in STAYS for one in besides):
        return ()
    refs = {member.ref, *(one.ref for one, _ in left)}
    return rebuilt(member, links, left, structures_of(work, sorted(refs)), besides)


def known_late(work: Work, rerun: Rerun, members: Collection[Member]) -> dict[int, tuple[NotMadeAnew, ...]]:
    """All that is listed of those members that rest on what others were found to have left only after they were judged.

    A run that a task makes may be right long before the run of that task is; and who has read, through a task that only
    waited, is looked for once for all. Mostly there is nothing, and one count is read.
    """
    if not work.store.counts_not_made_anew([rerun.id])[rerun.id]:
        return {}
    settled = {at_submit(one): one for one in members if one.state in SATISFIED}
    listed: dict[RunRef, list[NotMadeAnew]] = {ref: [] for ref in settled}
    for member, what in work.store.not_made_anew(rerun.id):
        listed.setdefault(at_submit(member), []).append(what)
    beside: dict[RunRef, list[Link]] = {}
    links = work.store.links(rerun.id)
    for link in [*links, *through_waiting(links)]:
        for ref in ends_of([link]) & settled.keys():
            beside.setdefault(ref, []).append(link)
    structures = structures_of(work, sorted(one.ref for one in settled.values()))
    late = dict[int, tuple[NotMadeAnew, ...]]()
    queue = deque(ref for ref in settled if any(one.reason in STAYS for one in listed[ref]))
    while queue:
        for reader in sorted(ends_of(beside.get(queue.popleft(), ())) & settled.keys()):
            member = settled[reader]
            others = (ends_of(beside[reader]) - {reader}) & settled.keys()
            left = [(settled[ref], what) for ref in sorted(others) for what in listed[ref] if what.reason in STAYS]
            if more := rebuilt(member, beside[reader], left, structures, listed[reader]):
                listed[reader] += more
                late[member.id] = tuple(listed[reader])
                queue.append(reader)
    return late


def ends_of(links: Iterable[Link]) -> set[RunRef]:
    """The runs that links join."""
    ends = (end for link in links for end in (link.upstream, link.downstream))
    return {end for end in ends if isinstance(end, RunRef)}
