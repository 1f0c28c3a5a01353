"""A real Airflow in a folder of its own: scheduler, api-server, dag-processor and triggerer.

The tests, the acceptance tests and the demo start it like this:

    with LiveAirflow(home, dags=[folder]) as airflow:
        client = airflow.login("admin")
        airflow.wait_for_dags("orders")

Everything it writes is under `home`, it listens on 127.0.0.1 only, and it ends no process but its own.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal

import httpx
import psutil
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine

from dev.airflow_client import AirflowClient, Json
from dev.migrated import make_or_copy
from dev.postgres import PrivatePostgres
from dev.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "airflow_rerun_downstream"

Component = Literal["scheduler", "api-server", "dag-processor", "triggerer"]
COMPONENTS: tuple[Component, ...] = ("api-server", "scheduler", "dag-processor", "triggerer")
# The names under which `GET /api/v2/monitor/health` reports the components that have a heartbeat.
HEARTBEATS: dict[Component, tuple[str, str]] = {
    "scheduler": ("scheduler", "latest_scheduler_heartbeat"),
    "dag-processor": ("dag_processor", "latest_dag_processor_heartbeat"),
    "triggerer": ("triggerer", "latest_triggerer_heartbeat"),
}
START_TIMEOUT = 300.0  # four components that import Airflow at the same time take minutes on a busy machine
GRACE = 10.0  # seconds that a component gets to end by itself
LOG_WIDTH = 300
NOISE = re.compile(r"DagFileProcessorManager|next_dagrun|next dagrun")
"""What the dag-processor says every few seconds: it would push what matters out of a log's end."""

SIMPLE_AUTH = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
FAB_AUTH = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
LOCAL_BUNDLE = "airflow.dag_processing.bundles.local.LocalDagBundle"
# Simple auth manager: name of a user, who has the role of the same name. The password is the name.
SIMPLE_USERS = ("admin", "op", "user", "viewer")

# Defaults are made for a large deployment; here somebody is waiting, on a machine that may be busy.
QUICK: dict[str, str] = {
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "8",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.3",
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
    # A task that an api-server couldn't answer within 5 seconds when it began fails without having run.
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    "AIRFLOW__FAB__CACHE_TTL": "0",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}


@dataclass
class LiveAirflow:
    """A real Airflow. Make one, enter its context (or call `start()` and `stop()`), and use it."""

    home: Path
    dags: Sequence[Path] = ()
    """Folders with Dag files, besides `home/dags`, which is always one."""
    database: Literal["sqlite", "postgresql"] = "sqlite"
    auth: Literal["simple", "fab"] = "simple"
    api_workers: int = 1
    asset_manager: bool = True
    """Whether the package's asset manager is configured."""
    env: Mapping[str, str] = field(default_factory=dict)
    """More configuration, as environment variables; it wins over everything set here."""
    port: int = 0
    sub_path: str = ""
    """Below which path everything is served, such as `/airflow`."""
    python: Path = Path(sys.executable)
    """Interpreter of the environment whose Airflow is started."""

    def __post_init__(self) -> None:
        self.dags_folder = self.home / "dags"
        self.logs_folder = self.home / "component-logs"
        for folder in (self.dags_folder, self.logs_folder):
            folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or _free_port()
        self.base_url = f"http://127.0.0.1:{self.port}{self.sub_path}"
        self._processes: dict[Component, subprocess.Popen[bytes]] = {}
        self._started_at: dict[Component, datetime] = {}
        self._postgres = PrivatePostgres(_open_folder()) if self.database == "postgresql" else None
        self._database_url: str | None = None
        self._secret = secrets.token_hex(32)

    # --- the whole ----------------------------------------------------------------------------------

    def start(self, *components: Component) -> None:
        """Start the named components, or set up the database and start all; return when all are healthy."""
        if not components:
            self.set_up()
        for component in components or COMPONENTS:
            self._spawn(component)
        self.wait_healthy(*(components or COMPONENTS))

    def set_up(self) -> None:
        """Start the database, write the passwords, migrate. Starts no component."""
        passwords = {name: name for name in SIMPLE_USERS}
        (self.home / "passwords.json").write_text(json.dumps(passwords))
        kind = self._kind()
        if kind is None or self._data.exists():
            self._start_database()
            self._make_tables()
        else:
            make_or_copy(kind, self.home, self._data, self._make_and_stop)
            self._start_database()

    def stop(self, *components: Component) -> None:
        """Ask the named components to end and wait for it, or end everything, the database too."""
        running = [component for component in components or COMPONENTS if component in self._processes]
        for component in running:
            # To the main process alone: the scheduler waits for good for workers that were ended under it.
            self._processes[component].terminate()
        deadline = time.monotonic() + GRACE
        for component in running:
            self._reap(component, deadline)
        if not components:
            self._end_stragglers()
            if self._postgres is not None:
                self._postgres.stop()

    def kill9(self, component: Component) -> None:
        """End a component and all its children at once, as a lost machine would."""
        _signal_group(self._processes[component], signal.SIGKILL)
        self._processes.pop(component).wait()

    def restart(self, component: Component) -> None:
        """Stop a component if it runs, start it, wait until it is healthy."""
        self.stop(component)
        self.start(component)

    def running(self, component: Component) -> bool:
        """Whether the component's process is there."""
        process = self._processes.get(component)
        return process is not None and process.poll() is None

    def cpu_seconds(self, component: Component) -> float:
        """How much CPU time a component and its children have used."""
        main = psutil.Process(self._processes[component].pid)
        return float(sum(sum(each.cpu_times()[:2]) for each in (main, *main.children(recursive=True))))

    def processes(self) -> list[psutil.Process]:
        """All processes that belong to this Airflow."""
        return list(_processes_of(self.home))

    def __enter__(self) -> LiveAirflow:
        try:
            self.start()
        except BaseException:
            print(self.log_tails(), file=sys.stderr)
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, KeyboardInterrupt):
            print(self.log_tails(), file=sys.stderr)
        self.stop()

    # --- waiting ------------------------------------------------------------------------------------

    def wait_healthy(self, *components: Component, timeout: float = START_TIMEOUT) -> None:
        """Wait until each component (default: those that run) is up and has been heard since its start."""
        for component in components or tuple(self._processes):
            wait_until(
                lambda component=component: self._is_healthy(component),  # type: ignore[misc]
                timeout,
                f"the {component} to be healthy",
                ignore=(httpx.TransportError,),
            )

    def _is_healthy(self, component: Component) -> bool:
        if not self.running(component):
            raise RuntimeError(f"the {component} has ended:\n{self.log_tail(component)}")
        if component == "api-server" or not self.running("api-server"):
            return component != "api-server" or bool(self.health())
        section, heartbeat = HEARTBEATS[component]
        seen = self.health()[section]
        # Straight after a kill the dead one's last heartbeat still counts as healthy.
        last_heard = seen[heartbeat] and datetime.fromisoformat(seen[heartbeat])
        return bool(seen["status"] == "healthy" and last_heard and last_heard >= self._started_at[component])

    def health(self) -> Json:
        """What `GET /api/v2/monitor/health` says."""
        return dict(httpx.get(f"{self.base_url}/api/v2/monitor/health", timeout=10).raise_for_status().json())

    def wait_for_dags(self, *dag_ids: str, timeout: float = START_TIMEOUT) -> None:
        """Wait until the Dags have been parsed; a file that can't be imported fails at once."""
        client = self.login("admin")

        def parsed() -> bool:
            if errors := client.import_errors():
                raise RuntimeError("\n".join(f"{error['filename']}\n{error['stack_trace']}" for error in errors))
            return {dag["dag_id"] for dag in client.dags()} >= set(dag_ids)

        wait_until(parsed, timeout, f"the Dags {', '.join(dag_ids)}", ignore=(httpx.TransportError,))

    # --- talking to it ------------------------------------------------------------------------------

    def login(self, username: str = "admin") -> AirflowClient:
        """Log a user in: one of SIMPLE_USERS or one that `grant` made. Passwords equal names."""
        return AirflowClient(self.base_url, username, username)

    def db(self) -> Engine:
        """Give an engine on Airflow's own database, to look at what really happened."""
        if self._database_url is None:
            raise RuntimeError("the database isn't set up yet")
        return create_engine(self._database_url)

    def write_dag(self, name: str, source: str) -> Path:
        """Write a Dag file; the dag-processor finds it within seconds."""
        path = self.dags_folder / name
        path.write_text(source)
        return path

    def grant(
        self,
        users: Mapping[str, Sequence[str]] | None = None,
        roles: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    ) -> None:
        """With FAB: give roles exactly these `(action, resource)` pairs, and users exactly these roles."""
        grants = {
            "roles": dict(roles or {}),
            "users": {name: {"password": name, "roles": granted} for name, granted in (users or {}).items()},
        }
        self._run([str(self.python), "-m", "dev.fab_grants"], "grants", stdin=json.dumps(grants))

    def airflow(self, *arguments: str) -> str:
        """Run an `airflow` command against this Airflow and return its standard output."""
        return self._run([str(self.python), "-m", "airflow", *arguments], f"airflow {arguments[0]}")

    def run_module(self, module: str, *arguments: str) -> str:
        """Run `python -m module …` in this Airflow's environment and return its standard output."""
        return self._run([str(self.python), "-m", module, *arguments], module)

    def log_tail(self, component: Component, lines: int = 60) -> str:
        """Give the last lines that a component has logged."""
        path = self._log(component)
        found = path.read_text(errors="replace").splitlines() if path.exists() else []
        return "\n".join([line[:LOG_WIDTH] for line in found if not NOISE.search(line)][-lines:])

    def log_tails(self, lines: int = 60) -> str:
        """Give the last lines of every component."""
        return "\n".join(f"--- {name}\n{self.log_tail(name, lines)}" for name in COMPONENTS)

    # --- set-up -------------------------------------------------------------------------------------

    def migrate(self) -> None:
        """Create or upgrade Airflow's tables, and the package's where it is installed."""
        self.airflow("db", "migrate")
        # From 3.2 on Airflow migrates the tables of providers too.
        if version("apache-airflow-core").startswith("3.1.") and _package_is_complete():
            self.run_module(f"{PACKAGE}.cli.main", "db", "migrate")

    def environment(self) -> dict[str, str]:
        """Everything that the components, and commands beside them, get as environment."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        path = os.pathsep.join([str(self.python.parent), os.environ.get("PATH", "")])
        return {**inherited, "PATH": path, **QUICK, **self._settings(), **self.env}

    def _settings(self) -> dict[str, str]:
        settings = {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self._database_url or "",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(self._bundles()),
            "AIRFLOW__API__BASE_URL": self.base_url,
            "AIRFLOW__API__SECRET_KEY": self._secret,
            "AIRFLOW__API_AUTH__JWT_SECRET": self._secret,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.base_url}/execution/",
            "AIRFLOW__CORE__AUTH_MANAGER": SIMPLE_AUTH if self.auth == "simple" else FAB_AUTH,
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{name}" for name in SIMPLE_USERS),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
        }
        if self.asset_manager and _package_is_complete():
            settings["AIRFLOW__CORE__ASSET_MANAGER_CLASS"] = f"{PACKAGE}.asset_manager.RerunAssetManager"
        return settings

    def _bundles(self) -> list[Json]:
        folders = {
            "dags-folder": self.dags_folder,
            **{f"{path.parent.name}-{path.name}": path for path in self.dags},
        }
        return [
            {"name": name, "classpath": LOCAL_BUNDLE, "kwargs": {"path": str(path)}} for name, path in folders.items()
        ]

    @property
    def _data(self) -> Path:
        return self.home / "airflow.db" if self._postgres is None else self._postgres.folder

    def _kind(self) -> str | None:
        """What the tables depend on; None where they are in another database than ours."""
        if any(name.startswith("AIRFLOW__DATABASE__") for name in self.env):
            return None
        code = sorted(item for item in self.env.items() if item[0].startswith(("AIRFLOW__CORE__", "PYTHON")))
        text = json.dumps([self.database, self.auth, str(self.python), code])
        return hashlib.sha256(text.encode()).hexdigest()

    def _make_tables(self) -> None:
        self.migrate()
        if self.auth == "fab":
            self.grant(users={"admin": ["Admin"]})

    def _make_and_stop(self) -> None:
        self._start_database()
        self._make_tables()
        if self._postgres is not None:
            self._postgres.stop()
            return
        with closing(sqlite3.connect(self._data)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the file alone is the database then

    def _start_database(self) -> None:
        if self._postgres is None:
            # Writers wait for each other, longer than by default: on a busy machine 5 s aren't enough.
            self._database_url = f"sqlite:///{self._data}?timeout=20"
        else:
            self._postgres.start()
            self._database_url = self._postgres.url()

    # --- processes ----------------------------------------------------------------------------------

    def _command(self, component: Component) -> list[str]:
        options = {
            "api-server": [
                "--host",
                "127.0.0.1",
                "--port",
                str(self.port),
                "--workers",
                str(self.api_workers),
            ],
            # Logs are read from the disk that all share; their servers would need more free ports.
            "scheduler": ["--skip-serve-logs"],
            "triggerer": ["--skip-serve-logs"],
            "dag-processor": [],
        }[component]
        return [str(self.python), "-m", "airflow", component, *options]

    def _spawn(self, component: Component) -> None:
        if self.running(component):
            raise RuntimeError(f"the {component} runs already")
        self._started_at[component] = datetime.now(timezone.utc) - timedelta(milliseconds=1)
        with self._log(component).open("ab") as log:
            self._processes[component] = subprocess.Popen(
                self._command(component),
                cwd=self.home,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group of its own, so that all of it can be ended
            )

    def _run(self, command: list[str], what: str, stdin: str = "") -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{what} ended with {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def _log(self, component: Component) -> Path:
        return self.logs_folder / f"{component}.log"

    def _reap(self, component: Component, deadline: float) -> None:
        process = self._processes.pop(component)
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(deadline - time.monotonic(), 0))
        _signal_group(process, signal.SIGKILL)
        process.wait()

    def _end_stragglers(self) -> None:
        """End what a component has left behind in another process group; ours carry our home."""
        for process in self.processes():
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue


def _processes_of(home: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get("AIRFLOW_HOME") == str(home) and process.pid != os.getpid():
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a component's whole group; a group that is gone already is fine."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _open_folder() -> Path:
    """Make a folder for PostgreSQL outside of `home`.

    As root, its server runs as a user of its own, and that user must be able to come in: pytest closes the folders
    above its own to everybody else each time that it starts, also while another pytest is running.
    """
    folder = Path(tempfile.mkdtemp(prefix="rerun-postgres-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / "data"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _package_is_complete() -> bool:
    """Whether the package can be used; the live Airflow also serves tests without it."""
    try:
        version("airflow-rerun-downstream")
    except PackageNotFoundError:
        return False
    return find_spec(f"{PACKAGE}.asset_manager") is not None


@contextmanager
def stopped(airflow: LiveAirflow, component: Component) -> Iterator[None]:
    """Keep one component away for the length of a block."""
    airflow.stop(component)
    try:
        yield
    finally:
        airflow.start(component)
