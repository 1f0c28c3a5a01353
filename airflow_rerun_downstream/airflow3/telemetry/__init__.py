"""Hands on what happened to what this Airflow is watched with: its metrics, its tracing, its logs, OpenLineage."""
