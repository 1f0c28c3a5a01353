"""Each condition is told to a mail server, a webhook's receiver and a notifier; each is down for a while, and the
api-server is killed between any two steps: nothing is lost, and told twice only where it died between the sending and
the note of it, with the same id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections import Counter

import pytest
from playwright.sync_api import expect

from tests.acceptance.notified import SECRETS, TARGETS, Notified
from tests.acceptance.story import AWAY
from tests.live.browser import OpenBrowser
from tests.live.harness import StartAirflow, wait_until
from tests.live.wizard import wizard_path

pytestmark = pytest.mark.acceptance

HOSTILE = "<!channel> @everyone\nBcc: evil@example.com <script>alert(1)</script> {{ 7 * 7 }}"
ALL = ["succeeded", "terminated", "member_failed", "paused", "not_proven", "frozen_too_long"]
EVERYBODY = [{"target": target, "on": ALL} for target in TARGETS]


@pytest.fixture(scope="module")
def notified(start_airflow: StartAirflow, tmp_path_factory: pytest.TempPathFactory) -> Notified:
    return Notified(start_airflow, tmp_path_factory.mktemp("notified"))


def test_each_condition_is_told_to_each_target(notified: Notified) -> None:
    notified.file("fail").touch()
    first = notified.submit(
        members=[], notifications=EVERYBODY, settings={"on_failure": "pause"}, name=HOSTILE, reason=HOSTILE
    )["id"]
    told = notified.wait_told(first, {"member_failed", "paused"})
    notified.call("POST", f"/reruns/{first}/terminate")
    told = notified.wait_told(first, {"terminated"})
    notified.file("fail").unlink()
    rerun, _ = notified.freeze("minutely", lead=None, notifications=EVERYBODY)
    told += notified.wait_told(rerun, {"frozen_too_long"})
    notified.go_on()
    # What no rerun here leads to is put there by hand; the conductor's part of it is shown without an Airflow.
    for target in TARGETS:
        notified.insert(target, "not_proven", rerun)
    told = [*notified.notifications(first), *notified.wait_told(rerun, {"succeeded", "not_proven"})]
    assert Counter((each["target"], each["condition"]) for each in told) == {
        (target, condition): 1 for target in TARGETS for condition in ALL
    }
    for target in TARGETS:
        known = {each["message_id"] for each in told if each["target"] == target}
        assert Counter(notified.ids(target)) == Counter(known), "each once, by the id that the record has"


def test_what_arrives_can_be_checked_and_mentions_nobody(notified: Notified) -> None:
    call = notified.hook.calls[0]
    content = f"{call.headers['webhook-id']}.{call.headers['webhook-timestamp']}.".encode() + call.body
    mac = hmac.new(base64.b64decode(SECRETS["key"]), content, hashlib.sha256).digest()
    assert call.headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"
    assert call.headers["x-token"] == SECRETS["header"]
    assert call.json["url"].startswith(notified.airflow.base_url)
    mail = notified.server.posts[0].mail
    assert notified.server.posts[0].login == ("ops", SECRETS["password"])
    assert mail["Bcc"] is None
    assert notified.server.posts[0].recipients == ["ops@example.com"]
    for said in (call.body.decode(), str(mail.get_body(("html",)))):
        assert "<!channel>" not in said
        assert "@everyone" not in said
        assert "<script" not in said


def test_those_that_are_down_for_a_while_are_told_later(notified: Notified) -> None:
    words = {"hook": "connection_failed", "mail": "connection_failed", "note": "notifier_error:RuntimeError"}
    before = {target: notified.ids(target) for target in TARGETS}
    notified.hook.stop()
    notified.server.stop()
    notified.file("down").touch()
    sent = {target: notified.call("POST", f"/notification-targets/{target}/test")["message_id"] for target in TARGETS}
    for target, word in words.items():
        assert notified.wait_test(target, "pending", error=word)["message_id"] == sent[target]
    assert {target: notified.ids(target) for target in TARGETS} == before
    notified.hook.start()
    notified.server.start()
    notified.file("down").unlink()
    for target in TARGETS:
        last = notified.wait_test(target, "sent")
        assert last["message_id"] == sent[target]
        assert last["tries"] >= 2
        assert notified.ids(target) == [*before[target], sent[target]]


def test_killed_between_the_sending_and_the_note_it_is_told_twice_with_one_id(notified: Notified) -> None:
    before = {target: notified.ids(target) for target in TARGETS}
    notified.hook.holds = threading.Event()
    notified.hook.got.clear()
    twice = notified.insert("hook", "test", None)
    assert notified.hook.got.wait(60), "it has arrived, and is not answered"
    once = notified.insert("mail", "test", None)
    notified.airflow.kill9("api-server")
    notified.hook.holds.set()
    notified.hook.holds = None
    notified.let_time_pass()
    notified.airflow.start("api-server")
    wait_all(notified, {"hook": [*before["hook"], twice, twice], "mail": [*before["mail"], once]})


def test_killed_before_the_sending_it_is_told_once(notified: Notified) -> None:
    before = {target: notified.ids(target) for target in TARGETS}
    notified.server.waits = threading.Event()
    notified.server.called.clear()
    taken = notified.insert("mail", "test", None)
    assert notified.server.called.wait(60), "it was taken, and nothing of it is sent"
    notified.airflow.kill9("api-server")
    notified.server.waits.set()
    notified.server.waits = None
    untouched = [notified.insert(target, "test", None) for target in ("hook", "note")]
    notified.let_time_pass()
    notified.airflow.start("api-server")
    wait_all(
        notified,
        {
            "mail": [*before["mail"], taken],
            "hook": [*before["hook"], untouched[0]],
            "note": [*before["note"], untouched[1]],
        },
    )


def wait_all(notified: Notified, wanted: dict[str, list[str]]) -> None:
    """Wait until all is sent, and look at what has arrived."""

    def none_is_left() -> bool:
        ((left,),) = notified.rows("select count(*) from rerun_downstream_delivery where state <> 'sent'")
        return bool(left == 0)

    wait_until(none_is_left, 60, "all notifications to be sent", ignore=AWAY)
    assert {target: notified.ids(target) for target in wanted} == wanted


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "wrong",
        "their_notifiers.Writes",
        "os.system",
        "http:%2F%2F127.0.0.1",
        "..%2Fhook",
        "hook%00",
        "hook%20",
    ],
)
def test_nobody_names_anything_but_a_target_that_is_configured(notified: Notified, name: str) -> None:
    before = notified.arrived()
    status, told = notified.refused("POST", f"/notification-targets/{name}/test")
    assert status in (404, 422)
    assert told["reason"] in ("not_found", "invalid")
    status, _ = notified.refused(
        "POST",
        "/reruns",
        json={"source": notified.source(), "notifications": [{"target": name, "on": ["succeeded"]}]},
    )
    assert status == 422
    assert notified.arrived() == before


def test_a_wrong_target_is_in_health_and_in_the_log(notified: Notified) -> None:
    found = notified.call("GET", "/health")["components"]["notifications"]
    assert found["status"] == "degraded"
    assert "'wrong' (notification_targets): url is not an https address" in found["detail"]
    assert "url is not an https address" in notified.logs()


def test_no_secret_is_in_any_log_or_answer(notified: Notified) -> None:
    logs, answers = notified.logs(), str(notified.answers())
    assert len(logs) > 10_000
    page = notified.client.http.get("/rerun-downstream/ui/").text
    for what, secret in SECRETS.items():
        for where, text in (("log", logs), ("answer", answers), ("page", page)):
            assert secret not in text, f"{what} is in a {where}"


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "zh-CN")])
def test_the_pages_show_them_and_send_a_test(notified: Notified, visit: OpenBrowser, theme: str, language: str) -> None:
    rerun = notified.call("GET", "/reruns", params={"order_by": "id"})["reruns"][0]["id"]
    here = visit(notified.airflow, theme=theme, language=language)
    here.open(f"/records/{rerun}?tab=details")
    told = here.page.get_by_test_id("deliveries").get_by_role("listitem")
    expect(told).to_have_count(len(notified.notifications(rerun)))
    assert here.serious() == []
    shown = here.page.content()
    here.open(wizard_path("wrong", notified.run_id("wrong"), "settings"))
    group = here.page.get_by_role("group", name="mail", exact=True)
    expect(group.get_by_role("checkbox")).to_have_count(len(ALL))
    before = notified.ids("mail")
    group.get_by_role("button").click()
    wait_until(lambda: len(notified.ids("mail")) > len(before), 30, "the test to arrive")
    last = notified.wait_test("mail", "sent")
    expect(group.get_by_role("status")).to_be_visible()
    assert notified.ids("mail")[-1] == last["message_id"]
    assert here.serious() == []
    shown += here.page.content()
    assert not any(secret in shown for secret in SECRETS.values())
