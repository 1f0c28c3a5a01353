"""Tells a world in a few lines, for the person who has to find out why a plan of it is wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_rerun_downstream.domain.refs import RunRef
    from tests.worlds.judging import Fault
    from tests.worlds.model import Dag, World


def story(world: World, source: RunRef, tasks: Collection[str] | None, faults: Collection[Fault]) -> str:
    """The links, the Dags, the source, what is wrong, and what the Dags that are concerned have read."""
    return "\n".join(
        [
            f"Seed {world.seed}, links {[link.number for link in world.links]}; the Dags change on day "
            f"{world.changes_on}; kept since: { {what: f'{at:%d %H:%M}' for what, at in world.kept_since.items()} }",
            *(f"  link {link}" for link in world.links),
            *(f"  {dag_line(dag)}" for dag in world.dags),
            *(f"  rerun before: {each.run.ref} {sorted(each.tasks)}" for each in world.repaired),
            f"Source {source}, tasks {'all' if tasks is None else sorted(tasks)}",
            *(f"  {fault}" for fault in faults),
            *readings(world),
        ]
    )


def dag_line(dag: Dag) -> str:
    """A Dag with what is special about it."""
    marks = {"changes": dag.changes, "last was last_old": dag.changes and dag.renames, "is gone": dag.stale}
    marks["parsed without the policy"] = not dag.policy
    said = [mark for mark, holds in marks.items() if holds]
    ends = ", ".join(f"{task.task_id}<{'+'.join(task.after)}" for task in dag.versions[1].values() if task.after)
    return f"{dag.dag_id} ({dag.form}, {dag.hour}:00{''.join(f', {each}' for each in said)}): {ends}"


def readings(world: World) -> Iterator[str]:
    """What was read, a line for each pair of runs and task."""
    for each in world.readings:
        tasks = "any task" if each.tasks is None else "+".join(sorted(each.tasks))
        after = " (what follows it)" if each.beyond else ""
        untold = "" if each.told else ", which nothing tells any more"
        yield f"    {each.down} {each.task or 'as a whole'}{after} read {tasks} of {each.up}: {each.variant}{untold}"
