"""A message by e-mail, over the mail server of an Airflow connection, as Airflow's own SMTP hook reads it."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from airflow_rerun_downstream.notify import network
from airflow_rerun_downstream.notify.messages import Message
from airflow_rerun_downstream.notify.not_sent import NotSent
from airflow_rerun_downstream.notify.target import Credentials, Email, Target

TOTAL = 30.0
"""Seconds for all of it, once there is a connection."""

PORT, TLS_PORT = 25, 465


class EmailSender:
    """`Sender` for e-mail."""

    def __init__(self, context: Callable[[], ssl.SSLContext] = ssl.create_default_context) -> None:
        self._context = context

    def send(self, target: Target, message: Message, credentials: Credentials | None) -> str | None:
        """Raises `NotSent` unless the server takes it for one recipient at least; answers a word if not for all."""
        call = target.call
        assert isinstance(call, Email)
        if credentials is None or not credentials.host:
            raise NotSent("airflow_connection_missing")
        mail = made(call, message, credentials)
        try:
            refused = self.deliver(mail, credentials)
        except NotSent:
            raise
        except smtplib.SMTPRecipientsRefused:
            raise NotSent("refused") from None
        except smtplib.SMTPResponseException as error:
            raise NotSent(f"refused:{int(error.smtp_code)}") from None
        except ssl.SSLError:
            raise NotSent("tls_error") from None
        except TimeoutError:
            raise NotSent("timed_out") from None
        except (smtplib.SMTPException, OSError, ValueError):
            raise NotSent("bad_answer") from None
        return "some_refused" if refused else None

    def deliver(self, mail: EmailMessage, known: Credentials) -> Any:
        """Hand it to the server; answers whom that has refused."""
        tls, starttls = not known.extra.get("disable_ssl"), not known.extra.get("disable_tls")
        context = self.context(known)
        with ExitStack() as stack:
            server = Server(known.host, known.port or (TLS_PORT if tls else PORT), context if tls else None, stack)
            stack.callback(quitted, server)
            if starttls and not tls:
                server.starttls(context=context)
            if known.login and known.password:
                server.login(known.login, known.password)
            return server.send_message(mail)

    def context(self, known: Credentials) -> ssl.SSLContext:
        """How the server's certificate is checked; not at all where the connection says so."""
        found = self._context()
        if known.extra.get("ssl_context") == "none":
            found.check_hostname, found.verify_mode = False, ssl.CERT_NONE
        return found


class Server(smtplib.SMTP):
    """A mail server, with which all is over in time."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, stack: ExitStack) -> None:
        self._tls, self._stack = tls, stack
        super().__init__(host, port, local_hostname=local_name(), timeout=network.WAITING)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Where smtplib gets its connection from."""
        found = network.connect(host, port, private=True)
        self._stack.callback(found.close)
        self._stack.enter_context(network.ended_after(found, TOTAL))
        return found if self._tls is None else network.with_tls(found, self._tls, host)


def quitted(server: smtplib.SMTP) -> None:
    """Say goodbye. What the server makes of that changes nothing any more."""
    with suppress(Exception):
        server.quit()
    server.close()


def local_name() -> str:
    """This machine's name; asking the network for a better one may take long."""
    name = socket.gethostname()
    return name if name.isascii() and all(each.isalnum() or each in "-." for each in name) and name else "localhost"


def made(call: Email, message: Message, known: Credentials) -> EmailMessage:
    """The mail. Its id is the delivery's, so that a repeat can be told."""
    sender = call.sender or str(known.extra.get("from_email") or known.login or "")
    try:
        found = EmailMessage(policy=SMTP)
        found["From"], found["To"] = address(sender), [address(each) for each in call.to]
        found["Subject"] = message.subject
        found["Message-ID"] = f"<{message.id}@airflow-rerun-downstream>"
        found["Auto-Submitted"] = "auto-generated"
        found.set_content(message.text)
        if message.html is not None:
            found.add_alternative(message.html, subtype="html")
    except Exception:  # the standard library's parsers raise whatever goes wrong in them
        raise NotSent("target_error") from None
    return found


def address(text: str) -> Address:
    """An address, with or without a name before it. Raises ValueError."""
    name, _, rest = text.rpartition("<")
    spec = rest.removesuffix(">").strip() if name or text.startswith("<") else text.strip()
    if not text.isprintable() or not spec.isascii():
        raise ValueError("not an e-mail address")
    try:
        return Address(display_name=name.strip().strip('"'), addr_spec=spec)
    except Exception:  # `HeaderParseError`, `AttributeError`, `IndexError` …
        raise ValueError("not an e-mail address") from None
