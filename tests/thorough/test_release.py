"""A draft of a release: `make release` makes it, and a local server stands for the project's address."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from airflow_rerun_downstream import __version__
from dev import package_checks
from dev.environment import ROOT

CONTACT = "holes@example.org"


class Server(NamedTuple):
    address: str
    answered: dict[str, int]
    """The status that each path got."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The repository's files, below an address."""
    answered: dict[str, int] = {}

    class Files(SimpleHTTPRequestHandler):
        def log_request(self, code: object = "-", size: object = "-") -> None:
            answered[self.path] = int(str(getattr(code, "value", code)))

    found = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(ROOT)))
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield Server(f"http://127.0.0.1:{found.server_port}", answered)
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A keyring of gpg's with a key that nobody else knows; empty where there is no gpg."""
    if shutil.which("gpg") is None:
        yield {}
        return
    folder = tmp_path_factory.mktemp("gpg")
    folder.chmod(0o700)
    keyring = {"GNUPGHOME": str(folder)}
    make = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", CONTACT, "ed25519", "sign"]
    subprocess.run(make, env={**os.environ, **keyring}, check=True)
    yield keyring
    subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, **keyring}, check=True)


@pytest.fixture(scope="module")
def released(server: Server, keyring: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "dist"
    options = f"--draft --repository {server.address} --contact {CONTACT} --fetch --out {folder}"
    command = ["make", "release", f"ARGS={options}{f' --sign {CONTACT}' if keyring else ''}"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **keyring}, check=True)
    return folder


def test_both_distributions_are_there_with_their_checksums(released: Path, keyring: dict[str, str]) -> None:
    names = [f"{name}-{__version__}" for name in ("airflow_rerun_downstream", "airflow_rerun_downstream_client")]
    files = {f"{name}{end}" for name in names for end in (".tar.gz", "-py3-none-any.whl")}
    sums = dict(line.split()[::-1] for line in (released / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((released / name).read_bytes()).hexdigest() for name in files}
    signed = {*files, "SHA256SUMS"} if keyring else set()
    assert {path.name for path in released.iterdir()} == {*files, "SHA256SUMS", *(f"{name}.asc" for name in signed)}
    for name in signed:
        verify = ["gpg", "--batch", "--verify", f"{name}.asc", name]
        subprocess.run(verify, cwd=released, env={**os.environ, **keyring}, check=True)


def test_every_picture_and_link_of_the_readme_comes_from_the_address(released: Path, server: Server) -> None:
    """The release has asked for each."""
    readme = (ROOT / "README.md").read_text()
    relative = set(re.findall(r'(?:\]\(|src=")(?!https?://)([^)"#\s]+)', re.sub(r"(?ms)^```.*?^```$", "", readme)))
    assert len(relative) > 15
    assert any(name.endswith(".png") for name in relative)
    assert {f"/{name}": server.answered.get(f"/{name}") for name in relative} == {f"/{name}": 200 for name in relative}
    assert set(server.answered.values()) == {200}


def test_the_metadata_says_who_publishes_it(released: Path, server: Server) -> None:
    for wheel in released.glob("*.whl"):
        metadata = package_checks.metadata_file(wheel, "METADATA")
        assert f"Project-URL: Source, {server.address}\n" in metadata
        assert f"Maintainer-email: {CONTACT}\n" in metadata
