"""The notifier over the real contract: what it proposes, how often, and that it fails nothing."""

from __future__ import annotations

import asyncio
import inspect
import logging
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.definitions.deadline import AsyncCallback
from pytest_mock import MockerFixture

from airflow_rerun_downstream.operators import ProposeRerunNotifier, RerunDownstreamOperator, hook, propose_notifier
from airflow_rerun_downstream.operators.task_errors import AirflowException
from airflow_rerun_downstream.operators.what import What
from airflow_rerun_downstream.provider_info import FOR_DAG_AUTHORS
from tests.fakes.house import House
from tests.operators.conftest import Chain, Instance, Run
from tests.operators.fake_server import URL, FakeServer
from tests.operators.test_operator import goes_on

try:
    from airflow.triggers.callback import CallbackTrigger
except ImportError:  # Airflow 3.1
    from airflow.triggers.deadline import DeadlineCallbackTrigger as CallbackTrigger

PRODUCER = {"source_dag_id": "{{ params.dag_id }}", "source_run_id": "{{ params.run_id }}"}
DEADLINE = {"id": "0199", "deadline_time": "2026-03-01T00:00:00Z"}


def of_task(chain: Chain, instance: Instance | None = None, run: Run | None = None) -> dict[str, Any]:
    """The context of a task that has failed, started with the id of its producer's run."""
    params = {"dag_id": chain[0].dag_id, "run_id": chain[0].run_id}
    return {"ti": instance or Instance(), "dag_run": run or Run(), "params": params}


def of_run(chain: Chain, number: int = 0) -> dict[str, Any]:
    """The context of a run that has failed, as a Dag processor makes it of little."""
    ref = chain[number]
    return {"dag": DAG(ref.dag_id, schedule=None), "run_id": ref.run_id, "reason": "task_failure"}


def of_deadline(chain: Chain, **changes: str) -> dict[str, Any]:
    """The context of a missed deadline: what the REST API answers of its run."""
    run = {"dag_id": chain[0].dag_id, "dag_run_id": chain[0].run_id, "logical_date": "2026-01-05T01:00:00Z"}
    return {"dag_run": run, "deadline": {**DEADLINE, **changes}}


def proposed(house: House) -> list[tuple[int, str, str]]:
    return [(one.id, one.state.value, str(one.source)) for one in house.store.rows.reruns.values()]


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(ProposeRerunNotifier, "log", logging.getLogger("tests.notifier"))
    caplog.set_level(logging.INFO, "tests.notifier")
    return caplog


def said(told: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in told.records if record.name == "tests.notifier"]


def test_a_failed_task_proposes_and_says_what_and_where(
    house: House, server: FakeServer, chain: Chain, told: pytest.LogCaptureFixture
) -> None:
    house.permissions.forbidden.update({"a", "b", "c"})
    context = of_task(chain)
    before = dict(context)
    ProposeRerunNotifier(**PRODUCER, reason="{{ ti.task_id }} failed")(context)
    assert proposed(house) == [(1, "proposed", str(chain[0]))]
    assert house.store.rows.reruns[1].reason == "repair failed"
    (sentence,) = said(told)
    assert sentence.startswith(
        f"Rerun 1 is proposed: 3 runs of 3 Dags, from a / {chain[0].run_id}. Approve it until 20"
    )
    assert sentence.endswith(f" UTC at {URL}/rerun-downstream/ui/records/1")
    assert context == before
    house.tick()
    assert {one.state.value for one in house.store.rows.members.values()} == {"pending"}


def test_it_runs_once_somebody_has_approved_it(house: House, server: FakeServer, chain: Chain) -> None:
    asked = ProposeRerunNotifier(**PRODUCER)
    asked(of_task(chain))
    goes_on(house)
    assert [state for _, state, _ in proposed(house)] == ["proposed"]
    server.api.approve(1)
    for _ in range(10):
        goes_on(house)
    assert [state for _, state, _ in proposed(house)] == ["succeeded"]
    asked(of_task(chain))
    assert len(proposed(house)) == 1


@pytest.mark.parametrize("again", [Instance(), Instance(try_number=2), Instance(map_index=3)])
def test_one_failure_makes_one_proposal_whatever_is_said_of_it(
    house: House, server: FakeServer, chain: Chain, told: pytest.LogCaptureFixture, again: Instance
) -> None:
    asked = ProposeRerunNotifier(**PRODUCER, reason="{{ ti.try_number }}/{{ ti.map_index }}")
    asked(of_task(chain))
    asked(of_task(chain, again))
    assert [number for number, *_ in proposed(house)] == [1]
    assert said(told)[1] == f"Rerun 1 of this failure is proposed: {URL}/rerun-downstream/ui/records/1"
    server.api.reject(1)
    asked(of_task(chain, again))
    assert [state for _, state, _ in proposed(house)] == ["terminated"]
    assert "of this failure is terminated" in said(told)[2]


@pytest.mark.parametrize(
    ("instance", "run"),
    [
        (Instance(max_tries=5), Run()),
        (Instance(), replace(Run(), start_date=Run().start_date.replace(hour=1))),
        (Instance(task_id="other"), Run()),
    ],
)
def test_another_failure_makes_another(
    house: House, server: FakeServer, chain: Chain, instance: Instance, run: Run
) -> None:
    asked = ProposeRerunNotifier(**PRODUCER)
    asked(of_task(chain))
    asked(of_task(chain, instance, run))
    assert [number for number, *_ in proposed(house)] == [1, 2]


def test_one_notifier_serves_several_runs_in_one_process(house: House, server: FakeServer, chain: Chain) -> None:
    asked = ProposeRerunNotifier()
    for number in (0, 1, 0):
        asked(of_run(chain, number))
    assert [source for *_, source in proposed(house)] == [str(chain[0]), str(chain[1])]


def test_by_default_the_run_that_failed(house: House, server: FakeServer, chain: Chain) -> None:
    run = Run(dag_id=chain[1].dag_id, run_id=chain[1].run_id, state="failed")
    ProposeRerunNotifier()({"ti": Instance(), "dag_run": run, "reason": "task_failure"})
    ProposeRerunNotifier()({"ti": Instance(task_id="another"), "dag_run": run, "reason": "task_failure"})
    assert [source for *_, source in proposed(house)] == [str(chain[1])]


def test_a_part_of_the_plan(house: House, server: FakeServer, chain: Chain) -> None:
    server.dags = {"b": ["x"]}
    asked = ProposeRerunNotifier(**PRODUCER, dag_tags=["x"])
    asked(of_task(chain))
    server.dags = {}
    asked(of_task(chain))
    assert {one.ref.dag_id for one in house.store.rows.members.values()} == {"a", "b"}
    assert len(proposed(house)) == 1


def fails(chain: Chain, **options: Any) -> None:
    ProposeRerunNotifier(**{**PRODUCER, **options})(of_task(chain))


def test_what_keeps_it_from_proposing_is_a_sentence_and_no_failure(
    house: House, server: FakeServer, chain: Chain, told: pytest.LogCaptureFixture
) -> None:
    house.permissions.unreadable.add("a")
    fails(chain)
    fails(chain, rerun_downstream_conn_id="nowhere")
    fails(chain, source_run_id="{{ params.nothing }}")
    fails(chain, members=[], dag_tags=["x"])
    fails(chain, source_run_id=None, source_logical_date="soon")
    server.away = 10_000
    fails(chain)
    assert not proposed(house)
    sentences = said(told)
    assert len(sentences) == 6
    parts = ("(not_found)", "nowhere", "source_run_id has come", "give members", "soon", "can't be reached")
    for sentence, part in zip(sentences, parts, strict=True):
        assert sentence.startswith("No rerun is proposed: ")
        assert part in sentence
    assert not any(record.exc_info for record in told.records)
    assert 10_000 - server.away <= 4


@pytest.mark.parametrize("native", [False, True])
def test_a_template_that_comes_to_nothing_is_not_the_run_that_failed(
    house: House, server: FakeServer, chain: Chain, told: pytest.LogCaptureFixture, native: bool
) -> None:
    context = {**of_run(chain), "params": {"run_id": None}}
    context["dag"].render_template_as_native_obj = native
    ProposeRerunNotifier(source_dag_id="a", source_run_id="{{ params.run_id if params.run_id else '' }}")(context)
    ProposeRerunNotifier(source_dag_id="{{ params.run_id or '' }}", source_run_id="x")(context)
    assert not proposed(house)
    assert all("has come to nothing" in sentence for sentence in said(told))
    assert len(said(told)) == 2


def test_an_error_of_ours_has_its_traceback(
    chain: Chain, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(propose_notifier, "key_of_failure", lambda *_: 1 / 0)
    monkeypatch.setattr(hook.RerunDownstreamHook, "server", None)
    fails(chain)
    assert said(told) == ["No rerun is proposed: division by zero"]
    assert told.records[-1].exc_info


def test_others_are_told_of_a_new_proposal_once(
    house: House, server: FakeServer, chain: Chain, told: pytest.LogCaptureFixture
) -> None:
    heard: list[Any] = []
    asked = ProposeRerunNotifier(**PRODUCER, then=[lambda _: 1 / 0, heard.append])
    for _ in range(2):
        asked(of_task(chain))
    (context,) = heard
    assert context["ti"] == Instance()
    assert context["proposal"] == {
        "rerun_id": 1,
        "url": f"{URL}/rerun-downstream/ui/records/1",
        "message": said(told)[0],
    }
    assert "could not be told" in said(told)[1]


def test_a_proposal_that_can_not_be_counted_stands(
    house: House, server: FakeServer, chain: Chain, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_rerun_downstream.client import ConnectionProblem, RerunDownstreamClient

    def away(*_: Any) -> Any:
        raise ConnectionProblem("gone")
        yield

    monkeypatch.setattr(RerunDownstreamClient, "iter_members", away)
    ProposeRerunNotifier(**PRODUCER)(of_task(chain))
    assert said(told)[0].startswith("Rerun 1 is proposed: 3 runs, from a")


@pytest.mark.parametrize("of", [ProposeRerunNotifier, RerunDownstreamOperator])
def test_all_that_says_what_is_rerun_can_be_said(of: type) -> None:
    assert {field.name for field in fields(What)} <= set(inspect.signature(of).parameters)


def test_a_dag_without_a_run_is_refused_where_the_dag_is_written() -> None:
    with pytest.raises(ValueError, match="source_dag_id needs"):
        ProposeRerunNotifier(source_dag_id="a")


class TestDeadline:
    """A triggerer makes the notifier of what is stored, and awaits it."""

    def ended(self, context: dict[str, Any], **options: Any) -> dict[str, Any]:
        """How a callback has ended, whose trigger runs as Airflow's own does."""
        callback = AsyncCallback(ProposeRerunNotifier, options)

        async def run() -> dict[str, Any]:
            trigger = CallbackTrigger(callback.path, {**callback.kwargs, "context": context})
            return [dict(event.payload) async for event in trigger.run()][-1]

        return asyncio.run(run())

    def test_it_proposes(self, house: House, server: FakeServer, chain: Chain) -> None:
        event = self.ended(of_deadline(chain))
        assert event["state"] == "success"
        self.ended(of_deadline(chain))
        assert proposed(house) == [(1, "proposed", str(chain[0]))]
        self.ended(of_deadline(chain, id="0200"))
        assert len(proposed(house)) == 2

    def test_by_the_date_of_the_run_that_is_late(self, house: House, server: FakeServer, chain: Chain) -> None:
        date = house.world.runs[chain[1]].logical_date
        assert date is not None
        context = of_deadline(chain)
        context["dag_run"]["logical_date"] = date.isoformat()
        self.ended(context, source_dag_id="b", source_logical_date="{{ dag_run.logical_date }}")
        assert [source for *_, source in proposed(house)] == [str(chain[1])]

    def test_one_that_proposes_nothing_has_failed(self, house: House, server: FakeServer, chain: Chain) -> None:
        house.permissions.unreadable.add("a")
        event = self.ended(of_deadline(chain))
        assert event["state"] == "failed"
        assert "No rerun is proposed: " in event["body"]
        with pytest.raises(AirflowException, match="not_found"):
            ProposeRerunNotifier()(of_deadline(chain))
        assert not proposed(house)


def test_the_example_names_the_run_that_told_of_a_wrong_price(mocker: MockerFixture) -> None:
    from airflow_rerun_downstream.example_dags.example_rerun_proposal import quality

    made = [(1.0, "right"), (-1.0, "wrong")]
    events = [SimpleNamespace(extra={"price": price}, source_run_id=run_id) for price, run_id in made]
    mocker.patch.object(hook.RerunDownstreamHook, "server", None)
    proposing = mocker.patch.object(propose_notifier, "propose")
    asked: Any = quality.on_failure_callback
    run = Run("example_rerun_quality", "asset_triggered__1")
    asked({"dag": quality, "dag_run": run, "reason": "task_failure", "triggering_asset_events": {"prices": events}})
    _, what, _ = proposing.call_args.args
    assert (what.source_dag_id, what.source_run_id) == ("example_rerun_prices", "wrong")


def test_airflow_is_told_of_it() -> None:
    assert FOR_DAG_AUTHORS["notifications"] == [f"{ProposeRerunNotifier.__module__}.ProposeRerunNotifier"]
