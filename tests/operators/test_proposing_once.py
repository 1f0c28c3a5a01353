"""One failure, one proposal: by racing indexes, changing templates, other notifiers, and servers that don't answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from airflow.sdk import BaseNotifier
from pytest_mock import MockerFixture

from airflow_rerun_downstream.domain.definitions import SensorDefinition
from airflow_rerun_downstream.domain.freeze import DagSchedule, UpcomingRun
from airflow_rerun_downstream.operators import ProposeRerunNotifier, hook, proposing
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.operators.what import What
from tests.fakes.house import House
from tests.operators.conftest import Chain, Instance, Run
from tests.operators.fake_server import URL, FakeServer
from tests.operators.test_propose_notifier import PRODUCER, of_run, of_task, proposed, said, told

__all__ = ["told"]


DATE = House().clock.now() + timedelta(hours=1)
TOKEN = "token-0"


class Chat(BaseNotifier):
    """Says a text, as Airflow's own notifiers do."""

    template_fields = ("text",)

    def __init__(self, text: str, heard: list[str]) -> None:
        super().__init__()
        self.text = text
        self.heard = heard

    def notify(self, context: Any) -> None:
        self.heard.append(self.text)


class Reasoned(BaseNotifier):
    """Another notifier with a reason, which Airflow puts into the context that all callbacks share."""

    template_fields = ("reason",)

    def __init__(self) -> None:
        super().__init__()
        self.reason = "a reason of its own"

    def notify(self, context: Any) -> None:
        assert context["reason"] == self.reason


def test_notifiers_are_told_of_each_run_by_one_object(house: House, server: FakeServer, chain: Chain) -> None:
    heard: list[str] = []
    asked = ProposeRerunNotifier(then=[Chat("{{ run_id }}: {{ proposal.rerun_id }}", heard)])
    for number in (0, 1):
        asked(of_run(chain, number))
    assert heard == [f"{chain[0].run_id}: 1", f"{chain[1].run_id}: 2"]


def test_a_template_that_changes_with_the_try_makes_no_other_proposal(
    house: House, server: FakeServer, chain: Chain
) -> None:
    asked = ProposeRerunNotifier(**PRODUCER, dag_id_pattern="{{ 'b|c' if ti.try_number == 1 else 'b' }}")
    asked(of_task(chain, Instance(try_number=1)))
    asked(of_task(chain, Instance(try_number=2)))
    assert [number for number, *_ in proposed(house)] == [1]


def test_another_selection_proposes_for_itself(house: House, server: FakeServer, chain: Chain) -> None:
    for pattern in ("b", "b|c"):
        ProposeRerunNotifier(**PRODUCER, dag_id_pattern=pattern)(of_task(chain))
    assert [number for number, *_ in proposed(house)] == [1, 2]


def test_the_reason_of_another_notifier_makes_no_failed_run_of_a_task(
    house: House, server: FakeServer, chain: Chain
) -> None:
    for task_id in ("one", "two"):
        context = of_task(chain, Instance(task_id=task_id))
        Reasoned()(context)
        ProposeRerunNotifier(**PRODUCER)(context)
    assert [number for number, *_ in proposed(house)] == [1, 2]


def test_all_tasks_that_airflow_names_with_a_failed_run_are_one_failure(
    house: House, server: FakeServer, chain: Chain
) -> None:
    for task_id in ("one", "two"):
        context = of_task(chain, Instance(task_id=task_id), Run(state="failed"))
        ProposeRerunNotifier(**PRODUCER)({**context, "reason": "task_failure"})
    assert [number for number, *_ in proposed(house)] == [1]


@pytest.mark.parametrize("reason", ["the same", "{{ ti.map_index }}"])
def test_two_indexes_that_fail_together_make_one_proposal_and_tell_of_it_once(
    house: House,
    server: FakeServer,
    chain: Chain,
    told: pytest.LogCaptureFixture,
    mocker: MockerFixture,
    reason: str,
) -> None:
    heard: list[Any] = []
    asked = ProposeRerunNotifier(**PRODUCER, reason=reason, then=[heard.append])
    body = What.body
    others = [of_task(chain, Instance(map_index=1))]

    def meanwhile(self: What, *args: Any) -> dict[str, Any]:
        if others:  # the other index overtakes, after this one has looked for its key
            asked(others.pop())
        return body(self, *args)

    mocker.patch.object(What, "body", meanwhile)
    asked(of_task(chain, Instance(map_index=0)))
    assert [number for number, *_ in proposed(house)] == [1]
    assert [each["ti"].map_index for each in heard] == [1]
    assert said(told)[1] == f"Rerun 1 of this failure is proposed: {URL}/rerun-downstream/ui/records/1"


def test_the_message_counts_what_would_run(house: House, server: FakeServer, told: pytest.LogCaptureFixture) -> None:
    world = house.world
    source, daily = world.run("a", day=39), world.run("b", day=39)
    world.consumed(source, "t", by=daily, asset="1")
    world.dag("weekly")
    later = DATE - (world.runs[source].logical_date or DATE)
    world.sensors.append(SensorDefinition("weekly", "t", "a", offset=later.total_seconds(), offset_known=True))
    upcoming = UpcomingRun("weekly", "scheduled__later", DATE, DATE, DATE, DATE)
    world.schedules["weekly"] = DagSchedule("weekly", upcoming=(upcoming,))
    frozen = [{"dag_id": "weekly", "logical_date": DATE.isoformat()}]
    asked = ProposeRerunNotifier(rerun_source=False, freeze_mode=True, frozen=frozen)
    asked(of_run((source, daily, daily)))
    (sentence,) = said(told)
    assert sentence.startswith("Rerun 1 is proposed: 1 run of 1 Dag and 1 frozen run, from a / ")


class Silent:
    """A server that doesn't answer, or only after it has stored what it was sent; and the time that passes."""

    def __init__(self, server: FakeServer, mocker: MockerFixture) -> None:
        self.now = 0.0
        self.longest = 0.0
        self.server = server
        self.silent = {"*"}
        self.stores = False
        mocker.patch.object(proposing, "monotonic", self.time)
        mocker.patch.object(proposing, "sleep", self.passes)

    def time(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = f"{request.method} {request.url.path.rpartition('/')[2]}"
        if not self.silent & {"*", call}:
            return self.server(request)
        if self.stores:
            self.server(request)
        wait = request.extensions["timeout"]["read"]
        self.longest = max(self.longest, wait)
        self.now += wait
        raise httpx.ReadTimeout("", request=request)


@pytest.fixture
def silent(server: FakeServer, mocker: MockerFixture) -> Silent:
    """The server of the connection, which is silent from now on."""
    found = Silent(server, mocker)
    transport = httpx.MockTransport(found)
    client = Server.client

    def silenced(self: Server, retries: int = 30) -> Any:
        made = client(self, retries)
        made._transport._http = httpx.Client(transport=transport, **made._transport._options)
        return made

    mocker.patch.object(Server, "client", silenced)
    server.valid = TOKEN
    mocker.patch.object(hook.RerunDownstreamHook, "server", Server(URL, token=TOKEN))
    return found


def test_a_silent_server_is_given_up_before_a_dag_processor_is_killed(
    silent: Silent, chain: Chain, house: House, told: pytest.LogCaptureFixture
) -> None:
    ProposeRerunNotifier(**PRODUCER)(of_task(chain))
    assert said(told) == [f"No rerun is proposed: {URL} can't be reached: ReadTimeout"]
    assert 10 <= silent.now <= 25
    assert silent.longest == 10


def test_the_connections_own_timeout_counts_where_it_is_shorter(
    silent: Silent, chain: Chain, house: House, mocker: MockerFixture
) -> None:
    short = Server(URL, token=TOKEN, timeout=2.0)
    mocker.patch.object(hook.RerunDownstreamHook, "server", short)
    ProposeRerunNotifier(**PRODUCER)(of_task(chain))
    assert silent.longest == 2


def test_a_proposal_whose_answer_was_lost_is_found_and_told_of(
    silent: Silent, chain: Chain, house: House, told: pytest.LogCaptureFixture
) -> None:
    silent.silent, silent.stores = {"POST reruns"}, True
    heard: list[Any] = []
    ProposeRerunNotifier(**PRODUCER, then=[heard.append])(of_task(chain))
    assert [number for number, *_ in proposed(house)] == [1]
    assert said(told)[0].startswith("Rerun 1 is proposed: 3 runs of 3 Dags")
    assert len(heard) == 1


def test_a_submit_of_which_nothing_was_heard_is_not_said_to_have_come_to_nothing(
    silent: Silent, chain: Chain, house: House, told: pytest.LogCaptureFixture
) -> None:
    silent.silent = {"POST reruns"}
    ProposeRerunNotifier(**PRODUCER)(of_task(chain))
    (sentence,) = said(told)
    assert sentence.startswith("Whether a rerun is proposed isn't known: ")


def test_a_slow_server_is_given_up_before_something_is_submitted(
    silent: Silent, chain: Chain, house: House, told: pytest.LogCaptureFixture, mocker: MockerFixture
) -> None:
    silent.silent = set()
    body = What.body

    def slowly(self: What, *args: Any) -> dict[str, Any]:
        silent.passes(16)
        return body(self, *args)

    mocker.patch.object(What, "body", slowly)
    ProposeRerunNotifier(**PRODUCER)(of_task(chain))
    assert not proposed(house)
    assert said(told) == [f"No rerun is proposed: {URL} answers too slowly: 15 seconds have passed."]
