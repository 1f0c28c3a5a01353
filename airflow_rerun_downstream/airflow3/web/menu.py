"""Where people meet the pages inside Airflow, and under which address. Light: every component may load it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf

NAME = "Rerun Downstream"
URL_PREFIX = "/rerun-downstream"
PAGES = f"{URL_PREFIX}/ui/"

QUERIES = {
    "nav": "",
    "dag": "?dag_id={DAG_ID}",
    "dag_run": "?dag_id={DAG_ID}&run_id={RUN_ID}",
    "task": "?dag_id={DAG_ID}&task_id={TASK_ID}",
    "task_instance": "?dag_id={DAG_ID}&run_id={RUN_ID}&task_id={TASK_ID}&map_index={MAP_INDEX}",
}
"""What the pages are told by each page of Airflow that shows them. Airflow fills the braces."""

ROUTES = {"nav": "", "dag": "-dag", "dag_run": "-run", "task": "-task", "task_instance": "-ti"}


def root() -> str:
    """The path under which browsers find Airflow, such as ``/airflow``; empty at the top of a host."""
    return urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")


def external_views() -> list[dict[str, Any]]:
    """The menu item and the tabs. One with a destination that Airflow doesn't know would hide them all."""
    return [external_view(destination) for destination in QUERIES]


def external_view(destination: str) -> dict[str, Any]:
    """One of them. Its addresses are relative: only so they are right below any root."""
    pages = PAGES.removeprefix("/")
    category = {"category": "browse"} if destination == "nav" else {}
    return {
        "name": NAME,
        "destination": destination,
        "url_route": f"rerun-downstream{ROUTES[destination]}",
        "href": f"{pages}{QUERIES[destination]}",
        "icon": f"{pages}icon.svg",
        "icon_dark_mode": f"{pages}icon-dark.svg",
        **category,
    }
