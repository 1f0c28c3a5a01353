"""The compose file starts what an Airflow needs, with the plugin in it."""

from __future__ import annotations

import copy

import pytest

from dev.compose_check import COMPOSE_FILE, Compose, dangling_names, load

AIRFLOW_SERVICES = {"airflow-init", "api-server", "scheduler", "dag-processor", "triggerer"}


@pytest.fixture
def compose() -> Compose:
    return copy.deepcopy(load())


def test_all_services_are_there(compose: Compose) -> None:
    assert compose["services"].keys() == AIRFLOW_SERVICES | {"postgres"}


def test_everything_that_is_named_exists(compose: Compose) -> None:
    assert list(dangling_names(compose, COMPOSE_FILE.parent)) == []


def test_what_is_named_and_missing_is_found(compose: Compose) -> None:
    compose["services"]["scheduler"]["depends_on"] = {"nobody": {}}
    compose["services"]["triggerer"]["volumes"] = ["./nowhere:/x", "nothing:/y", "shop:/z"]
    compose["services"]["dag-processor"]["build"] = {"context": ".", "dockerfile": "Missing"}
    problems = "\n".join(dangling_names(compose, COMPOSE_FILE.parent))
    assert [word in problems for word in ("nobody", "./nowhere", "nothing", "Missing", "shop")] == [
        True,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("name", sorted(AIRFLOW_SERVICES))
def test_every_airflow_service_has_the_plugin_and_one_configuration(compose: Compose, name: str) -> None:
    service = compose["services"][name]
    environment = service["environment"]
    assert service["build"]["dockerfile"] == "dev/Dockerfile"
    assert environment == compose["services"]["api-server"]["environment"]
    assert environment["AIRFLOW__CORE__ASSET_MANAGER_CLASS"].startswith("airflow_rerun_downstream.")
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://")


@pytest.mark.parametrize("name", sorted(AIRFLOW_SERVICES - {"airflow-init"}))
def test_nothing_starts_before_the_tables_are_there(compose: Compose, name: str) -> None:
    depends_on = compose["services"][name]["depends_on"]
    assert depends_on["airflow-init"] == {"condition": "service_completed_successfully"}
