"""What messages say, and what nobody can make them say."""

from __future__ import annotations

import html
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.delivery import ToldMember
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.states import RerunState
from airflow_rerun_downstream.domain.words import CONDITIONS
from airflow_rerun_downstream.notify.messages import LONGEST_PIECE, clean, message
from airflow_rerun_downstream.notify.wording import LONGEST, SECONDS, USUAL, TooLong, Wording, render
from tests.notify.samples import DELIVERY, ID, RERUN, URL, member, sample, scene, target

HOSTILE = "<!channel> @everyone\r\nBcc: x@y.z\u202e</td><script>alert(1)</script> {{ 7 * 7 }} \x00\x1b[31m"


def test_it_says_what_why_who_how_far_and_where() -> None:
    made = sample()
    assert made.subject == "[Airflow] Rerun 7 of daily_sales: 3 failures"
    for said in (
        "Source: daily_sales / scheduled__2026-03-01",
        "Reason for the rerun: prices were wrong",
        "Submitted by: ada",
        "12 of 60 runs done, 47 pending, 12 succeeded, 1 failed",
        "- report / r1: a selected task failed",
        "- and 2 more failures\n\nhttps://",
        URL,
        ID,
    ):
        assert said in made.text, made.text
    assert made.html is not None
    assert f'<a href="{URL}">' in made.html


@pytest.mark.parametrize(
    ("condition", "named", "occurrences", "said"),
    [
        ("member_failed", 1, 1, "a run failed"),
        ("member_failed", 4, 4, "4 runs failed"),
        ("member_failed", 5, 6, "6 failures"),
        ("not_proven", 1, 1, "a run is not proven to be right"),
        ("not_proven", 2, 2, "2 runs are not proven to be right"),
        ("not_proven", 5, 6, "6 times a run was not proven to be right"),
        ("frozen_too_long", 5, 6, "6 runs have been frozen for a long time"),
    ],
)
def test_it_counts_runs_only_where_each_is_known(condition: str, named: int, occurrences: int, said: str) -> None:
    told, members = tuple(ToldMember(number) for number in range(1, named + 1)), map(member, range(1, named + 1))
    made = message(
        scene(DELIVERY, RERUN, *members, condition=condition, members=told, occurrences=occurrences), target()
    )
    assert made.fields["headline"] == f"Rerun 7 of daily_sales: {said}"
    more = {"member_failed": "- and 1 more failure\n"}.get(condition, "- and 1 more\n")
    assert (more in made.text) == (occurrences > named)


@pytest.mark.parametrize("state", RerunState)
def test_a_pause_that_is_over_when_it_is_told_was_one(state: RerunState) -> None:
    made = sample(condition="paused", rerun=replace(RERUN, state=state))
    word = "is" if state is RerunState.PAUSED else "was"
    assert made.fields["headline"] == f"Rerun 7 of daily_sales {word} paused, because a run failed"


@pytest.mark.parametrize("condition", [*CONDITIONS, "test"])
@pytest.mark.parametrize("occurrences", [1, 4])
def test_every_condition_has_words(condition: str, occurrences: int) -> None:
    made = sample(condition=condition, occurrences=occurrences)
    assert made.subject.startswith("[Airflow] ")
    assert "None" not in made.subject + made.text


def test_who_terminated_it_is_said() -> None:
    made = message(scene(condition="terminated", reason="terminated by ada", members=()), target())
    assert "(terminated by ada)" in made.text


def test_a_target_may_be_told_no_dag_no_run_and_nothing_that_people_wrote() -> None:
    made = sample(target(dag_ids=False))
    whole = json.dumps(made.fields) + made.subject + made.text + (made.html or "")
    for hidden in ("daily_sales", "scheduled__", "report", "r1", "bad export", "prices"):
        assert hidden not in whole
    assert "member 5: a selected task failed" in made.text


def test_a_member_that_was_forgotten_is_not_named() -> None:
    made = message(scene(members=(ToldMember(99, None),), occurrences=1), target())
    assert made.fields["members"] == []


def test_hostile_text_mentions_nobody_breaks_no_line_and_is_no_markup() -> None:
    hostile = replace(RERUN, name=HOSTILE, reason=HOSTILE * 50, created_by=HOSTILE, source=RunRef(HOSTILE, HOSTILE))
    made = message(scene(condition="paused", rerun=hostile), target())
    for text in (made.subject, made.text, json.dumps(made.fields, ensure_ascii=False)):
        for odd in ("<!channel>", "@everyone", "<script", "\x1b", "\u202e", "\x00"):
            assert odd not in text
    assert not any(line.startswith("Bcc") for line in made.text.splitlines())
    assert "\n" not in made.subject
    assert made.html is not None
    assert "<script" not in made.html
    assert "49" not in made.subject, "nobody's text is a template"
    assert "&lt;" in made.html


@given(st.text(max_size=600))
def test_whatever_is_cleaned_is_one_short_line(text: str) -> None:
    found = clean(text)
    if found is None:
        return
    assert found.isprintable() or "\u200b" in found
    assert "\n" not in found
    assert len(found.replace("\u200b", "")) <= LONGEST_PIECE
    assert all(found[i + 1 : i + 2] == "\u200b" for i, each in enumerate(found) if each in "@<#")
    assert html.unescape(html.escape(found)) == found


def test_the_deployments_own_words_are_used_and_escaped_where_they_are_html() -> None:
    wording = Wording("{{ rerun.id }}!", "{{ members[0].dag_id }} {{ nothing.at.all }}", "<b>{{ rerun.name }}</b>")
    made = message(scene(rerun=replace(RERUN, name="<i>&")), target(wording=wording))
    assert (made.subject, made.text) == ("7!", "report")
    assert made.html == "<b>&lt;\u200bi&gt;&amp;</b>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{% for a in range(9999999) %}{% for b in range(9999999) %}{% endfor %}{% endfor %}",
        "{{ rerun.__class__.__mro__ }}{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ undefined_function() }}",
    ],
)
def test_a_template_that_does_not_end_or_goes_astray_gives_way_to_the_usual_words(template: str) -> None:
    made = sample(target(wording=Wording(template, template)))
    assert made.subject == sample().subject
    assert made.text == sample().text


def test_a_text_is_cut() -> None:
    assert len(render("{% for a in range(9999) %}{{ x }}{% endfor %}", {"x": "y" * 100})) == LONGEST
    with pytest.raises(TooLong):
        render("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", {})
    assert SECONDS < 5


def test_the_usual_words_are_short_for_a_large_rerun() -> None:
    many = tuple(ToldMember(number, "x" * 10_000) for number in range(1, 6))
    large = replace(RERUN, name="n" * 5000, reason="r" * 5000)
    members = [member(number, "d" * 250, "r" * 250) for number in range(1, 6)]
    made = message(scene(DELIVERY, large, *members, members=many), target(wording=USUAL))
    assert "5 runs" not in made.subject
    assert made.text.count("d" * 250) == 5
    assert len(made.text) < 5_000
