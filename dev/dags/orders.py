"""The source of everything: a day's orders, in euros."""

import json

from airflow.sdk import dag, task
from shop import BY_THE_CLOCK, feed_of, write
from shop_assets import ORDERS


@dag(schedule="0 1 * * *", doc_md=__doc__, **BY_THE_CLOCK)
def shop_orders():
    @task.sensor(poke_interval=1, timeout=24 * 3600)
    def feed_has_arrived(ds):
        return feed_of(ds).exists()

    @task(outlets=[ORDERS])
    def load(ds, outlet_events):
        feed = json.loads(feed_of(ds).read_text())
        write(
            "orders",
            ds,
            [
                (order["customer"], 0.0 if order["cancelled"] else order["dollars"] * feed["rate"])
                for order in feed["orders"]
            ],
        )
        outlet_events[ORDERS].extra = {"days": [ds]}

    feed_has_arrived() >> load()


shop_orders()
