"""Targets from what the deployment has written: what is wrong is said at once, and never with a value."""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_rerun_downstream.notify import reading as module_of_reading
from airflow_rerun_downstream.notify import targets as module
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Credentials, Email, NotifierCall, Target, Webhook
from airflow_rerun_downstream.notify.targets import ConfiguredTargets
from airflow_rerun_downstream.settings import Settings

SECRET = "s3cr3t-value"
HOOK = {"kind": "webhook", "url": f"https://example.com/{SECRET}"}


def nested(depth: int) -> Any:
    """A list in a list in a list …"""
    found: Any = SECRET
    for _ in range(depth):
        found = [found]
    return found


def read(specs: dict[Any, Any], connections: Any = None, **more: Any) -> ConfiguredTargets:
    made = ConfiguredTargets(Settings(notification_targets=specs, **more), connections or (lambda _: None))
    made.read()
    return made


def test_all_kinds_and_options() -> None:
    made = read(
        {
            "hook": {**HOOK, "secret": SECRET, "headers": {"X-A": "b"}, "payload": {"text": "{{ headline }}"}},
            "mail": {"kind": "email", "to": "a@example.com", "from": "Me <b@example.com>", "description": "us"},
            "many": {
                "kind": "email",
                "to": ["a@example.com", "b@example.com"],
                "conn_id": "smtp_x",
                "text": "{{ url }}",
            },
            "slack": {"kind": "notifier", "class": "a.b.C", "arguments": {"channel": "#x"}, "timeout": 5},
        }
    )
    assert made.found.problems == {}
    assert made.targets() == [
        ("hook", "webhook", ""),
        ("mail", "email", "us"),
        ("many", "email", ""),
        ("slack", "notifier", ""),
    ]
    hook, mail, many, slack = (made.target(name) for name in ("hook", "mail", "many", "slack"))
    assert hook is not None
    assert isinstance(hook.call, Webhook)
    assert (hook.conn_id, hook.call.secret) == (None, SECRET)
    assert mail is not None
    assert mail.call == Email(("a@example.com",), "Me <b@example.com>")
    assert mail.conn_id == "smtp_default"
    assert many is not None
    assert (many.conn_id, many.wording.text, many.wording.html) == ("smtp_x", "{{ url }}", None)
    assert slack is not None
    assert slack.call == NotifierCall("a.b.C", {"channel": "#x"}, 5.0)
    assert SECRET not in repr([hook, mail, many, slack])


WRONG: dict[str, Any] = {
    "no object": 5,
    "no kind": {"url": f"https://{SECRET}"},
    "unknown kind": {"kind": SECRET},
    "a typo": {**HOOK, "ulr": SECRET},
    "another kind's option": {**HOOK, "to": SECRET},
    "no address": {"kind": "webhook"},
    "http": {"kind": "webhook", "url": f"http://example.com/{SECRET}"},
    "a password in it": {"kind": "webhook", "url": f"https://u:{SECRET}@example.com/"},
    "a file": {"kind": "webhook", "url": f"file:///{SECRET}"},
    "a line break": {"kind": "webhook", "url": f"https://example.com/\r\nX: {SECRET}"},
    "no text": {"kind": "webhook", "url": 7},
    "bad secret": {**HOOK, "secret": f"whsec_{SECRET}!!"},
    "bad header": {**HOOK, "headers": {"A": f"{SECRET}\r\nB: c"}},
    "our header": {**HOOK, "headers": {"webhook-signature": SECRET}},
    "headers no object": {**HOOK, "headers": SECRET},
    "bad payload": {**HOOK, "payload": {"text": "{{ " + SECRET}},
    "payload no object": {**HOOK, "payload": [SECRET]},
    "no flag": {**HOOK, "allow_http": "yes"},
    "bad template": {**HOOK, "text": "{% " + SECRET},
    "two texts": {**HOOK, "text": "x", "text_file": "y"},
    "no file": {**HOOK, "html_file": f"/nowhere/{SECRET}"},
    "no recipient": {"kind": "email"},
    "no recipients": {"kind": "email", "to": []},
    "too many": {"kind": "email", "to": ["a@example.com"] * 51},
    "bad recipient": {"kind": "email", "to": f"{SECRET}\r\nBcc: a@b"},
    "no user": {"kind": "email", "to": f"@{SECRET}"},
    "two ats": {"kind": "email", "to": f"{SECRET}@bar@baz"},
    "a dot at the end": {"kind": "email", "to": f"{SECRET}@b."},
    "half a literal": {"kind": "email", "to": f"{SECRET}@["},
    "a sender without a user": {"kind": "email", "to": "a@example.com", "from": f"@{SECRET}"},
    "a deep template": {**HOOK, "text": "{{ " + "(" * 5000 + SECRET},
    "a deep payload": {**HOOK, "payload": {"a": nested(5000)}},
    "deep arguments": {"kind": "notifier", "class": "a.B", "arguments": {"a": nested(5000)}},
    "bad sender": {"kind": "email", "to": "a@example.com", "from": SECRET},
    "no class": {"kind": "notifier"},
    "odd class": {"kind": "notifier", "class": f"os; {SECRET}"},
    "bad arguments": {"kind": "notifier", "class": "a.B", "arguments": [SECRET]},
    "bad timeout": {"kind": "notifier", "class": "a.B", "timeout": 61},
    "no number": {"kind": "notifier", "class": "a.B", "timeout": True},
    "conn_id": {"kind": "notifier", "class": "a.B", "conn_id": SECRET},
    "a/b": HOOK,
    "a:b": HOOK,
    "x" * 101: HOOK,
    "": HOOK,
    "new\nline": HOOK,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_one_is_left_out_named_and_its_values_are_not(name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made = read({name: WRONG[name], "right": HOOK})
    assert made.targets() == [("right", "webhook", "")]
    ((where, problem),) = made.found.problems.items()
    assert where == f"{name[:100]!r} (notification_targets)"
    assert problem
    assert SECRET not in problem + caplog.text
    assert len(caplog.records) == 1


def test_a_file_of_targets_with_templates_beside_it(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("{{ headline }}")
    file = tmp_path / "targets.yaml"
    file.write_text(
        "boss: {kind: email, to: a@example.com, text_file: words.txt}\nops: {kind: email, to: b@example.com}\n"
    )
    made = read({"ops": HOOK}, notification_targets_file=str(file))
    assert [name for name, _, _ in made.targets()] == ["boss", "ops"]
    assert made.target("ops").kind == "webhook"  # type: ignore[union-attr]
    assert made.target("boss").wording.text == "{{ headline }}"  # type: ignore[union-attr]
    assert list(made.found.problems) == ["'ops' (notification_targets_file)"]


TEXTS = (
    "[1]",
    "a: [",
    "\x00",
    "!!python/object/apply:os.system [true]",
    "a: !!timestamp abc",
    "a: !!int ''",
    "a: !!binary 7é",
    "[" * 5000,
    None,
)


@pytest.mark.parametrize("text", TEXTS)
def test_a_file_that_is_none(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "targets.yaml"
    if text is not None:
        file.write_text(text)
    made = read({"ops": HOOK}, notification_targets_file=str(file))
    assert list(made.found.problems) == ["notification_targets_file"]
    assert [name for name, _, _ in made.targets()] == ["ops"]


@pytest.mark.parametrize(
    "extra",
    [{"ops": HOOK}, {"notification_targets": {"ops": HOOK}}, {"notification_targets": json.dumps({"ops": HOOK})}],
)
def test_targets_of_an_airflow_connection(extra: dict[str, Any]) -> None:
    made = read({}, {"where": Credentials(extra=extra)}.get, notification_targets_conn_id="where")
    assert (made.targets(), made.found.problems) == ([("ops", "webhook", "")], {})


def test_a_back_end_that_is_away_is_a_problem_and_what_was_known_holds() -> None:
    answers: list[Any] = [Credentials(extra={"ops": HOOK}), RuntimeError(SECRET)]

    def ask(_conn_id: str) -> Credentials:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    made = read({}, ask, notification_targets_conn_id="where")
    found = made.read()
    assert list(found.targets) == ["ops"]
    assert list(found.problems) == ["notification_targets_conn_id"]
    assert SECRET not in str(found.problems)


def test_a_back_end_that_does_not_answer_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECTING", 0.2)
    began = time.monotonic()
    made = read({"ops": {**HOOK, "conn_id": "x"}}, lambda _: time.sleep(5), notification_targets_conn_id="where")
    assert list(made.found.problems) == ["notification_targets_conn_id"]
    target = made.target("ops")
    assert target is not None
    with pytest.raises(NotSent, match="timed_out"):
        made.credentials(target)
    assert time.monotonic() - began < 3


def test_a_connection_that_is_not_there() -> None:
    made = read({"ops": {**HOOK, "conn_id": "x"}, "free": HOOK})
    with pytest.raises(NotSent, match="airflow_connection_missing"):
        made.credentials(made.found.targets["ops"])
    assert made.credentials(made.found.targets["free"]) is None


def test_a_notifier_that_cannot_be_made_is_a_problem_and_can_be_tried_all_the_same() -> None:
    made = ConfiguredTargets(Settings(notification_targets={"slack": {"kind": "notifier", "class": "a.B"}}))

    def check(target: Target) -> str | None:
        return "notifier_error:ModuleNotFoundError"

    made.check = check
    assert made.read().problems == {"'slack'": "its notifier can't be made (notifier_error: ModuleNotFoundError)"}
    assert made.targets() == [("slack", "notifier", "")]


ADDRESSES = st.text('ab@.<>[]()"\\,;: \r\n\té', max_size=8)
TAGS = ["int", "float", "timestamp", "binary", "bool", "null", "set", "omap", "pairs", "merge", "value", "x"]
YAML = st.lists(
    st.sampled_from([*(f"!!{tag} " for tag in TAGS), *"[]{}:,-&*!?|>\"'#%@\n ", "&a ", "*a", "<<: ", "a: ", "1", "''"]),
    max_size=12,
).map("".join)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | ADDRESSES | st.dates()
TEMPLATES = st.text("{}%|#[]()'\"~.* abfor", max_size=12)
JSON = st.recursive(
    LEAVES | TEMPLATES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LEAVES, inner, max_size=3)
)
OPTIONS = st.fixed_dictionaries(
    {"kind": st.sampled_from(sorted(module_of_reading.KINDS)) | JSON},
    optional={
        name: JSON | ADDRESSES | TEMPLATES | st.sampled_from(["https://example.com", "a.B"])
        for name in sorted(module_of_reading.COMMON.union(*module_of_reading.KINDS.values()) - {"kind"})
    },
)


@settings(deadline=None)
@given(name=LEAVES, spec=OPTIONS | JSON, address=ADDRESSES)
@example(name=16**9000, spec=HOOK, address="a@[")
def test_whatever_one_target_says_the_others_stay(name: Any, spec: Any, address: str) -> None:
    mail = {"kind": "email", "to": address}
    made = read({name: spec, "a mail": mail, "right": HOOK, "the last": {**HOOK, "description": "x"}})
    assert {"right", "the last"} <= {each for each, _, _ in made.targets()}
    for each in made.found.targets.values():
        if each.kind == "notifier":
            json.dumps(each.call.arguments, default=str)  # type: ignore[union-attr]


@settings(deadline=None)
@given(text=YAML)
@example(text="a: &a {kind: notifier, class: a.B, arguments: *a}")
def test_whatever_a_file_says_the_others_stay(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(text, encoding="utf-8")
    assert ("right", "webhook", "") in read({"right": HOOK}, notification_targets_file=str(file)).targets()


@settings(deadline=None)
@given(extra=JSON)
def test_whatever_a_connection_says_the_others_stay(extra: Any) -> None:
    made = read({"right": HOOK}, lambda _: Credentials(extra=extra), notification_targets_conn_id="where")
    assert ("right", "webhook", "") in made.targets()


def test_a_check_that_fails_otherwise_is_a_problem_of_its_target() -> None:
    made = ConfiguredTargets(Settings(notification_targets={"slack": {"kind": "notifier", "class": "a.B"}, "x": HOOK}))

    def check(target: Target) -> str | None:
        raise RuntimeError(SECRET)

    made.check = check
    assert made.read().problems == {"'slack'": "its notifier can't be made (unexpected_error: RuntimeError)"}
    assert [name for name, _, _ in made.targets()] == ["slack", "x"]


SLACK = {"kind": "notifier", "class": "a.B"}


def until(condition: Any) -> None:
    """Wait until it holds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_was_read_can_be_used_while_notifiers_are_still_checked_and_by_one_thread_only() -> None:
    made = ConfiguredTargets(Settings(notification_targets={"slack": SLACK, "hook": HOOK}))
    goes_on, checked = threading.Event(), list[str]()

    def check(target: Target) -> str | None:
        checked.append(target.name)
        goes_on.wait(10)
        return "notifier_error"

    made.check = check
    threads = [threading.Thread(target=made.read, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: checked)
    began = time.monotonic()
    assert [name for name, _, _ in made.targets()] == ["hook", "slack"]
    assert made.found.problems == {}
    assert time.monotonic() - began < 1
    assert checked == ["slack"]
    goes_on.set()
    for thread in threads:
        thread.join(10)
    assert made.found.problems == {"'slack'": "its notifier can't be made (notifier_error)"}


def test_whoever_asks_first_reads_and_does_not_check_and_others_wait_for_that() -> None:
    asked, checked = list[str](), list[str]()

    def connection(conn_id: str) -> Credentials:
        asked.append(conn_id)
        time.sleep(0.1)
        return Credentials(extra={"slack": SLACK})

    made = ConfiguredTargets(Settings(notification_targets_conn_id="where"), connection)
    made.check = lambda target: checked.append(target.name)  # type: ignore[func-returns-value]
    with ThreadPoolExecutor(4) as pool:
        found = [each.result() for each in [pool.submit(made.targets) for _ in range(4)]]
    assert found == [[("slack", "notifier", "")]] * 4
    assert (asked, checked) == (["where"], [])


@pytest.mark.parametrize("connected", [True, False])
def test_what_is_wrong_with_a_notifier_is_asked_about_anew(connected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANEW", 0.0)
    words: list[str | None] = ["timed_out", "timed_out"]
    made = ConfiguredTargets(
        Settings(
            notification_targets={} if connected else {"slack": SLACK},
            notification_targets_conn_id="where" if connected else None,
        ),
        lambda _: Credentials(extra={"slack": SLACK}),
    )
    made.check = lambda target: words.pop() if words else None
    made.read()
    until(lambda: not made.found.problems)


def test_what_was_wrong_with_a_notifier_holds_while_it_is_checked_anew_unless_it_is_another_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    extra, seen = {"slack": SLACK}, list[Any]()
    made = ConfiguredTargets(Settings(notification_targets_conn_id="where"), lambda _: Credentials(extra=dict(extra)))

    def check(target: Target) -> str | None:
        seen.append(dict(made.found.problems))
        return "notifier_error"

    made.check = check
    wrong = dict(made.read().problems)
    assert made.read().problems == wrong
    extra["slack"] = {**SLACK, "class": "a.C"}
    assert made.read().problems == wrong
    assert seen == [{}, wrong, {}]
    assert len(caplog.records) == 2
