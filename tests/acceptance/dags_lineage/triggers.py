"""Tasks that make runs of other Dags.

parent ── load ─┬─ go ────────── child ── hand_on ── grandchild
                ├─ go_fixed ──── fixed_child         always the same run id, reset when it is there
                ├─ go_named ──── named_child         the Dag is a template
                └─ go_mapped ─── mapped_one, mapped_two
       └─ aside
root ── go ────── root_child                         nothing but a trigger
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import DAG

START = datetime.fromisoformat(os.environ.get("LINEAGE_START", "2026-01-01T00:00:00+00:00"))
END = START + timedelta(hours=float(os.environ["LINEAGE_HOURS"])) if "LINEAGE_HOURS" in os.environ else None
ONCE = {"start_date": START, "end_date": END, "catchup": True}
"""When Dags run that a clock starts: from 2026 on, or for the hours that a live Airflow is to have."""

with DAG("parent", schedule="0 0 * * *", params={"child": "named_child"}, **ONCE):
    EmptyOperator(task_id="load") >> [
        TriggerDagRunOperator(task_id="go", trigger_dag_id="child"),
        TriggerDagRunOperator(
            task_id="go_fixed", trigger_dag_id="fixed_child", trigger_run_id="fixed", reset_dag_run=True
        ),
        TriggerDagRunOperator(task_id="go_named", trigger_dag_id="{{ params.child }}"),
        TriggerDagRunOperator.partial(task_id="go_mapped").expand(trigger_dag_id=["mapped_one", "mapped_two"]),
    ]
    EmptyOperator(task_id="aside")

with DAG("named", schedule="0 0 * * *", params={"child": "named_child"}, **ONCE):
    TriggerDagRunOperator(task_id="go", trigger_dag_id="{{ [params.child][0] }}")

with DAG("root", schedule="0 0 * * *", **ONCE):
    TriggerDagRunOperator(task_id="go", trigger_dag_id="root_child")

with DAG("child", schedule=None, start_date=START):
    EmptyOperator(task_id="use") >> TriggerDagRunOperator(task_id="hand_on", trigger_dag_id="grandchild")

for dag_id in ("grandchild", "fixed_child", "named_child", "mapped_one", "mapped_two", "root_child"):
    with DAG(dag_id, schedule=None, start_date=START):
        EmptyOperator(task_id="use")
