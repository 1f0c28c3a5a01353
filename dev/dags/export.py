"""The report for the accountants' system. The report's Dag triggers it, with the days in `conf`."""

from airflow.sdk import dag, task
from shop import read, write


@dag(schedule=None, doc_md=__doc__, tags=["shop"])
def shop_export():
    @task
    def export(dag_run):
        for day in dag_run.conf["days"]:
            write("export", day, read("report", day))

    export()


shop_export()
