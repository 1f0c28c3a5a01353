"""Tasks that have made an asset of which Airflow keeps no event any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_rerun_downstream.domain.definitions import (
    AssetSchedule,
    DagVersion,
    Definitions,
    InletDefinition,
    OutletDefinition,
)
from airflow_rerun_downstream.domain.plan import LinkKind
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from tests.fakes.lineage import FakeFacts
from tests.fakes.world import START, World
from tests.lineage.planning import codes, links, plan

ASSET = "s3://orders"
LOST = {("p", "by_asset", "asset", "unresolved"), ("p", "reader", "inlet", "unresolved")}


@pytest.fixture
def world() -> World:
    made = World()
    made.dag("p", "make; other")
    made.outlets.append(OutletDefinition("p", "make", 1, ASSET))
    made.asset_schedules.append(AssetSchedule("by_asset", 1))
    made.inlets.append(InletDefinition("reader", "read", 1, ASSET))
    return made


def test_those_who_take_the_asset_are_listed(world: World) -> None:
    found = plan(world, world.run("p"))
    assert links(found) == LOST
    assert {link.from_task_id for link in found.links} == {"make"}
    assert {link.to_task_id for link in found.links} == {None, "read"}
    assert codes(found).count("unresolved_link") == 2


def test_an_event_that_is_kept_says_who_took_it(world: World) -> None:
    source = world.run("p")
    world.emitted(source, "make", START)
    world.run("by_asset", run_type="asset_triggered", day=1)  # nobody waits for the event any more
    assert plan(world, source).links == ()


def test_one_asset_s_event_does_not_stand_for_another_s(world: World) -> None:
    world.outlets.append(OutletDefinition("p", "make", 2, "s3://more"))
    world.asset_schedules.append(AssetSchedule("by_more", 2))
    source = world.run("p")
    world.emitted(source, "make", START, asset_id=2)
    world.run("by_more", run_type="asset_triggered", day=1)
    assert links(plan(world, source)) == LOST


@pytest.mark.parametrize("state", ["failed", "skipped", "upstream_failed", None])
def test_a_task_that_has_not_succeeded_made_nothing(world: World, state: str | None) -> None:
    source = world.run("p", task_states={"make": state})
    assert plan(world, source).links == ()


def test_only_polluted_tasks_count(world: World) -> None:
    assert plan(world, world.run("p"), tasks=(TaskRef("other"),)).links == ()


def test_only_the_kinds_of_links_that_are_asked_for(world: World) -> None:
    source = world.run("p")
    assert {kind for *_, kind, _ in links(plan(world, source, link_kinds=(LinkKind.INLET,)))} == {"inlet"}
    assert links(plan(world, source, link_kinds=(LinkKind.SENSOR,))) == set()


def test_the_run_s_own_version_says_what_it_made(world: World) -> None:
    source, later = world.run("p"), world.run("p", day=1)
    structure = world.structures["p"]
    world.versions[source] = DagVersion(structure, Definitions(outlets=()))
    world.structures["p"] = type(structure)(**{**vars(structure), "version": 2})
    assert links(plan(world, source)) == set()
    assert links(plan(world, later)) == LOST


def test_runs_in_the_middle_count_too(world: World) -> None:
    source = world.run("up")
    member = world.run("p")
    world.consumed(source, "t", by=member)
    found = plan(world, source)
    assert links(found) >= LOST
    assert {link.upstream for link in found.links if link.evidence.value == "unresolved"} == {member}


def test_an_event_that_was_consumed_is_kept(world: World) -> None:
    source = world.run("p")
    world.consumed(source, "make", by=world.run("by_asset"), asset=ASSET)
    assert links(plan(world, source)) == {("p", "by_asset", "asset", "recorded")}


def test_nothing_is_asked_where_all_that_was_made_was_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a run that the asset started, and by a task that read it: either tells that the event is kept."""
    facts, source = FakeFacts(world), world.run("p")
    world.consumed(source, "make", by=world.run("by_asset"), asset=ASSET)
    asked = []
    monkeypatch.setattr(facts.assets, "emissions", lambda *about: asked.append(about) or [])
    monkeypatch.setattr(facts.tasks, "tries", lambda *about: asked.append(about) or {})
    assert links(plan(world, source, facts=facts, link_kinds=(LinkKind.ASSET,))) == {
        ("p", "by_asset", "asset", "recorded")
    }
    assert asked == []


def test_what_would_start_an_extra_run_is_warned_of(world: World) -> None:
    source = world.run("p")
    found = plan(world, source)
    (warning,) = [each for each in found.warnings if each.code == "extra_run"]
    assert (warning.dag_id, warning.names) == ("by_asset", {"by_asset", "p"})
    assert "extra_run" not in codes(plan(world, source, rerun_source=False))
    assert "extra_run" not in codes(plan(world, source, unreadable={"by_asset"}))
    world.emitted(source, "make", START)
    assert "extra_run" not in codes(plan(world, source))


def test_what_came_through_an_alias(world: World) -> None:
    """One event is enough: the task names other assets each time."""
    world.dag("q", "name_it")
    world.outlets += [OutletDefinition("q", "name_it", number, f"x://{number}", "some") for number in (1, 2)]
    world.asset_schedules.append(AssetSchedule("by_alias", 2, "some"))
    source, other = world.run("q"), world.run("q", day=1)
    found = plan(world, source)
    assert {(link.downstream.dag_id, link.to_task_id) for link in found.links} == {
        ("by_alias", None),
        ("by_asset", None),
        ("reader", "read"),
    }
    assert {link.via.get("alias") for link in found.links} == {"some"}
    told = [each.detail for each in found.warnings if each.code == "extra_run"]
    assert [f"name_it of {source} will emit some as if for the first time" in each for each in told] == [True, True]
    world.emitted(other, "name_it", START, asset_id=1)
    assert "unresolved" not in {evidence for *_, evidence in links(plan(world, other))}


def test_what_starts_by_an_alias_does_not_take_the_asset_itself(world: World) -> None:
    world.asset_schedules.append(AssetSchedule("by_alias", 1, "some"))
    assert links(plan(world, world.run("p"))) == LOST


@pytest.mark.parametrize("gone", [("by_asset",), ("reader",), ("by_asset", "reader")])
def test_those_whose_dag_is_gone_have_taken_it_all_the_same(world: World, gone: tuple[str, ...]) -> None:
    source = world.run("p")
    for dag_id in gone:
        world.lose(dag_id)
    assert links(plan(world, source)) == LOST


def test_an_earlier_version_that_read_it_counts(world: World) -> None:
    source = world.run("p")
    world.earlier = Definitions(inlets=(InletDefinition("before", "read", 1, ASSET),), changed=frozenset({"before"}))
    assert links(plan(world, source)) == LOST | {("p", "before", "inlet", "unresolved")}


class TestTriedAgain:
    """Rule 8: what the first success has left says who took it, however often the task has run since."""

    LATER = START + timedelta(days=3)

    @pytest.fixture
    def source(self, world: World) -> RunRef:
        """A run whose task has succeeded, and again three days later."""
        source = world.run("p")
        world.clear_by_hand(source)
        world.set_tasks(source, "success", at=self.LATER)
        world.set_run(source, state="success")
        return source

    def test_an_event_of_a_later_success_says_nothing(self, world: World, source: RunRef) -> None:
        world.emitted(source, "make", self.LATER + timedelta(minutes=1))
        world.run("by_asset", run_type="asset_triggered", day=4)  # nobody waits for the event any more
        found = plan(world, source)
        assert links(found) == LOST
        assert {link.via["later_event"] for link in found.links} == {"kept"}
        assert "extra_run" not in codes(found), "the next one repeats it"

    def test_not_even_one_that_others_have_taken(self, world: World, source: RunRef) -> None:
        number = world.emitted(source, "make", self.LATER + timedelta(minutes=1))
        consumer = world.run("by_asset", run_type="asset_triggered", day=4)
        world.consumptions.add((number, consumer))
        assert links(plan(world, source)) == LOST | {("p", "by_asset", "asset", "recorded")}

    def test_the_first_one_does(self, world: World, source: RunRef) -> None:
        world.emitted(source, "make", START + timedelta(minutes=1))
        world.emitted(source, "make", self.LATER + timedelta(minutes=1))
        world.run("by_asset", run_type="asset_triggered", day=4)
        assert links(plan(world, source)) == set()

    def test_nor_is_any_left(self, world: World, source: RunRef) -> None:
        found = plan(world, source)
        assert links(found) == LOST
        assert "extra_run" in codes(found)

    @pytest.mark.parametrize("state", ["failed", "skipped", None])
    def test_what_did_not_succeed_again_had_made_it_before(self, world: World, source: RunRef, state: str) -> None:
        world.set_tasks(source, state, only={"make"})
        assert links(plan(world, source)) == LOST

    def test_a_try_that_failed_had_made_nothing(self, world: World) -> None:
        source = world.run("p", state="failed")
        world.clear_by_hand(source)
        world.set_tasks(source, "success", at=self.LATER)
        world.set_run(source, state="success")
        world.emitted(source, "make", self.LATER + timedelta(minutes=1))
        world.run("by_asset", run_type="asset_triggered", day=4)
        assert links(plan(world, source)) == set()
