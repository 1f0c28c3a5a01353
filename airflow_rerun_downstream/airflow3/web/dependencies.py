"""What the routes are handed: the calls that whoever asks may make."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from fastapi import Depends, Header, Request

from airflow_rerun_downstream.domain.rerun_request import Actor
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.rest.fields import KeyName
from airflow_rerun_downstream.service import Service


def service_of(request: Request) -> Service:
    """The app's service; built at the first call."""
    service: Service = request.app.state.services()
    return service


async def actor_of(user: GetUserDep) -> Actor:
    """Who asks, as Airflow's auth manager has it."""
    return Actor(id=str(user.get_id()), name=user.get_name(), native=user)


async def page_limit() -> int:
    """The deployment's largest page."""
    return conf.getint("api", "maximum_page_limit", fallback=100)


ActorDep = Annotated[Actor, Depends(actor_of)]


def api_of(
    service: Annotated[Service, Depends(service_of)], actor: ActorDep, maximum: Annotated[int, Depends(page_limit)]
) -> Api:
    """The calls, for whoever asks."""
    return Api(service, actor, maximum=maximum)


ApiDep = Annotated[Api, Depends(api_of)]

KeyHeader = Annotated[
    KeyName | None,
    Header(
        alias="Idempotency-Key",
        description="Of all submits of a user with the same key, one makes a rerun, and the others answer it.",
    ),
]
