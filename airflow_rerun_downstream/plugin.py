"""What Airflow loads as a plugin, in every component. All that is heavy is imported when it is asked for."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from airflow_rerun_downstream import host

log = logging.getLogger(__name__)

URL_PREFIX = "/rerun-downstream"


class RerunDownstreamPlugin(AirflowPlugin):
    """Rerun Downstream. A part that can't be loaded is logged and left out: Airflow starts without it."""

    name = "rerun_downstream"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The REST API; only an api-server asks for it."""
        try:
            app = host.room("api.app").make_app()
        except Exception:
            log.exception("The REST API of Rerun Downstream is not available")
            return []
        return [{"app": app, "url_prefix": URL_PREFIX, "name": "Rerun Downstream"}]

    @cached_property
    def listeners(self) -> list[Any]:  # type: ignore[override]
        """What looks on while tasks run."""
        try:
            return [host.room("listener")]
        except Exception:
            log.exception("The listener of Rerun Downstream is not available")
            return []
