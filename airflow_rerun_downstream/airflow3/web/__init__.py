"""The REST contract on Airflow 3: a FastAPI app that the api-server mounts."""
