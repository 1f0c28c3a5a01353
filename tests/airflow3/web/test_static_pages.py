"""The web pages as the api-server serves them: from a build, from a checkout without one, and against mischief."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from airflow_rerun_downstream.airflow3.web import menu
from tests.airflow3.web.api_server import server

UI = "/rerun-downstream/ui"
INDEX = """<!doctype html>
<html><head>
<meta name="csp-nonce" content="__CSP_NONCE__">
<link rel="icon" href="./icon.svg">
<link rel="stylesheet" crossorigin href="./assets/index-1a.css">
<script type="module" crossorigin src="./assets/index-1a.js"></script>
</head><body><a href="https://example.com/./x">./</a></body></html>
"""
SECRET = "not for the web"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text(SECRET)
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "assets" / "index-1a.js").write_text("let a")
    (folder / "assets" / "index-1a.css").write_text("a {}")
    return folder


@pytest.fixture
def client(build: Path) -> TestClient:
    from airflow_rerun_downstream.airflow3.web.static_pages import Files

    server().state.mounted.state.files = Files(build)
    return TestClient(server(), raise_server_exceptions=False)


def policy(answer: Any) -> dict[str, str]:
    rules = answer.headers["content-security-policy"].split("; ")
    return dict(rule.split(" ", 1) for rule in rules)


@pytest.mark.parametrize(
    "path", ["", "/", "/records/7", "/records/7?x=1", "/wizard/a%2Fb/r", "/index.html", "/icon.svg/x", "/api/v1/reruns"]
)
def test_every_address_is_the_document(client: TestClient, path: str) -> None:
    answer = client.get(UI + path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    assert 'src="/rerun-downstream/ui/assets/index-1a.js"' in answer.text
    assert 'href="/rerun-downstream/ui/assets/index-1a.css"' in answer.text
    assert 'href="/rerun-downstream/ui/icon.svg"' in answer.text
    assert '<a href="https://example.com/./x">./</a>' in answer.text
    assert client.head(UI + path).status_code == 200


def test_the_policy_is_strict(client: TestClient) -> None:
    answer = client.get(UI)
    found = policy(answer)
    nonce = re.search(r'csp-nonce" content="([\w-]+)"', answer.text)
    assert nonce is not None
    assert found.pop("style-src") == f"'self' 'nonce-{nonce[1]}'"
    assert found == {
        "default-src": "'none'",
        "script-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "frame-ancestors": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert (answer.headers["x-content-type-options"], answer.headers["referrer-policy"]) == ("nosniff", "same-origin")
    assert "x-frame-options" not in answer.headers


def test_each_answer_has_a_nonce_of_its_own(client: TestClient) -> None:
    assert len({policy(client.get(UI))["style-src"] for _ in range(5)}) == 5


def test_files_are_served(client: TestClient) -> None:
    script = client.get(f"{UI}/assets/index-1a.js")
    assert (script.status_code, script.text) == (200, "let a")
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = client.get(f"{UI}/icon.svg")
    assert (icon.text, icon.headers["content-type"]) == ("<svg/>", "image/svg+xml")
    assert icon.headers["cache-control"] == "no-cache"
    for answer in (script, icon):
        assert answer.headers["x-content-type-options"] == "nosniff"
    again = client.get(f"{UI}/icon.svg", headers={"if-none-match": icon.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "no-cache")
    assert client.head(f"{UI}/assets/index-1a.js").status_code == 200


@pytest.mark.parametrize(
    "path", ["", "/", "/gone.js", "/../index.html", "/%2e%2e/index.html", "/%00", "/x%00.js", f"/{'n' * 300}.js"]
)
def test_an_unknown_asset_is_a_404(client: TestClient, path: str) -> None:
    answer = client.get(f"{UI}/assets{path}")
    if path == "/../index.html":  # the client itself goes up
        assert answer.headers["content-type"].startswith("text/html")
        return
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")


@pytest.mark.parametrize("where", ["", "/assets"])
@pytest.mark.parametrize(
    "path",
    [
        "/%2e%2e/secret.txt",
        "/%2e%2e/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/%2e%2e%2f%2e%2e%2fsecret.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
    ],
)
def test_nothing_beside_the_build_is_served(client: TestClient, where: str, path: str) -> None:
    answer = client.get(f"{UI}{where}{path}")
    assert answer.status_code in (200, 404)
    assert SECRET not in answer.text
    assert "root:" not in answer.text


def test_a_link_out_of_the_build_is_not_followed(client: TestClient, build: Path) -> None:
    (build / "assets" / "out.txt").symlink_to(build.parent / "secret.txt")
    (build / "out.txt").symlink_to(build.parent / "secret.txt")
    assert client.get(f"{UI}/assets/out.txt").status_code == 404
    assert SECRET not in client.get(f"{UI}/out.txt").text


def test_nothing_can_be_sent(client: TestClient) -> None:
    for path in ("", "/records", "/assets/index-1a.js"):
        answer = client.post(UI + path)
        assert (answer.status_code, answer.json()["reason"]) == (405, "method_not_allowed")


def test_a_checkout_without_a_build_says_what_to_do(client: TestClient, tmp_path: Path) -> None:
    from airflow_rerun_downstream.airflow3.web.static_pages import Files

    server().state.mounted.state.files = Files(tmp_path / "gone")
    for path in ("", "/records/7", "/icon.svg"):
        answer = client.get(UI + path)
        assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "make ui" in answer.text
        assert policy(answer)["default-src"] == "'none'"
    answer = client.get(f"{UI}/assets/index-1a.js")
    assert (answer.status_code, answer.json()["reason"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("", ""),
        ("/", ""),
        ("http://localhost:8080", ""),
        ("http://localhost:8080/", ""),
        ("https://example.com/airflow", "/airflow"),
        ("https://example.com/a/b/", "/a/b"),
        ('https://example.com/a"b', '/a"b'),
    ],
)
def test_the_references_lie_below_airflows_root(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, base_url: str, root: str
) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    assert menu.root() == root
    shown = root.replace('"', "&quot;")
    assert f'src="{shown}/rerun-downstream/ui/assets/index-1a.js"' in client.get(f"{UI}/records/7").text


def test_the_pages_are_below_a_root_that_the_server_knows(client: TestClient) -> None:
    """Airflow gives its app the path of ``[api] base_url``; a proxy must leave it in, for Airflow's own API, too."""
    airflow = FastAPI(root_path="/airflow")
    airflow.mount("/rerun-downstream", server().state.mounted)
    behind = TestClient(airflow)
    assert behind.get(f"/airflow{UI}/assets/index-1a.js").text == "let a"
    assert "index-1a.js" in behind.get(f"/airflow{UI}/records/7").text


def test_the_pages_are_not_part_of_the_api(client: TestClient) -> None:
    assert not [path for path in client.get("/rerun-downstream/openapi.json").json()["paths"] if "/ui" in path]
    assert client.get("/rerun-downstream/api/v1/reruns").status_code == 401
