"""Until when a held run waits."""

from datetime import datetime, timezone

FAR = datetime(2038, 1, 1, tzinfo=timezone.utc)
"""The ``run_after`` of a held run: its scheduler passes over it. MySQL's timestamps end there."""
