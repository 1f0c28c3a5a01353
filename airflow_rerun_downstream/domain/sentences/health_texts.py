"""What the installation's components say, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_rerun_downstream.domain.sentences.plural import Plural, Template

ELSEWHERE = (
    "the package supports PostgreSQL and SQLite. Elsewhere, a rerun's asset events start extra runs, and no run is "
    "held."
)
ADD_ASSET_MANAGER = (
    "Without it, a rerun's repeated asset events start extra runs. Configure it and restart: [core] "
    "asset_manager_class = airflow_rerun_downstream.asset_manager.RerunAssetManager"
)
WITHOUT_HOOK = "Until then, no scheduled run can be frozen before it is created."
LOGS = "The logs of these processes have the errors."
WITHOUT_US = "Airflow went on without the package, so runs may have started that shouldn't have."
NOT_TOLD = "Metrics, traces, lineage events, pages or links may be missing; runs and their data aren't affected."

HEALTH: Mapping[str, Template] = {
    "ask": "Users who may see Airflow's jobs and plugins see the reason.",
    "unknown": "Unknown ({error}); see this process's log.",
    "unknown_settings": "Unknown: an option is wrong; see `configuration`.",
    "with_examples": "{detail} For example: {tasks}",
    "options": "{options}",
    "options_right": "Every option can be used.",
    "database_unsupported": f"{{database}} isn't supported: {ELSEWHERE}",
    "does_nothing_on": f"It does nothing on {{database}}: {ELSEWHERE}",
    "no_conductor": "No conductor leads. {how}",
    "conductor_in_future": (
        "The last tick of {owner} is {count} s in the future by the database's clock. Another conductor takes over; "
        "correct the clocks."
    ),
    "conductor_leads": "{owner} leads; its last tick was {count} s ago.",
    "conductor_silent": "{owner} leads; its last tick was {count} s ago. {how}",
    "conductor_is_a_thread": "It is a thread of the api-server; see the api-server log.",
    "start_a_conductor": "Start `airflow-rerun-downstream conductor`.",
    "clock_ahead": "{process} ({kind}) is {count} s ahead of the database's",
    "clock_behind": "{process} ({kind}) is {count} s behind the database's",
    "clocks_off": ("{clocks}. Such a process doesn't conduct, and Airflow itself misjudges there what is alive."),
    "clocks_agree": "The clocks of all {count} processes agree with the database's.",
    "asset_manager_not_in": f"It is not active in {{processes}}. {ADD_ASSET_MANAGER}",
    "asset_manager_active": "It is active in all {count} api-server processes.",
    "asset_manager_configured": "It is configured; no api-server has reported yet.",
    "asset_manager_not_configured": f"It is not configured. {ADD_ASSET_MANAGER}",
    "no_scheduler": f"No scheduler is alive. {WITHOUT_HOOK}",
    "hook_not_in": (
        f"Not every scheduler has it: job {{jobs}} hasn't reported. {WITHOUT_HOOK} Install the package there too, and "
        "restart it."
    ),
    "hook_in_place": "It is in place in all {count} live schedulers.",
    "errors": f"Errors of the last hour, in {{alarming}}. {WITHOUT_US} {LOGS}",
    "errors_aside": f"Errors of the last hour, in {{aside}}. {NOT_TOLD} {LOGS}",
    "errors_of_both": (f"Errors of the last hour, in {{alarming}}. {WITHOUT_US} Also in {{aside}}. {NOT_TOLD} {LOGS}"),
    "no_errors": "No error of the package inside Airflow in the last hour.",
    "held_without_record": Plural(
        "{count} run is held without a record ({runs}). Run `airflow-rerun-downstream release --all` on an Airflow "
        "host to let it start at its own time.",
        "{count} runs are held without a record ({runs}). Run `airflow-rerun-downstream release --all` on an Airflow "
        "host to let them start at their own time.",
    ),
    "holds_recorded": "Every held run has a record.",
    "policy_missing": "It is not installed; links of sensors with an offset are guesses.",
    "policy_everywhere": "Every sensor was parsed with it.",
    "policy_not_everywhere": Plural(
        "{count} sensor was parsed without it; runs that read from it may be missing in plans. Live Dag processors: "
        "{processors}. Install the package there, restart them, and run `airflow dags reserialize`.",
        "{count} sensors were parsed without it; runs that read from them may be missing in plans. Live Dag "
        "processors: {processors}. Install the package there, restart them, and run `airflow dags reserialize`.",
    ),
    "policy_not_everywhere_since": Plural(
        "{count} sensor was parsed without it, at {parsed_at}; runs that read from it may be missing in plans. Live "
        "Dag processors: {processors}. Install the package there, restart them, and run `airflow dags reserialize`.",
        "{count} sensors were parsed without it, the last of them at {parsed_at}; runs that read from them may be "
        "missing in plans. Live Dag processors: {processors}. Install the package there, restart them, and run "
        "`airflow dags reserialize`.",
    ),
    "processor": "job #{job} on {host}",
    "unknown_host": "an unknown host",
    "none": "none",
    "listener_missing": "It is not registered: the plugin could not be loaded.",
    "workers_without_listener": (
        "In runs of the last day, sensors succeeded without a record, including the latest one on that worker: "
        "{workers}. Install the package there, and restart the worker."
    ),
    "listener_registered": "It is registered, and no worker is known to miss it.",
    "declared_links_wrong": "Links are missing from plans. {problems}",
    "no_declared_links": "No links are declared.",
    "declared_links": Plural("{count} link is declared.", "{count} links are declared."),
    "targets_wrong": "Notification targets are wrong. {targets}.",
    "target_wrong": "{target}: {problem}",
    "targets": Plural("{count} notification target is configured.", "{count} notification targets are configured."),
}
