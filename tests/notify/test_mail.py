"""E-mail: what arrives, over which kind of connection, and what nobody can put into a header."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_rerun_downstream.notify import mail
from airflow_rerun_downstream.notify.mail import EmailSender
from airflow_rerun_downstream.notify.messages import message
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Credentials, Email, Target
from airflow_rerun_downstream.notify.wording import Wording
from tests.notify.receivers import MailServer, certificate, running
from tests.notify.samples import ID, sample, scene, target

PLAIN = {"disable_ssl": True, "disable_tls": True}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with running(MailServer()) as made:
        yield made


def to(*recipients: str, **more: Any) -> Target:
    return target(Email(recipients or ("ops@example.com",), "Airflow <airflow@example.com>"), **more)


def known(server: MailServer, extra: dict[str, Any] = PLAIN, **more: Any) -> Credentials:
    return Credentials(host="127.0.0.1", port=server.port, extra=extra, **more)


def failing(credentials: Credentials | None, whom: Target | None = None, **more: Any) -> str:
    with pytest.raises(NotSent) as failed:
        EmailSender(**more).send(whom or to(), sample(), credentials)
    return failed.value.word


def test_it_arrives_in_both_forms_with_its_id(server: MailServer) -> None:
    assert EmailSender().send(to("ops@example.com", "Ö Boss <boss@example.com>"), sample(), known(server)) is None
    (post,) = server.posts
    assert post.recipients == ["ops@example.com", "boss@example.com"]
    assert post.mail["Message-ID"] == f"<{ID}@airflow-rerun-downstream>"
    assert post.mail["Subject"] == "[Airflow] Rerun 7 of daily_sales: 3 failures"
    assert post.mail["From"] == "Airflow <airflow@example.com>"
    assert post.mail["Auto-Submitted"] == "auto-generated"
    plain, html = post.mail.get_body(("plain",)), post.mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "a selected task failed" in plain.get_content()
    assert "<strong>" in html.get_content()


def test_the_connection_says_who_sends_and_logs_in(server: MailServer) -> None:
    extra = {**PLAIN, "from_email": "bot@example.com"}
    credentials = known(server, extra, login="user", password="very secret")
    EmailSender().send(target(Email(("ops@example.com",))), sample(), credentials)
    (post,) = server.posts
    assert post.login == ("user", "very secret")
    assert "bot@example.com" in post.sender
    assert "very secret" not in repr(credentials)


@pytest.mark.parametrize(("extra", "at_once"), [({"disable_tls": True}, True), ({"disable_ssl": True}, False)])
def test_over_tls_from_the_beginning_or_later(tmp_path: Path, extra: dict[str, Any], at_once: bool) -> None:
    tls, client = certificate(tmp_path)
    with running(MailServer(tls=tls, at_once=at_once)) as server:
        EmailSender(client).send(to(), sample(), known(server, extra, login="u", password="p"))
        assert server.posts[0].secure
        assert failing(known(server, extra)) == "tls_error"
        EmailSender().send(to(), sample(), known(server, {**extra, "ssl_context": "none"}))
        assert len(server.posts) == 2


def test_a_server_without_tls_gets_nothing_where_it_is_wanted(server: MailServer) -> None:
    assert failing(known(server, {"disable_ssl": True}, login="u", password="p")) == "bad_answer"
    assert server.posts == []


def test_a_refusal_says_no_more_than_its_number(server: MailServer) -> None:
    server.refuses = frozenset({"ops@example.com"})
    assert failing(known(server)) == "refused"
    assert EmailSender().send(to("ops@example.com", "b@example.com"), sample(), known(server)) == "some_refused"
    assert server.posts[0].recipients == ["b@example.com"]


def test_one_that_is_not_there_and_none_at_all(server: MailServer) -> None:
    assert failing(None) == "airflow_connection_missing"
    assert failing(Credentials()) == "airflow_connection_missing"
    credentials = known(server)
    server.stop()
    try:
        assert failing(credentials) == "connection_failed"
    finally:
        server.start()


def test_one_that_does_not_answer_is_left_in_time(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "TOTAL", 0.4)
    server.holds = threading.Event()
    began = time.monotonic()
    assert failing(known(server)) in ("bad_answer", "timed_out")
    assert time.monotonic() - began < 3
    server.holds.set()


def test_no_header_can_be_added(server: MailServer) -> None:
    wording = Wording("{{ rerun.name }}\r\nBcc: evil@example.com", "{{ rerun.name }}\r\n.\r\nMAIL FROM:<x>")
    made = message(scene(), target(wording=wording))
    EmailSender().send(to(), made, known(server))
    (post,) = server.posts
    assert post.recipients == ["ops@example.com"]
    assert post.mail["Bcc"] is None
    assert "evil@example.com" in post.mail["Subject"], "on one line it is text"
    content = post.mail.get_body(("plain",))
    assert content is not None
    assert "MAIL FROM" in content.get_content()


@pytest.mark.parametrize("odd", ["a@b\r\nBcc: c@d", "no address", "a@b, c@d", "", "<a@b", "ä@example.com"])
def test_odd_addresses_are_refused(server: MailServer, odd: str) -> None:
    if odd != "<a@b":
        assert failing(known(server), to(odd)) == "target_error"
    assert server.posts == []
