"""On an Airflow whose minor version isn't known: everything of ours is inert, and says so where somebody asks."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from functools import partial
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest
from sqlalchemy import insert

from airflow_rerun_downstream import host
from airflow_rerun_downstream.airflow3.hooks import asset_events
from airflow_rerun_downstream.cli.main import main
from airflow_rerun_downstream.domain.errors import UnsupportedAirflow
from airflow_rerun_downstream.domain.sentence import Sentence, to_json
from airflow_rerun_downstream.plugin import RerunDownstreamPlugin
from airflow_rerun_downstream.provider_info import get_provider_info
from airflow_rerun_downstream.store.tables import hold, parked
from tests.airflow3 import assets, freezing, history, scene

TO_COME = (host.KNOWN[-1][0], host.KNOWN[-1][1] + 1)
UNKNOWN = [TO_COME, (2, 11)]


@pytest.fixture(params=UNKNOWN, ids=lambda version: ".".join(map(str, version)))
def unknown(request: pytest.FixtureRequest, mocker: Any) -> tuple[int, int]:
    asset_events.prepare()  # a process does that once: in this test it would come to nothing for all that follow
    mocker.patch.object(host, "airflow_version", autospec=True, return_value=request.param)
    return request.param


class TestHost:
    def test_a_room_is_had_where_the_version_is_known(self) -> None:
        assert host.supported()
        assert host.room("database.forks").__name__ == "airflow_rerun_downstream.airflow3.database.forks"

    def test_elsewhere_there_is_none_and_the_refusal_says_what_to_do(self, unknown: tuple[int, int]) -> None:
        *others, last = (f"{major}\\.{minor}" for major, minor in host.KNOWN)
        known = f"{', '.join(others)} and {last}"
        with pytest.raises(UnsupportedAirflow, match=f"supports Airflow {known}, not .* install a version"):
            host.room("wiring")

    @pytest.mark.parametrize(
        ("installed", "found"),
        [
            ({"apache-airflow-core": "3.4.0b2", "apache-airflow": "3.3.2"}, (3, 4)),
            ({"apache-airflow": "2.11.0"}, (2, 11)),
            ({"apache-airflow-core": "3.3.2"}, (3, 3)),
            ({"apache-airflow-core": "unknown", "apache-airflow": "3.2.1"}, (3, 2)),
            ({}, (0, 0)),
        ],
    )
    def test_the_core_is_what_counts(self, installed: dict[str, str], found: tuple[int, int], mocker: Any) -> None:
        def version(name: str) -> str:
            if name not in installed:
                raise PackageNotFoundError(name)
            return installed[name]

        mocker.patch.object(host, "version", version)
        assert host.airflow_version.__wrapped__() == found


class TestPlugin:
    @pytest.mark.parametrize("part", ["external_views", "global_operator_extra_links", "listeners"])
    def test_nothing_takes_part(self, unknown: Any, part: str, mocker: Any) -> None:
        room = mocker.spy(host, "room")
        assert getattr(RerunDownstreamPlugin(), part) == []
        assert room.call_count == 0

    def test_the_server_says_it_once(self, unknown: Any, caplog: pytest.LogCaptureFixture) -> None:
        (found,) = RerunDownstreamPlugin().fastapi_apps
        assert found["url_prefix"] == "/rerun-downstream"
        assert [record.getMessage() for record in caplog.records] == [host.why_not()]

    def test_airflow_is_told_no_more_than_a_name(self, unknown: Any) -> None:
        from airflow.providers_manager import _create_provider_info_schema_validator

        found = get_provider_info()
        _create_provider_info_schema_validator().validate(found)
        assert set(found) == {"package-name", "name", "description", "versions"}

    def test_a_process_of_airflow_loads_nothing_of_ours(self) -> None:
        """In a process of its own, for what is loaded at the start can't be taken back."""
        code = (
            "import sys\nfrom airflow_rerun_downstream import host\nhost.airflow_version = lambda: "
            f"{TO_COME}\n"
            "import airflow, airflow.models.taskinstance, airflow.policies\n"
            "from airflow.plugins_manager import ensure_plugins_loaded\nensure_plugins_loaded()\n"
            "from airflow.listeners.listener import get_listener_manager\nget_listener_manager()\n"
            "from airflow_rerun_downstream.plugin import RerunDownstreamPlugin as plugin\n"
            "plugin = plugin(); plugin.listeners, plugin.external_views, plugin.global_operator_extra_links\n"
            "print(sorted(name for name in sys.modules if name.startswith('airflow_rerun_downstream.')))"
        )
        manager = {"AIRFLOW__CORE__ASSET_MANAGER_CLASS": "airflow_rerun_downstream.asset_manager.RerunAssetManager"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **manager}
        )
        loaded = set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))
        ours = {name.removeprefix("airflow_rerun_downstream.") for name in loaded}
        assert ours <= {
            *("host", "harmless", "plugin", "policy", "provider_info", "connection_type", "asset_manager"),
            *("airflow3", "airflow3.asset_manager", "airflow3.hooks", "airflow3.hooks.asset_events"),
        }


def said(sentence: Sentence) -> dict[str, Any]:
    """How an answer of REST says the sentence: in English, and by code."""
    return {"detail": str(sentence), "sentence": to_json(sentence)}


class TestApp:
    @pytest.fixture
    def client(self, unknown: Any) -> Any:
        from fastapi.testclient import TestClient

        return TestClient(RerunDownstreamPlugin().fastapi_apps[0]["app"])

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/api/v1/reruns"),
            ("POST", "/api/v1/plans"),
            ("POST", "/api/v1/reruns/1/release"),
            ("DELETE", "/api/v1/x"),
        ],
    )
    def test_calls(self, client: Any, method: str, path: str) -> None:
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()) == (
            503,
            {"reason": "unsupported_airflow", **said(host.why_not())},
        )

    @pytest.mark.parametrize("path", ["/", "/ui", "/ui/", "/ui/reruns/1", "/docs"])
    def test_pages(self, client: Any, path: str) -> None:
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["content-type"].startswith("text/html")
        assert host.why_not() in answer.text

    def test_health_without_tables_of_ours(self, client: Any, database: Any, mocker: Any) -> None:
        scene.drop(database)
        point(mocker, database)
        found = client.get("/api/v1/health").json()
        assert found["status"] == "unhealthy"
        assert found["components"] == {"airflow": {"status": "unhealthy", "since": None, **said(host.why_not())}}

    def test_health_tells_what_is_still_frozen_but_no_names(self, client: Any, database: Any, mocker: Any) -> None:
        frozen(database)
        point(mocker, database)
        text = client.get("/api/v1/health").text
        assert "2 frozen runs are held, the events of 1 frozen Dags are parked, and 2 reruns are active" in text
        assert "check-upgrade" in text
        assert "daily" not in text


class TestCommands:
    @pytest.mark.parametrize(
        "line",
        ["list", "plan a b", "submit a b", "release --all", "conductor --once", "links --check", "show 1"],
    )
    def test_each_says_the_sentence(self, unknown: Any, line: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(line.split()) == 6
        assert capsys.readouterr().err == f"{host.why_not()} (unsupported_airflow)\n"

    @pytest.mark.parametrize("line", ["db migrate", "db check", "db downgrade --revision base --yes"])
    def test_tables_are_not_touched(
        self, unknown: Any, line: str, database: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        scene.migrate(database)
        with database.counted() as statements:
            assert main(line.split()) == 6
        assert statements.texts == []
        assert host.why_not() in capsys.readouterr().err

    def test_health(self, unknown: Any, database: Any, mocker: Any, capsys: pytest.CaptureFixture[str]) -> None:
        frozen(database)
        point(mocker, database)
        assert main(["health", "--output", "json"]) == 1
        found = json.loads(capsys.readouterr().out)
        assert found["components"]["airflow"]["detail"] == host.why_not()
        assert "2 frozen runs" in found["components"]["frozen"]["detail"]


class TestCheckUpgrade:
    def test_nothing_in_the_way(self, database: Any, mocker: Any, capsys: pytest.CaptureFixture[str]) -> None:
        scene.migrate(database)
        point(mocker, database)
        assert main(["check-upgrade"]) == 0
        assert "Ready: no run is frozen" in capsys.readouterr().out

    def test_no_tables_are_nothing_in_the_way(self, database: Any, mocker: Any) -> None:
        scene.drop(database)
        point(mocker, database)
        assert main(["check-upgrade"]) == 0

    def test_what_is_frozen_is_named(self, database: Any, mocker: Any, capsys: pytest.CaptureFixture[str]) -> None:
        frozen(database)
        point(mocker, database)
        assert main(["check-upgrade"]) == 1
        said = capsys.readouterr()
        assert said.out.splitlines() == [
            "rerun 1 holds daily / r1",
            "rerun 2 freezes eager",
            "asset events of eager are parked",
            "active reruns: 1, 2",
        ]
        assert "airflow-rerun-downstream release --all --wait" in said.err

    def test_too_late(self, unknown: Any, database: Any, mocker: Any, capsys: pytest.CaptureFixture[str]) -> None:
        frozen(database)
        point(mocker, database)
        assert main(["check-upgrade"]) == 1
        assert "go back to it" in capsys.readouterr().err


class TestInsideAirflow:
    def test_the_asset_manager_is_airflows_own(
        self, unknown: Any, database: Any, session: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from airflow.providers.standard.operators.empty import EmptyOperator

        monkeypatch.setattr(asset_events, "_inside", None)  # as a process begins
        asset_events.prepare()

        scene.migrate(database)
        make = partial(EmptyOperator, task_id="t", outlets=[assets.asset("a")])
        scene.save(
            history.dag("producer", make), history.dag("consumer", schedule=[assets.asset("a")]), session=session
        )
        ref = scene.create_run("producer", session=session, state="running")
        with database.counted() as statements:
            assets.emit(ref, "a", session=session, manager=assets.manager())
        assert not [text for text in statements.texts if "rerun_downstream" in text]
        assert [row["target_dag_id"] for row in scene.rows("asset_dag_run_queue", session=session)] == ["consumer"]

    def test_the_policy_marks_nothing_and_says_nothing(
        self, unknown: Any, mocker: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        from airflow_rerun_downstream import policy

        mocker.patch.object(policy, "sensors", policy.prepared())
        from airflow.providers.standard.sensors.external_task import ExternalTaskSensor

        task = ExternalTaskSensor(task_id="wait", external_dag_id="up")
        with caplog.at_level(logging.DEBUG):
            policy.task_policy(task)
        assert not hasattr(task, "rerun_downstream_offset")
        assert caplog.records == []

    def test_the_db_manager_leaves_our_tables_alone(self, unknown: Any, database: Any, session: Any) -> None:
        from airflow_rerun_downstream.airflow3.database.migration import RerunDownstreamDBManager

        manager = RerunDownstreamDBManager(session)
        scene.drop(database)
        with database.counted() as statements:
            assert manager.check_migration()
            manager.upgradedb()
            manager.initdb()
            manager.create_db_from_orm()
        scene.migrate(database)
        with database.counted() as more, database.engine.begin() as connection:
            manager.downgrade("base")
            manager.drop_tables(connection)
        assert statements.texts == more.texts == []


def frozen(database: Any) -> None:
    """Two active reruns: one holds a run, the other freezes a Dag whose assets have come."""
    scene.migrate(database)
    with database.session() as session:
        freezing.members(2, session=session)
        for number, dag_id, run_id in ((1, "daily", "r1"), (2, "eager", None)):
            values = {"dag_id": dag_id, "run_id": run_id, "assets": run_id is None, "held_at": scene.START}
            session.execute(insert(hold).values(member_id=number, rerun_id=number, **values))
        session.execute(insert(parked).values(dag_id="eager", asset_id=1, created_at=scene.START))
        session.commit()


def point(mocker: Any, database: Any) -> None:
    """Let Airflow's configuration name the database."""
    from airflow.configuration import conf

    real = conf.get

    def get(section: str, key: str, **more: Any) -> Any:
        return database.url if (section, key) == ("database", "sql_alchemy_conn") else real(section, key, **more)

    mocker.patch.object(conf, "get", get)
