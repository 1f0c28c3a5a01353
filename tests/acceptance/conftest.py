from tests.live.harness import start_airflow

__all__ = ["start_airflow"]
