"""Links that the deployment declared."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from airflow_rerun_downstream.domain.plan import LinkKind, Plan
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.lineage.declarations import Declarations, parse
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World
from tests.lineage.planning import codes, links, plan, selected


def declared(offset: str = "same", up: str = "a", down: str = "b", *, more: str = "") -> Declarations:
    return parse(
        f"links:\n  - upstream: {{{end(up)}}}\n    downstream: {{{end(down)}}}\n    offset: {offset}\n{more}", "f.yaml"
    )


def end(text: str) -> str:
    dag_id, _, task_id = text.partition(".")
    return f"dag_id: {dag_id}" + (f", task_id: {task_id}" if task_id else "")


@pytest.fixture
def world() -> World:
    made = World()
    made.dag("a", "x >> y; z")
    made.dag("b", "first >> second; other")
    return made


def reached(found: Plan) -> list[RunRef]:
    return [run.ref for run in found.runs]


@pytest.mark.parametrize(
    ("offset", "day"), [("same", 3), ("P1D", 4), ("-P1D", 2), ("PT12H", 3.5), ("P1W", 10), ("P1M", 33)]
)
def test_the_offset_tells_the_consumer(world: World, offset: str, day: float) -> None:
    source = world.run("a", day=3)
    runs = {each: world.run("b", day=each) for each in (2, 3, 3.5, 4, 10, 33)}
    found = plan(world, source, declarations=declared(offset))
    assert reached(found) == [runs[day]]
    assert links(found) == {("a", "b", "declared", "declared")}


def test_what_was_declared_can_be_checked(world: World) -> None:
    source, _ = world.run("a"), world.run("b")
    found = plan(world, source, declarations=declared(more="    reason: a share\n"))
    via = {"file": "f.yaml", "line": 2, "reason": "a share", "offset": "same", "dates": [START.isoformat()]}
    assert found.links[0].via == via


def test_a_month_ends_where_the_calendar_says(world: World) -> None:
    january, february = (datetime(2026, *day, tzinfo=timezone.utc) for day in ((1, 31), (2, 28)))
    source, end = world.run("a", run_id="j", logical_date=january), world.run("b", run_id="f", logical_date=february)
    assert reached(plan(world, source, declarations=declared("P1M"))) == [end]


def test_tasks_narrow_both_ends(world: World) -> None:
    source, _ = world.run("a"), world.run("b")
    whole, narrow = declared(), declared(up="a.y", down="b.first")
    assert selected(plan(world, source, declarations=whole)) == {"b": ["first", "other", "second"]}
    assert selected(plan(world, source, declarations=narrow)) == {"b": ["first", "second"]}
    assert selected(plan(world, source, tasks=(TaskRef("z"),), declarations=narrow)) == {}
    assert selected(plan(world, source, tasks=(TaskRef("x"),), declarations=narrow)) == {"b": ["first", "second"]}


def test_a_link_may_join_runs_of_one_dag(world: World) -> None:
    days = [world.run("a", day=day) for day in range(3)]
    assert reached(plan(world, days[0], declarations=declared("P1D", "a", "a"))) == days[1:]


def test_without_a_logical_date_the_link_is_unresolved(world: World) -> None:
    source, _ = world.run("a", logical_date=None), world.run("b")
    found = plan(world, source, declarations=declared())
    assert links(found) == {("a", "b", "declared", "unresolved")}
    assert codes(found) == ["unresolved_link"]
    far = world.run("a", run_id="far", logical_date=datetime(9999, 12, 31, tzinfo=timezone.utc))
    assert links(plan(world, far, declarations=declared("P1D"))) == {("a", "b", "declared", "unresolved")}


MIDNIGHT, NEXT = "2026-11-04 00:00+00:00", "2026-11-05 00:00+00:00"


class TestWithoutADate:
    """Consumers that a request or an asset has started."""

    @pytest.fixture
    def source(self, world: World) -> RunRef:
        for number, hours in enumerate((-30, -1, 1, 5, 30)):
            at = START + timedelta(days=3, hours=hours)
            ref = world.run("b", run_id=f"of-2026110{4 if hours > 0 else 3}-{number}", logical_date=None, run_after=at)
            world.confs[ref] = {"day": "2026-11-04" if hours > 0 else "2026-11-03", "number": str(number)}
        return world.run("a", day=3)

    def told(self, world: World, source: RunRef, more: str) -> list[str]:
        found = plan(world, source, declarations=declared(more=more))
        assert {evidence for *_, evidence in links(found)} <= {"declared"}
        return [run.ref.run_id[-1] for run in found.runs]

    def test_the_first_one_within_a_time(self, world: World, source: RunRef) -> None:
        assert self.told(world, source, "    within: PT6H\n") == ["2"]
        assert self.told(world, source, "    within: P2D\n") == ["2"]

    def test_all_of_an_id(self, world: World, source: RunRef) -> None:
        assert self.told(world, source, "    run_id: of-{{ ds_nodash }}-*\n") == ["2", "3"]
        more = "    run_id: of-{{ ds_nodash }}-*\n    within: PT2H\n"
        assert self.told(world, source, more) == ["2"]

    def test_all_of_a_configuration(self, world: World, source: RunRef) -> None:
        assert self.told(world, source, "    conf: {day: '{{ ds }}'}\n") == ["2", "3"]
        assert self.told(world, source, "    conf: {day: '{{ ds }}', number: '3'}\n") == ["3"]

    @pytest.mark.parametrize(
        ("more", "why", "to_do"),
        [
            ("", "runs of b have no logical date to be told by", "tell_runs_apart"),
            (
                "    within: PT10M\n",
                f"no such run was ready from {MIDNIGHT} to 2026-11-04 00:10+00:00",
                "tell_runs_apart",
            ),
            ("    run_id: other\n", f"no such run was ready from {MIDNIGHT} to {NEXT}", "tell_runs_apart"),
            ("    conf: {x: y}\n", f"no such run was ready from {MIDNIGHT} to {NEXT}", "tell_runs_apart"),
            ("    run_id: '{{ ti.x }}'\n", "what tells the run can't be rendered: ", "simpler_template"),
        ],
    )
    def test_that_none_is_told_is_said(self, world: World, source: RunRef, more: str, why: str, to_do: str) -> None:
        found = plan(world, source, declarations=declared(up="a.y", down="b.first", more=more))
        assert (links(found), found.runs) == ({("a", "b", "declared", "unresolved")}, ())
        (edge,) = found.links
        assert (edge.from_task_id, edge.to_task_id, edge.via["to_do"]) == ("y", "first", [to_do])
        assert edge.via["why"].startswith(why)

    @pytest.mark.parametrize(("hours", "told"), [(0, True), (0.01, False)])
    def test_runs_that_were_long_before_are_none(self, world: World, source: RunRef, hours: float, told: bool) -> None:
        """The last one was ready on the fifth, at six; a day later nobody thinks of it any more."""
        later = world.run("a", day=5.25 + hours / 24)
        assert len(plan(world, later, declarations=declared()).links) == told

    def test_each_upstream_run_has_a_time_of_its_own(self, world: World, source: RunRef) -> None:
        """The source's own later run is looked at in the same plan, in either order of the days."""
        world.dag("both")
        first, last = world.run("both", day=1.5), world.run("both", day=4, run_id="last")
        start = world.run("up", day=0)
        for one in (last, first):
            world.consumed(start, "t", by=one, asset=one.run_id)
        found = plan(world, start, declarations=declared(up="both", more="    within: PT7H\n"))
        assert {
            (link.upstream, link.downstream.run_id[-1]) for link in found.links if link.kind is LinkKind.DECLARED
        } == {
            (first, "0"),
            (last, "4"),
        }

    def test_one_of_the_very_date_counts_first(self, world: World, source: RunRef) -> None:
        dated = world.run("b", day=3)
        assert reached(plan(world, source, declarations=declared(more="    within: PT6H\n"))) == [dated]

    @pytest.mark.parametrize("more", ["within: -PT1H", "within: same", "conf: x", "conf: {}", "run_id: ''"])
    def test_what_is_wrong(self, more: str) -> None:
        assert declared(more=f"    {more}\n").problems


def test_no_run_at_the_date_is_no_link(world: World) -> None:
    assert plan(world, world.run("a"), declarations=declared()).links == ()


def test_a_bad_file_is_said_in_every_plan_and_its_good_links_count(world: World) -> None:
    source, consumer = world.run("a"), world.run("b")
    found = plan(world, source, declarations=declared(more="  - 7\n"))
    assert reached(found) == [consumer]
    assert codes(found) == ["declared_links_invalid"]
    assert "see f.yaml:5." in found.warnings[0].detail


def test_the_kind_can_be_left_out(world: World) -> None:
    source, _ = world.run("a"), world.run("b")
    assert plan(world, source, declarations=declared(), link_kinds=(LinkKind.ASSET,)).runs == ()


def test_statements_do_not_grow_with_runs_or_links(world: World) -> None:
    def statements(count: int) -> int:
        many = World()
        source = many.run("s")
        for day in range(count):
            many.consumed(source, "t", by=many.run("a", day=day), asset=str(day))
            many.run("b", day=day)
        facts = FakeFacts(many)
        assert len(plan(many, source, facts=facts, declarations=declared()).runs) == 2 * count
        return facts.statements

    assert statements(2) == statements(200)
