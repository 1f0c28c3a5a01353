"""Found by every Python process of a sabotaged Airflow (``PYTHONPATH``): lets parts of ours fail, or be broken.

``SABOTAGE`` names a folder. While it has a file named like a function below, that function raises; a module that is
imported while the file ``broken`` is there can't be; with ``only_recognition``, that one alone.
"""

import importlib.abc
import importlib.machinery
import os
import sys
from functools import wraps
from pathlib import Path

PACKAGE = "airflow_rerun_downstream"
CONTROL = Path(os.environ["SABOTAGE"])

FAULTY = {
    f"{PACKAGE}.airflow3.hooks.recognition": ("begin", "before_queueing"),
    f"{PACKAGE}.airflow3.hooks.dag_run_insert": ("expected",),
    f"{PACKAGE}.airflow3.hooks.listener": ("record",),
    f"{PACKAGE}.airflow3.web.menu": ("root",),
    f"{PACKAGE}.policy": ("mark",),
}
BROKEN = {
    *(f"{PACKAGE}.airflow3.hooks.{name}" for name in ("recognition", "dag_run_insert", "listener", "scheduler_watch")),
    *(f"{PACKAGE}.airflow3.web.{name}" for name in ("app", "extra_link", "menu")),
    *(f"{PACKAGE}.airflow3.{name}" for name in ("database.forks", "database.sensor_marks", "wiring")),
}


class Sabotage(RuntimeError):
    """The error of the tests."""


def faulty(function):  # type: ignore[no-untyped-def]
    """The function, which raises while it is told to."""

    @wraps(function)
    def wrapped(*args, **kwargs):  # type: ignore[no-untyped-def]
        if (CONTROL / function.__name__).exists():
            raise Sabotage(function.__name__)
        return function(*args, **kwargs)

    return wrapped


class Loader(importlib.abc.Loader):
    """Loads a module, and puts faulty functions in."""

    def __init__(self, real):  # type: ignore[no-untyped-def]
        self._real = real

    def create_module(self, spec):  # type: ignore[no-untyped-def]
        """As the real one does."""
        return self._real.create_module(spec)

    def exec_module(self, module):  # type: ignore[no-untyped-def]
        """Run the module's code; or don't."""
        alone = module.__name__.endswith(".recognition") and (CONTROL / "only_recognition").exists()
        if alone or (module.__name__ in BROKEN and (CONTROL / "broken").exists()):
            raise ImportError(f"sabotage: {module.__name__}")
        self._real.exec_module(module)
        for name in FAULTY.get(module.__name__, ()):
            setattr(module, name, faulty(getattr(module, name)))


class Finder(importlib.abc.MetaPathFinder):
    """Finds our modules before anybody else does."""

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        """The spec of one of ours, with our loader."""
        if name not in FAULTY and name not in BROKEN:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = Loader(spec.loader)
        return spec


sys.meta_path.insert(0, Finder())
