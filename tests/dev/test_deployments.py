"""What the pages about deployments and lite mode say is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from airflow_rerun_downstream.domain import errors, words
from airflow_rerun_downstream.provider_info import OPTIONS
from airflow_rerun_downstream.rest.requests import RerunBody
from airflow_rerun_downstream.rest.rerun_settings import SettingsBody
from airflow_rerun_downstream.settings import OPTIONS as READ
from tests.dev.test_docs import CODE, FENCE, INSTALLING, PACKAGE, ROOT, examples, refusals
from tests.fakes.installation import COMPONENTS

LITE, DEPLOYMENTS = ROOT / "docs" / "lite-mode.md", ROOT / "docs" / "deployments.md"
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py")))


def machine_words(page: Path) -> set[str]:
    """The words of programs that a page names: those with an underscore."""
    spans = {span for span in CODE.findall(FENCE.sub("", page.read_text())) if re.fullmatch(r"[a-z]+(_[a-z]+)+", span)}
    assert len(spans) >= 5
    return spans


@pytest.mark.parametrize("page", [LITE, DEPLOYMENTS], ids=lambda page: str(page.name))
def test_every_word_is_one_of_the_code(page: Path) -> None:
    foreign = {"execution_delta", "execution_date_fn"}  # Airflow's
    assert {word for word in machine_words(page) - foreign if not re.search(rf"\b{word}\b", SOURCE)} == set()


def test_each_part_has_its_component_refusals_and_warnings() -> None:
    rows = re.findall(r"^\| [\w ]+ \| `(\w+)` \| (.*?) \| (.*?) \|$", LITE.read_text(), re.MULTILINE)
    assert [component for component, _, _ in rows] == ["asset_manager", "freeze_hook", "policy", "listener"]
    assert {component for component, _, _ in rows} < {*COMPONENTS}
    reasons = {kind.reason for kind in refusals(errors.Refusal)}
    refused = {word for _, told, _ in rows for word in CODE.findall(told)}
    assert refused == {"asset_manager_inactive", "freeze_unavailable", "offset_unknown"}
    assert refused <= reasons
    warned = {word for _, _, told in rows for word in CODE.findall(told)}
    assert warned == {"asset_manager_inactive", "offset_unknown", "unresolved"}
    assert warned - {"unresolved"} <= set(words.WARNINGS)


def test_what_somebody_can_accept_is_a_setting() -> None:
    accepted = {word for word in machine_words(LITE) if word.startswith("accept_")}
    assert accepted == {name for name in SettingsBody.model_fields if name.startswith("accept_")}
    assert "settings" in RerunBody.model_fields


def test_the_values_for_helm_are_those_of_the_installation() -> None:
    (values,) = (yaml.safe_load(text) for text in examples(DEPLOYMENTS, "yaml"))
    name = values["config"]["core"]["asset_manager_class"]
    assert f"asset_manager_class = {name}" in INSTALLING.read_text()
    given = values["config"]["rerun_downstream"]
    assert given.keys() <= OPTIONS.keys()
    for option, text in given.items():
        READ[option].parse(str(text))
    assert values["images"]["useDefaultImageForMigration"] is False


def test_each_platform_names_its_sources() -> None:
    parts = re.split(r"^## ", DEPLOYMENTS.read_text(), flags=re.MULTILINE)
    platforms = {part.splitlines()[0]: part for part in parts[2:-1]}
    assert len(platforms) == 5
    for name, part in platforms.items():
        found = re.findall(r"\]\s*\((\S+)\)", part.replace("\n", " "))
        assert any(each.startswith("https://") for each in found), name
    assert "http://" not in DEPLOYMENTS.read_text()
