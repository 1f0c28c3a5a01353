"""Makes an example from a seed."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.reruns.model import Dag, Example, Task
from tests.reruns.rules import EAGER

KINDS = (("calm", 40), ("failures", 25), ("hands", 35))
RULES = (
    ("all_success", 12),
    ("none_failed", 2),
    ("none_failed_min_one_success", 3),
    ("one_success", 2),
    ("all_done", 3),
    ("all_done_min_one_success", 1),
    ("one_done", 1),
    ("always", 1),
)
ACTS = (
    ("clear", 8),
    ("clear part", 6),
    ("clear what is right", 10),
    ("mark task success", 3),
    ("mark task failed", 3),
    ("mark run success", 1),
    ("mark run failed", 2),
    ("delete", 1),
    ("start a run", 2),
    ("pause a Dag", 2),
    ("unpause Dags", 3),
    ("pause the rerun", 2),
    ("resume the rerun", 3),
    ("retry", 4),
    ("skip", 3),
    ("terminate", 1),
)


def pick(random: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    """One of some words."""
    return random.choices([word for word, _ in weighted], [weight for _, weight in weighted])[0]


def example_of(seed: str) -> Example:
    """The example of a seed."""
    random = Random(f"rerun {seed}")
    made = Example(seed, pick(random, KINDS))
    for number in range(random.choice((2, 2, 3, 3, 4))):
        made.dags.append(dag_of(random, made, number))
    made.chooses_source_tasks = random.random() < 0.3
    for dag in made.dags:
        dag.pinned = random.random() < 0.3
        if random.random() < 0.3 and ways(made, dag):
            dag.versions.append(changed(random, dag, ways(made, dag), awaited(made, dag), told=made.calm))
            made.kinds["a Dag has changed"] += 1
        made.kinds["versioned bundle"] += dag.pinned
    if random.random() < 0.5:
        made.skews = (0.0, random.choice((-20.0, -7.0, 7.0, 20.0)))
        made.kinds["two hosts"] += 1
    made.limit = random.choice((None, None, 1, 2))
    if not made.calm:
        disturb(random, made)
        cut_short(Random(f"cut short {seed}"), made)
    return made


def cut_short(random: Random, made: Example) -> None:
    """Dags that fail fast, runs that time out, a frozen run that waits for the rerun, and Dags that change in it."""
    for dag in made.dags:
        dag.fails_fast = random.random() < 0.15
        made.kinds["fails fast"] += dag.fails_fast
    made.freezes = random.random() < 0.2
    made.kinds["frozen run"] += made.freezes
    if random.random() < 0.2:
        made.acts = sorted([*made.acts, (random.randint(3, 40), "time out")])
    if made.kind == "hands" and random.random() < 0.7:
        made.acts = sorted([*made.acts, *((random.randint(0, 30), "clear what is right") for _ in range(3))])
    if made.freezes and random.random() < 0.3:
        made.acts = sorted([*made.acts, (random.randint(3, 40), "release")])
    if made.kind == "hands" and random.random() < 0.3:
        changes = [(random.randint(0, 30), "change a Dag") for _ in range(random.randint(1, 2))]
        made.acts = sorted([*made.acts, *changes])


def ways(made: Example, dag: Dag) -> tuple[str, ...]:
    """How a Dag may change."""
    if any(task.kind == "branch" for task in dag.first.values()):
        return ("more",) if made.calm else ()  # in another order it may skip otherwise
    return ("more", "renamed", "less", "order")


def awaited(made: Example, dag: Dag) -> set[str]:
    """The tasks of a Dag that sensors wait for: they would wait for ever for one that isn't there any more."""
    every = (task for one in made.dags for task in one.first.values() if task.target == dag.dag_id)
    return {name for task in every for name in task.awaits}


def disturb(random: Random, made: Example) -> None:
    """What goes wrong, and what people do."""
    chances = {"failed": 0.08, "retry": 0.08, "skipped": 0.05}
    made.ends_before = {end: random.choice((0, 0, chance)) for end, chance in chances.items()}
    made.ends = {end: random.choice((0, chance)) for end, chance in chances.items()}
    made.fixed_choices = random.random() < 0.5
    made.leaves_out = random.random() < 0.2
    if made.kind == "hands":
        steps = sorted(random.randint(0, 40) for _ in range(random.randint(2, 8)))
        made.acts = [(step, pick(random, ACTS)) for step in steps]


def dag_of(random: Random, made: Example, number: int) -> Dag:
    """The next Dag, with what makes it run, and its tasks."""
    dag = Dag(f"d{number}", "clock")
    names = [f"t{index}" for index in range(random.randint(1, 4))]
    tasks: dict[str, Task] = {}
    for index, name in enumerate(names):
        before = frozenset(one for one in names[:index] if random.random() < 0.6)
        rule = pick(random, RULES) if len(before) > 1 or (before and random.random() < 0.3) else "all_success"
        tasks[name] = Task(name, after=before, rule=rule)
    dag.versions = [tasks]
    if number:
        hang_on(random, made, dag)
    furnish(random, made, dag)
    for task in dag.first.values():
        made.kinds[task.kind] += 1
        made.kinds[task.rule] += task.rule != "all_success"
    return dag


def hang_on(random: Random, made: Example, dag: Dag) -> None:
    """Let a Dag hang on one or two before it: by an asset, a trigger or a sensor."""
    up = random.choice(made.dags)
    how = random.choice(("assets", "trigger", "sensor"))
    made.kinds[how] += 1
    if how == "assets":
        dag.start = "assets"
        ups = {up.dag_id: up, (more := random.choice(made.dags)).dag_id: more}
        chosen = [(one, random.choice(sorted(one.first))) for one in ups.values()]
        for one, name in chosen:
            give_asset(one, name)
        dag.assets = tuple(sorted(f"asset://{one.dag_id}/{name}" for one, name in chosen))
    elif how == "trigger":
        dag.start = "trigger"
        name = f"fire{len(up.first)}"
        waits, again = random.random() < 0.5, random.choice(("new", "new", "one", "reset"))
        if again == "one" and up.start == "trigger":
            again = "new"  # where a run is cleared whole, it can't make another: nobody can mend that
        task = Task(name, "trigger", some(random, up), target=dag.dag_id, waits=waits, again=again)
        up.first[name] = task
        put_after(random, up, name)
        made.kinds["waiting trigger"] += waits
        made.kinds[f"trigger makes {again} run"] += 1
    if how == "sensor" or (how != "trigger" and random.random() < 0.3):
        dated = [one for one in made.dags if one.start == "clock"]
        if dag.start == "clock" and dated:
            add_sensor(random, dag, random.choice(dated))
            made.kinds["sensor of one task or more"] += 1


def add_sensor(random: Random, dag: Dag, up: Dag) -> None:
    """A sensor in a Dag, which waits for the run of another one, or for tasks of that."""
    name = f"wait{len(dag.first)}"
    work = sorted(task.name for task in up.first.values() if task.kind in ("work", "trigger"))
    awaits = random.sample(work, min(len(work), random.choice((0, 1, 1, 2))))
    dag.first[name] = Task(name, "sensor", some(random, dag, 0.2), target=up.dag_id, awaits=frozenset(awaits))
    put_after(random, dag, name, least=1)


def give_asset(dag: Dag, name: str) -> None:
    """Let a task tell of an asset."""
    dag.first[name] = replace(dag.first[name], asset=f"asset://{dag.dag_id}/{name}")


def some(random: Random, dag: Dag, share: float = 0.5) -> frozenset[str]:
    """Some tasks of a Dag, for one to follow."""
    return frozenset(name for name in dag.first if random.random() < share)


def put_after(random: Random, dag: Dag, name: str, least: int = 0) -> None:
    """Let tasks follow another one, where that makes no circle."""
    above = upstream(dag.first, name)
    able = [one for one in dag.first if one != name and one not in above]
    for one in random.sample(able, min(len(able), random.choice((least, 1, 1, 2)))):
        dag.first[one] = replace(dag.first[one], after=dag.first[one].after | {name})


def upstream(tasks: dict[str, Task], name: str) -> set[str]:
    """All that comes before a task."""
    found, waiting = set[str](), [name]
    while waiting:
        new = tasks[waiting.pop()].after - found
        found |= new
        waiting += new
    return found


def furnish(random: Random, made: Example, dag: Dag) -> None:
    """Make some tasks special: mapped, empty, a branch, a setup with its teardown, a mapped group."""
    tasks = dag.first
    plain = [task for task in tasks.values() if task.kind == "work"]
    for task in plain:
        followers = [one for one in tasks.values() if task.name in one.after]
        draw = random.random()
        if draw < 0.12 and len(followers) > 1 and all(one.rule not in EAGER for one in followers):
            tasks[task.name] = replace(task, kind="branch")
        elif draw < 0.2:
            tasks[task.name] = replace(task, kind="empty")
        elif draw < 0.35:
            tasks[task.name] = replace(task, mapped=2)
            made.kinds["mapped"] += 1
    if random.random() < 0.15:
        map_a_group(random, made, dag)
    if random.random() < 0.15:
        set_up(random, made, dag)


def map_a_group(random: Random, made: Example, dag: Dag) -> None:
    """A mapped group of two tasks, one after the other, behind something or nothing."""
    before = some(random, dag, 0.3)
    dag.first["g0"] = Task("g0", after=before, mapped=2, group="g")
    dag.first["g1"] = Task("g1", after=frozenset({"g0"}), mapped=2, group="g")
    put_after(random, dag, "g1")
    made.kinds["mapped group"] += 1


def set_up(random: Random, made: Example, dag: Dag) -> None:
    """A setup before a task, and its teardown behind that."""
    able = [task.name for task in dag.first.values() if task.kind == "work" and task.rule not in EAGER]
    name = random.choice(able or [""])
    if not name:
        return
    dag.first["up"] = Task("up", "setup")
    dag.first[name] = replace(dag.first[name], after=dag.first[name].after | {"up"})
    dag.first["down"] = Task("down", "teardown", frozenset({"up", name}), rule="all_done_setup_success")
    made.kinds["setup and teardown"] += 1


def changed(
    random: Random, dag: Dag, how_it_may: tuple[str, ...], kept: set[str], *, told: bool = False
) -> dict[str, Task]:
    """A newer version of a Dag: one task more or less, another name, or another order.

    ``told``: somebody goes on to tell of every asset, and what came before a trigger stays, or else who has read that
    can't be right again.
    """
    tasks = dict(dag.first)
    chosen = {name for name, task in tasks.items() if any(tasks[one].kind == "branch" for one in task.after)}
    if told:
        chosen |= {one for task in tasks.values() if task.kind == "trigger" for one in upstream(tasks, task.name)}
    movable = [
        task for name, task in tasks.items() if task.kind == "work" and not task.group and name not in kept | chosen
    ]
    how = random.choice(how_it_may)
    if how == "more":
        tasks["new"] = Task("new", after=some(random, dag))
    if how == "more" or not movable:
        return tasks
    task = random.choice(movable)
    if how == "renamed":
        return {
            new_name(one.name, task.name): replace(
                one,
                name=new_name(one.name, task.name),
                after=frozenset(new_name(each, task.name) for each in one.after),
            )
            for one in tasks.values()
        }
    if how == "less" and len(tasks) > 1 and not (told and task.asset):
        del tasks[task.name]
        return {
            one.name: replace(one, after=(one.after - {task.name}) | (task.after if task.name in one.after else set()))
            for one in tasks.values()
        }
    tasks[task.name] = replace(task, after=frozenset(one for one in sorted(task.after) if random.random() < 0.5))
    return tasks


def new_name(name: str, renamed: str) -> str:
    """The name of a task in a version in which one has another."""
    return f"{name}_new" if name == renamed else name
