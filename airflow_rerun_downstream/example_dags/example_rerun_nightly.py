"""A nightly check: what has failed since yesterday is rerun, with everything that has read it.

Runs that can't be a source, because they are running, too old or in another rerun, are passed over.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG, task

from airflow_rerun_downstream.operators import RerunDownstreamHook, rerun_downstream

with DAG(
    "example_rerun_nightly",
    schedule="0 4 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    params={"dag_ids": ["example_rerun_orders"]},
    tags=["example", "rerun"],
) as nightly:

    @task
    def failed(params: dict[str, list[str]]) -> list[dict[str, str]]:
        """The failed runs of the last day that can be rerun."""
        since = datetime.now(timezone.utc) - timedelta(days=1)
        with RerunDownstreamHook().get_conn() as client:
            found = client.iter_dag_runs(
                dag_id=params["dag_ids"], state=["failed"], run_after_gte=since, can_be_source=True
            )
            return [{"source_dag_id": run.dag_id, "source_run_id": str(run.run_id)} for run in found]

    @task(max_active_tis_per_dag=1, retries=1)
    def repair(source: dict[str, str]) -> int:
        """Rerun one of them, and wait for the end."""
        return int(rerun_downstream(**source, reason="Nightly repair")["rerun_id"])

    repair.expand(source=failed())
