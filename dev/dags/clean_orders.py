"""Orders without the cancelled ones. Starts whenever orders have changed."""

from airflow.sdk import dag, task
from shop import read, write
from shop_assets import CLEAN_ORDERS, ORDERS, days_of


@dag(schedule=[ORDERS], doc_md=__doc__, tags=["shop"])
def shop_clean_orders():
    @task(outlets=[CLEAN_ORDERS])
    def clean(triggering_asset_events, outlet_events):
        days = days_of(triggering_asset_events)
        for day in days:
            write("clean_orders", day, [row for row in read("orders", day) if row[1]])
        outlet_events[CLEAN_ORDERS].extra = {"days": days}

    clean()


shop_clean_orders()
