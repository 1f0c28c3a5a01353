"""The verdict on a member, by what Airflow itself writes: what was cut off, what was marked, what skipped itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from airflow_rerun_downstream.domain.verdict import Verdict
from tests.airflow3 import history, scene, task_rows
from tests.airflow3.workers import Work


def python(task_id: str, **arguments: Any) -> Any:
    from airflow.providers.standard.operators.python import PythonOperator

    return PythonOperator(task_id=task_id, python_callable=print, **arguments)


def chain(*task_ids: str, **arguments: Any) -> Callable[[], None]:
    """Tasks one after the other."""

    def build() -> None:
        tasks = [python(task_id, **arguments) for task_id in task_ids]
        for one, two in pairwise(tasks):
            one >> two

    return build


@pytest.fixture
def play(session, database):
    """Makes a Dag and a run of it that has succeeded, cleared by a rerun."""
    scene.migrate(database)

    def made(
        build: Any, *, clear: tuple[str, ...] = (), states: dict[str, str | None] | None = None, **dag: Any
    ) -> Work:
        scene.save(history.dag("d", build, **dag), session=session)
        work = Work(scene.create_run("d", session=session, states=states), session=session)
        work.close("failed" if states and "failed" in states.values() else "success")
        work.dispatch(*clear)
        return work

    return made


def named(judgement) -> list[tuple[str, str, str | None]]:
    return [(one.task_id, one.reason, one.by) for one in judgement.not_made_anew]


def test_a_run_whose_tasks_all_ran_again_is_right(play) -> None:
    work = play(chain("a", "b"))
    work.run("a", "b")
    work.schedule()
    judgement = work.judge()
    assert (judgement.verdict, named(judgement)) == (Verdict.SUCCEEDED, [])
    assert all(account.succeeded_before for account in work.account().tasks.values())


def test_empty_tasks_which_no_worker_runs_are_made_anew(play) -> None:
    from airflow.providers.standard.operators.empty import EmptyOperator

    work = play(lambda: EmptyOperator(task_id="a") >> EmptyOperator(task_id="b"))
    work.schedule()
    work.schedule()
    work.schedule()
    assert (work.judge().verdict, named(work.judge())) == (Verdict.SUCCEEDED, [])


class TestTimedOut:
    """``dagrun_timeout`` skips what hasn't ended, whatever it did at that moment."""

    DAG = {"dagrun_timeout": timedelta(hours=1)}  # noqa: RUF012

    @pytest.mark.parametrize("doing", ["nothing", "scheduled", "queued", "running", "deferred", "poking", "retrying"])
    @pytest.mark.parametrize("first", [False, True], ids=["had run before", "had never run"])
    def test_whatever_the_task_was_doing(self, play, doing: str, first: bool) -> None:
        work = play(chain("a", "b"), states={"b": None} if first else None, **self.DAG)
        work.run("a")
        if doing != "nothing":
            work.schedule()
        if doing == "queued":
            work.queue("b")
        if doing in ("running", "deferred", "poking", "retrying"):
            work.start("b")
        if doing == "deferred":
            work.defer("b")
        if doing == "poking":
            work.poke("b")
        if doing == "retrying":
            work.end("b", "up_for_retry")
        work.time_out()
        left = work.states()["b"] is None  # Airflow 3.1 leaves what nobody has scheduled
        assert work.states() == {"a": "success", "b": None if left else "skipped"}
        assert work.judge().verdict is (Verdict.NEVER_STARTED if left else Verdict.TIMED_OUT)

    def test_a_skip_of_the_dags_own_before_it_stays_one(self, play) -> None:
        work = play(chain("a", "b"), states={"a": "skipped", "b": "skipped"}, **self.DAG)
        work.run("a", state="skipped")
        work.schedule()
        work.time_out()
        assert work.judge().verdict is Verdict.SUCCEEDED


class TestFailFast:
    """One task fails, and Airflow skips what hasn't begun."""

    @staticmethod
    def build() -> None:
        python("bad")
        python("a") >> python("b")

    @pytest.mark.parametrize("doing", ["nothing", "scheduled", "deferred", "poking", "retrying"])
    def test_what_had_not_ended_was_cut_off(self, play, doing: str) -> None:
        work = play(self.build, fail_fast=True)
        work.run("a")
        if doing != "nothing":
            work.schedule()
        if doing in ("deferred", "poking", "retrying"):
            work.start("b")
        if doing == "deferred":
            work.defer("b")
        if doing == "poking":
            work.poke("b")
        if doing == "retrying":
            work.end("b", "up_for_retry")
        work.start("bad")
        work.fail_fast("bad")
        work.close("failed")
        assert work.states()["b"] == "skipped"
        assert work.judge("a", "b").verdict is Verdict.CUT_OFF
        assert work.judge().verdict is Verdict.FAILED


class TestStopped:
    """ "Mark failed" kills what runs, and skips what hasn't begun."""

    @pytest.mark.parametrize("doing", ["nothing", "scheduled", "queued", "retrying"])
    def test_what_had_not_begun_was_cut_off_by_somebody(self, play, doing: str) -> None:
        work = play(chain("a", "b"))
        work.run("a")
        if doing != "nothing":
            work.schedule()
        if doing == "queued":
            work.queue("b")
        if doing == "retrying":
            work.start("b")
            work.end("b", "up_for_retry")
        work.mark("failed")
        assert work.states() == {"a": "success", "b": "skipped"}
        assert work.judge().verdict is Verdict.STOPPED

    def test_without_a_line_in_the_log_it_was_cut_off_all_the_same(self, play) -> None:
        work = play(chain("a", "b"))
        work.run("a")
        work.mark("failed", log=False)
        assert work.judge().verdict is Verdict.CUT_OFF

    def test_also_where_a_teardown_lets_the_run_end_as_a_success(self, play) -> None:
        def build() -> None:
            start = python("open").as_setup()
            start >> python("a") >> python("close").as_teardown(setups=start)

        work = play(build)
        work.run("open")
        work.mark("failed")
        work.run("close")
        work.close("success")
        assert work.judge().verdict is Verdict.STOPPED


class TestMarked:
    """What somebody sets to success hasn't been made anew."""

    @pytest.mark.parametrize("doing", ["nothing", "scheduled", "queued", "deferred", "failed", "retrying"])
    @pytest.mark.parametrize("first", [False, True], ids=["had run before", "had never run"])
    def test_a_task_instance(self, play, doing: str, first: bool) -> None:
        work = play(chain("a", "b"), states={"b": None} if first else None)
        work.run("a")
        if doing != "nothing":
            work.schedule()
        if doing == "queued":
            work.queue("b")
        if doing in ("deferred", "failed", "retrying"):
            work.start("b")
        if doing == "deferred":
            work.defer("b")
        if doing == "failed":
            work.end("b", "failed")
        if doing == "retrying":
            work.end("b", "up_for_retry")
        work.mark_task("b", "success")
        work.close("success")
        judgement = work.judge()
        assert (judgement.verdict, named(judgement)) == (Verdict.SUCCEEDED, [("b", "marked_success", "ada")])

    def test_without_a_line_in_the_log_nobody_knows_who(self, play) -> None:
        work = play(chain("a", "b"))
        work.run("a")
        work.mark_task("b", "success", log=False)
        assert named(work.judge()) == [("b", "marked_success", None)]

    def test_one_that_ran_at_that_moment(self, play) -> None:
        work = play(chain("a"))
        work.schedule()
        work.start("a")
        work.mark_task("a", "success")
        assert named(work.judge()) == [("a", "marked_success", "ada")]

    def test_a_run(self, play) -> None:
        work = play(chain("a", "b", "c"))
        work.run("a")
        work.schedule()
        work.mark("success")
        judgement = work.judge()
        assert judgement.verdict is Verdict.SUCCEEDED
        assert named(judgement) == [("b", "marked_success", "ada"), ("c", "marked_success", "ada")]

    def test_one_that_had_succeeded_by_itself_and_is_marked_once_more_was_made_anew(self, play) -> None:
        work = play(chain("a"))
        work.run("a")
        work.mark_task("a", "success")
        assert named(work.judge()) == []


class TestSkippedByTheDag:
    """What tells that the Dag itself skipped a task, in a run that has failed for another reason."""

    def test_its_own_try_raised_it(self, play) -> None:
        work = play(chain("a", "b"))
        work.run("a", state="skipped")
        work.schedule()
        work.close("failed")
        assert work.states() == {"a": "skipped", "b": "skipped"}
        judgement = work.judge()
        assert (judgement.verdict, named(judgement)) == (
            Verdict.NOTHING_MADE_ANEW,
            [("a", "tasks_skipped", None), ("b", "tasks_skipped", None)],
        )

    def test_a_sensor_that_looked_several_times_and_gave_up_softly(self, play) -> None:
        work = play(chain("a"), states={"a": "skipped"})
        work.schedule()
        work.start("a")
        work.poke("a")
        work.schedule()
        work.start("a")
        work.end("a", "skipped")
        work.close("failed")
        assert work.judge().verdict is Verdict.SUCCEEDED

    def test_a_branch_passed_it_over(self, play, session) -> None:
        from airflow.providers.standard.operators.python import BranchPythonOperator

        def build() -> None:
            choose = BranchPythonOperator(task_id="choose", python_callable=print)
            choose >> [python("a"), python("b")]

        work = play(build)
        work.schedule()
        work.start("choose")
        history.xcom(work.ref, "choose", "skipmixin_key", {"followed": ["a"]}, session=session)
        work.end("choose")
        work.run("a")
        work.schedule()
        work.close("failed")
        assert work.states()["b"] == "skipped"
        judgement = work.judge()
        assert (judgement.verdict, named(judgement)) == (Verdict.SUCCEEDED, [("b", "tasks_skipped", None)])

    def test_a_short_circuit_passed_over_all_behind_it(self, play, session) -> None:
        from airflow.providers.standard.operators.python import ShortCircuitOperator

        def build() -> None:
            ShortCircuitOperator(task_id="stop", python_callable=print) >> python("a") >> python("b")

        work = play(build)
        work.schedule()
        work.start("stop")
        history.xcom(work.ref, "stop", "skipmixin_key", {"skipped": ["a", "b"]}, session=session)
        work.end("stop")
        work.schedule()
        work.schedule()
        work.close("failed")
        judgement = work.judge()
        assert judgement.verdict is Verdict.NOTHING_MADE_ANEW, "a short circuit makes no data"
        assert [one.reason for one in judgement.not_made_anew] == ["tasks_skipped", "tasks_skipped"]

    def test_its_trigger_rule_did(self, play) -> None:
        def build() -> None:
            python("a") >> python("alert", trigger_rule="one_failed")
            python("b")

        work = play(build, states={"alert": "skipped"})
        work.run("a")
        work.schedule()
        work.close("failed")
        assert work.states()["alert"] == "skipped"
        judgement = work.judge("a", "alert")
        assert (judgement.verdict, named(judgement)) == (Verdict.SUCCEEDED, [])

    def test_there_was_nothing_to_map(self, play, session) -> None:
        from airflow.providers.standard.operators.python import PythonOperator

        def build() -> None:
            PythonOperator.partial(task_id="each", python_callable=print).expand(op_args=python("make").output)

        work = play(build)
        work.schedule()
        work.start("make")
        work.end("make")
        where = {"dag_id": "d", "run_id": work.ref.run_id, "task_id": "make", "map_index": -1}
        task_rows.set_map_length(where, 0, session=session)
        session.commit()
        work.schedule()
        work.close("failed")
        assert work.states()["each"] == "skipped"
        judgement = work.judge()
        assert (judgement.verdict, named(judgement)) == (Verdict.SUCCEEDED, [("each", "tasks_skipped", None)])


def test_a_teardown_that_fails_is_tolerated(play) -> None:
    def build() -> None:
        start = python("open").as_setup()
        start >> python("a") >> python("close").as_teardown(setups=start)

    work = play(build)
    work.run("open", "a")
    work.run("close", state="failed")
    work.schedule()
    judgement = work.judge()
    assert (judgement.verdict, named(judgement)) == (Verdict.SUCCEEDED, [("close", "tolerated", None)])


def test_a_corner_that_never_succeeded_is_tolerated(play) -> None:
    def build() -> None:
        python("corner") >> python("end", trigger_rule="all_done")

    work = play(build, states={"corner": "failed"})
    work.run("corner", state="failed")
    work.run("end")
    judgement = work.judge()
    assert (judgement.verdict, named(judgement)) == (Verdict.SUCCEEDED, [("corner", "tolerated", None)])


def test_before_means_any_try(play) -> None:
    work = play(chain("a"))
    work.run("a", state="skipped")
    work.close("success")
    work.dispatch()
    work.run("a", state="skipped")
    assert work.account().tasks["a", -1].succeeded_before


def test_of_a_run_in_anothers_place_the_tries_before_are_those_of_the_other(play, session) -> None:
    work = play(chain("a"))
    made = Work(history.run("d", "made", session=session, by="operator"), session=session)
    assert not made.account().tasks["a", -1].succeeded_before
    assert made.account(work.ref).tasks["a", -1].succeeded_before


def test_what_a_newer_version_adds_belongs_to_the_member(play, session) -> None:
    work = play(chain("a"), clear=("a",))
    scene.save(history.dag("d", chain("a", "new")), session=session)
    run = scene.run_of(work.ref, session=session)
    run.dag = scene.latest("d", session=session)
    from airflow.models.dag_version import DagVersion

    run.verify_integrity(dag_version_id=DagVersion.get_latest_version("d", session=session).id, session=session)
    session.commit()
    assert {key: account.added for key, account in work.account().tasks.items()} == {
        ("a", -1): False,
        ("new", -1): True,
    }
    work.run("a")
    assert work.judge("a").verdict is Verdict.UNFINISHED
    work.run("new", state="failed")
    assert work.judge("a").verdict is Verdict.FAILED


def test_many_runs_take_no_more_statements_than_one(play, session, database) -> None:
    from airflow_rerun_downstream.airflow3.lineage_facts import readers

    work = play(chain("a"))
    work.run("a", state="skipped")
    scene.save(history.dag("e", chain("a")), session=session)
    refs = history.many_runs("e", 50, session=session, tasks=("a",))
    facts = readers(session)
    with database.counted() as one:
        facts.tasks.accounts([work.ref])
    with database.counted() as many:
        found = facts.tasks.accounts([work.ref, *refs])
    assert len(found) == 51
    assert len(many) == len(one) <= 6
