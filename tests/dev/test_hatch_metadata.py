"""The metadata of both distributions: where the project is published, and that each thing is said in one place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import hatch_metadata
from airflow_rerun_downstream import __version__
from hatch_metadata import Published, with_absolute_links

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "distributions" / "client"
SOMEWHERE = Published("https://example.org/team/project", "")
GITHUB = Published("https://github.com/team/project", "")


def project(folder: Path, repository: str = "", contact: str = "") -> dict[str, Any]:
    """The metadata of a small project with these settings."""
    (folder / "pyproject.toml").write_text(
        f'[tool.rerun-downstream]\nrepository = "{repository}"\ncontact = "{contact}"\n'
    )
    (folder / "README.md").write_text("[guide](docs/guide.md)\n")
    metadata: dict[str, Any] = {"name": "small", "version": "1.2"}
    hatch_metadata.add(metadata, folder, "README.md")
    return metadata


def test_nobody_is_named_while_nothing_is_set(tmp_path: Path) -> None:
    assert project(tmp_path) == {
        "name": "small",
        "version": "1.2",
        "readme": {"content-type": "text/markdown", "text": "[guide](docs/guide.md)\n"},
    }


def test_the_address_is_put_before_links_and_named(tmp_path: Path) -> None:
    metadata = project(tmp_path, "https://example.org/project/", "holes@example.org")
    assert metadata["readme"]["text"] == "[guide](https://example.org/project/docs/guide.md)\n"
    assert metadata["urls"]["Source"] == "https://example.org/project"
    assert metadata["urls"]["Security"] == "https://example.org/project/SECURITY.md"
    assert metadata["maintainers"] == [{"email": "holes@example.org"}]
    assert "Contact" not in metadata["urls"]


def test_a_contact_can_be_a_page(tmp_path: Path) -> None:
    metadata = project(tmp_path, contact="https://example.org/report")
    assert metadata["urls"] == {"Contact": "https://example.org/report"}
    assert "maintainers" not in metadata


def test_what_a_source_distribution_says_stays(tmp_path: Path) -> None:
    project(tmp_path, "https://example.org/project", "holes@example.org")
    given = {"version": "1.2", "readme": {"text": "as built"}, "urls": {"Source": "x"}, "maintainers": [{"email": "y"}]}
    metadata = dict(given)
    hatch_metadata.add(metadata, tmp_path, "README.md")
    assert metadata == given


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](docs/a.md#part)", "[a](https://example.org/team/project/docs/a.md#part)"),
        ("[a](#part)", "[a](https://example.org/team/project/README.md#part)"),
        ("![a](docs/a.png)", "![a](https://example.org/team/project/docs/a.png)"),
        ('<img src="docs/a.png">', '<img src="https://example.org/team/project/docs/a.png">'),
        ('<source srcset="docs/a.png">', '<source srcset="https://example.org/team/project/docs/a.png">'),
        ("[a](https://other.org/a)", "[a](https://other.org/a)"),
        ("[a](mailto:a@other.org)", "[a](mailto:a@other.org)"),
        ("```python\nx[0](docs/a.md)\n```\n", "```python\nx[0](docs/a.md)\n```\n"),
    ],
)
def test_links_become_absolute(text: str, expected: str) -> None:
    assert with_absolute_links(text, ".", SOMEWHERE, "1.2") == expected


def test_links_of_a_folder_below_start_there() -> None:
    there = with_absolute_links("[a](../../docs/a.md) [b](b.md)", "distributions/client", SOMEWHERE, "1.2")
    assert (
        there == "[a](https://example.org/team/project/docs/a.md) "
        "[b](https://example.org/team/project/distributions/client/b.md)"
    )


def test_a_forge_has_one_address_to_read_a_file_and_one_for_its_bytes() -> None:
    text = with_absolute_links('[a](a.md)\n![b](b.png)\n<img src="c.png">', ".", GITHUB, "1.2")
    assert text == (
        "[a](https://github.com/team/project/blob/v1.2/a.md)\n"
        "![b](https://github.com/team/project/raw/v1.2/b.png)\n"
        '<img src="https://github.com/team/project/raw/v1.2/c.png">'
    )


def test_the_address_and_the_contact_are_set_together_or_not_at_all() -> None:
    where = hatch_metadata.published(ROOT)
    assert bool(where.repository) == bool(where.contact)
    assert not where.repository or hatch_metadata.is_page(where.repository)


def test_the_version_is_said_in_one_place() -> None:
    named = re.findall(r"airflow_rerun_downstream-([\d.]+)-py3", (ROOT / "docs" / "deployments.md").read_text())
    assert named
    assert set(named) == {__version__}, "docs/deployments.md names a wheel of another version"
    assert json.loads((ROOT / "ui" / "openapi.json").read_text())["info"]["version"] == __version__
    assert "version" not in json.loads((ROOT / "ui" / "package.json").read_text())
    for folder in (ROOT, CLIENT):
        assert re.findall(r"^version = ", (folder / "pyproject.toml").read_text(), re.MULTILINE) == []


def test_the_client_has_the_same_licence_and_classifiers_of_python() -> None:
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    ours, theirs = (
        re.findall(r'"(Programming Language[^"]*|Development Status[^"]*)"', (folder / "pyproject.toml").read_text())
        for folder in (ROOT, CLIENT)
    )
    assert ours == theirs
