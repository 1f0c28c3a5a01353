"""A MariaDB of this process alone, with the drivers that Airflow needs for it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dev.waiting import wait_until
from tests.thorough.setup import need

ROOT = Path(__file__).resolve().parent.parent.parent
DRIVERS = ("mysqlclient", "aiomysql", "pymysql")


class PrivateMariaDB:
    """A server on a port of its own, below a temporary folder. `start` it, and `stop` it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rd-mariadb-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def drivers(self) -> Path:
        """The folder with the drivers, for ``PYTHONPATH``."""
        return self.folder / "drivers"

    def url(self, name: str) -> str:
        """What SQLAlchemy takes."""
        return f"mysql+mysqldb://airflow:airflow@127.0.0.1:{self.port}/{name}?charset=utf8mb4"

    def start(self) -> None:
        """Install what is needed, or skip; return when the server answers."""
        server = need("mariadbd", "mariadb-server")
        need("mariadb_config", "libmariadb-dev", "gcc", "pkg-config")
        self._install_drivers()
        data, options = self.folder / "data", ["--no-defaults", f"--datadir={self.folder / 'data'}"]
        install = ["mariadb-install-db", *options, "--auth-root-authentication-method=normal", "--user=root"]
        subprocess.run(install, check=True, capture_output=True)
        assert data.is_dir()
        more = [f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1", "--user=root"]
        sets = ["--character-set-server=utf8mb4", "--transaction-isolation=READ-COMMITTED"]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen([server, *options, *more, *sets], stdout=log, stderr=subprocess.STDOUT)
        wait_until(lambda: self.sql("SELECT 1"), 60, "MariaDB to answer", ignore=(subprocess.CalledProcessError,))
        for host in ("localhost", "127.0.0.1"):
            self.sql(f"CREATE USER airflow@'{host}' IDENTIFIED BY 'airflow'; GRANT ALL ON *.* TO airflow@'{host}'")

    @property
    def socket(self) -> Path:
        """Where the server listens to the machine's own."""
        return self.folder / "socket"

    def sql(self, statements: str) -> str:
        """Run statements as the server's root."""
        client = ["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-N", "-e", statements]
        return subprocess.run(client, check=True, capture_output=True, text=True).stdout

    def create(self, name: str) -> str:
        """A new database; its URL."""
        self.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return self.url(name)

    def stop(self) -> None:
        """End the server, and remove what it wrote."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _install_drivers(self) -> None:
        uv = [str(ROOT / ".venvs" / "tools" / "bin" / "uv"), "pip", "install", "-q", "--no-deps"]
        install = [*uv, "--python", sys.executable, "--target", str(self.drivers)]
        done = subprocess.run([*install, *DRIVERS], check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"the drivers for MariaDB can't be installed here: {done.stderr[-300:]}")
