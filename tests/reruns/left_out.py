"""What isn't to happen in any example, each with the reason: what we know to go wrong, and haven't mended yet."""

from __future__ import annotations

from collections.abc import Mapping

NEW_AND_RETRIED = "new tasks and retries"
NEW_IN_STAGES = "new tasks in stages"

CLEARED_PARENT = "a triggering task that somebody clears"

ALL_GONE = "a selection of which nothing is left"

LEFT_OUT: Mapping[str, str] = {
    NEW_AND_RETRIED: "a task that a newer version has added runs once; a later retry of what it follows leaves it out",
    NEW_IN_STAGES: "a task that a newer version has added runs with the first stage, whatever it follows",
    ALL_GONE: "where a newer version has none of the selected tasks, the member fails with task_gone",
    CLEARED_PARENT: "where the rerun takes the old run in its place, both runs write at once",
}
