"""A gate is looked at again at the moment of dispatch, on Airflow's own tables and with its own clear."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.refs import RunRef
from tests.airflow3.conducting import Conducted, stand_in
from tests.airflow3.database import Database


@pytest.fixture
def conducted(database: Database) -> Conducted:
    return Conducted(database)


@pytest.fixture
def runs(conducted: Conducted) -> tuple[RunRef, RunRef, RunRef]:
    """src → mid → leaf, src → leaf: src is right again, mid runs."""
    conducted.save(*(stand_in(dag_id) for dag_id in ("src", "mid", "leaf")))
    src, mid, leaf = (conducted.run(dag_id) for dag_id in ("src", "mid", "leaf"))
    conducted.submit({src: (), mid: [src], leaf: [src, mid]})
    conducted.tick()
    conducted.finish(src)
    conducted.tick()
    assert conducted.members()["mid"] == ("running", None)
    return src, mid, leaf


def test_a_reader_waits_while_its_upstream_is_made_anew(
    conducted: Conducted, runs: tuple[RunRef, RunRef, RunRef]
) -> None:
    src, mid, leaf = runs
    conducted.clear(src)
    conducted.finish(mid)
    conducted.tick(2)
    assert conducted.members() == {
        "src": ("running", "cleared_again"),
        "mid": ("succeeded", None),
        "leaf": ("pending", "upstream_runs_again"),
    }
    assert conducted.states(leaf) == {"t": "success"}
    conducted.finish(src)
    conducted.tick()
    assert conducted.members()["leaf"] == ("running", None)
    conducted.finish(leaf)
    conducted.tick()
    assert conducted.state() == "succeeded"


def test_an_upstream_run_that_is_gone_fails_its_member(
    conducted: Conducted, runs: tuple[RunRef, RunRef, RunRef]
) -> None:
    src, mid, _ = runs
    conducted.delete(src)
    conducted.finish(mid)
    conducted.tick(2)
    assert conducted.members()["src"] == ("failed", "run_gone")
    assert conducted.members()["leaf"] == ("pending", None)
    assert conducted.state() == "failed"


def test_nothing_succeeds_while_a_member_is_made_anew(
    conducted: Conducted, runs: tuple[RunRef, RunRef, RunRef]
) -> None:
    src, mid, leaf = runs
    conducted.finish(mid)
    conducted.tick()
    conducted.clear(mid)
    conducted.finish(leaf)
    conducted.tick()
    assert (conducted.state(), conducted.members()["mid"]) == ("running", ("running", "cleared_again"))
    conducted.finish(mid)
    conducted.tick()
    assert conducted.state() == "succeeded"
    assert conducted.member(src).clear_number == 1
    assert conducted.member(mid).clear_number == 2


def test_an_idle_tick_is_three_statements(
    conducted: Conducted, runs: tuple[RunRef, RunRef, RunRef], database: Database
) -> None:
    conducted.tick()
    with database.counted() as statements:
        assert conducted.tick() == 0
    assert len(statements) == 3, statements.texts
