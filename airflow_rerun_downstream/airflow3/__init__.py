"""All that knows Airflow 3, and nothing else does."""
