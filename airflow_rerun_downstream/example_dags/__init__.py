"""Example Dags: what Dag authors can do with reruns. They need the connection ``rerun_downstream_default``."""
