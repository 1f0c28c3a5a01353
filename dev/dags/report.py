"""The day's report. It waits for two assets, revenue *and* customers, and has itself exported."""

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import dag, task
from shop import read, total, write
from shop_assets import CUSTOMERS, REVENUE, days_of


@dag(schedule=[REVENUE, CUSTOMERS], doc_md=__doc__, tags=["shop"])
def shop_report():
    @task
    def write_report(triggering_asset_events):
        days = days_of(triggering_asset_events)
        for day in days:
            best = max(read("customers", day), key=lambda row: row[1])
            write("report", day, [(f"revenue; best customer: {best[0]}", total("revenue", day))])
        return days

    TriggerDagRunOperator(task_id="have_it_exported", trigger_dag_id="shop_export", conf={"days": write_report()})


shop_report()
