"""One bad step stops nothing else, also where a failed statement has spoilt its transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from airflow_rerun_downstream.airflow3.acting.gateway import AirflowGateway
from airflow_rerun_downstream.conductor.faults import TRIES
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import RerunState
from tests.airflow3 import scene
from tests.airflow3.conducting import Conducted, stand_in
from tests.airflow3.database import Database


@pytest.fixture
def conducted(database: Database) -> Conducted:
    return Conducted(database)


@pytest.fixture
def runs(conducted: Conducted) -> tuple[RunRef, RunRef, RunRef]:
    """bad and good read from src, which is right by now."""
    conducted.save(*(stand_in(dag_id) for dag_id in ("src", "bad", "good")))
    src, bad, good = (conducted.run(dag_id) for dag_id in ("src", "bad", "good"))
    conducted.submit({src: (), bad: [src], good: [src]})
    conducted.tick()
    conducted.finish(src)
    return src, bad, good


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, RunRef], None]:
    """Lets what the gateway does to a run fail in the database, when it has been done."""

    def arrange(name: str, bad: RunRef) -> None:
        real = getattr(AirflowGateway, name)

        def failing(self: Any, ref: RunRef, *args: Any, **more: Any) -> Any:
            found = real(self, ref, *args, **more)
            if ref == bad:
                self._session.execute(text("SELECT secret FROM nowhere"))
            return found

        monkeypatch.setattr(AirflowGateway, name, failing)

    return arrange


def test_a_dispatch_that_fails_leaves_the_others_done(conducted: Conducted, runs: Any, spoil: Any) -> None:
    _, bad, good = runs
    spoil("dispatch", bad)
    conducted.tick()
    assert conducted.members()["good"] == ("running", None)
    assert conducted.states(bad) == {"t": "success"}, "nothing of it is left"
    conducted.tick(TRIES)
    assert conducted.members()["bad"] == ("failed", "dispatch_error")
    conducted.finish(good)
    conducted.tick(2)
    assert conducted.members()["good"] == ("succeeded", None)
    assert conducted.state() == "failed"


def test_a_stop_that_fails_leaves_the_others_done_and_the_rerun_ends(
    conducted: Conducted, runs: Any, spoil: Any
) -> None:
    _, bad, good = runs
    conducted.tick()
    spoil("stop", bad)
    with conducted.unit_of_work() as work:
        more = {"reason": None, "now": conducted.clock.now()}
        work.store.move_rerun(conducted.id, before=[RerunState.RUNNING], after=RerunState.TERMINATING, **more)
    conducted.tick()
    with conducted.database.session() as session:
        assert scene.run_of(good, session=session).state == "failed", "the other one is stopped"
    assert conducted.members()["bad"] == ("running", "stop_error")
    conducted.tick(TRIES + 1)
    assert conducted.members()["bad"] == ("terminated", "stop_error")
    assert conducted.state() == "terminated"
