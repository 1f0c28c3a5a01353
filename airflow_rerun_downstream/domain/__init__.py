"""The words of a rerun. Standard library only: no Airflow, no SQL, no web."""
