"""Connections that end in time, whatever the other side does, to addresses that were looked at before."""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from airflow_rerun_downstream.notify.not_sent import NotSent

T = TypeVar("T")

RESOLVING, CONNECTING, WAITING = 5.0, 5.0, 10.0
"""Seconds for the name, for the connection, and for each answer."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
CARRIED = 2**32 - 1

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def bounded(work: Callable[[], T], seconds: float) -> T:
    """What ``work`` answers, or raises. Raises `NotSent` after ``seconds``; then it is left alone."""
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((work(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=run, daemon=True, name="rerun-downstream-bounded").start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise NotSent("timed_out") from None
    if error is not None:
        raise error
    return answer  # type: ignore[return-value]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises `NotSent`."""
    try:
        found = bounded(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), RESOLVING)
    except (OSError, UnicodeError):
        raise NotSent("host_unknown") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise NotSent("host_unknown")
    return addresses


def is_public(text: str) -> bool:
    """Whether an address belongs to the internet at large, also as what it stands for."""
    return all(each.is_global and not each.is_multicast for each in meant_by(text))


def meant_by(text: str) -> Sequence[Address]:
    """An address, and those that it carries or is translated to."""
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return [found]
    teredo = found.teredo or ()
    carried = ipaddress.IPv4Address(int(found) & CARRIED) if found in NAT64 else None
    if found.ipv4_mapped is not None:
        return [found.ipv4_mapped]  # such a one is never global by itself
    return [found, *(each for each in (found.sixtofour, *teredo, carried) if each is not None)]


def connect(host: str, port: int, *, private: bool) -> socket.socket:
    """A connection to one of the addresses that the host has now. Raises `NotSent`.

    Unless ``private`` ones are allowed, all of them must be public: who asks again may get another answer, so the
    address that was looked at is the one that is called.
    """
    addresses = resolve(host, port)
    if not private and not all(map(is_public, addresses)):
        raise NotSent("address_not_allowed")
    for address in addresses[:3]:
        try:
            made = socket.create_connection((address, port), CONNECTING)
        except OSError:
            continue
        made.settimeout(WAITING)
        return made
    raise NotSent("connection_failed")


def with_tls(plain: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """TLS on a connection, for the host's name. Raises `NotSent`."""
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except (ssl.SSLError, ssl.CertificateError):
        raise NotSent("tls_error") from None


@contextmanager
def ended_after(connection: socket.socket, seconds: float) -> Iterator[None]:
    """End a connection after so many seconds, however busy the other side keeps us; whoever waits for it goes on."""
    handle = connection.dup()  # TLS takes the connection over, but not this handle of it
    timer = threading.Timer(seconds, shut, [handle])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        handle.close()


def shut(handle: socket.socket) -> None:
    """Let nothing more through."""
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)
