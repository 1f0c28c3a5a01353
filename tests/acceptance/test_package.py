"""What is installed has the pages in it, and building it takes no Node that somebody has installed before."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
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


def test_the_wheel_has_the_pages(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    pages = [name for name in names if name.startswith("airflow_rerun_downstream/static/")]
    assert "airflow_rerun_downstream/static/index.html" in pages
    assert any(name.endswith(".js") for name in pages)
    assert not any("node_modules" in name or name.startswith("ui/") for name in names)


def test_the_image_gets_what_the_build_needs(checkout: Path) -> None:
    copied = {
        word.rstrip("/")
        for line in (checkout / "dev" / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ")
        for word in line.split()[1:-1]
    }
    assert {"pyproject.toml", "hatch_build.py", "ui", "airflow_rerun_downstream", "README.md"} <= copied
