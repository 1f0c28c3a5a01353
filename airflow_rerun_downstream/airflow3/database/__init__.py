"""How Airflow's metadata database is reached, and what of ours stands in it."""
