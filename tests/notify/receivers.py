"""What messages are sent to in tests: a mail server and a webhook's receiver, on this machine, each in a thread."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Call:
    """A request that a webhook's receiver got."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers ``status``; ``holds``: waits before the answer, until it is set, and ``got`` says that it waits."""

    status: int = 200
    answer: bytes = b"ok"
    more: dict[str, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    holds: threading.Event | None = None
    got: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    server: ThreadingHTTPServer | None = None
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/hook"

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append(Call(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                receiver.got.set()
                if receiver.holds is not None:
                    receiver.holds.wait(60)
                self.send_response(receiver.status)
                for name, value in receiver.more.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: object) -> None:
                pass  # whoever has called is gone

        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Post:
    """What a mail server took, and who had logged in."""

    sender: str
    recipients: list[str]
    raw: bytes
    login: tuple[str, str] | None = None
    secure: bool = False

    @property
    def mail(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found


@dataclass
class MailServer:
    """Takes mail for everybody but those in ``refuses``. ``tls``: offers STARTTLS, or begins with it if ``at_once``.

    ``holds``: after a mail came, waits with the answer until it is set; ``waits``: so it does with its first word, and
    ``called`` says that somebody is there.
    """

    refuses: frozenset[str] = frozenset()
    code: int = 550
    tls: ssl.SSLContext | None = None
    at_once: bool = False
    posts: list[Post] = field(default_factory=list)
    holds: threading.Event | None = None
    got: threading.Event = field(default_factory=threading.Event)
    waits: threading.Event | None = None
    called: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    server: socketserver.ThreadingTCPServer | None = None

    def start(self) -> None:
        mails = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                Dialogue(mails, self).run()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: object) -> None:
                pass

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        assert self.server is not None
        self.server.shutdown()
        self.server.server_close()


class Dialogue:
    """One connection to the mail server."""

    def __init__(self, server: MailServer, handler: Any) -> None:
        self.server = server
        self.socket, self.file = handler.connection, handler.rfile
        self.sender, self.recipients = "", list[str]()
        self.login: tuple[str, str] | None = None
        self.secure = False
        if server.tls and server.at_once:
            self.begin_tls()

    def begin_tls(self) -> None:
        assert self.server.tls is not None
        self.socket = self.server.tls.wrap_socket(self.socket, server_side=True)
        self.file = self.socket.makefile("rb")
        self.secure = True

    def say(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def run(self) -> None:
        self.server.called.set()
        if self.server.waits is not None:
            self.server.waits.wait(60)
        self.say("220 test")
        while line := self.file.readline():
            word, _, rest = line.decode().strip().partition(" ")
            if not self.answer(word.upper(), rest):
                return

    def answer(self, word: str, rest: str) -> bool:
        if word == "EHLO":
            starts = [] if self.server.tls is None or self.secure else ["250-STARTTLS"]
            self.say("250-test", *starts, "250-AUTH PLAIN", "250 8BITMIME")
        elif word == "STARTTLS":
            self.say("220 go on")
            self.begin_tls()
        elif word == "AUTH":
            _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
            self.login = (user, password)
            self.say("235 ok")
        elif word == "MAIL":
            self.sender, self.recipients = rest, []
            self.say("250 ok")
        elif word == "RCPT":
            known = rest.partition("<")[2].partition(">")[0]
            refused = known in self.server.refuses
            self.recipients += [] if refused else [known]
            self.say(f"{self.server.code} no such secret user" if refused else "250 ok")
        elif word == "DATA":
            self.take()
        elif word == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 ok")
        return True

    def take(self) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                return
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.posts.append(Post(self.sender, self.recipients, b"".join(lines), self.login, self.secure))
        self.server.got.set()
        if self.server.holds is not None:
            self.server.holds.wait(60)
        self.say("250 taken")


@contextmanager
def running(made: Any) -> Iterator[Any]:
    """A server while it is needed."""
    made.start()
    try:
        yield made
    finally:
        made.stop()


def certificate(folder: Any, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, Callable[[], ssl.SSLContext]]:
    """What a server shows, and how a client checks it that knows of it."""
    import ipaddress
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    named: Any = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, lambda: ssl.create_default_context(cafile=str(file))
