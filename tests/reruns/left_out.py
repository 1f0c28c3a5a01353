"""What isn't to happen in any example, each with the reason: what we know to go wrong, and haven't mended yet."""

from __future__ import annotations

from collections.abc import Mapping

ALL_GONE = "a selection of which nothing is left"

LEFT_OUT: Mapping[str, str] = {
    ALL_GONE: "where a newer version has none of the selected tasks, the member fails with task_gone",
}
