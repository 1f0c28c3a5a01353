"""An api-server with a large rerun that goes on, and what else is asked of the server meanwhile."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
from sqlalchemy import text

from dev.waiting import wait_until
from tests.airflow3 import database as databases
from tests.bench.history import LargeHistory, Shape
from tests.live.harness import LiveAirflow

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret of the tests, longer than any signature needs it to be today"
RECORD = Shape("record", dags=51, runs=20, tasks=2, width=25)
LARGE = Shape("record", dags=101, runs=100, tasks=1, width=50)
ALONE = Shape("alone", dags=1, runs=1, tasks=1, width=1)
HOST, PID = "somewhere", 4711
PLUGIN = Path(__file__).with_name("pool_plugin.py")
ENV = {
    "AIRFLOW__API_AUTH__JWT_SECRET": SECRET,
    "AIRFLOW__RERUN_DOWNSTREAM__SOURCE_READY_SINCE": "unlimited",
    "AIRFLOW__CORE__PARALLELISM": "32",
}
PROBE_EVERY = 0.2


@dataclass
class Probe:
    """A call that is made again and again, and how long each took."""

    call: Callable[[], httpx.Response]
    began: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(PROBE_EVERY):
            began = time.monotonic()
            try:
                answer = self.call()
                if answer.is_error:
                    self.failed.append(f"{answer.status_code} {answer.text[:200]}")
            except httpx.HTTPError as error:
                self.failed.append(type(error).__name__)
            self.began.append(began)
            self.seconds.append(time.monotonic() - began)


@dataclass
class Phase:
    """What was measured while so many browsers looked."""

    browsers: int
    dags: list[float]
    heartbeat: list[float]
    failed: list[str]
    in_use: int
    cpu: float
    crowd: dict[str, Any]

    def __str__(self) -> str:
        took = self.crowd.get("seconds")
        said = (
            f"{self.browsers:2} browsers: GET /dags {shown(self.dags)}; heartbeat {shown(self.heartbeat)}; "
            f"connections in use {self.in_use}; server {100 * self.cpu:.0f} % CPU"
        )
        if not took:
            return said
        return f"{said}; ours {shown(took)}, {self.crowd['statuses']}, polls {self.crowd['answered']}"


def shown(seconds: list[float]) -> str:
    if not seconds:
        return "no answer at all"
    return f"{len(seconds)} x, p50 {1000 * median(seconds):.0f}, p95 {1000 * p95(seconds):.0f} ms"


def p95(seconds: list[float]) -> float:
    """Endless where nothing was answered."""
    if len(seconds) < 2:
        return max(seconds, default=float("inf"))
    return quantiles(seconds, n=20, method="inclusive")[-1]


class OpenRecord:
    """The server, the rerun, and those who ask."""

    def __init__(self, airflow: LiveAirflow, shape: Shape) -> None:
        self.airflow = airflow
        authorization = airflow.login("admin").http.headers["Authorization"]
        self.token = authorization.removeprefix("Bearer ")
        database = databases.Database("postgres", airflow.db().url.render_as_string(hide_password=False))
        database.use()
        self.history = LargeHistory(database, shape)
        self.history.write()
        LargeHistory(database, ALONE).write()
        self.engine = airflow.db()
        self.rerun = self.submit()

    def submit(self) -> int:
        """The rerun of all."""
        source = {"dag_id": self.history.source.dag_id, "run_id": self.history.source.run_id}
        body = {"source": source, "settings": {"accept_duplicate_runs": True}}
        url = f"{self.airflow.base_url}/rerun-downstream/api/v1/reruns"
        answer = httpx.post(url, json=body, headers=self.headers, timeout=300)
        assert answer.status_code == 201, answer.text
        assert sum(answer.json()["counts"].values()) == self.history.runs + 1
        return int(answer.json()["id"])

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def state(self) -> str:
        with self.engine.connect() as connection:
            found = connection.execute(text("select state from rerun_downstream_rerun"))
            return str(found.scalar_one())

    @contextmanager
    def at_work(self, *, each: float = 0.5) -> Iterator[None]:
        """Queued runs succeed, one after the other, as scheduler and workers would have it."""
        stop = threading.Event()

        def work() -> None:
            while not stop.wait(each):
                with self.engine.begin() as connection:
                    connection.execute(text(FINISH))

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def heartbeat(self) -> Callable[[], httpx.Response]:
        """What the supervisor of a running task sends."""
        from airflow.api_fastapi.auth.tokens import JWTGenerator

        with self.engine.begin() as connection:
            running = {"dag_id": ALONE.dag_id(0), "host": HOST, "pid": PID}
            (task_id,) = connection.execute(text(RUN), running).one()
        made = JWTGenerator(secret_key=SECRET, valid_for=3600, audience="urn:airflow.apache.org:task", issuer=None)
        headers = {"Authorization": f"Bearer {made.generate({'sub': str(task_id)})}"}
        client = httpx.Client(base_url=self.airflow.base_url, headers=headers, timeout=120)
        path, body = f"/execution/task-instances/{task_id}/heartbeat", {"hostname": HOST, "pid": PID}
        return lambda: client.put(path, json=body)

    def dags(self) -> Callable[[], httpx.Response]:
        """What Airflow's own list of Dags asks."""
        client = httpx.Client(base_url=self.airflow.base_url, headers=self.headers, timeout=120)
        return lambda: client.get("/api/v2/dags", params={"limit": 10})

    def watch(self, browsers: int, *, seconds: float, warm: float, at_once: bool = False) -> Phase:
        """Let browsers look, and measure after a while what Airflow's own calls take."""
        probes = Probe(self.dags()), Probe(self.heartbeat())
        stop = threading.Event()
        crowd = self.crowd(browsers, seconds=warm + seconds, at_once=at_once)
        threads = [threading.Thread(target=probe.run, args=(stop,)) for probe in probes]
        began = time.monotonic() + warm
        for thread in threads:
            thread.start()
        time.sleep(warm)
        before, pool_lines = self.airflow.cpu_seconds("api-server"), len(self.pool_lines())
        time.sleep(seconds)
        used = (self.airflow.cpu_seconds("api-server") - before) / (time.monotonic() - began)
        stop.set()
        told = crowd.communicate(timeout=180)[0] if crowd else "{}"
        for thread in threads:
            thread.join()
        dags, heartbeat = (
            [took for at, took in zip(probe.began, probe.seconds, strict=True) if at >= began] for probe in probes
        )
        in_use = max(int(line.split()[1]) for line in self.pool_lines()[pool_lines:])
        return Phase(browsers, dags, heartbeat, [*probes[0].failed, *probes[1].failed], in_use, used, json.loads(told))

    def crowd(self, browsers: int, *, seconds: float, at_once: bool) -> subprocess.Popen[str] | None:
        if not browsers:
            return None
        told = {"url": self.airflow.base_url, "token": self.token, "rerun": self.rerun}
        told |= {"browsers": browsers, "seconds": seconds}
        options = [f"--{name}={value}" for name, value in told.items()] + (["--at-once"] if at_once else [])
        command = [sys.executable, "-m", "tests.thorough.crowd", *options]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def pool_lines(self) -> list[str]:
        return (self.airflow.home / "pool.log").read_text().splitlines()

    def pool_errors(self) -> list[str]:
        """What the server's log says of its pool."""
        log = (self.airflow.logs_folder / "api-server.log").read_text(errors="replace")
        return re.findall(r".*QueuePool limit.*", log)


@contextmanager
def open_record(airflow: LiveAirflow, shape: Shape = RECORD, **env: str) -> Iterator[OpenRecord]:
    """Start one api-server, write the history, and submit the rerun."""
    plugins = airflow.home / "plugins"
    plugins.mkdir()
    (plugins / PLUGIN.name).write_text(PLUGIN.read_text())
    airflow.env = {**ENV, **env, "POOL_LOG": str(airflow.home / "pool.log")}
    airflow.set_up()
    airflow.start("api-server")
    try:
        record = OpenRecord(airflow, shape)
        with record.at_work():
            wait_until(lambda: record.state() == "running", 60, "the rerun to be running")
            yield record
    except BaseException:
        print(airflow.log_tails(), file=sys.stderr)
        raise
    finally:
        airflow.stop()


FINISH = """
with next as (select dag_id, run_id from dag_run where state = 'queued' order by queued_at, id limit 1),
     done as (update task_instance as ti set state = 'success', try_number = ti.try_number + 1, start_date = now(),
                     end_date = now()
              from next where ti.dag_id = next.dag_id and ti.run_id = next.run_id)
update dag_run as run set state = 'success', end_date = now() from next
where run.dag_id = next.dag_id and run.run_id = next.run_id
"""
RUN = """
update task_instance set state = 'running', hostname = :host, pid = :pid, start_date = now()
where dag_id = :dag_id returning id
"""
