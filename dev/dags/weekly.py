"""The week's summary, each Monday; a sensor waits until finance has closed that day."""

from datetime import date, timedelta

from airflow.providers.standard.sensors.external_task import ExternalTaskSensor
from airflow.sdk import dag, task
from shop import BY_THE_CLOCK, total, write


@dag(schedule="0 3 * * MON", doc_md=__doc__, **BY_THE_CLOCK)
def shop_weekly():
    week_is_closed = ExternalTaskSensor(
        task_id="week_is_closed",
        external_dag_id="shop_finance",
        external_task_id="close_day",
        execution_delta=timedelta(hours=1),
        poke_interval=1,
    )

    @task
    def summarize(ds):
        monday = date.fromisoformat(ds)
        days = [str(monday - timedelta(days=ago)) for ago in range(7)]
        write("weekly", ds, [(day, total("ledger", day)) for day in days])

    week_is_closed >> summarize()


shop_weekly()
