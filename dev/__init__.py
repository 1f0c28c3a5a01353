"""What developers of this project run: the Makefile's steps, the live Airflow, the demo."""
