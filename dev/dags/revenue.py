"""Revenue per day, from the cleaned orders."""

from airflow.sdk import dag, task
from shop import total, write
from shop_assets import CLEAN_ORDERS, REVENUE, days_of


@dag(schedule=[CLEAN_ORDERS], doc_md=__doc__, tags=["shop"])
def shop_revenue():
    @task(outlets=[REVENUE])
    def add_up(triggering_asset_events, outlet_events):
        days = days_of(triggering_asset_events)
        for day in days:
            write("revenue", day, [("all", total("clean_orders", day))])
        outlet_events[REVENUE].extra = {"days": days}

    add_up()


shop_revenue()
