"""The notification targets that the deployment configured."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_rerun_downstream.settings import Settings


class ConfiguredTargets:
    """`Notifier` from ``[rerun_downstream] notification_targets``. Addresses and secrets stay inside."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def targets(self) -> Sequence[tuple[str, str, str]]:
        """Name, kind and description of each, by name."""
        return [
            (name, str(target["kind"]), str(target.get("description") or ""))
            for name, target in sorted(self._settings.notification_targets.items())
        ]
