"""The client by itself, in a fresh environment: built, installed, called, and type-checked in another project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dev.environment import ROOT, constraints_of, uv
from tests.acceptance.scratch import SCRIPT, TYPED

pytestmark = pytest.mark.acceptance

CLIENT = ROOT / "distributions" / "client"
LOADED = """
import sys
import airflow_rerun_downstream.client, airflow_rerun_downstream.client.contract
import airflow_rerun_downstream.agents.serve, airflow_rerun_downstream.agents.agent_server
for name, module in sys.modules.items():
    if name.partition(".")[0] == "airflow_rerun_downstream":
        print(module.__file__)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [str(uv()), "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(folder), str(CLIENT)],
        check=True,
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with nothing but the wheel, what it needs, and mypy."""
    venv = tmp_path_factory.mktemp("venv") / "env"
    found = venv / "bin" / "python"
    subprocess.run([str(uv()), "venv", "--quiet", "--python", sys.executable, str(venv)], check=True)
    install = ["pip", "install", "--quiet", "--python", str(found), "--constraints", str(constraints_of("3.3"))]
    subprocess.run([str(uv()), *install, str(wheel), "mypy"], check=True)
    return found


def test_the_wheel_has_what_the_client_imports_and_nothing_else(wheel: Path) -> None:
    package = ROOT / "airflow_rerun_downstream"
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {str(Path(name).relative_to(package.parent)) for name in done.stdout.split()}
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {*imported, "airflow_rerun_downstream/py.typed"}


def test_its_version_and_its_bounds_are_those_of_the_package(wheel: Path) -> None:
    from airflow_rerun_downstream import __version__

    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    said = archive.read(name).decode().splitlines()
    assert f"Version: {__version__}" in said
    ours = (ROOT / "pyproject.toml").read_text()
    needed = [
        line.removeprefix("Requires-Dist: ")
        for line in said
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    assert len(needed) == 3
    assert [each for each in needed if f'"{each}"' not in ours] == []


@pytest.fixture
def server() -> Iterator[str]:
    """Answers each request as a healthy installation."""

    class Healthy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"status": "healthy", "components": {}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    found = HTTPServer(("127.0.0.1", 0), Healthy)
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.shutdown()
    thread.join()
    found.server_close()


def test_both_clients_work_there_without_airflow(python: Path, server: str, tmp_path: Path) -> None:
    environment = {**os.environ, "AIRFLOW_RERUN_DOWNSTREAM_URL": server}
    done = subprocess.run(
        [str(python), "-I", "-c", SCRIPT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (["healthy", "healthy"], "")


def test_a_type_checker_sees_everything(python: Path, tmp_path: Path) -> None:
    """Each wrong line has an ignore, and mypy complains of one that isn't needed."""
    (tmp_path / "scratch.py").write_text(TYPED)
    command = [str(python), "-m", "mypy", "--strict", "--no-incremental", "scratch.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
