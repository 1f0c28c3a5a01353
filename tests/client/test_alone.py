"""The client stands alone: what it imports, and what it doesn't."""

from __future__ import annotations

import subprocess
import sys

LOADED = """
import sys
import airflow_rerun_downstream.client, airflow_rerun_downstream.client.contract
print("\\n".join(sorted(sys.modules)))
"""
FOREIGN = {"airflow", "alembic", "fastapi", "flask", "jinja2", "pendulum", "sqlalchemy", "starlette", "yaml"}
OURS = {"client", "domain", "rest", "settings"}


def test_it_imports_neither_airflow_nor_a_database_nor_the_rest_of_the_package() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert {name.partition(".")[0] for name in loaded} & FOREIGN == set()
    assert {name.split(".")[1] for name in loaded if name.startswith("airflow_rerun_downstream.")} == OURS
