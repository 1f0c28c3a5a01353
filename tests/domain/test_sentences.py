"""Sentences: English that remembers its code and parameters, and the table in which each stands once."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

import airflow_rerun_downstream
from airflow_rerun_downstream.domain.errors import Refusal
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.sentence import (
    MOMENTS,
    Sentence,
    clause,
    from_json,
    listed,
    params_of,
    runs_of,
    sentence_in,
    task_of,
    to_json,
)
from airflow_rerun_downstream.domain.sentences import GROUPS, TABLE, Plural
from dev import sentences

PACKAGE = Path(airflow_rerun_downstream.__file__).parent
ENGLISH = PACKAGE.parent / "ui/src/i18n/locales/en/sentences.json"
RUN = RunRef("report", "scheduled__1")


def test_a_sentence_is_its_english_with_its_parts() -> None:
    said = Sentence("warning.paused_dag", dag="report")
    assert said == "report is paused: its runs wait until it is unpaused."
    assert (said.code, said.params) == ("warning.paused_dag", {"dag": "report"})
    assert sentence_in(said) is said
    assert sentence_in(str(said) + "") is None


def test_one_and_several() -> None:
    assert Sentence("warning.hidden_warnings", count=1).startswith("1 more warning is about")
    assert Sentence("warning.hidden_warnings", count=2).startswith("2 more warnings are about")


def test_sentences_stand_in_sentences() -> None:
    detail = Sentence("warning.stays_polluted", what=task_of(RUN, "load"), why=clause("backfill_run"))
    assert detail == "load of report / scheduled__1 stays polluted: the run belongs to a backfill."
    assert to_json(detail) == {
        "code": "warning.stays_polluted",
        "params": {
            "what": {"code": "part.task_of_run", "params": {"task": "load", "run": "report / scheduled__1"}},
            "why": {"code": "reason.backfill_run", "params": {}},
        },
    }


def test_a_reason_without_a_clause_is_said_as_it_is() -> None:
    assert (clause("a_new_one"), clause(None)) == ("a_new_one", "")


def test_names_and_how_many_more() -> None:
    assert listed(["a", "b"]) == ["a", "b"]
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert runs_of([RUN]) == "report / scheduled__1"
    assert runs_of([RUN, RUN]) == "report / scheduled__1 and 1 more run"


def test_lists_of_clauses_and_of_whole_sentences() -> None:
    first, second = Sentence("part.stage", tasks=["a", "b"]), Sentence("part.then", tasks=["c"])
    assert Sentence("warning.in_stages", run="r", count=2, stages=[first, second]).endswith(": a, b; then c.")
    whole = [Sentence("advice.first_link"), Sentence("advice.first_link")]
    found = Sentence("warning.unresolved_link", downstream="d", upstream="u", why="w", advice=whole)
    assert found.endswith("w. Resolve the link that it depends on. Resolve the link that it depends on.")


EVERY_KIND = Sentence(
    "warning.upcoming_run",
    dag="report",
    logical_date=datetime(2026, 1, 5, tzinfo=timezone.utc),
    due_at=datetime(2026, 1, 6, tzinfo=timezone.utc),
    reads=Sentence("part.will_read"),
    way_out=Sentence("part.cannot_be_frozen", why=clause("asset_watcher")),
)


@pytest.mark.parametrize(
    "said",
    [
        EVERY_KIND,
        Sentence("warning.starts_too", tasks=listed("abcdefg"), run="r", count=7),
        Sentence("warning.in_stages", run="r", count=1, stages=[Sentence("part.stage", tasks=["a"])]),
    ],
)
def test_there_and_back(said: Sentence) -> None:
    back = from_json(json.loads(json.dumps(to_json(said))))
    assert back is not None
    assert (back, back.code, back.params) == (said, said.code, said.params)
    for same in (pickle.loads(pickle.dumps(said)), copy.deepcopy(said)):
        assert (same, same.code, same.params) == (said, said.code, said.params)


@pytest.mark.parametrize(
    "written",
    [
        None,
        "text",
        {"code": "warning.of_a_later_version", "params": {}},
        {"code": "warning.paused_dag", "params": {}},
        {"code": "warning.paused_dag", "params": {"dag": "d", "more": 1}},
        {"code": "warning.paused_dag", "params": {"dag": {"code": "warning.of_a_later_version", "params": {}}}},
        {"code": "warning.paused_dag", "params": {"dag": None}},
        {"code": "warning.starts_too", "params": {"tasks": [{"code": "x", "params": {}}], "run": "r", "count": 1}},
        {"code": "warning.upcoming_run", "params": {**to_json(EVERY_KIND)["params"], "due_at": "soon"}},
    ],
)
def test_what_another_version_wrote_is_no_sentence(written: object) -> None:
    assert from_json(written) is None


def calls(path: Path) -> Iterator[tuple[int, set[str], set[str], bool]]:
    """Where a file makes sentences: the line, the codes, the parameters that are named, and whether those are all."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING and node.args:
            codes = {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
            names = {each.arg for each in node.keywords if each.arg is not None}
            yield node.lineno, {str(code) for code in codes if code in TABLE}, names, len(names) == len(node.keywords)


SAYING = ("Sentence", "WrongTarget", "not_reckoned")
"""What makes a sentence of a code and parameters."""


def refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    """A kind of refusal and those under it."""
    yield kind
    for each in kind.__subclasses__():
        yield from refusals(each)


EVERY_CALL = [(path, *call) for path in sorted(PACKAGE.rglob("*.py")) for call in calls(path)]


def test_every_sentence_is_made_with_its_parameters() -> None:
    """A wrong name would be a KeyError only where the sentence is said."""
    wrong = [
        f"{path.name}:{line}: {code}"
        for path, line, codes, names, whole in EVERY_CALL
        for code in codes
        if (names != params_of(code) if whole else not names <= params_of(code))
    ]
    assert wrong == []


def phrases(node: ast.AST) -> Iterator[str]:
    """The texts of several words that an expression makes by itself, with a letter for what is filled in."""
    for each in ast.walk(node):
        parts = each.values if isinstance(each, ast.JoinedStr) else [each]
        text = "".join(str(one.value) if isinstance(one, ast.Constant) else "x" for one in parts)
        if any(isinstance(one, ast.Constant) for one in parts) and re.search(r"[a-z]{2,}[ ,]+[a-z]{2,}", text):
            yield text


def test_no_sentence_takes_in_english_that_is_none() -> None:
    """A page would show it as it is, in whatever language. What comes from elsewhere, `fakes.parameters` looks at."""
    found = [
        f"{path.name}:{node.lineno}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAYING
        for keyword in node.keywords
        for text in phrases(keyword.value)
    ]
    assert found == []


def test_every_refusal_is_a_sentence() -> None:
    """Of those that are made with a text of their own: no page could say it in another language."""
    kinds = {each.__name__ for each in refusals(Refusal)}
    found = [
        f"{path.name}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds
        if any(isinstance(each, (ast.JoinedStr, ast.Constant)) for each in node.args[:1])
    ]
    assert found == []


def test_every_sentence_is_said_somewhere() -> None:
    sources = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py") if path.parent.name != "sentences")
    computed = {"reason", "advice", "action", "state", "condition", "delivery"}
    unsaid = [code for code in TABLE if code.partition(".")[0] not in computed and f'"{code}"' not in sources]
    assert unsaid == []


def test_parameters_that_are_moments_are_told_by_their_names() -> None:
    names = {name for code in TABLE for name in params_of(code)}
    moments = {"awaited_date", "due_at", "logical_date", "parsed_at", "since_at", "until_at", "window_at"}
    assert {name for name in names if name.endswith(MOMENTS)} == moments


def test_plurals_are_in_the_same_words() -> None:
    for code, template in TABLE.items():
        if isinstance(template, Plural):
            one, other = (set(re.findall(r"\{(\w+)\}", text)) for text in template)
            assert one == other, code


def test_no_sentence_is_there_twice() -> None:
    own = [text for group in ("warning", "refusal", "part", "record") for text in GROUPS[group].values()]
    assert len(own) == len(set(own))


def test_the_pages_english_is_this_table() -> None:
    assert ENGLISH.read_text() == sentences.catalogue(), f"python -m dev.sentences {ENGLISH}"


def test_whoever_may_read_the_text_may_read_what_stands_in_it() -> None:
    """Every parameter stands in the text, so that who is told the one may be told the other; but for a mere number."""
    for code in TABLE:
        params = {name: 2 if name == "count" else f"<{name}>" for name in params_of(code)}
        said = Sentence(code, **params)
        assert all(value in said for value in params.values() if isinstance(value, str)), code
