"""What Airflow is told of this package: configuration, database manager, commands. Imports nothing heavy."""

from __future__ import annotations

from typing import Any

from airflow_rerun_downstream import __version__, connection_type, host


def option(
    description: str,
    *,
    kind: str = "string",
    default: str | None,
    example: str | None = None,
    sensitive: bool = False,
) -> dict[str, Any]:
    """An option as Airflow's schema of provider information has it; a ``sensitive`` one is masked where it is shown."""
    return {
        "description": description,
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
        "sensitive": sensitive,
    }


OPTIONS: dict[str, dict[str, Any]] = {
    "source_ready_since": option(
        "How far back the ready time (``run_after``) of a source run may lie: ``yesterday`` (00:00 of the day before, "
        "in Airflow's default time zone), an ISO 8601 duration of weeks, days, hours, minutes and seconds (``P30D``, "
        "``PT12H``), or ``unlimited``. It limits sources only.",
        default="yesterday",
        example="P30D",
    ),
    "poll_interval": option(
        "Seconds between two looks of the conductor while a rerun is active. Without one it looks every 5 seconds, and "
        "at once after a call to its own api-server process.",
        kind="float",
        default="1.0",
    ),
    "conductor": option(
        "Where the conductor runs: ``api_server`` (a thread of each api-server process; one of them leads), or "
        "``external`` (the command ``airflow-rerun-downstream conductor``).",
        default="api_server",
        example="external",
    ),
    "max_active_members": option(
        "How many runs of one rerun may be in flight at once, where the rerun doesn't say.",
        kind="integer",
        default="32",
    ),
    "max_plan_runs": option(
        "A plan that finds more downstream runs than this is refused (``plan_too_large``). A request can lower it, not "
        "raise it. Members that are named one by one are 10,000 at most.",
        kind="integer",
        default="10000",
    ),
    "declared_links_file": option(
        "A YAML file of links between Dags that nothing else can see.",
        default=None,
        example="/opt/airflow/declared_links.yaml",
    ),
    "freeze_max_age": option(
        "An ISO 8601 duration, counted from the submit, after which a frozen run is released by itself; the record "
        "says ``frozen_too_long``. None: never.",
        default=None,
        example="P2D",
    ),
    "release_batch": option(
        "How many frozen runs are released in one tick of the conductor, so that a hundred don't start at once.",
        kind="integer",
        default="10",
    ),
    "frozen_too_long_after": option(
        "An ISO 8601 duration, counted from the submit, after which the condition ``frozen_too_long`` of notifications "
        "is met; at the latest when ``freeze_max_age`` is over.",
        default="P1D",
        example="PT6H",
    ),
    "retention": option(
        "An ISO 8601 duration after whose end the record of a rerun is removed by itself, as by "
        "``airflow-rerun-downstream db clean --skip-archive``: some rows at a time, by the conductor that leads. None: "
        "never. A day at least.",
        default=None,
        example="P365D",
    ),
    "proposal_max_age": option(
        "An ISO 8601 duration in which a proposal can be approved, counted from when it was made. After that it ends "
        "by itself, as ``terminated`` with the reason ``proposal_expired``.",
        default="P7D",
        example="P1D",
    ),
    "notification_targets": option(
        "JSON: the name of each target that a rerun may notify, its ``kind`` and its settings.",
        default=None,  # of a short text that is to be hidden Airflow complains on stdout, where our JSON belongs
        example='{"data-team": {"kind": "webhook", "url": "https://chat.example.com/hooks/1"}}',
        sensitive=True,  # the address of a webhook is its key
    ),
    "notification_targets_file": option(
        "A YAML file with more notification targets, by their names.",
        default=None,
        example="/opt/airflow/notification_targets.yaml",
    ),
    "notification_targets_conn_id": option(
        "An Airflow connection whose extra field holds more notification targets, by their names, as JSON.",
        default=None,
        example="rerun_downstream_targets",
    ),
}
"""Every option: Airflow shows them, and the table in ``docs/installing.md`` is made of them. How a value is read stands
in `settings`; a test holds the two together.
"""


OPERATORS = "airflow_rerun_downstream.operators"
INTEGRATION = "Rerun Downstream"


def modules(*names: str) -> list[dict[str, Any]]:
    """Modules of what is for Dag authors, as Airflow's schema has them."""
    return [{"integration-name": INTEGRATION, "python-modules": [f"{OPERATORS}.{name}" for name in names]}]


FOR_DAG_AUTHORS: dict[str, Any] = {
    "integrations": [{"integration-name": INTEGRATION, "tags": ["software"]}],
    "connection-types": [connection_type.INFO],
    "hooks": modules("hook"),
    "operators": modules("operator"),
    "sensors": modules("sensor"),
    "triggers": modules("ended_trigger"),
    "extra-links": [f"{OPERATORS}.link.RerunLink"],
    "notifications": [f"{OPERATORS}.propose_notifier.ProposeRerunNotifier"],
}
"""What ``airflow providers hooks``, ``triggers``, ``links`` and ``notifications`` show."""


def get_provider_info() -> dict[str, Any]:
    """Everything that ``apache_airflow_provider`` asks for. Airflow 3.1 ignores ``cli`` and ``db-managers``.

    An Airflow that isn't known is told no more than the name: it must neither migrate nor load anything of ours.
    """
    name = {
        "package-name": "airflow-rerun-downstream",
        "name": "Rerun Downstream",
        "description": "Rerun a Dag run and everything downstream of it, across Dags and in dependency order.",
        "versions": [__version__],
    }
    if not host.supported():
        return name
    return {
        **name,
        "config": {
            "rerun_downstream": {
                "description": "Rerun Downstream: what may be rerun, and how the conductor works.",
                "options": OPTIONS,
            }
        },
        "db-managers": ["airflow_rerun_downstream.airflow3.db_manager.RerunDownstreamDBManager"],
        "cli": ["airflow_rerun_downstream.cli.airflow_provider.get_cli_commands"],
        **FOR_DAG_AUTHORS,
    }
