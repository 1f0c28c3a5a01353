"""Reads of Airflow 3's metadata database: columns only, a few statements whatever is asked."""

from airflow_rerun_downstream.airflow3.lineage_facts.four_readers import readers

__all__ = ["readers"]
