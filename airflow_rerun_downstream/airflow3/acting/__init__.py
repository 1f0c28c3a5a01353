"""What a rerun does to Airflow's runs, and what it sees of them."""
