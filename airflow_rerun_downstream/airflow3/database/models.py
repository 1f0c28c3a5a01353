"""Airflow's models, imported and mapped at a moment when nothing can go wrong with it."""

from __future__ import annotations


def load_models() -> None:
    """Import and map all of Airflow's models, to be called before there is a thread of ours.

    A thread that imports a model holds the module's lock and waits for SQLAlchemy's, to map it. A thread that makes a
    process's first query holds SQLAlchemy's and imports all models, for so Airflow arranges it: the two would wait for
    each other, and the process would stand still.
    """
    from airflow.models import import_all_models
    from sqlalchemy.orm import configure_mappers

    import_all_models()  # type: ignore[no-untyped-call]
    configure_mappers()
