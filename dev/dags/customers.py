"""What each customer has spent on a day, from the cleaned orders."""

from collections import Counter

from airflow.sdk import dag, task
from shop import read, write
from shop_assets import CLEAN_ORDERS, CUSTOMERS, days_of


@dag(schedule=[CLEAN_ORDERS], doc_md=__doc__, tags=["shop"])
def shop_customers():
    @task(outlets=[CUSTOMERS])
    def group(triggering_asset_events, outlet_events):
        days = days_of(triggering_asset_events)
        for day in days:
            spent = Counter()
            for customer, euros in read("clean_orders", day):
                spent[customer] += euros
            write("customers", day, spent.items())
        outlet_events[CUSTOMERS].extra = {"days": days}

    group()


shop_customers()
