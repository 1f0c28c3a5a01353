"""Tests that take too long for every change; `make thorough` runs them."""

from tests.live.browser import chromium, visit
from tests.live.harness import start_airflow

__all__ = ["chromium", "start_airflow", "visit"]
