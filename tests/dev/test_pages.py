"""The web pages have a word for everything that the server says, and their bundle keeps its limits."""

from __future__ import annotations

import gzip
import json
import re
from enum import Enum
from pathlib import Path

import pytest

from airflow_rerun_downstream.domain import plan, states
from airflow_rerun_downstream.domain.advice import Advice
from airflow_rerun_downstream.domain.reasons import REASONS
from tests.dev.test_docs import warning_codes

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "ui" / "src" / "i18n" / "locales"
STATIC = ROOT / "airflow_rerun_downstream" / "static"
LIMIT = 500_000
"""Bytes that all of the bundle's scripts and styles may have together, compressed."""
LANGUAGES = ("en", "zh-CN")


def words(language: str, group: str) -> set[str]:
    return set(json.loads((CATALOGUE / language / "common.json").read_text())[group])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("status", plan.RunStatus),
        ("linkKind", plan.LinkKind),
        ("evidence", plan.Evidence),
        ("evidenceMeaning", plan.Evidence),
        ("advice", Advice),
        ("memberState", states.MemberState),
        ("rerunState", states.RerunState),
        ("role", states.Role),
    ],
)
def test_every_state_and_kind_has_a_word(language: str, group: str, kind: type[Enum]) -> None:
    assert {each.value for each in kind} - words(language, group) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_and_warning_has_a_word(language: str) -> None:
    assert set(REASONS) - words(language, "reason") == set()
    assert set(warning_codes()) - words(language, "warning") == set()


@pytest.fixture(scope="module")
def bundle() -> list[Path]:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert files, "the pages aren't built: run `make ui`"
    return files


def test_the_bundle_is_small(bundle: list[Path]) -> None:
    code = [path for path in bundle if path.suffix in {".js", ".css"}]
    assert sum(len(gzip.compress(path.read_bytes())) for path in code) < LIMIT


def test_the_document_asks_no_other_host_and_holds_no_code(bundle: list[Path]) -> None:
    (document,) = [path for path in bundle if path.name == "index.html"]
    html = document.read_text()
    assert re.findall(r'(?:src|href)="(?!\./)[^"]*"', html) == []
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=", html) == []
    assert "__CSP_NONCE__" in html


def test_the_lock_file_names_no_address() -> None:
    assert "resolved" not in (ROOT / "ui" / "package-lock.json").read_text()
