"""Which runs wrong data has reached for sure: over links of which none is a guess, from the source to them."""

from __future__ import annotations

from airflow_rerun_downstream.domain.plan import Evidence
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.explored import Explored, Pollution
from airflow_rerun_downstream.lineage.kinds.base import FoundLink

GUESSED = frozenset({Evidence.ASSUMED, Evidence.UNRESOLVED})
"""What a link's evidence may be without saying that its run reads what was wrong."""


def surely_wrong(explored: Explored) -> frozenset[RunRef]:
    """The runs with a task that wrong data has reached without a guess on the way, and the source.

    By tasks, as the walk itself: what reads a task of a run that only a guess makes wrong may be right.
    """
    sure = {ref: explored.pollution[ref] for ref, depth in explored.depth.items() if depth == 0}
    leaving: dict[RunRef, list[FoundLink]] = {}
    for found in explored.found:
        if found.downstream is not None and found.link.evidence not in GUESSED:
            leaving.setdefault(found.link.upstream, []).append(found)
    frontier = set(sure)
    while frontier:
        frontier = {
            found.downstream.ref
            for ref in sorted(frontier)
            for found in leaving.get(ref, ())
            if found.downstream is not None and explored.leaves(found, sure[ref]) and reaches(found, sure, explored)
        }
    return frozenset(ref for ref, tasks in sure.items() if not tasks.only_passed)


def reaches(found: FoundLink, sure: dict[RunRef, Pollution], explored: Explored) -> bool:
    """Note what a link makes wrong in its run, with what comes along there; answer whether that was anything new."""
    assert found.downstream is not None
    ref = found.downstream.ref
    tasks = sure.setdefault(ref, Pollution())
    gained = tasks.spread(found.reached(explored.structures.was(ref)))
    if found.beyond and found.to_task is not None:
        gained |= tasks.passes(found.to_task)
    if tasks.task_ids:
        gained |= tasks.spread(explored.along.get(ref, ()))
    return gained
