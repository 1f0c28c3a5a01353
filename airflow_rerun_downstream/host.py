"""Which Airflow is this? The only test of a version; everything else asks for a room and gets the right one.

An Airflow whose minor version isn't known may have changed anything that this package stands on, and tell nobody. So
on such a one the package does nothing at all, and says so where somebody asks.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_rerun_downstream.domain.sentence import Sentence

PACKAGE = __package__

KNOWN = ((3, 1), (3, 2), (3, 3), (3, 4))
"""The minor versions of Airflow that this package was tried with; its dependency on Airflow ends there, too."""

DISTRIBUTIONS = ("apache-airflow-core", "apache-airflow")
"""What Airflow may be installed as. Where there is a core, that is the code which runs."""


@cache
def airflow_version() -> tuple[int, int]:
    """Major and minor version of the installed Airflow, read without importing it; zeros if it can't be told."""
    for name in DISTRIBUTIONS:
        try:
            found = re.match(r"(\d+)\.(\d+)", version(name))
        except PackageNotFoundError:
            continue
        if found:
            return int(found[1]), int(found[2])
    return 0, 0


def supported() -> bool:
    """Whether this Airflow's minor version is known. Where it isn't, nothing of ours takes part in its work."""
    return airflow_version() in KNOWN


def why_not() -> Sentence:
    """The sentence about an Airflow that isn't known: which ones are, and what to do."""
    *others, last = (".".join(map(str, each)) for each in KNOWN)
    this = ".".join(map(str, airflow_version()))
    from airflow_rerun_downstream.domain.sentence import Sentence

    return Sentence("refusal.unsupported_airflow", others=others, last=last, this=this)


def room(name: str) -> ModuleType:
    """The module of that name for the installed generation, such as ``wiring``.

    Raises `UnsupportedAirflow`, and imports nothing, where the version isn't known.
    """
    if not supported():
        from airflow_rerun_downstream.domain.errors import UnsupportedAirflow

        raise UnsupportedAirflow(why_not())
    return import_module(f"{PACKAGE}.airflow{airflow_version()[0]}.{name}")
