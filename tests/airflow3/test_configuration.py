"""The options as Airflow shows and reads them: files, variables, commands, and what is wrong with them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream.airflow3 import configuration
from airflow_rerun_downstream.airflow3.installation.health import AirflowHealth
from airflow_rerun_downstream.airflow3.web import background as backgrounds
from airflow_rerun_downstream.cli.main import main
from airflow_rerun_downstream.provider_info import OPTIONS
from airflow_rerun_downstream.settings import InvalidSetting
from airflow_rerun_downstream.store.moments import DatabaseClock
from tests.airflow3.conftest import rewire

VARIABLE = "AIRFLOW__RERUN_DOWNSTREAM__"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    rewire()
    yield
    rewire()


def airflow(home: Path, *command: str, **variables: str) -> str:
    """What a command of Airflow's prints; the database isn't asked."""
    environment = {**os.environ, "AIRFLOW_HOME": str(home), "NO_COLOR": "1", **variables}
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *command], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout


class TestAirflowsCommands:
    """`airflow config` knows the section."""

    def test_list_shows_every_option_with_our_words(self, tmp_path: Path) -> None:
        shown = airflow(tmp_path, "config", "list", "--section", "rerun_downstream", "--defaults")
        assert "[rerun_downstream]" in shown
        for name, option in OPTIONS.items():
            assert f"# {name} =" in shown or f"# {name} = " in shown, name
            assert option["description"].split(" ")[0] in shown
            assert f"# Variable: {VARIABLE}{name.upper()}" in shown

    def test_get_value_tells_what_is_set(self, tmp_path: Path) -> None:
        ask = ("config", "get-value", "rerun_downstream", "poll_interval")
        assert airflow(tmp_path, *ask).split() == ["1.0"]
        assert airflow(tmp_path, *ask, **{f"{VARIABLE}POLL_INTERVAL": "2.5"}).split() == ["2.5"]

    def test_lint_accepts_the_section_and_says_nothing_of_it(self, tmp_path: Path) -> None:
        """It goes through a list of Airflow's own options; that no one of ours is told is what we say of it."""
        wrong = {f"{VARIABLE}POLL_INTERVAL": "soon", f"{VARIABLE}POL_INTERVAL": "1"}
        assert "No issues found" in airflow(tmp_path, "config", "lint", **wrong)


def test_a_sensitive_option_is_read_from_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    command = """printf '{"ops": {"kind": "webhook"}}'"""
    monkeypatch.setenv(f"{VARIABLE}NOTIFICATION_TARGETS_CMD", command)
    assert configuration.settings().notification_targets == {"ops": {"kind": "webhook"}}
    assert configuration.options_without_effect() == []


def test_a_command_that_fails_is_told_without_what_it_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{VARIABLE}NOTIFICATION_TARGETS_CMD", "sh -c 'echo hunter2; exit 3'")
    (found,) = configuration.wrong_options()
    assert "[rerun_downstream] notification_targets = ?: reading it failed (AirflowConfigException)" in found
    assert "hunter2" not in found


def test_what_failed_once_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{VARIABLE}POLL_INTERVAL", "soon")
    with pytest.raises(InvalidSetting):
        configuration.settings()
    monkeypatch.setenv(f"{VARIABLE}POLL_INTERVAL", "2")
    assert configuration.settings().poll_interval.total_seconds() == 2


FILE = """\
[rerun_downstream]
release_bach = 1
max_plan_runs = 9
[Rerun-Downstream]
conductor = external
"""


def test_names_without_effect_are_found_in_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "airflow.cfg").write_text(FILE)
    variables = {
        f"{VARIABLE}{name}": "1" for name in ("CONDUCTOR_CMD", "poll_interval", "FREEZE_MAX_AGES", "RELEASE_BATCH")
    }
    code = f"from {configuration.__name__} import *; print(*options_without_effect(), sep='\\n')"
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), **variables}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    why = "is not an option and does nothing"
    assert done.stdout.splitlines() == [
        f"[rerun_downstream] POLL_INTERVAL {why}: write it as poll_interval in a file, and as POLL_INTERVAL in a "
        "variable's name.",
        f"[rerun_downstream] conductor_cmd {why}: Airflow reads a command or a secret only for notification_targets.",
        f"[rerun_downstream] freeze_max_ages {why}. Did you mean freeze_max_age?",
        f"[rerun_downstream] release_bach {why}. Did you mean release_batch?",
        "Nothing reads the section [Rerun-Downstream]. Did you mean [rerun_downstream]?",
    ]


def test_health_has_a_component(monkeypatch: pytest.MonkeyPatch) -> None:
    health = AirflowHealth(settings=configuration.settings, clock=DatabaseClock())
    assert health.configuration().status == "healthy"
    monkeypatch.setenv(f"{VARIABLE}POL_INTERVAL", "1")
    found = health.configuration()
    assert (found.status, "Did you mean poll_interval?" in found.detail) == ("degraded", True)


def test_check_config_needs_no_database(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config"]) == 0
    monkeypatch.setenv(f"{VARIABLE}POL_INTERVAL", "1")
    assert main(["check-config"]) == 0
    monkeypatch.setenv(f"{VARIABLE}POLL_INTERVAL", "soon")
    monkeypatch.setenv(f"{VARIABLE}CONDUCTOR", "worker")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////nowhere/there.db")
    rewire()
    assert main(["check-config"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "Every option can be used."
    assert [line.partition(":")[0] for line in said[2:]] == [
        "[rerun_downstream] poll_interval = 'soon'",
        "[rerun_downstream] conductor = 'worker'",
        "[rerun_downstream] pol_interval is not an option and does nothing. Did you mean poll_interval?",
    ]


def test_a_wrong_value_stops_the_conductor_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, mocker: MockerFixture, caplog: pytest.LogCaptureFixture
) -> None:
    """The api-server starts, reports itself, and its log has all of it."""
    monkeypatch.setenv(f"{VARIABLE}POLL_INTERVAL", "soon")
    monkeypatch.setenv(f"{VARIABLE}RELEASE_BATCH", "none")
    mocker.patch.object(backgrounds, "migrate_at_start", autospec=True)
    reported = threading.Event()
    mocker.patch.object(backgrounds.wiring, "reporter", autospec=True).return_value.run = lambda _stop: reported.set()
    conduct = mocker.patch.object(backgrounds.wiring, "conductor", autospec=True)
    background = backgrounds.Background()
    with caplog.at_level(logging.WARNING, logger="airflow_rerun_downstream"):
        background.start()
    background.stop()
    assert reported.wait(5)
    conduct.assert_not_called()
    assert "poll_interval = 'soon'" in caplog.text
    assert "release_batch = 'none'" in caplog.text
    assert "No conductor runs in this api-server" in caplog.text


def test_no_hook_reads_an_option() -> None:
    """What runs inside schedulers, workers and Dag processors can't be stopped by a wrong value."""
    package = Path(configuration.__file__).parents[1]
    for folder in (
        "airflow3/hooks",
        "airflow3/acting",
        "airflow3/holding",
        "airflow3/lineage_facts",
        "airflow3/database",
    ):
        for file in (package / folder).glob("*.py"):
            assert "airflow3.configuration" not in file.read_text(encoding="utf-8"), file
    for name in ("policy.py", "plugin.py", "asset_manager.py", "airflow3/asset_manager.py"):
        assert "airflow3.configuration" not in (package / name).read_text(encoding="utf-8"), name
