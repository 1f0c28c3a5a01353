"""What Airflow loads as a plugin, in every component. All that is heavy is imported when it is asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from airflow_rerun_downstream import host
from airflow_rerun_downstream.harmless import log_error

log = logging.getLogger(__name__)


class RerunDownstreamPlugin(AirflowPlugin):
    """Rerun Downstream. A part that can't be loaded is logged and left out: Airflow starts without it."""

    name = "rerun_downstream"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The REST API and the web pages; only an api-server asks for them."""
        return part("rest_api", app, notice)

    @cached_property
    def external_views(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """Where Airflow's own pages show ours."""
        return part("pages", lambda: host.room("web.menu").external_views())

    @cached_property
    def global_operator_extra_links(self) -> list[Any]:  # type: ignore[override]
        """The button on every task instance; schedulers and Dag processors ask for it, too."""
        return part("extra_link", lambda: [host.room("web.extra_link").RerunDownstreamLink()])

    @cached_property
    def listeners(self) -> list[Any]:  # type: ignore[override]
        """What looks on while tasks run."""
        return part("listener", lambda: [host.room("hooks.listener")])


def app() -> list[dict[str, Any]]:
    """What an api-server mounts."""
    made = host.room("web.app").make_app()
    return [{"app": made, "url_prefix": host.room("web.menu").URL_PREFIX, "name": "Rerun Downstream"}]


def notice() -> list[dict[str, Any]]:
    """What an api-server of an Airflow that isn't known mounts; said once in its log."""
    from airflow_rerun_downstream import unsupported

    log.warning(host.why_not())
    return [{"app": unsupported.make_app(), "url_prefix": unsupported.PREFIX, "name": "Rerun Downstream"}]


def part(what: str, make: Callable[[], list[Any]], otherwise: Callable[[], list[Any]] = list) -> list[Any]:
    """What ``make`` answers, or on an Airflow that isn't known what ``otherwise`` does; nothing, and a line in the
    log, if that raises.
    """
    try:
        return make() if host.supported() else otherwise()
    except Exception as error:
        log_error(what, error)
        return []
