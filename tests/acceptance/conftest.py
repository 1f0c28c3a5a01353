from tests.live.browser import chromium, visit
from tests.live.harness import start_airflow

__all__ = ["chromium", "start_airflow", "visit"]
