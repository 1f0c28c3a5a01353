"""Where commands go: to the Airflow beside us, or over REST. Both answer with the contract's objects."""

from __future__ import annotations

import getpass
import ipaddress
import os
import sys
from argparse import Namespace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from airflow_rerun_downstream import host
from airflow_rerun_downstream.cli.bodies import Usage
from airflow_rerun_downstream.client import RerunDownstreamClient
from airflow_rerun_downstream.client.transport import address
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.rerun import Actor
from airflow_rerun_downstream.rest import handlers, payloads
from airflow_rerun_downstream.rest.queries import MemberQuery, PageQuery, ProofQuery, RerunQuery
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody
from airflow_rerun_downstream.service import Service

NO_MAXIMUM = 100_000
"""The longest page for somebody at the machine."""


class Backend(Protocol):
    """What commands need; `RerunDownstreamClient` is one too."""

    def plan(self, body: PlanBody) -> payloads.Plan:
        """Preview a rerun."""
        ...

    def edges(self, dag_id: str) -> payloads.DagEdges:
        """What is upstream and downstream of a Dag."""
        ...

    def review(self, body: RerunBody) -> payloads.Review:
        """What a submit would do."""
        ...

    def submit(self, body: RerunBody) -> payloads.Rerun:
        """Store a rerun."""
        ...

    def reruns(self, **wanted: Any) -> payloads.Reruns:
        """A page of records."""
        ...

    def rerun(self, rerun_id: int) -> payloads.Rerun:
        """One record."""
        ...

    def members(self, rerun_id: int, *, limit: int, offset: int) -> payloads.Members:
        """A page of members."""
        ...

    def links(self, rerun_id: int, *, limit: int, offset: int) -> payloads.Links:
        """A page of links."""
        ...

    def not_made_anew(self, rerun_id: int, *, limit: int, offset: int) -> payloads.NotMadeAnewList:
        """A page of what wasn't made anew."""
        ...

    def proof(self, rerun_id: int, *, limit: int) -> payloads.Proof:
        """What a rerun can show for itself."""
        ...

    def events(self, rerun_id: int, *, limit: int, offset: int) -> payloads.Events:
        """A page of events."""
        ...

    def pause(self, rerun_id: int) -> payloads.Rerun:
        """Dispatch nothing new."""
        ...

    def resume(self, rerun_id: int) -> payloads.Rerun:
        """Go on."""
        ...

    def terminate(self, rerun_id: int) -> payloads.Rerun:
        """End the rerun."""
        ...

    def release(self, rerun_id: int) -> payloads.Rerun:
        """Release frozen runs."""
        ...

    def release_member(self, rerun_id: int, member_id: int) -> payloads.Member:
        """Release one frozen run."""
        ...

    def retry(self, rerun_id: int, member_id: int) -> payloads.Member:
        """Dispatch a member again."""
        ...

    def skip(self, rerun_id: int, member_id: int) -> payloads.Member:
        """Go on without a member."""
        ...

    def health(self) -> payloads.Health:
        """The installation."""
        ...


class LocalBackend:
    """`Backend` over the metadata database of the Airflow beside us, through the REST API's own handlers."""

    def __init__(self, service: Service, actor: Actor) -> None:
        self._service = service
        self._actor = actor

    def plan(self, body: PlanBody) -> payloads.Plan:
        """Preview a rerun."""
        return handlers.make_plan(self._service, self._actor, body)

    def edges(self, dag_id: str) -> payloads.DagEdges:
        """What is upstream and downstream of a Dag."""
        return handlers.list_edges(self._service, self._actor, dag_id)

    def review(self, body: RerunBody) -> payloads.Review:
        """What a submit would do."""
        return handlers.review_rerun(self._service, self._actor, body)

    def submit(self, body: RerunBody) -> payloads.Rerun:
        """Store a rerun."""
        return handlers.submit_rerun(self._service, self._actor, body)

    def reruns(self, **wanted: Any) -> payloads.Reruns:
        """A page of records."""
        query = RerunQuery.model_validate({name: each for name, each in wanted.items() if each is not None})
        return handlers.list_reruns(self._service, self._actor, query, maximum=NO_MAXIMUM)

    def rerun(self, rerun_id: int) -> payloads.Rerun:
        """One record."""
        return handlers.get_rerun(self._service, self._actor, rerun_id)

    def members(self, rerun_id: int, *, limit: int, offset: int) -> payloads.Members:
        """A page of members."""
        query = MemberQuery(limit=limit, offset=offset)
        return handlers.list_members(self._service, self._actor, rerun_id, query, maximum=NO_MAXIMUM)

    def links(self, rerun_id: int, *, limit: int, offset: int) -> payloads.Links:
        """A page of links."""
        query = PageQuery(limit=limit, offset=offset)
        return handlers.list_links(self._service, self._actor, rerun_id, query, maximum=NO_MAXIMUM)

    def not_made_anew(self, rerun_id: int, *, limit: int, offset: int) -> payloads.NotMadeAnewList:
        """A page of what wasn't made anew."""
        query = PageQuery(limit=limit, offset=offset)
        return handlers.list_not_made_anew(self._service, self._actor, rerun_id, query, maximum=NO_MAXIMUM)

    def proof(self, rerun_id: int, *, limit: int) -> payloads.Proof:
        """What a rerun can show for itself."""
        return handlers.get_proof(self._service, self._actor, rerun_id, ProofQuery(limit=limit))

    def events(self, rerun_id: int, *, limit: int, offset: int) -> payloads.Events:
        """A page of events."""
        query = PageQuery(limit=limit, offset=offset)
        return handlers.list_events(self._service, self._actor, rerun_id, query, maximum=NO_MAXIMUM)

    def pause(self, rerun_id: int) -> payloads.Rerun:
        """Dispatch nothing new."""
        return handlers.pause_rerun(self._service, self._actor, rerun_id)

    def resume(self, rerun_id: int) -> payloads.Rerun:
        """Go on."""
        return handlers.resume_rerun(self._service, self._actor, rerun_id)

    def terminate(self, rerun_id: int) -> payloads.Rerun:
        """End the rerun."""
        return handlers.terminate_rerun(self._service, self._actor, rerun_id)

    def release(self, rerun_id: int) -> payloads.Rerun:
        """Release frozen runs."""
        return handlers.release_rerun(self._service, self._actor, rerun_id)

    def release_member(self, rerun_id: int, member_id: int) -> payloads.Member:
        """Release one frozen run."""
        return handlers.release_member(self._service, self._actor, rerun_id, member_id)

    def retry(self, rerun_id: int, member_id: int) -> payloads.Member:
        """Dispatch a member again."""
        return handlers.retry_member(self._service, self._actor, rerun_id, member_id)

    def skip(self, rerun_id: int, member_id: int) -> payloads.Member:
        """Go on without a member."""
        return handlers.skip_member(self._service, self._actor, rerun_id, member_id)

    def release_lost(self) -> list[tuple[RunRef, datetime]]:
        """Let the held runs go that no record names; each with its own time. Only at the machine."""
        return self._service.release_lost(self._actor)

    def health(self) -> payloads.Health:
        """The installation."""
        return handlers.get_health(self._service, self._actor)


def local(args: Namespace) -> bool:
    """Whether a command goes to the Airflow beside us."""
    return not (args.url or environment("URL"))


def backend(args: Namespace) -> Backend:
    """The backend that the arguments and the environment name."""
    url = args.url or environment("URL")
    if not url:
        return LocalBackend(host.room("wiring").local_service(), os_user())
    token = args.token or environment("TOKEN")
    username = None if token else args.username or environment("USERNAME")
    address(url)  # before a prompt repeats it
    if (token or username) and in_clear(url):
        print(
            f"Warning: {url} is not https, so the {'token' if token else 'password'} is sent in clear.", file=sys.stderr
        )
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


def asked_password(username: str, url: str) -> str:
    """The password that a person types. Raises `Usage` where nobody can."""
    if not sys.stdin.isatty():
        raise Usage(
            "There is no terminal to ask for the password: set AIRFLOW_RERUN_DOWNSTREAM_PASSWORD, or give a token."
        )
    return getpass.getpass(f"Password of {username} at {url}: ")


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
