from tests.live.browser import chromium, visit
from tests.live.harness import start_airflow
from tests.live.shop import shop

__all__ = ["chromium", "shop", "start_airflow", "visit"]
