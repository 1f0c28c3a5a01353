"""Every error as the contract's JSON, whoever raised it."""

from __future__ import annotations

import logging
from typing import Any

from airflow.api_fastapi.common.exceptions import ERROR_HANDLERS
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from airflow_rerun_downstream.airflow3 import wiring
from airflow_rerun_downstream.airflow3.web.response_headers import UNKEPT
from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.sentence import Sentence
from airflow_rerun_downstream.ports.metrics import ErrorKind
from airflow_rerun_downstream.rest import problems
from airflow_rerun_downstream.settings import InvalidSetting


def as_response(problem: problems.Answer, headers: Any = None) -> JSONResponse:
    """A problem as a response."""
    status, body = problem
    # Said here too: the answer to an unexpected error doesn't pass through the app's middleware.
    return JSONResponse(body, status_code=status, headers={**UNKEPT, **(headers or {})})


async def refused(_request: Request, error: Any) -> JSONResponse:
    """A refusal of the inside."""
    return as_response(problems.of_refusal(error))


async def malformed(_request: Request, error: Any) -> JSONResponse:
    """A request that doesn't have the contract's form."""
    return as_response(problems.of_errors(error.errors()))


async def http_error(_request: Request, error: Any) -> JSONResponse:
    """An error of the framework or of Airflow's dependencies: no such path, not logged in, …"""
    return as_response(problems.of_status(error.status_code, error.detail), error.headers)


async def misconfigured(_request: Request, error: Any) -> JSONResponse:
    """An option of ours that can't be used. Its value isn't for everybody: health tells it to who may see it."""
    told = problems.told(Sentence("refusal.misconfigured", names=error.names))
    return as_response((503, {**told, "reason": "invalid_setting"}))


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """An error of ours: its cause is for the server's log, not for the answer."""
    return unanswered(request, error)


def unanswered(request: Request, error: Exception) -> JSONResponse:
    """Log what nobody foresaw."""
    telemetry = wiring.airflow_telemetry()
    telemetry.failed(ErrorKind.REQUEST)
    path = request.url.path
    telemetry.line("request_failed", level=logging.ERROR, error=error, method=request.method, path=path)
    return as_response(problems.internal())


def of_airflow(handler: Any) -> Any:
    """One of Airflow's error handlers, made to answer where it would leave a request without an answer."""

    def handle(request: Request, error: Exception) -> JSONResponse:
        try:
            handler.exception_handler(request, error)
        except HTTPException as translated:
            return as_response(problems.of_status(translated.status_code, translated.detail))
        return unanswered(request, error)

    return handle


def install(app: FastAPI) -> None:
    """Give the app its error handlers."""
    for handler in ERROR_HANDLERS:
        app.add_exception_handler(handler.exception_cls, of_airflow(handler))
    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(StarletteHTTPException, http_error)
    app.add_exception_handler(InvalidSetting, misconfigured)
    app.add_exception_handler(Exception, unexpected)
