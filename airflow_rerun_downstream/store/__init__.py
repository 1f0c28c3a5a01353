"""Our tables in Airflow's metadata database: rows, the lease, migrations. Knows no Airflow."""
