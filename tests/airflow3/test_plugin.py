"""What Airflow is told, and that telling it costs nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from airflow_rerun_downstream import host
from airflow_rerun_downstream.plugin import RerunDownstreamPlugin
from airflow_rerun_downstream.provider_info import get_provider_info
from airflow_rerun_downstream.settings import OPTIONS, SECTION, Settings

ROOT = Path(__file__).parents[2]


PACKAGE = "airflow_rerun_downstream"
PLUGIN = f"{PACKAGE}.plugin"
ENTRY_POINTS = {
    "policy",
    "provider_info",
    "connection_type",
    "host",
    "harmless",
    "airflow3",
    "airflow3.database",
    "airflow3.database.sensor_marks",
}
"""What Airflow itself loads of us once it is imported, where the package is installed, and what that stands on."""


LIGHT_CLI = {"cli", "cli.arguments", "cli.argument_groups", "cli.verbs", "domain", "domain.states"}


@cache
def imported_by(module: str, then: str = "") -> set[str]:
    """The modules that are loaded in a new process once ``module`` is imported and ``then`` has run."""
    code = f"import json, sys, {module}\n{then}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("provider_info", {"provider_info"}),
        ("host", {"host"}),
        ("harmless", {"harmless"}),
        ("plugin", {"plugin"}),
        ("cli.verbs", LIGHT_CLI),
        ("cli.airflow_provider", LIGHT_CLI | {"cli.airflow_provider", "cli.exit_codes"}),
    ],
)
def test_what_airflow_always_loads_is_light(module: str, allowed: set[str]) -> None:
    found = imported_by(f"{PACKAGE}.{module}")
    ours = {name.removeprefix(f"{PACKAGE}.") for name in found if name.startswith(f"{PACKAGE}.")}
    assert ours - ENTRY_POINTS == allowed - ENTRY_POINTS
    if module in ("provider_info", "host", "harmless", "cli.verbs"):
        assert not {name for name in found if name.partition(".")[0] in ("airflow", "pydantic", "sqlalchemy")}


def test_the_plugin_brings_nothing_that_airflow_does_not() -> None:
    found = imported_by(PLUGIN) - imported_by("airflow.plugins_manager")
    assert found <= {PACKAGE, f"{PACKAGE}.host", PLUGIN}


def test_what_a_worker_or_a_scheduler_asks_for_brings_no_web_framework() -> None:
    asked = "plugin.external_views, plugin.global_operator_extra_links, plugin.listeners"
    then = f"plugin = {PLUGIN}.RerunDownstreamPlugin()\nassert all(({asked}))"
    found = imported_by(PLUGIN, then)
    assert f"{PACKAGE}.airflow3.web.extra_link" in found
    brought = found - imported_by("airflow")  # the first release of 3.1 brings one itself
    assert not {name for name in brought if name.partition(".")[0] in ("fastapi", "starlette", "flask", "uvicorn")}
    web = {name for name in found if name.startswith(f"{PACKAGE}.airflow3.web.")}
    assert web == {f"{PACKAGE}.airflow3.web.{name}" for name in ("extra_link", "menu")}


def test_airflow_accepts_the_plugin() -> None:
    from airflow.plugins_manager import ensure_plugins_loaded, is_valid_plugin

    ensure_plugins_loaded()  # 3.1 looks whether it has the plugin already
    assert is_valid_plugin(RerunDownstreamPlugin)


def test_no_attribute_of_flask_is_set() -> None:
    plugin = RerunDownstreamPlugin()
    for name in ("appbuilder_views", "appbuilder_menu_items", "flask_blueprints", "admin_views", "menu_links"):
        assert getattr(plugin, name) == []


def test_the_app_is_mounted_under_our_prefix() -> None:
    from fastapi import FastAPI

    (found,) = RerunDownstreamPlugin().fastapi_apps
    assert isinstance(found["app"], FastAPI)
    assert found["url_prefix"] == "/rerun-downstream"


@pytest.mark.parametrize("attribute", ["fastapi_apps", "external_views", "global_operator_extra_links", "listeners"])
def test_a_part_that_is_broken_is_left_out(attribute: str, mocker: MockerFixture) -> None:
    mocker.patch.object(host, "room", autospec=True, side_effect=ImportError("broken"))
    assert getattr(RerunDownstreamPlugin(), attribute) == []


def test_the_provider_information_fits_airflows_schema() -> None:
    from airflow.providers_manager import _create_provider_info_schema_validator

    _create_provider_info_schema_validator().validate(get_provider_info())


def test_every_option_is_described_and_has_the_codes_default() -> None:
    from airflow.configuration import create_default_config_parser

    described = get_provider_info()["config"]
    assert {name: (option["type"], option["sensitive"]) for name, option in described[SECTION]["options"].items()} == {
        name: (option.kind, option.sensitive) for name, option in OPTIONS.items()
    }
    assert {each.name for each in fields(Settings)} - {"timezone"} == set(OPTIONS)
    # Airflow makes its defaults this way, in every process: an error here would stop all of it.
    parser = create_default_config_parser(described)
    assert Settings.read(lambda name: parser.get(SECTION, name, fallback=None)) == Settings()


def test_reading_the_settings_writes_nothing_to_stdout() -> None:
    """The command line prints JSON there."""
    code = "from airflow_rerun_downstream.airflow3 import wiring; wiring.settings()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_airflow_hides_the_keys_of_notification_targets() -> None:
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_configuration()
    assert {name for section, name in conf.sensitive_config_values if section == SECTION} == {"notification_targets"}


def test_every_example_can_be_used() -> None:
    options = get_provider_info()["config"][SECTION]["options"]
    for name, option in options.items():
        if option["example"] is not None:
            OPTIONS[name].parse(option["example"])


def dotted_paths(found: object) -> Iterator[str]:
    """Every string inside that names something of ours."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from dotted_paths(key)
            yield from dotted_paths(value)
    elif isinstance(found, list):
        for each in found:
            yield from dotted_paths(each)
    elif isinstance(found, str) and re.fullmatch(r"airflow_rerun_downstream[\w.]*(:\w+)?", found):
        yield found


def named() -> list[str]:
    paths = re.findall(r'"(airflow_rerun_downstream\.[\w.]+(?::\w+)?)"', (ROOT / "pyproject.toml").read_text())
    entry_points = [path for path in paths if ":" in path or path.endswith(".policy")]
    return [
        *entry_points,
        *dotted_paths(get_provider_info()),
        "airflow_rerun_downstream.asset_manager.RerunAssetManager",
    ]


@pytest.mark.parametrize("path", named())
def test_every_dotted_path_leads_somewhere(path: str) -> None:
    if ":" in path:
        module, _, name = path.partition(":")
    else:
        module, _, name = path.rpartition(".")
    # Airflow imports its own asset manager before one from a configuration.
    import_module("airflow.assets.manager")
    if not hasattr(import_module(module), name):
        import_module(path)
