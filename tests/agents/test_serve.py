"""The command, as MCP clients start it: over stdio and over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from tests.agents.rest_server import RestServer

pytest.importorskip("mcp", reason="its SDK isn't there beside the first release of an Airflow")

if TYPE_CHECKING:
    from mcp import Client

SERVE = ("-m", "airflow_rerun_downstream.agents.serve")
SECRET = "s3cret"


@pytest.fixture
def airflow() -> Iterator[str]:
    """A REST API on a port of this machine."""
    rest = RestServer()

    class Bridge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            answer = rest(httpx.Request(self.command, f"http://airflow{self.path}", content=self.rfile.read(length)))
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bridge)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def environment(url: str) -> dict[str, str]:
    return {"AIRFLOW_RERUN_DOWNSTREAM_URL": url, "AIRFLOW_RERUN_DOWNSTREAM_TOKEN": SECRET}


async def told(client: Client) -> tuple[set[str], Any]:
    """The tools, and an answer of one."""
    async with client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("list_reruns", {})
        assert not result.is_error, result.content
        return names, result.structured_content


def test_over_stdio(airflow: str) -> None:
    from mcp import Client, StdioServerParameters

    server = StdioServerParameters(command=sys.executable, args=[*SERVE], env=environment(airflow))
    names, found = anyio.run(told, Client(server))
    assert "plan" in names
    assert found["total_entries"] == 11


@pytest.fixture
def served(airflow: str) -> Iterator[str]:
    """The command, serving HTTP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *SERVE, "--http", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **environment(airflow)}, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while True:
            assert process.poll() is None
            assert time.monotonic() < until
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(30)


def test_over_http_on_this_machine(served: str) -> None:
    from mcp import Client

    names, found = anyio.run(told, Client(served))
    assert "plan" in names
    assert found["total_entries"] == 11
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    accept = {"Accept": "application/json, text/event-stream", "Host": "evil.example.com"}
    assert httpx.post(served, json=hello, headers=accept).status_code in (403, 421)


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_RERUN_DOWNSTREAM_")}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env={**plain, **env}, capture_output=True, text=True, check=False, timeout=120)


def test_without_the_sdk_it_says_what_to_install() -> None:
    done = run(
        "import sys; sys.modules['mcp'] = None\n"
        "from airflow_rerun_downstream.agents.serve import main; sys.exit(main([]))"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The MCP SDK isn't installed: pip install 'airflow-rerun-downstream[mcp]'\n"


def test_without_an_address_it_says_which_variable() -> None:
    done = run("import sys; from airflow_rerun_downstream.agents.serve import main; sys.exit(main([]))")
    assert (done.returncode, done.stdout) == (1, "")
    assert "AIRFLOW_RERUN_DOWNSTREAM_URL isn't set" in done.stderr
    assert "Traceback" not in done.stderr
