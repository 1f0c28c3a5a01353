"""Old records go by themselves, a little after a tick, where the deployment wants that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.settings import Settings
from tests.fakes.house import House
from tests.store.test_rows import wide

KEEP = timedelta(days=30)


def house(keep: timedelta | None = KEEP) -> House:
    return House(settings=Settings(source_ready_since="unlimited", retention=keep))


def ended(here: House, number: int, **ago: float) -> int:
    rerun_id = here.store.add(wide(1, f"d{number}"), now=here.clock.now())
    at = here.clock.now() - timedelta(**ago)
    for state in (RerunState.TERMINATING, RerunState.TERMINATED):
        assert here.store.move_rerun(rerun_id, after=state, reason=None, now=at)
    return rerun_id


def test_without_the_option_nothing_is_asked(mocker: MockerFixture) -> None:
    here = house(None)
    number = ended(here, 1, days=999)
    clean = mocker.spy(here.unit_of_work.retention, "clean")
    here.tick()
    clean.assert_not_called()
    assert here.store.get(number) is not None


def test_a_batch_goes_after_each_tick_until_none_is_left_and_then_an_hour_later() -> None:
    here = house()
    old, young = [ended(here, number, days=31) for number in range(3)], ended(here, 9, days=29)
    for number in old:
        assert here.store.get(number) is not None
        here.tick()
        assert here.store.get(number) is None
    here.tick()
    ((cleaning, actor),) = here.unit_of_work.retention.noted
    assert (cleaning.rows["rerun_downstream_rerun"], actor) == (3, "one")
    assert here.telemetry.actions.count("records_cleaned") == 1
    late = ended(here, 10, days=40)
    here.clock.advance(minutes=50)
    here.tick()
    assert here.store.get(late) is not None
    here.clock.advance(minutes=10)
    here.tick()
    assert here.store.get(late) is None
    assert here.store.get(young) is not None


def test_only_who_leads_cleans() -> None:
    here = house()
    here.tick()
    other = here.new_conductor("two")
    number = ended(here, 1, days=31)
    assert not other.tick().leading
    assert here.store.get(number) is not None


def test_an_error_is_logged_and_the_tick_goes_on(mocker: MockerFixture) -> None:
    here = house()
    clean = mocker.patch.object(here.unit_of_work.retention, "clean", autospec=True, side_effect=OSError("away"))
    assert here.conductor.tick().leading
    assert here.conductor.tick().leading
    assert clean.call_count == 1
    assert here.telemetry.actions.count("cleaning_failed") == 1


def test_the_option_asks_for_a_day_at_least() -> None:
    assert replace(Settings(), retention=timedelta(days=1)) == Settings.read({"retention": "P1D"}.get)
    with pytest.raises(ValueError, match="a day at least"):
        Settings.read({"retention": "PT23H"}.get)
