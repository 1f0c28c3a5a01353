"""The ledger. One hour after the orders; a sensor waits for them, and a marker names who follows."""

from datetime import timedelta

from airflow.providers.standard.sensors.external_task import ExternalTaskMarker, ExternalTaskSensor
from airflow.sdk import dag, task
from shop import BY_THE_CLOCK, total, write


@dag(schedule="0 2 * * *", doc_md=__doc__, **BY_THE_CLOCK)
def shop_finance():
    orders_are_loaded = ExternalTaskSensor(
        task_id="orders_are_loaded",
        external_dag_id="shop_orders",
        external_task_id="load",
        execution_delta=timedelta(hours=1),
        poke_interval=1,
    )

    @task
    def close_day(ds):
        gross = total("orders", ds)
        write("ledger", ds, [("net", gross / 1.19), ("tax", gross - gross / 1.19)])

    dashboard_follows = ExternalTaskMarker(
        task_id="dashboard_follows",
        external_dag_id="shop_dashboard",
        external_task_id="refresh",
        logical_date="{{ logical_date.add(hours=2).isoformat() }}",
    )

    orders_are_loaded >> close_day() >> dashboard_follows


shop_finance()
