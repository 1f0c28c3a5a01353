"""Airflow's own example Dags, unchanged: every edge between two of them is told, or listed with a reason.

The edges are first looked for in the Dags as Python objects, without any of our code; then we read them from the
database as from any deployment. ``docs/example-dags.md`` is written by this test: ``UPDATE_DOCS=1`` writes it anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from airflow_rerun_downstream.domain.definitions import Definitions
from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.lineage.dag_edges import dag_edges
from tests.airflow3 import database as databases
from tests.airflow3 import history, scene
from tests.airflow3.conftest import emptied, forget_plugins
from tests.airflow3.restoring import Contents

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PACKAGES = ("airflow.example_dags", "airflow.providers.standard.example_dags")
ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "example-dags.md"
RUN = "the_run"
RELEASE = version("apache-airflow-core")
AIRFLOW = ".".join(RELEASE.split(".")[:2])
BROKEN = {"example_bash_decorator.py"} if AIRFLOW == "3.1" else set()
"""Examples of the provider that want a newer Airflow than the one they are installed with."""


class Edge(NamedTuple):
    """A task that reaches into another Dag, or another run of its own.

    ``by`` is the task that declares it, ``through`` what joins the two.
    """

    kind: str
    upstream: str
    downstream: str
    by: str
    through: str = ""


# --- what is there, told by the Dags themselves -----------------------------------------------------


def load() -> dict[str, Any]:
    """Every example Dag, as Airflow's own parser loads it."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # before 3.2
        from airflow.models.dagbag import DagBag
    found: dict[str, Any] = {}
    for package in PACKAGES:
        folder = Path(str(import_module(package).__file__)).parent
        bag = DagBag(folder, bundle_path=folder)
        broken = {Path(name).name: error for name, error in bag.import_errors.items()}
        assert broken.keys() <= BROKEN, broken
        for dag_id, dag in bag.dags.items():
            dag.relative_fileloc = dag.relative_fileloc or str(Path(dag.fileloc).relative_to(folder))
            found[dag_id] = dag
    return found


def is_a(task: Any, name: str) -> bool:
    """Whether a task, mapped or not, is of an operator or of a subclass."""
    cls = getattr(task, "operator_class", None) or type(task)
    return any(base.__name__ == name for base in getattr(cls, "__mro__", ()))


def task_edges(dag: Any) -> Iterator[Edge]:
    """The sensors, markers and triggers of a Dag, and the tasks that depend on their past."""
    for task in dag.tasks:
        if task.depends_on_past:
            yield Edge("previous_run", dag.dag_id, dag.dag_id, task.task_id)
        if is_a(task, "ExternalTaskSensor"):
            yield Edge("sensor", task.external_dag_id, dag.dag_id, task.task_id)
        if is_a(task, "ExternalTaskMarker"):
            yield Edge("marker", dag.dag_id, task.external_dag_id, task.task_id)
        if is_a(task, "TriggerDagRunOperator"):
            yield Edge("trigger", dag.dag_id, task.trigger_dag_id, task.task_id)


def conditions(dag: Any) -> Iterator[Any]:
    """The assets, aliases and references that a Dag is scheduled by, out of all ANDs and ORs."""
    waiting = [getattr(dag.timetable, "asset_condition", None)]
    while waiting:
        node = waiting.pop()
        inside = getattr(node, "objects", None)
        if inside is not None:
            waiting.extend(inside)
        elif node is not None:
            yield node


def is_alias(node: Any) -> bool:
    return type(node).__name__ == "AssetAlias"


def same(wanted: Any, outlet: Any) -> bool:
    """Whether a task makes what is wanted. Airflow knows an asset by its name and its URI, both."""
    known_by = [key for key in ("name", "uri") if getattr(wanted, key, None) is not None]
    if not known_by or not hasattr(outlet, "name") or is_alias(wanted) != is_alias(outlet):
        return False
    return all(getattr(wanted, key) == getattr(outlet, key) for key in known_by)


def asset_edges(dags: dict[str, Any]) -> Iterator[Edge]:
    """Who makes what others are scheduled by, or read."""
    made = [(dag_id, task.task_id, one) for dag_id, dag in dags.items() for task in dag.tasks for one in task.outlets]
    for dag_id, dag in dags.items():
        scheduled = list(conditions(dag))
        yield from matching("asset", dag_id, scheduled, made)
        for task in dag.tasks:
            # What comes through an alias isn't known before it has; then its events start the runs.
            read = [one for one in task.inlets if not (is_alias(one) and any(same(one, known) for known in scheduled))]
            yield from matching("inlet", dag_id, read, made)


def matching(kind: str, dag_id: str, wanted: Iterable[Any], made: Iterable[tuple[str, str, Any]]) -> Iterator[Edge]:
    """The edges from the tasks that make something to a Dag that wants it."""
    for one in wanted:
        for producer, task_id, outlet in made:
            if same(one, outlet) and producer != dag_id:
                yield Edge(kind, producer, dag_id, task_id, f"alias {one.name}" if is_alias(one) else outlet.uri)


# --- what we tell -----------------------------------------------------------------------------------


def save(dags: dict[str, Any], *, session: Session) -> None:
    """What the dag processor does with all of them."""
    from airflow.dag_processing.collection import update_dag_parsing_results_in_db
    from airflow.models.dagbundle import DagBundleModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.db import synchronize_log_template

    session.add(DagBundleModel(name=scene.BUNDLE))
    session.flush()
    synchronize_log_template(session=session)
    errors: dict[tuple[str, str], str] = {}
    serialized = [LazyDeserializedDAG.from_dag(dag) for dag in dags.values()]
    update_dag_parsing_results_in_db(scene.BUNDLE, None, serialized, errors, None, set(), session)
    assert not errors, errors
    session.commit()


def told(dags: dict[str, Any], *, session: Session) -> Iterator[tuple[Edge, str]]:
    """The edges of every Dag as `links DAG_ID` tells them, each with how its runs are known."""
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    facts = readers(session)
    for dag_id in dags:
        for edge in dag_edges(dag_id, facts, ()):
            if not (edge.kind in BY_ASSET and edge.upstream_dag_id == edge.downstream_dag_id):
                yield plain(edge), f"{edge.evidence.value}: {edge.why}"


BY_ASSET = (LinkKind.ASSET, LinkKind.INLET)


def plain(edge: DagEdge) -> Edge:
    """An edge as the Dags themselves tell it."""
    named = (edge.via.get(name, "") for name in ("external_dag_id", "trigger_dag_id"))
    template = next(filter(None, named), "")
    by = edge.to_task_id if edge.kind in (LinkKind.SENSOR, LinkKind.PREVIOUS_RUN) else edge.from_task_id
    through = f"alias {edge.via['alias']}" if "alias" in edge.via else edge.via.get("asset", "")
    return Edge(edge.kind.value, edge.upstream_dag_id or template, edge.downstream_dag_id or template, str(by), through)


def recorded(edges: Iterable[Edge], *, session: Session) -> set[tuple[str, str, str]]:
    """Let Airflow have the record of every asset edge, and read it: producer, task, consumer."""
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    runs: dict[str, RunRef] = {}
    for number, edge in enumerate(edges):
        for dag_id in (edge.upstream, edge.downstream):
            if dag_id not in runs:
                runs[dag_id] = history.run(dag_id, RUN, session=session, by="asset")
        asset = f"s3://through-alias/{number}" if edge.through.startswith("alias ") else edge.through
        history.emit(runs[edge.upstream], runs[edge.downstream], session=session, asset=asset, task_id=edge.by)
    found = readers(session).assets.consumptions(list(runs.values()))
    return {(one.producer.dag_id, one.task_id, one.consumer.ref.dag_id) for one in found}


# --- the tests --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dags() -> Iterator[dict[str, Any]]:
    """The examples; some need plugins that Airflow loads only with them."""
    databases.configure()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "True")
        forget_plugins()
        yield load()
    forget_plugins()


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, dags: dict[str, Any]) -> databases.Database:
    """A database that knows the examples, for all tests: what writes into it puts it back."""
    found = emptied(request.param)
    with found.session() as session:
        save(dags, session=session)
    return found


@pytest.fixture
def stored(database: databases.Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture
def put_back(database: databases.Database) -> Iterator[None]:
    contents = Contents(database)
    before = contents.read()
    yield
    contents.restore(before)


def definitions_of(session: Session) -> Definitions:
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    return readers(session).dags.definitions()


def test_every_edge_is_told(stored, dags):
    there = {*(edge for dag in dags.values() for edge in task_edges(dag)), *asset_edges(dags)}
    assert {edge for edge, _ in told(dags, session=stored)} == there
    kinds = {kind.value for kind in LinkKind} - {"declared"}
    assert {edge.kind for edge in there} == kinds, "the examples have one of each"


def test_every_consumption_of_an_asset_is_told(put_back, stored, dags):
    there = [edge for edge in asset_edges(dags) if edge.kind == "asset"]
    assert {(edge.upstream, edge.downstream) for edge in there if not edge.through.startswith("alias ")} >= {
        (row["producer"], row["consumer"]) for row in airflows_own(stored)
    }
    assert recorded(there, session=stored) == {(edge.upstream, edge.by, edge.downstream) for edge in there}


def airflows_own(session: Session) -> list[dict[str, Any]]:
    """Which Dag makes an asset that another one is scheduled by, as Airflow's tables have it."""
    from sqlalchemy import text

    statement = (
        "select distinct o.dag_id as producer, s.dag_id as consumer from task_outlet_asset_reference o "
        "join dag_schedule_asset_reference s on s.asset_id = o.asset_id where o.dag_id <> s.dag_id"
    )
    found = [dict(row) for row in session.execute(text(statement)).mappings()]
    assert found
    return found


def test_every_task_that_reads_an_asset_is_told(stored, dags):
    inlets = {(edge.downstream, edge.through) for edge in asset_edges(dags) if edge.kind == "inlet"}
    assert inlets
    assert inlets <= {(one.dag_id, one.asset) for one in definitions_of(stored).inlets}


def test_every_dag_can_be_read(stored, dags):
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    structures = readers(stored).dags.structures(list(dags))
    assert {dag_id: set(found.tasks) for dag_id, found in structures.items()} == {
        dag_id: set(dag.task_ids) for dag_id, dag in dags.items()
    }


def page(rows: Iterable[tuple[Edge, str]], dags: dict[str, Any]) -> str:
    """The page in the documentation."""
    core, standard = version("apache-airflow-core"), version("apache-airflow-providers-standard")
    lines = [
        "# Airflow's example Dags, and what is told of them",
        "",
        "Every edge between Airflow's own example Dags, and how this package knows which run read which.",
        f"A test loads the {len(dags)} Dags of `airflow.example_dags` ({core}) and of the standard provider",
        f"({standard}) unchanged, looks for their edges by itself, compares, and writes this page.",
        "",
        "The words for how an edge is known are explained in the [glossary](glossary.md). The command `links DAG_ID`",
        "says the same of your Dags.",
        "",
        "| kind | upstream | downstream | declared by | how its runs are known |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {edge.kind} | `{edge.upstream}` | `{edge.downstream}` | {declared(edge)} | {words} |"
            for edge, words in sorted(set(rows))
        ),
        "",
    ]
    return "\n".join(lines)


def declared(edge: Edge) -> str:
    """The task that declares an edge, and the asset."""
    what = f", {edge.through.replace('alias ', 'alias `')}`" if edge.through.startswith("alias ") else ""
    if edge.through and not what:
        what = f", `{edge.through}`"
    return f"`{edge.by}`{what}"


@pytest.mark.skipif(
    f"apache-airflow-core=={RELEASE}" not in (ROOT / "constraints" / "3.3.txt").read_text().splitlines(),
    reason="the page is about the newest release of Airflow 3.3",
)
def test_the_page_in_the_documentation_says_so(stored, dags):
    written = page(told(dags, session=stored), dags)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(written)
    assert PAGE.exists(), "write it with UPDATE_DOCS=1"
    assert PAGE.read_text() == written, "write it anew with UPDATE_DOCS=1"
