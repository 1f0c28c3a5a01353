"""Write the OpenAPI document of the REST API, from which the types of the web pages are made.

`python -m dev.openapi ui/openapi.json` writes it; with `--check` it only says whether the file is up to date. It is
written with Airflow 3.3: other versions bring another FastAPI, which may say the same in other words.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from dev.run_tests import test_environment


def document() -> str:
    """The document as it is written: the same text for the same API."""
    from airflow_rerun_downstream.airflow3.web.app import make_app

    found = make_app().openapi()
    for scheme in found["components"]["securitySchemes"].values():
        scheme.pop("description", None)  # Airflow's own words, which change with it
    return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def fresh_document() -> str:
    """The document as an Airflow has it that nobody has configured. No database is asked."""
    with tempfile.TemporaryDirectory(prefix="airflow-home-") as home:
        environment = test_environment(home)
        os.environ.clear()
        os.environ.update(environment)
        return document()


def main() -> None:
    """Write the file, or check it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("path", type=Path, help="the file, ui/openapi.json")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is stale")
    arguments = parser.parse_args()
    path: Path = arguments.path
    text = fresh_document()
    if not arguments.check:
        path.write_text(text, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        sys.exit(f"{path} is stale: write it anew with `python -m dev.openapi {path}`")


if __name__ == "__main__":
    main()
