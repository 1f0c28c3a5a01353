"""What helps after a refusal, in the words of the command line: the refusal itself speaks to REST, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REFUSALS: Mapping[str, str | None] = {
    # The sentence of the refusal says all there is to do, or nothing can be done here.
    **dict.fromkeys(
        (
            *("refused", "bad_request", "conflict", "invalid", "not_found", "method_not_allowed", "body_too_large"),
            *("forbidden", "forbidden_dags", "freeze_unavailable", "tables_in_use", "database_not_migrated"),
            *("unsupported_airflow", "internal_error", "unavailable"),
        )
    ),
    "not_authenticated": "Use --username, or a token that is still valid (AIRFLOW_RERUN_DOWNSTREAM_TOKEN or --token).",
    "empty_selection": "Select runs with --member, or leave out --already-right or --only-source.",
    "unknown_target": "`targets` lists the notification targets.",
    "idempotency_key_reused": "Give another --idempotency-key, or repeat what you submitted with this one.",
    "stale_plan": "`plan` makes a new plan with a new token; without --plan-token the present state is taken.",
    "run_in_active_rerun": "`list --dag-id DAG_ID --run-id RUN_ID` shows that rerun.",
    "not_selectable": "`plan` lists the downstream runs, and why some can't be selected.",
    "source_not_eligible": "`plan` shows what is downstream of it all the same.",
    "asset_manager_inactive": "--accept-duplicate-runs accepts the extra runs.",
    "offset_unknown": "--accept-unknown-offsets continues all the same.",
    "action_not_allowed": "`show ID` lists the actions that are allowed.",
    "changed_meanwhile": "`show ID` shows how it stands now.",
    "plan_too_large": "Follow fewer links with --max-depth or --link-kind.",
}
"""A refusal by its reason; None: there is nothing to add."""

RUNS: Mapping[str, str] = {
    "run_is_running": "--freeze-mode stops runs that are queued or running, and reruns them in order.",
    "run_is_queued": "--freeze-mode stops runs that are queued or running, and reruns them in order.",
    "run_not_ready": "--freeze DAG_ID@WHICH or --freeze DAG_ID/RUN_ID holds a run that isn't ready until the rerun "
    "succeeds.",
    "before_ready_window": "[rerun_downstream] source_ready_since says how long ago a source may have been ready.",
    "source_not_success": "Without --already-right the source is rerun, too.",
}
"""A run that can't be taken, by its reason; this is nearer to the matter than `REFUSALS`."""


def hint(reason: str, extra: Mapping[str, Any]) -> str | None:
    """What would help; None: nothing that a command line has."""
    runs = extra.get("runs")
    reasons = [run.get("reason") for run in runs if isinstance(run, Mapping)] if isinstance(runs, list) else []
    near = dict.fromkeys(RUNS.get(str(why)) for why in (*reasons, extra.get("why")))
    return "\n".join(filter(None, near)) or REFUSALS.get(reason)
