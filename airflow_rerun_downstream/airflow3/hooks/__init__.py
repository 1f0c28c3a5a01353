"""What Airflow runs inside its own processes and transactions."""
