"""The documentation has every word of the code, its links lead somewhere, and its examples are understood."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from airflow_rerun_downstream import provider_info
from airflow_rerun_downstream.cli.exit_codes import MEANINGS
from airflow_rerun_downstream.cli.main import parser
from airflow_rerun_downstream.cli.verbs import VERBS
from airflow_rerun_downstream.domain import errors, plan, states
from airflow_rerun_downstream.domain.advice import SENTENCES, Advice
from airflow_rerun_downstream.domain.reasons import REASONS
from airflow_rerun_downstream.rest import plan_payloads, problems, record_payloads
from airflow_rerun_downstream.rest.requests import PlanBody, RerunBody
from dev import options_table

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "airflow_rerun_downstream"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GUIDE, INSTALLING, REST, COMMANDS = (
    ROOT / "docs" / name for name in ("guide.md", "installing.md", "rest.md", "command-line.md")
)

CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def words(*pages: Path) -> set[str]:
    """What stands between backticks, whole and word by word; examples don't count."""
    spans = {span for page in pages for span in CODE.findall(FENCE.sub("", page.read_text()))}
    return spans | {word for span in spans for word in re.findall(r"[\w-]+", span)}


def refusals(kind: type[errors.Refusal] = errors.Refusal) -> Iterator[type[errors.Refusal]]:
    yield kind
    for each in kind.__subclasses__():
        yield from refusals(each)


def warning_codes() -> Iterator[str]:
    """The first argument of every ``PlanWarning(…)`` in the code, where it is a text."""
    for path in chain((PACKAGE / "lineage").glob("*.py"), (PACKAGE / "service").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "PlanWarning":
                match node.args:
                    case [ast.Constant(value=str(code)), *_]:
                        yield code


def routes() -> Iterator[str]:
    source = (PACKAGE / "airflow3" / "web" / "routes.py").read_text()
    for method, path in re.findall(r'@router\.(get|post)\("([^"]+)"', source):
        yield f"{method.upper()} {path.replace(':path', '')}"


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def examples(page: Path, *languages: str) -> Iterator[str]:
    return (text for language, text in FENCE.findall(page.read_text()) if language in languages)


def commands() -> Iterator[str]:
    """The command lines of ours in the examples."""
    for page in PAGES:
        for block in examples(page, "bash"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("airflow-rerun-downstream "):
                    yield line


def test_every_reason_is_explained() -> None:
    assert set(REASONS) - words(GUIDE) == set()


def test_every_advice_is_explained() -> None:
    assert set(SENTENCES) == set(Advice)
    assert {each.value for each in Advice} - words(REST) == set()


def test_every_refusal_is_explained() -> None:
    assert {f"{kind.status} {kind.reason}" for kind in refusals()} - {
        f"{status} {reason}" for status, reason in re.findall(r"^\| (\d+) `(\w+)`", GUIDE.read_text(), re.MULTILINE)
    } == set()
    assert set(problems.REASONS.values()) - words(REST) == set()


def test_every_warning_is_explained() -> None:
    assert len(set(warning_codes())) > 5
    assert set(warning_codes()) - words(GUIDE) == set()


def test_every_option_is_explained() -> None:
    _, there, _ = options_table.parts(INSTALLING.read_text())
    assert there == options_table.table(), "python -m dev.options_table docs/installing.md"
    assert len(there.splitlines()) == 4 + len(provider_info.OPTIONS)


@pytest.mark.parametrize(
    "kind", [states.RerunState, states.MemberState, states.Role, plan.LinkKind, plan.Evidence, plan.RunStatus]
)
def test_every_state_and_kind_is_in_the_guide_and_the_glossary(kind: type[states.RerunState]) -> None:
    for pages in ([GUIDE], [ROOT / "docs" / "glossary.md"]):
        assert {each.value for each in kind} - words(*pages) == set()


def test_every_call_is_in_the_rest_page() -> None:
    assert len(set(routes())) > 15
    assert set(routes()) - words(REST) == set()


def test_every_command_is_explained() -> None:
    assert {verb.name for verb in VERBS} - words(COMMANDS) == set()


def test_every_exit_code_is_explained() -> None:
    table = dict(re.findall(r"^\| (\d+) \| (.*) \|$", COMMANDS.read_text(), re.MULTILINE))
    assert set(table) == {str(code.value) for code in MEANINGS}


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target in LINK.findall(FENCE.sub("", page.read_text())):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            there = (page.parent / name).resolve() if name else page
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


@pytest.mark.parametrize("line", list(commands()))
def test_commands_are_understood(line: str) -> None:
    assert parser().parse_args(shlex.split(line, comments=True)[1:]).subcommand


def test_bodies_are_of_the_contract() -> None:
    bodies = list(examples(REST, "json"))
    asked, submitted, review, record, member, edges, proposal = (
        next(text for text in bodies if key in text)
        for key in (
            '"rerun_source"',
            '"members"',
            '"waves"',
            '"hidden_members"',
            '"original_run_id"',
            '"edges"',
            '"stale"',
        )
    )
    PlanBody.model_validate_json(asked)
    RerunBody.model_validate_json(submitted)
    plan_payloads.Review.model_validate_json(review)
    plan_payloads.ProposalReview.model_validate_json(proposal)
    told = json.loads(record)
    assert told.keys() == record_payloads.Rerun.model_fields.keys()
    assert told["counts"].keys() == record_payloads.Counts.model_fields.keys()
    assert json.loads(member).keys() == record_payloads.Member.model_fields.keys()
    TypeAdapter(record_payloads.Member).validate_json(member)
    told = json.loads(edges)
    assert told.keys() == plan_payloads.DagEdges.model_fields.keys()
    assert told["edges"][0].keys() == plan_payloads.DagEdge.model_fields.keys()
    plan_payloads.DagEdges.model_validate_json(edges)


def test_decisions_are_listed() -> None:
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text()
    for record in folder.glob("0*.md"):
        title = record.read_text().splitlines()[0].removeprefix("# ")
        number, _, name = title.partition(". ")
        assert f"| [{number}]({record.name}) | {name} |" in index
