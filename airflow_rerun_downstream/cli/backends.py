"""Where commands go: to the Airflow beside us, or over REST. Both take and answer the contract's objects."""

from __future__ import annotations

import getpass
import ipaddress
import os
from argparse import Namespace
from urllib.parse import urlsplit

from airflow_rerun_downstream import host
from airflow_rerun_downstream.cli.questions import asked_password
from airflow_rerun_downstream.cli.streams import say
from airflow_rerun_downstream.client import RerunDownstreamClient
from airflow_rerun_downstream.client.transport import address
from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.rest.api import Api

NO_MAXIMUM = 100_000
"""The longest page for somebody at the machine."""


Backend = Api | RerunDownstreamClient
"""What commands speak to: the Airflow beside us, or one over REST."""


def local(args: Namespace) -> bool:
    """Whether a command goes to the Airflow beside us."""
    return not (args.url or environment("URL"))


def backend(args: Namespace) -> Backend:
    """The backend that the arguments and the environment name."""
    url = args.url or environment("URL")
    if not url:
        return Api(host.room("wiring").local_service(), os_user(), maximum=NO_MAXIMUM)
    token = args.token or environment("TOKEN")
    username = None if token else args.username or environment("USERNAME")
    address(url)  # before a prompt repeats it
    if (token or username) and in_clear(url):
        say(f"Warning: {url} is not https, so the {'token' if token else 'password'} is sent unencrypted.")
    password = (environment("PASSWORD") or asked_password(username, url)) if username else None
    return RerunDownstreamClient(url, token=token, username=username, password=password)


def in_clear(url: str) -> bool:
    """Whether what is sent can be read on its way: without TLS, and not to this machine."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "http" or parts.hostname in (None, "localhost"):
        return False
    try:
        return not ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return not parts.hostname.endswith(".localhost")


def environment(name: str) -> str | None:
    """One of our environment variables; an empty one is none."""
    return os.environ.get(f"AIRFLOW_RERUN_DOWNSTREAM_{name}") or None


def os_user() -> Actor:
    """Who sits at the machine, for the record."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        name = f"uid {os.getuid()}"
    return Actor(id=name, name=name)
