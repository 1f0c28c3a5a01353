"""The public name of our database manager, for ``[database] external_db_managers``."""

from airflow_rerun_downstream.airflow3.database.migration import RerunDownstreamDBManager

__all__ = ["RerunDownstreamDBManager"]
