"""The HTTP contract, free of any web framework: one set of handlers for every generation of Airflow."""
