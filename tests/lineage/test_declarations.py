"""The file of declared links, line by line."""

from __future__ import annotations

import pytest

from airflow_rerun_downstream.domain.definitions import DeclaredLink
from airflow_rerun_downstream.lineage.declarations import parse, read_offset

GOOD = """\
# what nobody can see
links:
  - upstream: {dag_id: a, task_id: t}
    downstream: {dag_id: b, task_id: u}
    offset: P1D
    reason: a file on a share
  - upstream:
      dag_id: a
    downstream:
      dag_id: 2024
"""


def test_a_good_file() -> None:
    found = parse(GOOD, "links.yaml")
    assert found.problems == ()
    assert found.links == (
        DeclaredLink("a", "t", "b", "u", {"days": 1.0}, "P1D", "a file on a share", "links.yaml", 3),
        DeclaredLink("a", None, "2024", None, {}, "same", "", "links.yaml", 7),
    )


UNITS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")


@pytest.mark.parametrize("text", ["", "# nothing\n", "links:\n", "links: []\n", "{}"])
def test_an_empty_file_declares_nothing(text: str) -> None:
    found = parse(text, "f")
    assert (found.links, found.problems) == ((), ())


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("same", {}),
        ("PT1H", {"hours": 1}),
        ("-P1D", {"days": -1}),
        ("+P1D", {"days": 1}),
        ("P1M", {"months": 1}),
        ("PT1M", {"minutes": 1}),
        ("-P1Y2M3W4DT5H6M7S", {u: -n for n, u in enumerate(UNITS, 1)}),
        ("P0D", {}),
    ],
)
def test_offsets(text: str, fields: dict[str, float]) -> None:
    assert read_offset(text) == fields


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1D", "P1H", "PT1D", "P-1D", "P1.5D", "one day", "SAME", "P1DT", "P1D "]
)
def test_bad_offsets(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        read_offset(text)


LINK = "  - upstream: {dag_id: a}\n    downstream: {dag_id: b}\n"


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("links: [", 1, "not YAML"),
        ("links:\n\t- a", 2, "not YAML"),
        ("a: 1\n---\nb: 2", 2, "not YAML"),
        ("- a", 1, "the file is not a mapping"),
        ("link:\n" + LINK, 1, "'link' is none of links"),
        ("links: 7", 1, "links is not a list"),
        (
            "links:\n  - a",
            2,
            "a link is not a mapping of conf, downstream, offset, reason, run_id, upstream, within.",
        ),
        ("links:\n  - upstream: {dag_id: a}", 2, "no downstream"),
        ("links:\n  - downstream: {dag_id: a}", 2, "no upstream"),
        (
            "links:\n" + LINK + "    offest: P1D",
            4,
            "'offest' is none of conf, downstream, offset, reason, run_id, upstream, within",
        ),
        ("links:\n" + LINK + "    offset: P1D\n    offset: P2D", 5, "'offset' is there twice"),
        ("links:\n" + LINK + "    offset: 1 day", 4, "'1 day' is neither 'same' nor"),
        ("links:\n" + LINK + "    offset:", 4, "offset is not a text"),
        *(
            (f"links:\n{LINK}    {name}: [a]", 4, f"{name} is not a text.")
            for name in ("offset", "reason", "run_id", "within")
        ),
        ("links:\n" + LINK + "    conf: a", 4, "conf is not a mapping of names to texts."),
        ("links:\n" + LINK + "    conf: {}", 4, "conf is not a mapping of names to texts."),
        ("links:\n" + LINK + "    conf: {[a]: b}", 4, "a name is not a text."),
        ("links:\n" + LINK + "    conf: {a: [b]}", 4, "a value is not a text."),
        ("links:\n" + LINK + "    within: soon", 4, "'soon' is neither 'same' nor"),
        ("links:\n" + LINK + "    within: same", 4, "within is no time after the upstream run."),
        ("links:\n" + LINK + "    within: -PT1H", 4, "within is no time after the upstream run."),
        ("links:\n  - upstream: {dag_id: a, task_id: [b]}\n    downstream: {dag_id: b}", 2, "task_id is not a text."),
        (
            "links:\n  - upstream: a\n    downstream: {dag_id: b}",
            2,
            "upstream or downstream is not a mapping of dag_id, task_id.",
        ),
        ("links:\n  - upstream: {dag_id: a}\n    downstream: {task_id: b}", 3, "there is no dag_id"),
        ("links:\n  - upstream: {dag_id: a}\n    downstream: {dag_id: ~}", 3, "dag_id is not a text"),
        (
            "links:\n  - upstream: {dag_id: a, run: x}\n    downstream: {dag_id: b}",
            2,
            "'run' is none of dag_id, task_id.",
        ),
        ("links:\n  - upstream: {dag_id: a}\n    downstream: {dag_id: a}", 2, "joins a run to itself"),
        ("\x00", 1, "not YAML"),
        ("links: " + "[" * 5_000, 1, "too deep"),
        ("links: " + "{a: " * 5_000, 1, "too deep"),
        ("? [a]\n: 1", 1, "a key is none of links"),
        ("links:\n" + LINK + "    offset: " + "1" * 9_000, 4, "is neither 'same' nor"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, why: str) -> None:
    found = parse(text, "/etc/links.yaml")
    assert found.links == ()
    (problem,) = found.problems
    assert problem.sentence().startswith(f"/etc/links.yaml:{line}: ")
    assert why in problem.sentence()


def test_every_problem_is_said_and_the_other_links_count() -> None:
    found = parse("links:\n" + LINK + "  - 1\n" + LINK + "    offset: x\n" + LINK, "f")
    assert [link.line for link in found.links] == [2, 8]
    assert [problem.place for problem in found.problems] == ["f:4", "f:7"]
    (warning,) = found.warnings()
    assert warning.code == "declared_links_invalid"
    assert "see f:4, f:7." in warning.detail
    assert list(parse(GOOD, "f").warnings()) == []
