"""What a member has made anew on top of wrong data, read from the record at the moment when the member is settled."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from airflow_rerun_downstream.conductor.evidence import structures_of
from airflow_rerun_downstream.conductor.gates import overtaken
from airflow_rerun_downstream.conductor.grown import grown
from airflow_rerun_downstream.conductor.judge import ran_after
from airflow_rerun_downstream.domain.active_rerun import ActiveRerun
from airflow_rerun_downstream.domain.facts import TaskInstanceFacts
from airflow_rerun_downstream.domain.member import Member
from airflow_rerun_downstream.domain.plan import Link, LinkKind
from airflow_rerun_downstream.domain.rebuilt import (
    REBUILT,
    STAYS,
    TOLERATED,
    at_submit,
    places_of,
    rebuilt,
    through_waiting,
)
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Rerun
from airflow_rerun_downstream.domain.run_accounts import RunAccount
from airflow_rerun_downstream.domain.selection import downstream_tasks
from airflow_rerun_downstream.domain.states import SATISFIED, MemberState
from airflow_rerun_downstream.domain.verdict import GONE, SLACK, NotMadeAnew, had_data
from airflow_rerun_downstream.ports.work import Work


def rebuilt_by(work: Work, rerun: Rerun, member: Member, besides: Collection[NotMadeAnew]) -> tuple[NotMadeAnew, ...]:
    """What a member has made anew on top of what others, or it itself, left as it was.

    ``besides``: what it hasn't made anew. Mostly there is nothing like that, and little is read.
    """
    links, left = list[Link](), left_as_it_was(work, rerun, [(member, what) for what in besides])
    others, here = list[tuple[Member, NotMadeAnew]](), at_submit(member)
    if work.store.counts_not_made_anew([rerun.id])[rerun.id]:
        links = [*work.store.links_into(rerun.id, here), *work.store.links_out_of(rerun.id, [here])]
        others = work.store.not_made_anew_of(rerun.id, ends_of(links) - {here})
        left += left_as_it_was(work, rerun, others)
    gone = [(one, what) for one, what in others if what.reason == GONE]
    old = [*old_events(work, member, links, gone), *old_makers(work, links, gone, here)] if gone else []
    if not left and not old:
        return ()
    structures = structures_of(work, sorted({member.ref, *(one.ref for one, _ in left)}))
    return rebuilt(grown(work, rerun, [member])[0], links, left, structures, besides, old, dropped_in(gone))


def dropped_in(everything: Iterable[tuple[Member, NotMadeAnew]]) -> frozenset[tuple[RunRef, str]]:
    """The tasks that Dags have dropped from the runs of members; links name those runs."""
    return frozenset((at_submit(one), what.task_id) for one, what in everything if what.reason == GONE)


def old_makers(
    work: Work, links: Iterable[Link], gone: Collection[tuple[Member, NotMadeAnew]], here: RunRef
) -> list[tuple[Member, NotMadeAnew]]:
    """What Dags have dropped that stood before the task which had made a member's run, and hasn't run again since: the
    run still reads that. ``gone``: all that they have dropped.
    """
    makers = [link for link in links if link.kind is LinkKind.TRIGGER and link.to_task_id is None]
    makers = [link for link in makers if link.downstream == here]
    structures = structures_of(work, sorted({one.ref for one, _ in gone}) if makers else ())
    return [
        (one, what)
        for one, what in gone
        for link in makers
        if link.upstream == at_submit(one)
        and all(task.task_id != link.from_task_id for task in one.tasks)
        and link.from_task_id in downstream_tasks(structures.was(one.ref), [what.task_id]) - {what.task_id}
    ]


def old_events(
    work: Work, member: Member, links: Iterable[Link], gone: Collection[tuple[Member, NotMadeAnew]]
) -> list[tuple[Member, NotMadeAnew]]:
    """What Dags have dropped of whose asset events a member's run has still read one: nothing has told that again.

    One statement, where a Dag has dropped what the run may have read.
    """
    told = {(link.upstream, link.from_task_id) for link in links if link.kind is LinkKind.ASSET}
    dropped = [(one, what) for one, what in gone if (at_submit(one), what.task_id) in told]
    if not dropped:
        return []
    read = {
        (each.producer, each.task_id)
        for each in work.facts.assets.consumptions(
            sorted({ref for one, _ in dropped for ref in (one.ref, at_submit(one))})
        )
        if each.consumer.ref == member.ref
    }
    return [(one, what) for one, what in dropped if read & {(one.ref, what.task_id), (at_submit(one), what.task_id)}]


def known_late(work: Work, rerun: Rerun, members: Collection[Member]) -> dict[int, tuple[NotMadeAnew, ...]]:
    """All that is listed of those members that rest on what others were found to have left only after they were judged.

    A run that a task makes may be right long before the run of that task is; and who has read, through a task that only
    waited, is looked for once for all. So is what was skipped, before what it had read was made anew once more, and
    what a newer version has added to a run since. Mostly there is nothing, and one count is read.
    """
    skipped = any(one.state is MemberState.SKIPPED for one in members)
    if not skipped and not work.store.counts_not_made_anew([rerun.id])[rerun.id]:
        return {}
    before, members = list(members), grown(work, rerun, members)
    settled = {at_submit(one): one for one in members if one.state in SATISFIED}
    listed: dict[RunRef, list[NotMadeAnew]] = {ref: [] for ref in settled}
    stays: dict[RunRef, list[NotMadeAnew]] = {ref: [] for ref in settled}
    everything = work.store.not_made_anew(rerun.id)
    for found, some in ((listed, everything), (stays, left_as_it_was(work, rerun, everything))):
        for member, what in some:
            found.setdefault(at_submit(member), []).append(what)
    late = dict[int, tuple[NotMadeAnew, ...]]()

    def add(member: Member, more: Iterable[NotMadeAnew]) -> None:
        ref, new = at_submit(member), list(more)
        listed[ref] += new
        stays[ref] += new
        late[member.id] = tuple(listed[ref])

    for member, behind in left_behind(work, rerun, members, listed) if skipped else ():
        add(member, behind)
    for was in (one for one, member in zip(before, members, strict=True) if one.tasks != member.tasks):
        ref = at_submit(was)
        if ref in settled and (more := rebuilt_by(work, rerun, was, listed[ref])):
            add(was, more)
    beside, dropped = dict[RunRef, list[Link]](), dropped_in(everything)
    links = work.store.links(rerun.id)
    for link in [*links, *through_waiting(links)]:
        for ref in ends_of([link]) & settled.keys():
            beside.setdefault(ref, []).append(link)
    structures = structures_of(work, sorted(one.ref for one in settled.values()))
    queue = deque(ref for ref in settled if stays[ref])
    while queue:
        for reader in sorted(ends_of(beside.get(queue.popleft(), ())) & settled.keys()):
            member = settled[reader]
            others = (ends_of(beside[reader]) - {reader}) & settled.keys()
            left = [(settled[ref], what) for ref in sorted(others) for what in stays[ref]]
            if more := rebuilt(member, beside[reader], left, structures, listed[reader], dropped=dropped):
                add(member, more)
                queue.append(reader)
    return late


def left_behind(
    work: Work, rerun: Rerun, members: Collection[Member], listed: Mapping[RunRef, Sequence[NotMadeAnew]]
) -> Iterator[tuple[Member, list[NotMadeAnew]]]:
    """What skipped members have made anew from data that was made anew once more since their last dispatch."""
    active = ActiveRerun(rerun, tuple(members), work.store.children(rerun.id), work.store.passages(rerun.id))
    for member in members:
        if member.state is not MemberState.SKIPPED or (since := overtaken(member, active)) is None:
            continue
        known = {one.task_id for one in listed[at_submit(member)] if one.map_index in (None, -1)}
        by = next((one.by for one in listed[at_submit(member)]), None)
        more = [
            NotMadeAnew(task.task_id, task.map_index, REBUILT, by, since.ref)
            for task in member.begun
            if task.task_id not in known
        ]
        if more:
            yield member, more


def left_as_it_was(
    work: Work, rerun: Rerun, everything: Collection[tuple[Member, NotMadeAnew]]
) -> list[tuple[Member, NotMadeAnew]]:
    """Of what members haven't made anew, that which others may have read: it holds what isn't right.

    A failure that is tolerated leaves nothing, unless a teardown had succeeded before. What a Dag has dropped nobody
    reads any more, unless it came to something in the rerun before that. Of a run that is gone nobody knows.
    """
    places = {member.ref: places_of(member) for member, what in everything if what.reason in (TOLERATED, GONE)}
    accounts = work.facts.tasks.accounts(list(places), places=places) if places else {}
    dropped = {member.ref for member, what in everything if what.reason == GONE}
    runs = work.gateway.observe(sorted(dropped)) if dropped else {}

    def stays(member: Member, what: NotMadeAnew) -> bool:
        if what.reason not in (TOLERATED, GONE):
            return what.reason in STAYS
        if (account := accounts.get(member.ref)) is None:
            return True
        if what.reason == GONE:
            here = (task for task in runs[member.ref].task_instances if task.task_id == what.task_id)
            return any(began(task, account, rerun) for task in here)
        return what.map_index is None or had_data(account, what.task_id, what.map_index)

    return [(member, what) for member, what in everything if stays(member, what)]


def began(task: TaskInstanceFacts, account: RunAccount, rerun: Rerun) -> bool:
    """Whether a task instance has begun in a rerun, or somebody has given it a state there."""
    told = account.of(task)
    return told.by_hand or (told.started and ran_after(task, rerun.created_at - SLACK))


def ends_of(links: Iterable[Link]) -> set[RunRef]:
    """The runs that links join."""
    ends = (end for link in links for end in (link.upstream, link.downstream))
    return {end for end in ends if isinstance(end, RunRef)}
