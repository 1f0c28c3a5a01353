"""What works on any Airflow, also on one that the package doesn't know: saying so, and what of ours is left there.

Of Airflow this asks for its configuration alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

from airflow_rerun_downstream import host
from airflow_rerun_downstream.domain.errors import UnsupportedAirflow
from airflow_rerun_downstream.ports.installation import ComponentHealth
from airflow_rerun_downstream.rest import installation_payloads, presenters, problems

if TYPE_CHECKING:
    from fastapi import FastAPI, Response
    from sqlalchemy.engine import Connection

    from airflow_rerun_downstream.store.remains import Remains

log = logging.getLogger(__name__)

PREFIX = "/rerun-downstream"

TOO_LATE = (
    "Only an Airflow that the package knows can release them: go back to it, and run `airflow-rerun-downstream "
    "check-upgrade` there."
)

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Rerun Downstream</title></head>
<body>
<p>{sentence}</p>
</body>
</html>
"""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@contextmanager
def connected() -> Iterator[Connection]:
    """A connection to Airflow's database that is nobody else's, closed afterwards."""
    from airflow.configuration import conf
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(conf.get("database", "sql_alchemy_conn"), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def left() -> Remains:
    """What of ours is left in the database. Only reads."""
    from airflow_rerun_downstream.store.remains import remains

    with connected() as connection:
        return remains(connection)


def health() -> installation_payloads.Health:
    """The installation: it does nothing, and what is left frozen in it. Tells no names; never raises."""
    found = {"airflow": ComponentHealth("unhealthy", host.why_not())}
    try:
        if kept := left():
            found["frozen"] = ComponentHealth("unhealthy", f"{kept.counts()} {TOO_LATE}")
    except Exception:
        log.exception("What is left of airflow-rerun-downstream's reruns can't be read")
        found["frozen"] = ComponentHealth("unhealthy", "Whether runs are still frozen can't be read; see the log.")
    return presenters.health(found)


def make_app() -> FastAPI:
    """An app that answers every call and every page with one sentence."""
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse, JSONResponse

    app = FastAPI(title="Rerun Downstream", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    status, problem = problems.of_refusal(UnsupportedAirflow(host.why_not()))

    def refuse(path: str = "") -> Response:
        if path.strip("/") == "api/v1/health":
            return JSONResponse(health().model_dump(mode="json"), headers=HEADERS)
        if path.startswith("api/"):
            return JSONResponse(problem, status_code=status, headers=HEADERS)
        return HTMLResponse(PAGE.format(sentence=escape(host.why_not())), status_code=status, headers=HEADERS)

    app.add_api_route("/{path:path}", refuse, methods=METHODS, include_in_schema=False, response_model=None)
    return app
