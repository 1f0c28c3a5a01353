"""Random histories that a `Stage` can play, and everything that the facts say of one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any

from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.facts import RunFacts
from airflow_rerun_downstream.domain.lineage_records import DoubtfulRecord, RecordedWait, SensorInstance
from airflow_rerun_downstream.domain.proof import RunTries, TaskTries, Try
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.ports.lineage import RunFilter, SourceRule
from tests.contracts.stages import DAY, GONE, MAKERS, MINUTE, Shape, Stage
from tests.fakes.world import START

DAGS = ("a", "b", "c")
TASKS = ("t", "u")
ASSETS = ("test://assets/one", "test://assets/two")
STATES = ("success", "failed", "running", "queued")
TASK_STATES = ("success", "failed", "skipped", "upstream_failed", "running", None)


@st.composite
def shapes(draw: Callable[..., Any], dag_id: str) -> Shape:
    """A Dag of two tasks, one of which may reach into other runs.

    It always names an asset: Airflow forgets nothing that a Dag said of assets before it named none at all.
    """
    role = draw(st.sampled_from(["trigger", "waiting trigger", "open trigger", "sensor", "marker", "python"]))
    other = draw(st.sampled_from(DAGS))
    reach = {"u": "{{ params.target }}" if role == "open trigger" else other}
    names = st.lists(st.sampled_from(ASSETS), unique=True)
    return Shape(
        dag_id,
        draw(st.sampled_from(["t >> u", "u >> t", "t; u"])),
        triggers=reach if "trigger" in role else {},
        waits={"u"} if role == "waiting trigger" else (),
        sensors={"u": (other, draw(st.sampled_from([None, *TASKS])))} if role == "sensor" else {},
        markers={"u": (other, "t")} if role == "marker" else {},
        past=draw(st.sets(st.just("t"))),
        inlets={"t": draw(names)},
        outlets={"t": draw(names), "u": ["test://assets/untaken"]},
        starts_with=draw(names),
    )


@dataclass
class Played:
    """What has been played so far. Runs are chosen by number, so that every step can be played."""

    stage: Stage
    runs: list[RunRef] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    dates: set[tuple[str, float]] = field(default_factory=set)

    def ref(self, number: int) -> RunRef | None:
        return self.runs[number % len(self.runs)] if self.runs else None


Step = tuple[str, tuple[Any, ...]]
NUMBERS = st.integers(0, 30)


def step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """Something that happens, with what it happens to."""
    return st.tuples(st.just(name), st.tuples(*arguments))


DAG_IDS, TASK_IDS = st.sampled_from(DAGS), st.sampled_from(TASKS)
RUN = step(
    "run",
    DAG_IDS,
    st.sampled_from([*MAKERS, "task", "task"]),
    st.sampled_from(STATES),
    st.tuples(*[st.sampled_from(TASK_STATES)] * 2),
    st.booleans(),
    st.sampled_from([0.5, 1, 3]),
)
MADE = step("made", NUMBERS, NUMBERS, TASK_IDS, st.sampled_from([None, None, *DAGS]))
EMIT = step("emit", NUMBERS, st.sampled_from(ASSETS), st.lists(NUMBERS, max_size=2), st.integers(1, 20))
ANYTHING = st.one_of(
    RUN, MADE, MADE, EMIT, EMIT,
    step("clear", NUMBERS, TASK_IDS),
    step("delete", NUMBERS),
    step("stop", NUMBERS),
    step("waited", NUMBERS, TASK_IDS, st.integers(0, 14), st.integers(-2, 2)),
    step("scribble", NUMBERS, TASK_IDS),
    step("rendered", NUMBERS, DAG_IDS),
    step("drop_tasks", NUMBERS),
    step("move", NUMBERS, TASK_IDS),
    step("lose", DAG_IDS),
    step("pause", DAG_IDS),
    DAG_IDS.flatmap(lambda one: step("dag", shapes(one))),
)  # fmt: skip


def histories() -> st.SearchStrategy[list[Step]]:
    """Dags, then runs, then whatever happens."""
    dags = st.tuples(*(step("dag", shapes(dag_id)) for dag_id in DAGS))
    runs, rest = st.lists(RUN, min_size=4, max_size=8), st.lists(ANYTHING, min_size=6, max_size=16)
    return st.builds(lambda *parts: [one for part in parts for one in part], dags, runs, rest)


def play(history: Collection[Step], stage: Stage) -> Played:
    """Play a history on a stage. What can't happen there is left out, the same on every stage."""
    played = Played(stage)
    written: set[tuple[Any, ...]] = set()
    bare: set[RunRef] = set()
    for number, (name, arguments) in enumerate(history):
        if name in ("dag", "lose", "pause"):
            getattr(stage, name)(*arguments)
        elif name == "run":
            dag_id, by, state, states, dated, length = arguments
            more = {"states": dict(zip(TASKS, states, strict=True)), "dated": dated, "run_id": f"r{number % 4}-{by}"}
            date = dag_id, number * length
            if RunRef(dag_id, more["run_id"]) not in played.runs and date not in played.dates:
                played.dates.add(date)
                played.runs.append(stage.run(dag_id, by=by, state=state, day=number * length, **more))
        elif (ref := played.ref(arguments[0])) is not None:
            happen(played, name, ref, arguments[1:], written, bare)
    return played


def happen(
    played: Played, name: str, ref: RunRef, arguments: tuple[Any, ...], written: set[Any], bare: set[RunRef]
) -> None:
    """One thing that happens to a run."""
    stage = played.stage
    state = stage.facts.runs.now([ref])[ref].state
    if name == "emit":
        asset, consumers, minutes = arguments
        eaten = {each for one in consumers if (each := played.ref(one)).run_id.endswith("asset")} - {ref}
        ready = stage.facts.runs.now([ref])[ref].run_after
        at = ready + minutes * MINUTE
        played.events.append(stage.emit(ref, asset, *sorted(eaten), at=at))
    elif name == "delete":
        stage.delete(ref)
        played.runs.remove(ref)
    elif name == "stop" and state == "running":
        stage.mark_failed(ref)
    elif name == "drop_tasks":
        if not {key for key in written if key[1] == ref}:
            stage.drop_tasks(ref)
            bare.add(ref)
    elif ref in bare:
        return
    elif name == "clear" and state in ("success", "failed"):
        stage.clear(ref, *arguments)
    elif name == "move":
        if arguments[0] in stage.facts.dags.structures([ref.dag_id])[ref.dag_id].tasks:
            stage.move(ref, *arguments)
    elif name in ("made", "waited", "scribble", "rendered"):
        record(played, name, ref, arguments, written)


def record(played: Played, name: str, ref: RunRef, arguments: tuple[Any, ...], written: set[Any]) -> None:
    """A task writes something down, once."""
    stage = played.stage
    task_id = {"made": arguments[1:2], "rendered": ("u",)}.get(name, arguments)[0]
    key = ("waits" if name in ("waited", "scribble") else name, ref, task_id)
    if key in written:
        return
    written.add(key)
    if name == "made":
        stage.made(ref, task_id, played.ref(arguments[0]), linked=arguments[2])
    elif name == "rendered":
        stage.rendered(ref, task_id, trigger_dag_id=arguments[0])
    elif name == "scribble":
        stage.scribble(ref, task_id, at=START + DAY)
    else:
        dates = tuple(START + hour * 60 * MINUTE for hour in range(arguments[1]))
        wait = RecordedWait(ref, task_id, -1, "a", frozenset({"t"}), None, dates)
        stage.waited(wait, at=START + (1 + arguments[2]) * DAY)


Read = Callable[[Any, Collection[RunRef]], Any]

EVERY_TASK = [(dag_id, task_id) for dag_id in DAGS for task_id in TASKS]

BY_RUN: Mapping[str, Read] = {
    "runs": lambda facts, refs: facts.runs.among(refs),
    "runs_now": lambda facts, refs: facts.runs.now(refs),
    "confs": lambda facts, refs: facts.runs.confs(refs),
    "task_instances": lambda facts, refs: facts.tasks.task_instances(refs),
    "accounts": lambda facts, refs: facts.tasks.accounts(refs),
    "tries": lambda facts, refs: facts.tasks.tries(refs),
    "own_versions": lambda facts, refs: facts.dags.own_versions(refs),
    "asset_consumptions": lambda facts, refs: facts.assets.consumptions(refs),
    "triggered_runs": lambda facts, refs: facts.tasks.triggered_runs(refs),
    "triggering_runs": lambda facts, refs: facts.tasks.triggering_runs(refs),
    "sensor_instances": lambda facts, refs: facts.tasks.sensor_instances(EVERY_TASK, refs=refs),
    "waiting_assets": lambda facts, refs: facts.assets.waiting(refs),
    "obstacles": lambda facts, refs: facts.tasks.obstacles(dict.fromkeys(refs, TASKS)),
    "rendered_fields": lambda facts, refs: facts.tasks.rendered_fields([(dag_id, "u") for dag_id in DAGS], refs),
}
"""What is asked of runs: the answer for several is that for each of them, put together."""

DATES = {dag_id: [START + number * length * DAY for number in range(20) for length in (0.5, 1, 3)] for dag_id in DAGS}
PAGES = (
    RunFilter(),
    RunFilter(order_by="logical_date", limit=3, offset=1),
    RunFilter(order_by="-state", online=True),
    RunFilter(online=False, dag_id_pattern="A|b"),
    RunFilter(source_rule=SourceRule(START + 20 * DAY, START + 2 * DAY)),
    RunFilter(source_rule=SourceRule(START + 20 * DAY, None, frozenset({RunRef("a", "r1-task")}), matches=False)),
)


def answers(played: Played) -> dict[str, Any]:
    """Everything that the facts say, in a form that doesn't depend on how rows are numbered."""
    facts, refs = played.stage.facts, [*played.runs, GONE]
    found = {name: read(facts, refs) for name, read in BY_RUN.items()}
    ids = [played.stage.asset_id(name) for name in ASSETS]
    found |= {
        "runs_at": facts.runs.at(DATES),
        "runs_at, undated": facts.runs.at(DATES, undated=True),
        "later_runs": facts.runs.later(dict.fromkeys(DAGS, START), limit=100),
        "structures": facts.dags.structures(DAGS),
        "definitions": facts.dags.definitions(),
        "earlier_definitions": facts.dags.earlier_definitions(since=START),
        "asset_emissions": facts.assets.emissions(refs, ids),
        "task_starts": facts.tasks.task_starts(EVERY_TASK, since=START + DAY, until=START + 20 * DAY),
        "recorded_waits": facts.tasks.recorded_waits(EVERY_TASK, since=START + DAY, dates={"a": DATES["a"]}),
        "recorded_sensors": facts.tasks.recorded_sensors(since=START + DAY),
        "sensor_instances since": facts.tasks.sensor_instances(EVERY_TASK, since=START),
        "last_waits": facts.tasks.last_waits(EVERY_TASK),
        **{f"page {number}": facts.runs.page(wanted) for number, wanted in enumerate(PAGES)},
        **{f"flows of {dag_id}": facts.assets.flows(dag_id) for dag_id in DAGS},
    }
    names = dict(zip(ids, ASSETS, strict=True))
    numbers = {event: number for number, event in enumerate(played.events)}
    plain = {name: without_numbers(one, names, numbers) for name, one in found.items()}
    return {name: one if name.startswith("page") else in_order(one) for name, one in plain.items()}


def differing_parts(played: Played, cut: int) -> set[str]:
    """What the facts answer otherwise of runs together than of them in two parts."""
    facts, refs = played.stage.facts, played.runs
    found = set()
    for name, read in BY_RUN.items():
        whole, one, other = (read(facts, some) for some in (refs, refs[:cut], refs[cut:]))
        both = {**one, **other} if isinstance(whole, dict) else in_order([*one, *other])
        if in_order(whole) != both:
            found.add(name)
    return found


def in_order(found: Any) -> Any:
    """A list in an order that doesn't depend on the stage."""
    return sorted(found, key=repr) if isinstance(found, list) else found


def without_numbers(found: Any, names: Mapping[int, str], numbers: Mapping[int, int]) -> Any:
    """An answer in which assets go by name, events by their place, and sentences by nothing."""
    if isinstance(found, Mapping):
        return {key: without_numbers(one, names, numbers) for key, one in found.items()}
    if isinstance(found, (list, tuple)):
        return type(found)(without_numbers(one, names, numbers) for one in found)
    if isinstance(found, Definitions):
        every = {kind: some for kind, some in vars(found).items() if not isinstance(some, bool)}
        return {kind: {repr(without_numbers(one, names, numbers)) for one in some} for kind, some in every.items()}
    if not is_dataclass(found):
        return found
    known = {name: getattr(found, name) for name in type(found).__dataclass_fields__}
    runs = {name: one for name, one in known.items() if isinstance(one, RunFacts)}
    changed: dict[str, Any] = {name: without_numbers(one, names, numbers) for name, one in runs.items()}
    if known.get("made_by_task"):
        changed["run_type"] = "operator_triggered"  # they have a type of their own since Airflow 3.3
    if "asset_id" in known:
        changed["asset_id"] = names.get(known["asset_id"])
    if known.get("event_id") is not None:
        changed["event_id"] = numbers[known["event_id"]]
    if "consumed" in known:
        changed["consumed"] = frozenset(names[one] for one in known["consumed"])
    if "definitions" in known:
        changed["definitions"] = without_numbers(known["definitions"], names, numbers)
    if isinstance(found, DoubtfulRecord):
        changed["why"] = ""
    if "what" in known:
        changed["what"] = ""
    if isinstance(found, SensorInstance):
        changed["end_date"] = None
    if isinstance(found, RunTries):
        changed["tasks"] = without_numbers(found.tasks, names, numbers)
    if isinstance(found, TaskTries):
        changed["tries"] = without_numbers(found.tries, names, numbers)
    if isinstance(found, Try):
        changed |= {"start": None, "end": None, "host": None}  # whole seconds, and workers: `test_lineage_tries`
    return replace(found, **changed)
