"""What an installation's own servers do: receive metrics and spans, and keep them."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


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


@dataclass
class Collector:
    """An OpenTelemetry collector that takes OTLP over HTTP: every span and the names of all metrics that came in."""

    port: int = 0
    spans: list[Any] = field(default_factory=list)
    metrics: set[str] = field(default_factory=set)

    def named(self, name: str) -> list[Any]:
        """The spans with a name."""
        return [span for span in list(self.spans) if span.name == name]

    def receive(self, path: str, body: bytes) -> None:
        """Read what an exporter has sent."""
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    self.spans.extend(scope.spans)
        elif path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    self.metrics.update(metric.name for metric in scope.metrics)


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector on a free port of this machine."""
    found = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.receive(self.path, gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


def attributes(span: Any) -> dict[str, Any]:
    """A span's attributes."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


@dataclass
class Catalogue:
    """What takes OpenLineage events; ``delay``: seconds that it takes to answer."""

    port: int = 0
    delay: float = 0
    events: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def catalogue(delay: float = 0) -> Iterator[Catalogue]:
    """A catalogue on a free port of this machine."""
    found, stop = Catalogue(delay=delay), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stop.wait(found.delay)
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            found.events.append(json.loads(body))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            stop.set()
            server.shutdown()
