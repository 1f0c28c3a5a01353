"""Which Airflow is this? The only test of a version; everything else asks for a room and gets the right one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import ModuleType

PACKAGE = __package__


class UnsupportedAirflow(RuntimeError):
    """There is no room for this generation of Airflow; the message names it."""


@cache
def airflow_version() -> tuple[int, int]:
    """Major and minor version of the installed Airflow, read without importing it."""
    major, minor = version("apache-airflow").split(".")[:2]
    return int(major), int(minor)


def has_rooms() -> bool:
    """Whether this generation of Airflow is supported."""
    return find_spec(f"{PACKAGE}.airflow{airflow_version()[0]}") is not None


def has_provider_commands() -> bool:
    """Whether ``airflow rerun-downstream`` exists; before that there is only the console script."""
    return airflow_version() >= (3, 2)


def room(name: str) -> ModuleType:
    """The module of that name for the installed generation, such as ``wiring``.

    Raises `UnsupportedAirflow`.
    """
    if not has_rooms():
        raise UnsupportedAirflow(f"Airflow {'.'.join(map(str, airflow_version()))} is not supported")
    return import_module(f"{PACKAGE}.airflow{airflow_version()[0]}.{name}")
