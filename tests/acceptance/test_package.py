"""What is installed has the pages in it, and building it takes no Node that somebody has installed before."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from dev.environment import ROOT, python_of, uv

pytestmark = pytest.mark.acceptance

SHELL = ("sh", "env", "uname", "basename", "dirname", "sed")
"""What npm itself calls; there is no node among it."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows, and nothing that was built."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source distribution, and the wheel that is made of it."""
    tools = tmp_path_factory.mktemp("bin")
    for name in SHELL:
        (tools / name).symlink_to(str(shutil.which(name)))
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [str(uv()), "build", "--quiet", "--python", str(python_of("tools")), "--out-dir", str(folder)],
        cwd=checkout,
        env={**os.environ, "PATH": str(tools)},
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (found,) = built.glob("*.whl")
    return zipfile.ZipFile(found)


def metadata_file(wheel: zipfile.ZipFile, name: str) -> str:
    (found,) = [each for each in wheel.namelist() if each.partition(".dist-info/")[2] == name]
    return wheel.read(found).decode()


def test_the_wheel_has_the_pages(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    pages = [name for name in names if name.startswith("airflow_rerun_downstream/static/")]
    assert "airflow_rerun_downstream/static/index.html" in pages
    assert any(name.endswith(".js") for name in pages)
    assert "airflow_rerun_downstream/py.typed" in names
    assert not any("node_modules" in name or name.startswith(("ui/", "tests/", "dev/")) for name in names)


def test_the_wheel_has_the_licence_of_every_library_in_the_pages(wheel: zipfile.ZipFile) -> None:
    """Two plugins have looked for the libraries, each in its own way; and none that package.json names is missing."""
    text = metadata_file(wheel, "licenses/airflow_rerun_downstream/static/third-party-notices.txt")
    notices = re.split(r"^={80}\n", text, flags=re.MULTILINE)[1:]
    titles = [re.match(r"(\S+) (\S+) \((.+)\)\n\n(?=\S)", each) for each in notices]
    assert None not in titles
    found = {(title[1], title[2]): title[3] for title in titles if title}
    components = json.loads(metadata_file(wheel, "sboms/pages.cdx.json"))["components"]
    listed = {
        ("/".join(filter(None, (each.get("group"), each["name"]))), each["version"]): {
            licence["license"]["id"] for licence in each["licenses"]
        }
        for each in components
    }
    assert {key: {licence} for key, licence in found.items()} == listed
    wanted = json.loads((ROOT / "ui" / "package.json").read_text())["dependencies"]
    assert len(wanted) > 10
    assert set(wanted) - {name for name, _ in found} == set()
    assert all(re.search(r"copyright|licen[sc]e", each, re.IGNORECASE) for each in notices)


def test_the_metadata_names_the_licences(wheel: zipfile.ZipFile) -> None:
    metadata = message_from_string(metadata_file(wheel, "METADATA"))
    components = json.loads(metadata_file(wheel, "sboms/pages.cdx.json"))["components"]
    licences = {licence["license"]["id"] for each in components for licence in each["licenses"]}
    assert set(metadata["License-Expression"].split(" AND ")) == {"Apache-2.0", *licences}
    assert metadata_file(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text()


def test_the_source_distribution_has_what_git_has_and_the_built_pages(built: Path, checkout: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    tracked = {str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file()}
    generated = {name for name in names if name.startswith("airflow_rerun_downstream/static/")}
    assert names - generated - {"PKG-INFO"} == {
        name for name in tracked if not name.startswith(("airflow_rerun_downstream/static/", "ui/node_modules/"))
    }
    assert "airflow_rerun_downstream/static/index.html" in generated


def test_the_image_gets_what_the_build_needs(checkout: Path) -> None:
    copied = {
        word.rstrip("/")
        for line in (checkout / "dev" / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ")
        for word in line.split()[1:-1]
    }
    needed = {"pyproject.toml", "hatch_build.py", "hatch_metadata.py", "README.md", "LICENSE"}
    assert {*needed, "ui", "airflow_rerun_downstream"} <= copied
