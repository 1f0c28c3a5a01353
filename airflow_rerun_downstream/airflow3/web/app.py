"""The app, and what happens when the api-server starts and stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI

from airflow_rerun_downstream import __version__
from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.web import error_handlers, static_pages
from airflow_rerun_downstream.airflow3.web.appointments import Appointments
from airflow_rerun_downstream.airflow3.web.background import Background, prepare
from airflow_rerun_downstream.airflow3.web.body_limit import BodyLimit
from airflow_rerun_downstream.airflow3.web.csrf import csrf_guard
from airflow_rerun_downstream.airflow3.web.response_headers import AnswerHeaders
from airflow_rerun_downstream.airflow3.web.routes import router
from airflow_rerun_downstream.airflow3.web.slots import Slots, airflows_pool
from airflow_rerun_downstream.harmless import log_error
from airflow_rerun_downstream.service import Service

log = logging.getLogger(__name__)

START_WAITS = 30.0
"""Seconds that the api-server's start waits for our tables; a migration that takes longer goes on beside it."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Run the background of this process for as long as it serves. What fails in here doesn't stop the server."""
    try:
        lend(app)
        prepare()
        starting = asyncio.create_task(asyncio.to_thread(app.state.background.start))
        await asyncio.wait({starting}, timeout=START_WAITS)
    except Exception as error:
        log_error("rest_api", error)
    try:
        yield
    finally:
        await asyncio.to_thread(app.state.background.stop)


def lend(app: FastAPI) -> None:
    """Give the app what Airflow's own dependencies read from the app that they run in."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.common.dagbag import create_dag_bag

    app.state.auth_manager = get_auth_manager()
    app.state.dag_bag = create_dag_bag()


def make_app(services: Callable[[], Service] = wiring.rest_service, background: Background | None = None) -> FastAPI:
    """The app, to be mounted. ``services`` is asked for the service at each call."""
    app = FastAPI(
        title="Rerun Downstream",
        description="Rerun a Dag run and everything downstream of it, across Dags and in dependency order.",
        version=__version__,
        lifespan=lifespan,
        dependencies=[Depends(csrf_guard)],
        docs_url=None,  # FastAPI's page runs what it loads from another server
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.background = background or Background()
    app.state.wake = app.state.background.wake
    app.state.files = static_pages.Files()
    app.state.slots = Slots(airflows_pool)
    app.state.appointments = Appointments()
    app.add_middleware(BodyLimit)
    app.add_middleware(AnswerHeaders)
    error_handlers.install(app)
    app.include_router(router)
    app.include_router(static_pages.router)
    return app
