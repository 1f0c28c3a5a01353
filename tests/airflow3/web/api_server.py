"""An api-server with our app, for the tests of its calls and of its pages."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI


@cache
def server() -> FastAPI:
    """Made once, because that takes longer than any test. Each test puts what it needs into the state of the app."""
    from airflow_rerun_downstream.airflow3.web.app import make_app

    made = FastAPI()
    made.state.mounted = make_app()
    made.mount("/rerun-downstream", made.state.mounted)
    return made
