"""Where people meet the pages inside Airflow, held to what the installed Airflow makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from pytest_mock import MockerFixture

from airflow_rerun_downstream import host
from airflow_rerun_downstream.airflow3.web import menu
from airflow_rerun_downstream.airflow3.web.extra_link import RerunDownstreamLink
from airflow_rerun_downstream.plugin import RerunDownstreamPlugin
from tests.airflow3 import history, scene
from tests.airflow3.conftest import forget

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NAME = "Rerun Downstream"
RUN_ID = "scheduled__2026-01-05T01:00:00+00:00"


@pytest.fixture
def alone(mocker: MockerFixture) -> Iterator[None]:
    """Airflow has no plugin but ours, and forgets it afterwards."""
    from airflow import plugins_manager

    plugin = RerunDownstreamPlugin()
    plugin.source = cast("Any", "test")
    if host.airflow_version() == (3, 1):
        mocker.patch.object(plugins_manager, "plugins", [plugin])
        for collected in (
            "external_views", "react_apps", "fastapi_apps", "fastapi_root_middlewares", "flask_blueprints",
            "flask_appbuilder_views", "flask_appbuilder_menu_links", "global_operator_extra_links",
            "operator_extra_links", "registered_operator_link_classes",
        ):  # fmt: skip
            mocker.patch.object(plugins_manager, collected, None)
        yield
        return
    mocker.patch.object(plugins_manager, "_get_plugins", return_value=([plugin], {}))
    forget(plugins_manager)  # what Airflow 3.2 and later remember
    yield
    forget(plugins_manager)


@pytest.fixture
def told(alone: None) -> dict[str, Any]:
    """What Airflow's ``GET /api/v2/plugins`` tells its pages of us."""
    from airflow.api_fastapi.core_api.datamodels.plugins import PluginResponse
    from airflow.plugins_manager import get_plugin_info

    (info,) = get_plugin_info()
    return PluginResponse.model_validate(info).model_dump()


def test_airflow_tells_its_pages_of_every_entry(told: dict[str, Any]) -> None:
    views = told["external_views"]
    assert [(view["destination"], view["url_route"], view["category"]) for view in views] == [
        ("nav", "rerun-downstream", "browse"),
        ("dag", "rerun-downstream-dag", None),
        ("dag_run", "rerun-downstream-run", None),
        ("task", "rerun-downstream-task", None),
        ("task_instance", "rerun-downstream-ti", None),
    ]
    assert told["global_operator_extra_links"] == [
        "<airflow_rerun_downstream.airflow3.web.extra_link.RerunDownstreamLink object>"
    ]
    assert told["fastapi_apps"][0]["url_prefix"] == menu.URL_PREFIX


def test_every_address_is_relative_and_below_the_pages() -> None:
    for view in menu.external_views():
        assert view["name"] == NAME
        for key in ("href", "icon", "icon_dark_mode"):
            assert view[key].startswith("rerun-downstream/ui/"), key


def test_a_page_of_airflow_says_what_it_shows() -> None:
    asked = {view["destination"]: parse_qs(urlsplit(view["href"]).query) for view in menu.external_views()}
    run = {"dag_id": ["{DAG_ID}"], "run_id": ["{RUN_ID}"]}
    task = {"task_id": ["{TASK_ID}"]}
    assert asked == {
        "nav": {},
        "dag": {"dag_id": ["{DAG_ID}"]},
        "dag_run": run,
        "task": {"dag_id": ["{DAG_ID}"], **task},
        "task_instance": {**run, **task, "map_index": ["{MAP_INDEX}"]},
    }


def key(map_index: int = -1) -> Any:
    from airflow.models.taskinstancekey import TaskInstanceKey

    return TaskInstanceKey("a b", "group.é", RUN_ID, 2, map_index)


@pytest.mark.parametrize(("base_url", "root"), [("", ""), ("https://example.com/airflow/", "/airflow")])
@pytest.mark.parametrize("map_index", [-1, 3])
def test_the_button_leads_to_the_wizard(
    monkeypatch: pytest.MonkeyPatch, base_url: str, root: str, map_index: int
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    operator: Any = None
    assert RerunDownstreamLink().get_link(operator, ti_key=key(map_index)) == (
        f"{root}/rerun-downstream/ui/?dag_id=a%20b&run_id=scheduled__2026-01-05T01%3A00%3A00%2B00%3A00"
        f"&task_id=group.%C3%A9&map_index={map_index}"
    )


def tasks() -> None:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.providers.standard.operators.empty import EmptyOperator

    EmptyOperator(task_id="plain")
    BashOperator.partial(task_id="mapped").expand(bash_command=["one", "two"])


@pytest.mark.usefixtures("alone")
def test_airflow_finds_the_button_on_every_task(session: Session) -> None:
    scene.save(history.dag("a", tasks), session=session)
    found = scene.latest("a", session=session).tasks
    assert len(found) == 2
    for task in found:
        assert task.extra_links == [NAME]
        assert task.get_extra_links(Instance(key()), NAME).startswith("/rerun-downstream/ui/?dag_id=a%20b&")


@dataclass
class Instance:
    """As much of a task instance as Airflow needs for a link."""

    key: Any


def test_the_button_is_no_part_of_a_serialized_dag(request: pytest.FixtureRequest) -> None:
    """Or every Dag would get another version when the package is installed."""
    before = LazyDeserializedDAG.from_dag(history.dag("a", tasks)).hash
    request.getfixturevalue("alone")
    assert LazyDeserializedDAG.from_dag(history.dag("a", tasks)).hash == before
