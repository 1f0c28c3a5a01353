"""What the pages copy for a terminal and a script means the same rerun: each text is really read.

The shell's words are those of a real shell, the arguments those of our parser, Python is executed with the real client,
a Dag's task is rendered by Airflow and run, and all of it must come to the body that the pages would have sent.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from airflow_rerun_downstream import client
from airflow_rerun_downstream.cli.bodies import rerun_body
from airflow_rerun_downstream.cli.main import parser
from airflow_rerun_downstream.domain.rerun_request import RerunRequest
from airflow_rerun_downstream.domain.words import CONDITIONS
from airflow_rerun_downstream.operators import RerunDownstreamOperator
from airflow_rerun_downstream.operators.server import Server
from airflow_rerun_downstream.rest import presenters
from airflow_rerun_downstream.rest.requests import RerunBody
from tests.operators.conftest import Instance, Run
from tests.rest.stub import StubService

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://airflow.example.com/team-a"
TOKEN = "AIRFLOW_RERUN_DOWNSTREAM_TOKEN"
SECRET = "eyJ.the.token"
Json = dict[str, Any]

WRITE = """
import { build } from "vite";
import { readFileSync } from "node:fs";
const options = { configFile: false, logLevel: "error", build: { ssr: "src/domain/copies/texts.ts", write: false } };
const { output } = await build(options);
const { copied, FORMS } = await import("data:text/javascript," + encodeURIComponent(output[0].code));
const { bodies, address } = JSON.parse(readFileSync(process.env.GIVEN, "utf8"));
const texts = bodies.map((body) => Object.fromEntries(FORMS.map((form) => [form, copied(form, body, address)])));
process.stdout.write(JSON.stringify(texts));
"""
"""Builds the pages' own module and has it write each body in every form."""

PIECES = (
    *("a", "Z", "0", "_", ".", "-", "--", "=", "~", "@", "@next", "/", ",", ":", "[3]", "[", "]", "+", "#", "!", "!!"),
    *("'", '"', "`", "`id`", "$", "$HOME", "$(id)", "\\", "\\\\", "\\n", "'''", '"""', ";", "&", "|", "<", ">", "*"),
    *(" ", "  ", "\n", "\r\n", "\t", "\nJSON\n", "\nEOF\n", "\x1b[31m", "\x07", "\x7f", "\x85"),
    *("{{ ds }}", "{{", "}}", "{%", "%}", "{#", "{a,b}", "%s", "%(x)s", "{", "}", "<script>", "&amp;", ".json", ".sql"),
    *("é", "名前", "🙂", "\u202e", "\u2028", "\u00a0", "\ufeff", "\U000e0041", "\u0663"),
)
"""What ids and texts are made of here."""


class Maker:
    """Bodies as the pages send them, by chance, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def maybe(self, made: Callable[[], Any], otherwise: Any = None) -> Any:
        return made() if self.chance.random() < 0.5 else otherwise

    def text(self) -> str:
        if self.chance.random() < 0.3:
            return self.chance.choice(("shop_orders", "scheduled__2026-01-05T01:00:00+00:00", "load", "group.task-1"))
        return "".join(self.chance.choices(PIECES, k=self.chance.randint(1, 4)))

    def few(self, made: Callable[[], Any], least: int = 0) -> list[Any]:
        return [made() for _ in range(self.chance.randint(least, 3))]

    def run(self) -> Json:
        return {"dag_id": self.text(), "run_id": self.text()}

    def task(self) -> Any:
        return self.maybe(self.text, {"task_id": self.text(), "map_index": self.chance.randint(-1, 12)})

    def tasks(self) -> Any:
        return self.maybe(lambda: self.few(self.task, 1))

    def frozen(self) -> Json:
        names = (
            {"run_id": self.text()},
            {"next": True},
            {"partition_key": self.text()},
            {"logical_date": "2026-01-06T06:00:00Z"},
        )
        return {"dag_id": self.text(), **self.chance.choice(names)}

    def options(self) -> Json:
        kinds = self.maybe(lambda: self.chance.sample(["asset", "trigger", "sensor", "declared"], k=2))
        limits = {name: self.maybe(lambda: self.chance.randint(1, 99)) for name in ("max_runs", "max_depth")}
        return {"include_manual": self.maybe(lambda: True, False), "link_kinds": kinds, **limits}

    def settings(self) -> Json:
        return {
            "max_active_members": self.maybe(lambda: self.chance.randint(1, 99)),
            "on_failure": self.maybe(lambda: "pause", "continue_other_branches"),
            "run_on_latest_version": self.chance.choice((None, True, False)),
            **{
                name: self.maybe(lambda: True, False)
                for name in ("stop_running_on_terminate", "accept_duplicate_runs", "accept_unknown_offsets")
            },
        }

    def notification(self) -> Json:
        return {"target": self.text(), "on": self.chance.sample(CONDITIONS, k=self.chance.randint(1, 3))}

    def body(self) -> Json:
        held = self.maybe(lambda: self.few(self.frozen))
        return {
            "source": self.run(),
            "task_ids": self.tasks(),
            "rerun_source": self.maybe(lambda: True, False),
            "options": self.maybe(self.options, {"include_manual": False}),
            "members": self.maybe(lambda: self.few(lambda: {**self.run(), "task_ids": self.tasks()})),
            "freeze_mode": bool(held) or self.maybe(lambda: True, False),
            "frozen": held,
            "plan_token": self.maybe(lambda: "J3mM_x-9"),
            "name": self.maybe(self.text),
            "reason": self.maybe(self.text),
            "settings": self.settings(),
            "notifications": self.maybe(lambda: self.few(self.notification), []),
            "propose": self.maybe(lambda: True, False),
        }


def plain() -> Json:
    """A body without anything odd, which arguments can say."""
    run = {"dag_id": "shop_finance", "run_id": "scheduled__2026-01-05T02:00:00+00:00"}
    return {
        **Maker(0).body(),
        "source": {"dag_id": "shop_orders", "run_id": "it's a $run"},
        "task_ids": ["load", {"task_id": "split", "map_index": 2}],
        "options": {"include_manual": True, "link_kinds": ["asset"], "max_runs": 5, "max_depth": 2},
        "members": [{**run, "task_ids": ["close", {"task_id": "sum", "map_index": 0}]}, {**run, "dag_id": "b"}],
        "freeze_mode": True,
        "frozen": [{"dag_id": "weekly", "next": True}, {"dag_id": "daily", "partition_key": "de fr"}],
        "name": '-"Right" rate',
        "reason": "`it` was 5 % too high",
        "notifications": [{"target": "data team", "on": ["succeeded", "paused"]}],
    }


BODIES = [plain(), *(Maker(seed).body() for seed in range(150))]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What the pages make of each body."""
    command = [ROOT / ".venvs" / "tools" / "bin" / "python", "-c", "import ui.node; print(ui.node.node_folder())"]
    folder = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    given = tmp_path_factory.mktemp("copies") / "given.json"
    given.write_text(json.dumps({"bodies": BODIES, "address": ADDRESS}))
    node = [Path(folder) / "bin" / "node", "--input-type=module", "-e", WRITE]
    environment = {**os.environ, "GIVEN": str(given)}
    found = subprocess.run(node, cwd=ROOT / "ui", env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"{found.stderr}\nAre the pages built? `make ui`"
    written: list[dict[str, str]] = json.loads(found.stdout)
    return written


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], tuple[list[str], str]]:
    """Gives a text to a shell; what the command was called with, and what it was fed."""
    called = tmp_path / "called"
    for name in ("curl", "airflow-rerun-downstream"):
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$0\" \"$@\" > '{called}'\ncat > '{called}.in'\n")
        script.chmod(0o755)
    environment = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}", TOKEN: SECRET, "HOME": "/somewhere"}

    def given(text: str) -> tuple[list[str], str]:
        called.unlink(missing_ok=True)
        subprocess.run(["sh", "-c", text], env=environment, stdin=subprocess.DEVNULL, check=True, capture_output=True)
        words = called.read_bytes().decode().split("\0")[1:-1]
        return words, called.with_suffix(".in").read_bytes().decode()

    return given


def meaning(body: Any) -> RerunRequest:
    """What a body asks for."""
    return (body if isinstance(body, RerunBody) else RerunBody.model_validate(body)).rerun_request()


def test_curl(texts: list[dict[str, str]], shell: Callable[[str], tuple[list[str], str]]) -> None:
    for body, text in zip(BODIES, texts, strict=True):
        words, fed = shell(text["curl"])
        assert f"{ADDRESS}/rerun-downstream/api/v1/reruns" in words
        assert f"Authorization: Bearer {SECRET}" in words
        assert words[-2:] == ["-d", "@-"]
        assert meaning(json.loads(fed)) == meaning(body)


def test_the_command_line(
    texts: list[dict[str, str]], shell: Callable[[str], tuple[list[str], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = 0
    for body, text in zip(BODIES, texts, strict=True):
        words, fed = shell(text["commandLine"])
        monkeypatch.setattr(sys, "stdin", io.StringIO(fed))
        args = parser().parse_args(words)
        found = rerun_body(args)
        if args.subcommand == "propose":
            found = found.model_copy(update={"propose": True})
        assert args.url == ADDRESS
        assert meaning(found) == meaning(body)
        files += args.file == "-"
    assert 0 < files < len(BODIES), "both ways are tried"
    assert parser().parse_args(shell(texts[0]["commandLine"])[0]).file is None


def answering(sent: list[httpx.Request]) -> httpx.MockTransport:
    """Keeps what is asked, and answers with a record."""

    def server(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        record = presenters.rerun(StubService().rerun(None, 7))  # type: ignore[arg-type]
        return httpx.Response(201, content=record.model_dump_json())

    return httpx.MockTransport(server)


def test_python(texts: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[httpx.Request] = []
    real, transport = client.RerunDownstreamClient, answering(sent)
    monkeypatch.setattr(client, "RerunDownstreamClient", lambda *args, **more: real(*args, **more, transport=transport))
    monkeypatch.setenv(TOKEN, SECRET)
    for body, text in zip(BODIES, texts, strict=True):
        exec(compile(text["python"], "copied", "exec"), {})
        request = sent.pop()
        assert str(request.url) == f"{ADDRESS}/rerun-downstream/api/v1/reruns"
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        assert meaning(json.loads(request.content)) == meaning(body)
    assert sent == []


def test_the_operator(texts: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[httpx.Request] = []
    there = {"conn_type": "rerun_downstream", "host": ADDRESS, "extra": {"token": SECRET}}
    monkeypatch.setenv("AIRFLOW_CONN_RERUN_DOWNSTREAM_DEFAULT", json.dumps(there))
    transport = answering(sent)
    monkeypatch.setattr(
        Server, "client", lambda self: client.RerunDownstreamClient(self.url, token=self.token, transport=transport)
    )
    for body, text in zip(BODIES, texts, strict=True):
        context: Json = {"ti": Instance(), "dag_run": Run(), "ds": "2026-01-05"}
        task = task_of(text["operator"])
        task.render_template_fields(context)
        task.wait_for_completion = False  # what is asked for is the same
        task.execute(context)
        request = sent.pop()
        assert str(request.url) == f"{ADDRESS}/rerun-downstream/api/v1/reruns"
        assert meaning(json.loads(request.content)) == meaning({**body, "plan_token": None, "propose": False})
    assert sent == []


def task_of(text: str) -> RerunDownstreamOperator:
    """The only task of the only Dag of a file, as a worker has it."""
    module: Json = {}
    exec(compile(text, "copied", "exec"), module)
    (task,) = module["dag"].tasks
    assert isinstance(task, RerunDownstreamOperator)
    return task
