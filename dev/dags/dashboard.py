"""The dashboard, from the ledger's rows. Only finance's marker tells that it depends on finance."""

from airflow.sdk import dag, task
from shop import BY_THE_CLOCK, read, total, write


@dag(schedule="0 4 * * *", doc_md=__doc__, **BY_THE_CLOCK)
def shop_dashboard():
    @task.sensor(poke_interval=1, timeout=24 * 3600)
    def day_is_closed(ds):
        return bool(read("ledger", ds))

    @task
    def refresh(ds):
        write("dashboard", ds, [("gross", total("ledger", ds))])

    day_is_closed() >> refresh()


shop_dashboard()
