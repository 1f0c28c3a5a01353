"""What is withheld of a record from somebody who may not read all of it."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from airflow_rerun_downstream.domain.edges import DagEdge
from airflow_rerun_downstream.domain.plan import Evidence, FutureRef, Link, LinkKind, PlanWarning
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import RerunEvent
from airflow_rerun_downstream.domain.seeing import HIDDEN, UNTOLD, Seeing, reason

READER = Seeing(frozenset({"a", "b"}).intersection)
MEMBERS = ("a", "secret")


def event(detail: str | None, member_id: int | None = 1, dag_ids: frozenset[str] | None = frozenset()) -> RerunEvent:
    return RerunEvent(1, 1, datetime.now(timezone.utc), "x", "did", member_id, detail, dag_ids)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (event("1 task"), "1 task"),
        (event(None), None),
        (event("1 member", None), "1 member"),
        (event("go of b / r", dag_ids=frozenset({"b"})), "go of b / r"),
        (event("go of secret / r", dag_ids=frozenset({"secret"})), UNTOLD),
        (event("go of b and secret", dag_ids=frozenset({"b", "secret"})), UNTOLD),
        (event("written before names were kept", dag_ids=None), UNTOLD),
        (event("dispatch_error: OperationalError: INSERT INTO x"), "dispatch_error"),
    ],
)
def test_a_detail_is_told_if_all_that_it_names_may_be_read(line: RerunEvent, shown: str | None) -> None:
    (found,) = READER.events([line], MEMBERS)
    assert found.detail == shown


def test_who_may_read_every_member_is_told_old_details_too() -> None:
    old = event("written before names were kept", dag_ids=None)
    assert READER.events([old], ["a", "b"]) == [old]


@pytest.mark.parametrize(
    ("dag_id", "dag_ids", "told"),
    [(None, "", True), ("a", "", True), ("a", "b", True), ("c", "", False), ("a", "c", False), ("{{ x }}", "a", True)],
)
def test_a_warning_is_told_if_all_that_it_names_may_be_read(dag_id: str | None, dag_ids: str, told: bool) -> None:
    warning = PlanWarning("code", "text", dag_id, dag_ids=frozenset(dag_ids))
    assert [each.code for each in READER.warnings([warning])] == (["code"] if told else ["hidden_warnings"])


def test_the_others_are_counted() -> None:
    hidden = [PlanWarning("code", "text", "c")] * 3
    (found,) = READER.warnings(hidden)
    assert found.detail == "3 more warnings are about Dags that you may not read."
    assert READER.warnings([]) == ()


def link(one: str, two: RunRef | FutureRef, via: object = None) -> Link:
    return Link(RunRef(one, "r"), two, LinkKind.ASSET, Evidence.RECORDED, {"through": via} if via else {"asset": "x"})


@pytest.mark.parametrize(
    ("of", "via"),
    [
        (link("a", RunRef("b", "r")), {"asset": "x"}),
        (link("a", FutureRef("b", next=True)), {"asset": "x"}),
        (link("a", FutureRef("{{ params.dag }}")), {"asset": "x"}),
        (link("a", RunRef("secret", "r")), None),
        (link("secret", RunRef("b", "r")), None),
        (link("a", FutureRef("secret", next=True)), None),
        (link("a", RunRef("b", "r"), [{"dag_id": "b", "run_id": "m"}]), {"through": [{"dag_id": "b", "run_id": "m"}]}),
        (link("a", RunRef("b", "r"), [{"dag_id": "b", "run_id": "m"}, {"dag_id": "secret", "run_id": "m"}]), HIDDEN),
    ],
    ids=str,
)
def test_a_link_names_only_what_may_be_read(of: Link, via: object) -> None:
    assert [each.via for each in READER.links([of])] == ([] if via is None else [via])


def edge(upstream: str | None, downstream: str | None, kind: LinkKind = LinkKind.ASSET) -> DagEdge:
    return DagEdge(upstream, downstream, kind, Evidence.RECORDED, "It says so.")


@pytest.mark.parametrize(
    ("dag_id", "of", "missing"),
    [
        ("a", edge("a", "b"), set()),
        ("a", edge("a", None), set()),
        ("a", edge(None, "a", LinkKind.SENSOR), set()),
        ("a", edge("a", "secret", LinkKind.TRIGGER), {"secret"}),
        ("a", edge("secret", "a", LinkKind.SENSOR), {"secret"}),
        ("a", edge("a", "secret", LinkKind.SENSOR), None),
        ("a", edge("secret", "a", LinkKind.TRIGGER), None),
        ("a", edge("a", "secret"), None),
    ],
    ids=str,
)
def test_of_the_edges_of_a_dag_its_own_text_is_shown(dag_id: str, of: DagEdge, missing: set[str] | None) -> None:
    """A hidden Dag that it names itself looks like one that isn't there; of others, whose text it isn't, nothing."""
    other = edge("b", "a")
    shown, hidden = READER.edges(dag_id, [other, of, other])
    if missing is None:
        assert (shown, hidden) == ((other, other), {"secret"})
        return
    assert (len(shown), hidden) == (3, frozenset())
    assert shown[1] == (of.without(frozenset(missing)) if missing else of)
    assert shown[1].missing == missing


def test_every_hidden_dag_is_told_of_by_whoever_asks_for_edges() -> None:
    shown, hidden = READER.edges("a", [edge("a", "one"), edge("two", "a"), edge("a", "one")])
    assert (shown, hidden) == ((), {"one", "two"})


def test_a_reason_has_no_error_in_it() -> None:
    assert [reason(each) for each in (None, "run_gone", "dispatch_error", "dispatch_error: x: y")] == [
        None,
        "run_gone",
        "dispatch_error",
        "dispatch_error",
    ]
