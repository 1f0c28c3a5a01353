"""The command line: ``airflow rerun-downstream …`` and ``airflow-rerun-downstream``, one definition for both."""
