"""What lines of a record say besides their action."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Plural, Template

RECORD: Mapping[str, Template] = {
    "members": Plural("{count} member", "{count} members"),
    "members_and_held": Plural("{members}, {count} run to hold", "{members}, {count} runs to hold"),
    "cleared": Plural("{count} task instance cleared", "{count} task instances cleared"),
    "adopted": "{task} of {run} cleared the run; all of its tasks run",
    "adopted_in_place": "{task} of {run} made {made} in place of {old}; all of its tasks run",
    "held": "{run} was made and is held",
    "held_in_place": "{run} was made in place of {awaited_date} and is held",
    "stage_is_right": "stage {stage} of {stages} is right: {tasks}",
    "run_stopped": "run stopped",
    "proof_not_computed": "nothing is proven; the error is in the conductor's log",
    "not_notified": "{target} could not be notified ({condition}): {error}",
    "event_not_recognised": (
        "{dag} / {run} / {task}: because of an error, an asset event wasn't recognised as a repeated one. It may have "
        "started an extra run; the api-server log has the error."
    ),
    "events_not_parked": "Because of an error, asset events of frozen Dags weren't held back; runs may have started.",
    "untold": "It is about a Dag that you may not read.",
}
