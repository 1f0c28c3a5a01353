"""What is reckoned of an author's template, and what isn't, whatever it says."""

from __future__ import annotations

import contextlib
import tracemalloc
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_rerun_downstream.domain.definitions import TOO_LONG, MarkerDefinition, SensorDefinition
from airflow_rerun_downstream.domain.facts import RunConf, RunFacts
from airflow_rerun_downstream.domain.refs import RunRef
from airflow_rerun_downstream.domain.values import UNTOLD
from airflow_rerun_downstream.lineage.expressions import evaluated
from airflow_rerun_downstream.lineage.macros import CannotRender
from airflow_rerun_downstream.lineage.spelling import Spelled, of_sensors
from airflow_rerun_downstream.lineage.templates import may_be_reckoned, may_name, reckoned, rendered, rendered_date
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import World
from tests.hostile import NAMES, TEMPLATES

DATE = datetime(2026, 1, 30, 5, tzinfo=timezone.utc)  # a Friday
RUN = RunFacts(
    RunRef("a", "r"), "scheduled", "success", DATE, DATE,
    data_interval_start=DATE - timedelta(days=1), data_interval_end=DATE,
)  # fmt: skip
MEGABYTE = 1 << 20


def date(text: str, run: RunFacts = RUN) -> str:
    return rendered_date(MarkerDefinition("a", "mark", "b", "t", text), run).isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01", "2026-02-01T00:00:00+00:00"),
        ("{{ logical_date }}", "2026-01-30T05:00:00+00:00"),
        ("{{ logical_date.isoformat() }}", "2026-01-30T05:00:00+00:00"),
        ("{{ (logical_date + macros.timedelta(days=1)).isoformat() }}", "2026-01-31T05:00:00+00:00"),
        ("{{ logical_date - macros.timedelta(hours=24 * 7) }}", "2026-01-23T05:00:00+00:00"),
        ("{{ logical_date + macros.dateutil.relativedelta.relativedelta(months=1) }}", "2026-02-28T05:00:00+00:00"),
        ("{{ logical_date.add(days=3 if logical_date.isoweekday() == 5 else 1) }}", "2026-02-02T05:00:00+00:00"),
        ("{{ logical_date.subtract(months=1).start_of('month') }}", "2025-12-01T00:00:00+00:00"),
        ("{{ logical_date.replace(hour=logical_date.hour // 2) }}", "2026-01-30T02:00:00+00:00"),
        ("{{ logical_date.in_timezone('Asia/Tokyo').start_of('day') }}", "2026-01-30T00:00:00+09:00"),
        ("{{ macros.ds_add(ds, -1) }}", "2026-01-29T00:00:00+00:00"),
        ("{{ macros.ds_format(ds, '%Y-%m-%d', '%Y-%m-01') }}", "2026-01-01T00:00:00+00:00"),
        ("{{ macros.datetime.strptime(ds_nodash, '%Y%m%d') }}", "2026-01-30T00:00:00+00:00"),
        ("{{ macros.datetime(2026, 1, 2) }}", "2026-01-02T00:00:00+00:00"),
        ("{{ logical_date.strftime('%Y-%m-%dT%H') }}:30", "2026-01-30T05:30:00+00:00"),
        ("{{ logical_date.format('YYYY-MM-DD') }}", "2026-01-30T00:00:00+00:00"),
        ("{{ ds[:8] ~ '01' }}", "2026-01-01T00:00:00+00:00"),
        ("{{ data_interval_start | ds }}T{{ data_interval_end.hour + 10 }}:00", "2026-01-29T15:00:00+00:00"),
        ("{{ logical_date - (data_interval_end - data_interval_start) }}", "2026-01-29T05:00:00+00:00"),
        ("{{ dag_run.run_after | ts }}", "2026-01-30T05:00:00+00:00"),
        ("{{ run_id | replace('r', ds) }}", "2026-01-30T00:00:00+00:00"),
        ("{{ ds if not (ds < '2026' or ds > '2027') and ds != '' else ts }}", "2026-01-30T00:00:00+00:00"),
    ],
)
def test_what_a_date_needs(text: str, expected: str) -> None:
    assert date(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ ti.xcom_pull('x') }}", "'ti' is known to a running task only"),
        ("{{ dag_run.conf.x }}", "'conf' is known to a running task only"),
        ("{{ params.x | default('2026-01-01') }}", "the filter 'default'"),
        ("{{ var.value.x or ds }}", "'var' is known"),
        ("{% if True %}{{ ds }}{% endif %}", "{% %}"),
        ("{{ logical_date.__class__ }}", "the attribute '__class__'"),
        ("{{ macros.datetime['__call__'] }}", "[ ] of anything but a text"),
        ("{{ macros.datetime.now() }}", "'now'"),
        ("{{ ds.center(20) }}", "'center'"),
        ("{{ ds * 2 }}", "'*' of these values"),
        ("{{ 2 ** 2 }}", "'**' of these values"),
        ("{{ ds in [ds] }}", "the comparison 'in'"),
        ("{{ macros.timedelta(**{}) }}", "* or **"),
        ("{{ ds if ds }}{{ ds if not ds }}", "an if without an else"),
        ("{{ dag_run }}", "a name without a field"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ ds", "TemplateSyntaxError"),
        ("{{ run_id | string | upper }}", "'R' is not a date"),
        (TOO_LONG, "more than 1000 characters"),
        ("now", "'now' is not a date"),
        ("10:30", "'10:30' is not a date"),
        ("2026-01-01/2026-01-02", "is not a date"),
        ("2026-13-01", "Error"),
    ],
)
def test_anything_else_is_not_reckoned_and_says_why(text: str, why: str) -> None:
    with pytest.raises(CannotRender) as caught:
        date(text)
    assert why in str(caught.value)


def test_a_run_without_a_date_has_no_names_for_it() -> None:
    undated = RunFacts(RunRef("a", "r"), "manual", "success", None, DATE)
    with pytest.raises(CannotRender, match="'logical_date' is known to a running task only"):
        date("{{ logical_date }}", undated)


PARAMS = (("dag", "orders"), ("day", "2026-01-02"), ("n", 3), ("list", UNTOLD), ("get", "x"), ("a b", "spaced"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ params.dag }}", "orders"),
        ("eu_{{ params['dag'] }}", "eu_orders"),
        ("{{ params['a b'] }}", "spaced"),
        ("{{ params['get'] }}", "x"),
        ("{{ params.get('dag') }}_{{ params.get('other', 'none') }}", "orders_none"),
        ("{{ params.dag }}_{{ params.n + 1 }}", "orders_4"),
        ("{{ params.dag if params.n > 2 else 'x' }}_{{ ds_nodash }}", "orders_20260130"),
        ("{{ dag_run.conf.own }}", "configured"),
        ("{{ dag_run.conf['own'] or params.dag }}", "configured"),
        ("{{ dag_run.conf.get('dag', params.dag) }}", "orders"),
        ("{{ params.own }}", "configured"),
        ("{{ params and dag_run.conf and 'both' }}", "both"),
        ("{{ params.list }}", None),
        ("{{ params.items }}", None),
        ("{{ params.get }}", None),
        ("{{ params }}", None),
        ("{{ params | string }}", None),
        ("{{ params ~ 'x' }}", None),
        ("{{ params == dag_run.conf }}", None),
        ("{{ params[params] }}", None),
        ("{{ params['x':] }}", None),
        ("{{ params.other }}", None),
        ("{{ params.get('list') }}", None),
        ("{{ params.get('other') or params.__class__ }}", None),
        ("{{ params.pop('dag') }}", None),
        ("{{ macros.ds_format(params, ds, ds) }}", None),
        ("{{ var.value.dag }}", None),
    ],
)
def test_names_by_what_a_run_was_given(text: str, expected: str | None) -> None:
    found = reckoned([text], RUN, PARAMS, RunConf({"own": "configured"}))
    assert found == (None if expected is None else [expected])


def test_a_configuration_that_is_too_long_may_override_anything() -> None:
    assert reckoned(["{{ params.dag }}"], RUN, PARAMS, RunConf(None)) is None
    assert reckoned(["{{ params.dag }}"], RUN, PARAMS, RunConf(None, overrides_params=False)) == ["orders"]
    assert reckoned(["{{ dag_run.conf.dag }}"], RUN, PARAMS, RunConf(None, overrides_params=False)) is None
    assert reckoned(["{{ ds_nodash }}"], RUN, PARAMS, RunConf(None)) == ["20260130"]


def test_nothing_is_reckoned_where_templates_become_objects() -> None:
    assert reckoned(["{{ ds_nodash }}"], RUN, None, RunConf({})) is None


@pytest.mark.parametrize("text", ["{{ params.dag }}_{{ ds }}", "orders", "{{ dag_run.conf.x }}"])
def test_what_may_be_reckoned_is_seen_in_the_text(text: str) -> None:
    assert may_be_reckoned(text)
    assert not may_be_reckoned(text, "{{ ti.x }}")
    assert not may_be_reckoned(text, "{{ x")


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_hostile_template_is_refused_in_a_sentence_and_costs_no_memory(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(CannotRender) as caught:
            date(TEMPLATES[name])
        assert reckoned([TEMPLATES[name]], RUN, PARAMS, RunConf({})) in (None, [TEMPLATES[name]])
        assert tracemalloc.get_traced_memory()[1] < 2 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert 0 < len(str(caught.value)) < 250


EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["ds", "logical_date", "run_id", "macros", "1", "9999999999999", "1e300", "'a'", "''", "ti", "params"]
    ),
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "<", "==", "and", "or"]),
            inner,
        ),
        st.builds(
            "{}.{}".format,
            inner,
            st.sampled_from(["hour", "add()", "dag", "get", "get(ds)", "__class__", "ds_add(ds, 1)"]),
        ),
        st.builds("{}.replace({}, {})".format, inner, inner, inner),
        st.builds("{}[{}:]".format, inner, inner),
        st.builds("{}.strftime({})".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{} | {}".format, inner, st.sampled_from(["ds", "ts", "int", "string", "list"])),
    ),
    max_leaves=12,
)


@given(st.builds("x{{{{ {} }}}}".format, EXPRESSIONS) | st.text("{}%#()'.*1a ", max_size=60))
def test_whatever_a_text_says_there_is_a_short_text_or_a_refusal(text: str) -> None:
    with contextlib.suppress(CannotRender):
        assert len(rendered(text, RUN)) <= max(500, len(text))
    for found in reckoned([text], RUN, PARAMS, RunConf({})) or ():
        assert len(found) <= max(500, len(text))


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_held_against_an_id_without_trying_again(name: str) -> None:
    """The number of steps is what can be counted: each literal part is looked for once."""
    text, dag_id = NAMES[name]
    looked: list[str] = []

    class Counting(str):
        def find(self, part: str, *ends: int) -> int:  # type: ignore[override]
            looked.append(part)
            return super().find(part, *ends)

    may_name(text, Counting(dag_id))
    assert len(looked) <= text.count("{{")
    assert len(looked) <= 1_000


LETTERS = st.text("ab", max_size=4)


@given(st.lists(LETTERS, min_size=2, max_size=5), st.text("ab", max_size=14))
def test_a_template_may_name_what_has_its_parts_in_their_order(parts: list[str], dag_id: str) -> None:
    """Held against every way of cutting the id; a regular expression would do the same, and take its time."""

    def fits(rest: str, left: list[str]) -> bool:
        if len(left) == 1:
            return rest.endswith(left[0])
        return any(
            rest[place:].startswith(left[0]) and fits(rest[place + len(left[0]) :], left[1:])
            for place in range(len(rest) + 1)
        )

    expected = dag_id.startswith(parts[0]) and fits(dag_id[len(parts[0]) :], parts[1:])
    assert may_name("{{ x }}".join(parts), dag_id) is expected


@pytest.mark.parametrize(("name", "asked"), [("{{ params.dag }}", True), ("{{ var.value.dag }}", False)])
def test_runs_are_read_only_for_templates_that_can_be_reckoned(name: str, asked: bool) -> None:
    world = World()
    world.dag("d")
    world.run("d")
    facts = FakeFacts(world)
    sensor = SensorDefinition("d", "t", name, params=PARAMS)
    found = of_sensors([sensor], facts)
    assert found == ({id(sensor): Spelled(frozenset({"orders"}), complete=True)} if asked else {})
    assert bool(facts.statements) == asked


@pytest.mark.parametrize("gone", ["data_interval_start", "data_interval_end"])
def test_half_of_an_interval_is_none(gone: str) -> None:
    run = replace(RUN, **{gone: None})
    for name in ("data_interval_start", "data_interval_end"):
        assert rendered(f"{{{{ {name} }}}}", RUN)
        with pytest.raises(CannotRender):
            rendered(f"{{{{ {name} }}}}", run)


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{% if 1 %}a{% endif %}", "a template with {% %} in it"),
        ("{{ [1] }}", "an expression of the kind List"),
        ("{{ 'a' if 0 }}", "an if without an else"),
        ("{{ 'a' | unheard_of }}", "the filter 'unheard_of'"),
        ("{{ f() }}", "a call of anything but a macro or a method"),
        ("{{ 'a'.b }}", "the attribute 'b'"),
        ("{{ 'a'.unheard_of() }}", "the method 'unheard_of'"),
        ("{{ 1 % 'a' }}", "'%' of these values"),
        ("{{ 1 in 'a' }}", "the comparison 'in'"),
        ("{{ 'a'.strip(*x) }}", "a call with * or **"),
        ("{{ 5[1] }}", "[ ] of anything but a text"),
    ],
)
def test_what_is_more_than_is_reckoned_is_named(template: str, what: str) -> None:
    with pytest.raises(CannotRender) as problem:
        evaluated(template, {})
    assert str(problem.value) == f"{what} is more than is reckoned for a date"
