"""What a member has made anew on top of wrong data, read from the record at the moment when the member is settled."""

from __future__ import annotations

from collections.abc import Collection

from airflow_rerun_downstream.conductor.evidence import structures_of
from airflow_rerun_downstream.domain.rebuilt import STAYS, at_submit, rebuilt, stays_as_it_was
from airflow_rerun_downstream.domain.rerun import Member, Rerun
from airflow_rerun_downstream.domain.verdict import NotMadeAnew
from airflow_rerun_downstream.ports.work import Work


def rebuilt_by(work: Work, rerun: Rerun, member: Member, besides: Collection[NotMadeAnew]) -> tuple[NotMadeAnew, ...]:
    """What a member has made anew on top of what others, or it itself, left as it was.

    ``besides``: what it hasn't made anew. Mostly there is nothing like that, and little is read.
    """
    links, left = [], []
    if work.store.counts_not_made_anew([rerun.id])[rerun.id]:
        links = work.store.links_into(rerun.id, at_submit(member))
        left = stays_as_it_was(member, work.store.not_made_anew_of(rerun.id, {link.upstream for link in links}))
    if not left and all(one.reason not in STAYS for one in besides):
        return ()
    refs = {member.ref, *(one.ref for one, _ in left)}
    return rebuilt(member, links, left, structures_of(work, sorted(refs)), besides)
