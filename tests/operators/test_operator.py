"""The operator over the real contract: what it submits, how it goes on, and how its task ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.operators import RerunDownstreamOperator
from airflow_rerun_downstream.operators.following import PATIENCE
from airflow_rerun_downstream.operators.submitting import OTHER_REQUEST
from airflow_rerun_downstream.operators.task_errors import AirflowException, AirflowFailException, AirflowSkipException
from tests.fakes.house import House
from tests.operators.conftest import Chain, Instance, Run, TaskDeferred
from tests.operators.fake_server import URL, FakeServer


def operator(chain: Chain, **options: Any) -> RerunDownstreamOperator:
    source = {"source_dag_id": chain[0].dag_id, "source_run_id": chain[0].run_id}
    return RerunDownstreamOperator(task_id="repair", **{**source, **options})


def context(instance: Instance | None = None, run: Run | None = None) -> dict[str, Any]:
    return {"ti": instance or Instance(), "dag_run": run or Run()}


def goes_on(house: House, state: str = "success") -> None:
    """Somebody looks: the conductor ticks, and what runs ends."""
    house.tick()
    for member in house.store.rows.members.values():
        if member.state is MemberState.RUNNING:
            house.world.finish(member.ref, state, at=house.clock.now())


@pytest.fixture(autouse=True)
def moving(house: House, server: FakeServer) -> None:
    server.on_look = lambda: goes_on(house)


def reruns(house: House) -> list[tuple[int, str]]:
    return [(one.id, one.state.value) for one in house.store.rows.reruns.values()]


def test_a_rerun_that_succeeds_is_told(house: House, chain: Chain) -> None:
    task, instance = operator(chain, name="fix", reason="wrong rate"), Instance()
    found = task.execute(context(instance))
    counts = {name: count for name, count in found["counts"].items() if count}
    assert (found["rerun_id"], found["state"], counts) == (1, "succeeded", {"succeeded": 3})
    assert found["url"] == f"{URL}/rerun-downstream/ui/records/1"
    assert instance.pushed == {"rerun_id": 1, "_link_RerunLink": found["url"]}
    stored = house.store.rows.reruns[1]
    assert (stored.name, stored.reason) == ("fix", "wrong rate")


def test_a_retried_task_goes_on_with_its_rerun(house: House, chain: Chain, server: FakeServer) -> None:
    first = operator(chain, wait_for_completion=False).execute(context(Instance(try_number=1)))
    assert first["state"] == "running"
    again = operator(chain).execute(context(Instance(try_number=2)))
    assert (again["rerun_id"], again["state"]) == (1, "succeeded")
    assert reruns(house) == [(1, "succeeded")]
    assert len(set(server.keys)) == 1


def test_a_retry_after_the_end_answers_it(house: House, chain: Chain) -> None:
    for _ in range(2):
        assert operator(chain).execute(context())["rerun_id"] == 1


@pytest.mark.parametrize(
    ("instance", "run"),
    [
        (Instance(max_tries=5), Run()),
        (Instance(), replace(Run(), start_date=Run().start_date.replace(hour=1))),
        (Instance(map_index=1), Run()),
        (Instance(task_id="other"), Run()),
    ],
)
def test_a_cleared_task_and_another_one_start_another_rerun(
    house: House, chain: Chain, instance: Instance, run: Run
) -> None:
    assert operator(chain).execute(context())["rerun_id"] == 1
    assert operator(chain).execute(context(instance, run))["rerun_id"] == 2


def test_a_failed_rerun_fails_the_task_with_the_reason_and_a_retry_resumes_it(
    house: House, chain: Chain, server: FakeServer
) -> None:
    server.on_look = lambda: goes_on(house, "failed")
    with pytest.raises(AirflowException, match=r"Rerun 1 has failed: a / .* \(tasks_failed\).*records/1") as raised:
        operator(chain).execute(context())
    assert not isinstance(raised.value, AirflowFailException)
    server.on_look = lambda: goes_on(house)
    again = operator(chain).execute(context())
    assert (again["rerun_id"], again["state"]) == (1, "succeeded")


def test_who_terminates_the_rerun_ends_the_task_for_good(house: House, chain: Chain, server: FakeServer) -> None:
    server.on_look = lambda: (server.api.terminate(1), house.tick())
    with pytest.raises(AirflowFailException, match="Rerun 1 was terminated"):
        operator(chain).execute(context())


def test_a_killed_task_terminates_its_rerun_if_it_is_to(house: House, chain: Chain, server: FakeServer) -> None:
    for number, when in enumerate(("terminate", "leave"), 1):
        task = operator(chain, when_killed=when)
        server.on_look = task.on_kill
        with pytest.raises(AirflowException, match="killed") as raised:
            task.execute(context(Instance(task_id=when)))
        assert not isinstance(raised.value, AirflowFailException)
        assert house.store.rows.reruns[number].state is (
            RerunState.TERMINATING if when == "terminate" else RerunState.RUNNING
        )
        house.tick()


def test_the_try_after_a_kill_that_terminated_starts_another_rerun(
    house: House, chain: Chain, server: FakeServer
) -> None:
    task = operator(chain, when_killed="terminate")
    server.on_look = task.on_kill
    with pytest.raises(AirflowException):
        task.execute(context())
    server.on_look = lambda: goes_on(house)
    assert operator(chain, when_killed="terminate").execute(context())["rerun_id"] == 2
    assert operator(chain, when_killed="terminate").execute(context())["rerun_id"] == 2
    assert reruns(house) == [(1, "terminated"), (2, "succeeded")]


def test_a_rerun_that_another_person_has_terminated_is_not_started_again(house: House, chain: Chain) -> None:
    from airflow_rerun_downstream.domain.rerun_request import Actor

    operator(chain, wait_for_completion=False).execute(context())
    house.service.terminate(Actor("2", "bea"), 1)
    with pytest.raises(AirflowFailException, match="Rerun 1 was terminated"):
        operator(chain).execute(context())
    assert [number for number, _ in reruns(house)] == [1]


def test_a_kill_before_the_answer_finds_the_rerun_by_its_key(house: House, chain: Chain, server: FakeServer) -> None:
    task = operator(chain, when_killed="terminate")
    submit, server.api.submitted = server.api.submitted, None  # type: ignore[method-assign]

    def lost(body: Any, *, idempotency_key: str | None) -> Any:
        answer = submit(body, idempotency_key=idempotency_key)
        task.on_kill()
        return answer

    server.api.submitted = lost  # type: ignore[method-assign]
    with pytest.raises(AirflowException, match="killed"):
        task.execute(context())
    assert house.store.rows.reruns[1].state is RerunState.TERMINATING


def test_who_may_not_fails_the_task_with_the_sentence(house: House, chain: Chain) -> None:
    house.permissions.forbidden.add("b")
    with pytest.raises(AirflowFailException, match=r"\bb\b.*forbidden_dags"):
        operator(chain).execute(context())
    assert reruns(house) == []


def test_a_refusal_that_may_pass_leaves_the_task_its_retries(house: House, chain: Chain) -> None:
    operator(chain, wait_for_completion=False).execute(context(Instance(task_id="other")))
    with pytest.raises(AirflowException, match="rerun 1") as raised:
        operator(chain).execute(context())
    assert not isinstance(raised.value, AirflowFailException)


def test_a_try_that_asks_for_something_else_is_told(house: House, chain: Chain) -> None:
    operator(chain, reason="at 10:00").execute(context())
    with pytest.raises(AirflowFailException, match=OTHER_REQUEST[:40]):
        operator(chain, reason="at 10:05").execute(context())


def test_a_server_that_is_away_is_waited_for(house: House, chain: Chain, server: FakeServer) -> None:
    def away() -> None:
        goes_on(house)
        server.away = 40
        server.on_look = lambda: goes_on(house)

    server.on_look = away
    server.away = 5
    assert operator(chain).execute(context())["state"] == "succeeded"


def test_a_server_that_stays_away_fails_the_try(house: House, chain: Chain, server: FakeServer) -> None:
    server.away = 10_000
    with pytest.raises(AirflowException, match="can't be reached") as raised:
        operator(chain).execute(context())
    assert not isinstance(raised.value, AirflowFailException)


def test_a_token_that_expires_is_renewed(house: House, chain: Chain, server: FakeServer) -> None:
    server.on_look = lambda: (goes_on(house), server.expire())
    assert operator(chain).execute(context())["state"] == "succeeded"
    assert server.tokens > 2


@pytest.mark.parametrize(
    ("options", "members"),
    [
        ({}, ["b", "c"]),
        ({"dag_id_pattern": "B"}, ["b"]),
        ({"dag_id_pattern": "x|_"}, ["b", "c"]),
        ({"dag_tags": ["daily"]}, ["c"]),
        ({"dag_tags": ["daily", "weekly"], "dag_id_pattern": "b"}, ["b"]),
        ({"dag_tags": ["none"]}, []),
        ({"members": []}, []),
        ({"max_depth": 1}, ["b"]),
        ({"link_kinds": ["sensor"]}, []),
    ],
)
def test_what_is_selected(
    house: House, chain: Chain, server: FakeServer, options: dict[str, Any], members: list[str]
) -> None:
    server.dags = {"b": ["weekly"], "c": ["daily", "x"], **{f"d{number:03}": ["daily"] for number in range(120)}}
    operator(chain, **options).execute(context())
    assert sorted(one.ref.dag_id for one in house.store.members(1)) == ["a", *members]
    # Another try, which finds the runs in a rerun or done, asks for nothing new.
    assert operator(chain, **options).execute(context())["rerun_id"] == 1


def test_a_source_is_named_by_its_logical_date(house: House, chain: Chain) -> None:
    date = house.world.runs[chain[0]].logical_date
    assert date is not None
    for said in (date, date.isoformat(), date.strftime("%Y-%m-%dT%H:%M:%SZ")):
        options = {"source_run_id": None, "source_logical_date": said}
        assert operator(chain, **options).execute(context())["rerun_id"] == 1
    options = {"source_run_id": None, "source_logical_date": "1999-01-01T00:00:00Z"}
    with pytest.raises(AirflowException, match="no run with the logical date"):
        operator(chain, **options).execute(context(Instance(task_id="other")))


def test_nothing_to_rerun_skips_the_task(house: House, chain: Chain) -> None:
    with pytest.raises(AirflowSkipException):
        operator(chain, rerun_source=False, members=[]).execute(context())


@pytest.mark.parametrize(
    "options",
    [
        {"source_run_id": None},
        {"source_logical_date": "2026-01-01"},
        {"members": [], "dag_id_pattern": "a"},
        {"source_run_id": None, "source_logical_date": "soon"},
    ],
)
def test_what_makes_no_sense_fails_the_task(house: House, chain: Chain, options: dict[str, Any]) -> None:
    with pytest.raises(AirflowFailException):
        operator(chain, **options).execute(context())


def test_a_deferred_task_waits_in_the_triggerer(house: House, chain: Chain) -> None:
    task, instance = operator(chain, deferrable=True, when_killed="terminate", poll_interval=3), Instance()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context(instance))
    assert instance.pushed["rerun_id"] == 1
    path, said = deferred.value.trigger.serialize()
    assert path == "airflow_rerun_downstream.operators.ended_trigger.RerunEndedTrigger"
    assert said == {
        "rerun_id": 1,
        "rerun_downstream_conn_id": "rerun_downstream_default",
        "poll_interval": 3,
        "patience": PATIENCE,
        "terminate": True,
    }
    event = {"rerun_id": 1, "state": "succeeded"}
    again = operator(chain, deferrable=True)
    assert again.execute_complete(context(instance), event)["state"] == "succeeded"
    assert again.record_url == instance.pushed["_link_RerunLink"]
    with pytest.raises(AirflowException, match="away"):
        again.execute_complete(context(instance), {"rerun_id": 1, "error": "The server is away"})


@pytest.mark.parametrize(
    "said",
    [
        {"dag_id_pattern": ""},
        {"dag_id_pattern": " | "},
        {"dag_id_pattern": "{{ params.no }}"},
        {"dag_tags": []},
        {"dag_tags": ["a", ""]},
        {"dag_tags": "prod"},
        {"members": ""},
        {"task_ids": ""},
        {"task_ids": "load"},
    ],
)
def test_a_template_that_comes_to_nothing_chooses_nothing(house: House, chain: Chain, said: dict[str, Any]) -> None:
    """An empty pattern matches every Dag, and Airflow answers all Dags to no tags."""
    with pytest.raises(AirflowFailException, match=f"{next(iter(said))} has come to"):
        operator(chain, **said).execute(context())
    assert reruns(house) == []
