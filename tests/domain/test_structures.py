"""The Dag of a run whose tasks are of several versions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_rerun_downstream.domain.definitions import DagVersion, Definitions
from airflow_rerun_downstream.domain.facts import DagStructure
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.selection import downstream_tasks
from airflow_rerun_downstream.domain.structures import Structures
from tests.domain.test_verdict import structure

RUN = RunRef("d", "r")


def structures(own: DagStructure | None, latest: DagStructure | None) -> Structures:
    """Those of one run."""
    found = Structures({} if latest is None else {"d": latest})
    found.own.update({} if own is None else {RUN: DagVersion(own, Definitions())})
    return found


def test_a_task_follows_those_that_its_own_version_names() -> None:
    """That of the first task is an older one, and doesn't know it."""
    old, new = structure("a >> b"), structure("a >> new; b")
    mixed = replace(old, tasks={**old.tasks, "new": new.tasks["new"]})
    found = structures(mixed, new).was(RUN)
    assert found is not None
    assert downstream_tasks(found, ["a"]) == {"a", "b", "new"}
    assert found.tasks["b"] == old.tasks["b"]


def test_a_run_of_one_version_has_that() -> None:
    old, new = structure("a >> b >> c"), structure("c >> a")
    assert structures(old, new).was(RUN) == old
    assert structures(None, new).was(RUN) == new
    assert structures(None, None).was(RUN) is None


@pytest.mark.parametrize(
    ("own", "latest", "after"),
    [("a >> b; c", "a; b; a >> c", {"a", "b", "c"}), ("a >> b", None, {"a", "b"}), (None, "a >> c", {"a", "c"})],
)
def test_what_either_version_orders(own: str | None, latest: str | None, after: set[str]) -> None:
    found = structures((own and structure(own)) or None, (latest and structure(latest)) or None).either(RUN)
    assert downstream_tasks(found, ["a"]) == after


@pytest.mark.parametrize(("pinned", "latest"), [(False, "a >> c >> new"), (True, "a >> c >> new"), (False, "")])
def test_what_airflow_will_add(pinned: bool, latest: str) -> None:
    """Also what it has taken out before."""
    found = structures(structure("a >> b >> c"), structure(latest) if latest else None)
    found.pinned.update({RUN} if pinned else ())
    moves = bool(latest) and not pinned
    assert found.coming(RUN, {"a"}) == ({"c", "new"} if moves else frozenset())
    assert found.coming(RUN, ()) == frozenset()  # a run that hasn't begun gets all of its tasks
