"""What a release refuses to begin with, and how it looks at what was built. `make thorough PART=release` makes one."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dev import package_checks, release
from dev.environment import ROOT
from hatch_metadata import Published

NOWHERE = Published("", "")
SOMEWHERE = Published("https://example.org/project", "holes@example.org")
RULE = "=" * 80


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository that is ready to be released as version 1.2."""
    (tmp_path / "airflow_rerun_downstream").mkdir()
    (tmp_path / "airflow_rerun_downstream" / "__init__.py").write_text('__version__ = "1.2"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## 1.2 (2026-11-30)\n\n- All of it.\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *arguments], cwd=folder, check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Something")


def refused(checkout: Path, where: Published = SOMEWHERE, *, draft: bool = False) -> str:
    return "\n".join(release.reasons_against(checkout, where, draft=draft))


def test_a_checkout_that_is_ready_is_released(checkout: Path) -> None:
    assert refused(checkout) == ""
    git(checkout, "tag", "v1.2")
    assert refused(checkout) == ""


@pytest.mark.parametrize("draft", [True, False])
def test_nothing_is_released_without_an_address_and_a_contact(checkout: Path, draft: bool) -> None:
    said = refused(checkout, NOWHERE, draft=draft)
    assert "`repository`" in said
    assert "`contact`" in said
    assert "`repository`" in refused(checkout, Published("example", "x@example.org"), draft=draft)


def test_the_changes_of_the_version_have_a_date(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("## 1.2 (unreleased)\n")
    commit(checkout)
    assert "'unreleased'" in refused(checkout)
    assert refused(checkout, draft=True) == ""
    (checkout / "CHANGELOG.md").write_text("## 1.1 (2026-11-30)\n")
    assert "no section `## 1.2 (date)`" in refused(checkout, draft=True)


def test_what_is_not_committed_is_not_released(checkout: Path) -> None:
    (checkout / "new").touch()
    assert "aren't committed" in refused(checkout)
    assert refused(checkout, draft=True) == ""


@pytest.mark.parametrize("annotated", [[], ["--annotate", "--message", "1.2"]])
def test_a_tag_is_not_moved(checkout: Path, annotated: list[str]) -> None:
    git(checkout, "tag", *annotated, "v1.2")
    assert refused(checkout) == ""
    commit(checkout)
    assert "v1.2 is on another commit" in refused(checkout)


def test_the_command_refuses_without_an_address() -> None:
    if release.published(ROOT) != NOWHERE:
        pytest.skip("this checkout says where it is published")
    done = subprocess.run(
        [sys.executable, "-m", "dev.release", "--draft"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Nothing is released:\n- `repository`" in done.stderr


def test_a_release_takes_its_address_from_the_project() -> None:
    command = [sys.executable, "-m", "dev.release", "--repository", "https://example.org"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "are for drafts" in done.stderr


def wheel(folder: Path, readme: str = "", *, notices: str = "a 1.0 (MIT)", licence: str = "Apache-2.0 AND MIT") -> Path:
    """A wheel whose pages have the library a in them."""
    path = folder / "small-1.2-py3-none-any.whl"
    components = [{"name": "a", "version": "1.0", "licenses": [{"license": {"id": "MIT"}}]}]
    with zipfile.ZipFile(path, "w") as archive:
        info = "small-1.2.dist-info"
        archive.writestr(f"{info}/METADATA", f"Name: small\nLicense-Expression: {licence}\n\n{readme}")
        archive.writestr(f"{info}/sboms/pages.cdx.json", json.dumps({"components": components}))
        archive.writestr(
            f"{info}/licenses/airflow_rerun_downstream/static/third-party-notices.txt",
            f"The libraries.\n\n{RULE}\n{notices}\n\nCopyright\n",
        )
    return path


def test_each_library_has_its_licence(tmp_path: Path) -> None:
    assert list(package_checks.licence_problems(wheel(tmp_path))) == []
    assert len(list(package_checks.licence_problems(wheel(tmp_path, notices="b 1.0 (MIT)")))) == 2
    (said,) = package_checks.licence_problems(wheel(tmp_path, licence="Apache-2.0"))
    assert "which the metadata doesn't name" in said


def test_a_wheel_that_differs_is_told_with_what_differs(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    one = wheel(tmp_path / "one")
    same = tmp_path / "two" / one.name
    same.write_bytes(one.read_bytes())
    assert list(package_checks.differences(one, same)) == []
    (said,) = package_checks.differences(one, wheel(tmp_path / "three", "Another readme"))
    assert said.endswith("built again: small-1.2.dist-info/METADATA")


@pytest.mark.parametrize(
    ("readme", "said"),
    [
        ("[a](https://example.org/project/docs/a.md#part)", ""),
        ("[a](https://example.org/project/docs/b.md)", "there is no file for https://example.org/project/docs/b.md"),
        ("[a](docs/a.md)", "the link docs/a.md stayed relative"),
        ('<img src="docs/a.png">', "the link docs/a.png stayed relative"),
        ("[a](https://other.org/docs/a.md)", "nothing in the readme leads to https://example.org/project"),
    ],
)
def test_the_links_of_a_readme_lead_to_files(
    tmp_path: Path, readme: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").touch()
    # The index's renderer isn't in this environment; what it makes of a link is plain enough.
    monkeypatch.setattr(package_checks, "links_of_readme", lambda _: {readme.partition("(")[2].rstrip(")")})
    found = "\n".join(package_checks.link_problems(wheel(tmp_path, readme), SOMEWHERE, "1.2", tmp_path))
    assert said in found
    assert bool(said) == bool(found)
