"""Why something is refused."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Plural, Template

MIGRATE = "Run `airflow-rerun-downstream db migrate` (on Airflow 3.2 and later `airflow db migrate` does it too)."
WAY_OUT = "Choose a later source or fewer tasks, or raise max_runs."

REFUSALS: Mapping[str, Template] = {
    # the request can't be understood
    "invalid_fields": "{errors}",
    "body_too_large": "The request has more than {limit} bytes.",
    "idempotency_key_invalid": "An idempotency key has 1 to {limit} printable ASCII characters, without spaces.",
    "idempotency_key_reused": "You have used this idempotency key for another request. Give a new one.",
    "not_a_plan_token": "plan_token is not a plan token.",
    "runs_not_orderable": "Dag runs can't be ordered by {name}; they can by {names}.",
    "reruns_not_orderable": "Reruns can't be ordered by {name}; they can by {names}.",
    "run_named_twice": "A run is named more than once.",
    "frozen_run_named_twice": "A run to freeze is named more than once.",
    "frozen_without_freeze_mode": "Runs are frozen in freeze mode only: give freeze_mode true, or frozen null.",
    "both_rerun_and_frozen": "{run} can't be both rerun and frozen.",
    "unknown_task": "{run} has no task or task group {task}.",
    "unknown_target": "There is no notification target {target}.",
    "empty_task_ids": "task_ids of {what} is empty: name tasks, or give null for the default selection.",
    "no_task_selected": "No task of {run} is selected.",
    "neither_selected": "Neither the source nor a downstream run is selected.",
    "nothing_selected": "Nothing is selected: the source isn't rerun, and no downstream run can be selected.",
    # it isn't there, or may not be done
    "unknown_rerun": "There is no rerun {rerun}.",
    "unknown_member": "Rerun {rerun} has no member {member}.",
    "unknown_member_alone": "There is no member {member}.",
    "unknown_dag": "There is no Dag {dag}.",
    "unknown_run": "There is no Dag run {run} of Dag {dag}.",
    "unknown_downstream_run": "There is no downstream Dag run {run} of Dag {dag}.",
    "no_run_to_come": "Dag {dag} has no run to come that is downstream of the source.",
    "may_not_rerun": "You may not rerun {dags}.",
    "may_not_test_targets": "Only users who may see Airflow's jobs and plugins may test notification targets.",
    # the world is not in the state that it takes
    "stale_plan": Plural(
        "{count} run changed since the plan was made. Make a new plan.",
        "{count} runs changed since the plan was made. Make a new plan.",
    ),
    "in_active_rerun": "{run} is already in another active rerun.",
    "in_that_active_rerun": "{run} is already in another active rerun. It is rerun {rerun}.",
    "not_downstream": "{run} is not downstream of the source.",
    "not_selectable": "{runs}.",
    "not_freezable": "{run} can't be frozen: {why}.",
    "source_not_eligible": "{run} can't be the source: {why}.",
    "asset_manager_inactive": (
        "The rerun repeats asset events, and the asset manager that recognises repeats isn't active: every consumer "
        "would get an extra run. Set [core] asset_manager_class = "
        "airflow_rerun_downstream.asset_manager.RerunAssetManager for every api-server, or accept_duplicate_runs."
    ),
    "offset_unknown": (
        "The offset of these sensors isn't known, so runs that read wrong data may be missing: {sensors}. They were "
        "parsed without this package: restart the Dag processor with it and run `airflow dags reserialize`, or "
        "accept_unknown_offsets."
    ),
    "nothing_freezes_on": (
        "Nothing can be frozen on {database}: the package supports PostgreSQL and SQLite. Elsewhere, a rerun's asset "
        "events start extra runs, and no run is held."
    ),
    "freeze_hook_inactive": (
        "A scheduled run is held by the scheduler that creates it, and not every live scheduler has the package's "
        "hook. GET /health says which."
    ),
    "cannot_hold_asset_runs": (
        "An asset-triggered run is held by the asset manager, which isn't active in every api-server. GET /health says "
        "which."
    ),
    "too_many_runs": f"{{count}} downstream runs were found, more than {{limit}}. {WAY_OUT}",
    "too_many_runs_so_far": f"More than {{limit}} downstream runs were found ({{count}} so far). {WAY_OUT}",
    "too_many_later_runs": (
        "More than {limit} later runs depend on the past of their Dags. Choose a later source or fewer tasks, leave "
        "links of the kind previous_run out, or raise max_runs."
    ),
    "rerun_in_state": "Rerun {rerun} can't {action}: it is {state}.",
    "rerun_only_proposed": "Rerun {rerun} can't {action}: it is proposed; approve it.",
    "member_in_state": "Rerun {rerun} can't {action}: the member is {state}.",
    "member_in_state_of_rerun": "Rerun {rerun} can't {action}: the member is {state}, the rerun {rerun_state}.",
    "changed_meanwhile": "Rerun {rerun} can't {action}: something changed in the meantime; reload and try again.",
    "rerun_has_changed": "The rerun {rerun} has changed since you looked. Nothing was done; look again.",
    "rerun_has_changed_by": "The rerun {rerun} has changed since you looked ({lines}). Nothing was done; look again.",
    "member_has_changed": (
        "The member {member} of rerun {rerun} has changed since you looked. Nothing was done; look again."
    ),
    "member_has_changed_by": (
        "The member {member} of rerun {rerun} has changed since you looked ({lines}). Nothing was done; look again."
    ),
    "no_frozen_runs": "Rerun {rerun} has no frozen runs.",
    "proposal_forgotten": "What rerun {rerun} was to do isn't known any more.",
    "proposal_too_late": "Rerun {rerun} can't be approved any more: its time is over.",
    # the installation
    "tables_missing": f"The tables of airflow-rerun-downstream don't exist yet. {MIGRATE}",
    "tables_older": f"The tables of airflow-rerun-downstream are older than the installed package. {MIGRATE}",
    "tables_newer": (
        "The tables of airflow-rerun-downstream were made by a newer version of the package. Install that version, or "
        "downgrade the tables with it (`airflow-rerun-downstream db downgrade`)."
    ),
    "tables_incomplete": f"Some tables of airflow-rerun-downstream are missing. {MIGRATE}",
    "tables_in_use": ("The tables are still needed; nothing was changed. {first} A conductor must be running."),
    "unsupported_airflow": (
        "This version of airflow-rerun-downstream supports Airflow {others} and {last}, not {this}, and does nothing "
        "here: install a version of it that supports this Airflow, or go back to a supported Airflow."
    ),
    "misconfigured": ("The package doesn't work until its configuration is corrected ({names}); see `GET /health`."),
    # what other parts of the api-server say
    "busy": "Too many requests are waiting. Nothing was done; try again.",
    "internal_error": "Internal error; see the api-server log.",
}
