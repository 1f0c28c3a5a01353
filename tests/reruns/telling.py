"""Tells an example from top to bottom, for the person who has to find out why it is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from tests.reruns.model import Dag, Example, Task
from tests.reruns.playing import played


def told(seed: str) -> Iterator[str]:
    """An example, what was executed, the record and the faults."""
    result = played(seed)
    play = result.play
    yield from example_lines(play.example)
    yield from play.story.text()
    if play.rerun:
        record = play.record()
        yield f"The rerun is {record.state}. Warnings and record:"
        found = play.house.store.get(play.rerun)
        assert found is not None
        yield from (f"  {one.code}: {one.detail}" for one in found.warnings)
        yield from (f"  {one.dag_id} / {one.run_id} {one.task_id} {one.index}: {one.why}" for one in record.told)
        for member in play.house.store.members(play.rerun):
            tasks = [str(task) for task in member.tasks]
            yield f"  member {member.ref}: {member.state.value} {member.state_reason} {tasks} stages {member.stages}"
        yield from (f"  {one.at:%H:%M:%S} {one.action} {one.detail}" for one in play.house.store.events(play.rerun))
        standing = play.oracle(record).standing()
        yield from (f"  wrong: {spot}: {why}" for spot, why in standing.items())
    yield f"Seed {seed}: {result.outcome}; {result.faults or 'nothing is wrong'}"


def example_lines(example: Example) -> Iterator[str]:
    """The Dags and what is to happen."""
    yield f"Seed {example.seed}, {example.kind}; clocks {example.skews}, ends {example.ends_before} / {example.ends}"
    yield from (dag_line(dag, number) for dag in example.dags for number in range(len(dag.versions)))
    yield f"  acts: {example.acts}"


def dag_line(dag: Dag, number: int) -> str:
    """One version of a Dag."""
    tasks = ", ".join(map(task_word, dag.versions[number].values()))
    return f"  {dag.dag_id} v{number + 1} by {dag.start}{' pinned' if dag.pinned else ''}: {tasks}"


def task_word(task: Task) -> str:
    """A task with what is special about it."""
    marks = [task.kind] if task.kind != "work" else []
    marks += [task.rule] if task.rule != "all_success" else []
    marks += [f"x{task.mapped}"] if task.mapped else []
    marks += [f"in {task.group}"] if task.group else []
    marks += [f"-> {task.target} {task.again}{' waits' if task.waits else ''}"] if task.kind == "trigger" else []
    marks += [f"for {task.target}.{sorted(task.awaits)}"] if task.kind == "sensor" else []
    marks += [f"tells {task.asset}"] if task.asset else []
    after = f"<{'+'.join(sorted(task.after))}" if task.after else ""
    return f"{task.name}{after}{f' ({chr(32).join(marks)})' if marks else ''}"
