"""What an installation's own servers do: receive metrics and spans, and keep them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class StatsDServer:
    """A StatsD server: every line that came in, in order, as name, value and kind (``c``, ``g`` or ``ms``)."""

    port: int = 0
    lines: list[tuple[str, float, str]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        """The names that came in."""
        return {name for name, _, _ in list(self.lines)}

    def values(self, name: str) -> list[float]:
        """All values of a name, in the order in which they came."""
        return [value for each, value, _ in list(self.lines) if each == name]

    def receive(self, datagram: bytes) -> None:
        """Read what a client has sent."""
        for line in datagram.decode().splitlines():
            name, _, rest = line.partition(":")
            value, kind = rest.split("|")[:2]
            self.lines.append((name, float(value), kind))


@contextmanager
def statsd_server() -> Iterator[StatsDServer]:
    """A StatsD server on a free port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.1)
        server, stop = StatsDServer(sock.getsockname()[1]), threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    server.receive(sock.recv(65_535))
                except TimeoutError:
                    continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join(5)
