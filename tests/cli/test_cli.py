from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pytest_mock import MockerFixture

from airflow_rerun_downstream.cli import backends, bodies, commands
from airflow_rerun_downstream.cli.hints import RUNS
from airflow_rerun_downstream.cli.main import main
from airflow_rerun_downstream.cli.verbs import VERBS
from airflow_rerun_downstream.domain.errors import (
    NotFound,
    NotSelectable,
    RunInActiveRerun,
    SchemaMismatch,
    SourceNotEligible,
)
from airflow_rerun_downstream.domain.estimate import Delay, Outlook
from airflow_rerun_downstream.domain.proof import Counts
from airflow_rerun_downstream.domain.refs import RunRef, TaskRef
from airflow_rerun_downstream.domain.rerun_request import Actor, MemberRequest, Notification
from airflow_rerun_downstream.domain.states import MemberState, RerunState
from airflow_rerun_downstream.ports.record_parts import RerunFilter
from airflow_rerun_downstream.rest import plan_payloads, record_payloads
from airflow_rerun_downstream.rest.api import Api
from airflow_rerun_downstream.service import Service
from tests.rest.stub import MEMBERS, NOON, PLAN, SALES, SOURCE, StubService

ANA = Actor("ana", "ana")
RUN = (SOURCE.dag_id, SOURCE.run_id)

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def stub() -> StubService:
    return StubService()


@pytest.fixture(autouse=True)
def local(stub: StubService, mocker: MockerFixture) -> None:
    backend = Api(cast("Service", stub), ANA, maximum=backends.NO_MAXIMUM)
    mocker.patch.object(commands, "backend", autospec=True, return_value=backend)


def printed(capsys: Captured, *argv: str, code: int = 0) -> Any:
    """What a command prints as JSON; YAML must say the same."""
    assert main([*argv, "--output", "json"]) == code
    found = json.loads(capsys.readouterr().out)
    assert main([*argv, "--output", "yaml"]) == code
    assert yaml.safe_load(capsys.readouterr().out) == found
    return found


def table(capsys: Captured, *argv: str, code: int = 0) -> str:
    assert main(argv) == code
    return capsys.readouterr().out


def test_plan_prints_the_contracts_object(capsys: Captured, stub: StubService) -> None:
    found = printed(capsys, "plan", *RUN)
    assert plan_payloads.Plan.model_validate(found).plan_token == PLAN.token
    request = stub.calls[0][2]
    assert (request.source, request.tasks, request.rerun_source) == (SOURCE, None, True)


def test_a_plan_is_readable_without_colour(capsys: Captured) -> None:
    text = table(capsys, "plan", *RUN)
    assert "\x1b" not in text
    for word in (
        "orders",
        "run_is_running",
        "split[2]",
        "recorded",
        "paused_dag",
        "token-1",
        "(not created)",
        "(not made yet",
        "asset_watcher",
        "2 more",
    ):
        assert word in text


def test_every_option_of_a_plan_arrives(stub: StubService, capsys: Captured) -> None:
    options = "--task-id load --task-id split[2] --already-right --include-manual --max-runs 5 --max-depth 2"
    printed(capsys, "plan", *RUN, *options.split(), "--link-kind", "asset")
    request = stub.calls[0][2]
    assert request.tasks == (TaskRef("load"), TaskRef("split", 2))
    assert not request.rerun_source
    options_ = request.options
    assert (options_.include_manual, options_.max_runs, options_.max_depth) == (True, 5, 2)
    assert [kind.value for kind in options_.link_kinds] == ["asset"]


def test_every_option_of_a_submit_arrives(stub: StubService, capsys: Captured) -> None:
    options = (
        "--member sales/scheduled__2026-03-01T00:00:00+00:00 --member report/r --member-tasks load,split[2] "
        "--plan-token t --name n --reason y --on-failure pause --max-active-members 3 --same-version "
        "--no-stop-on-terminate "
        "--accept-duplicate-runs --accept-unknown-offsets --notify data-team:succeeded --notify boss"
    )
    found = printed(capsys, "submit", *RUN, *options.split())
    assert record_payloads.Rerun.model_validate(found).id == 7
    request = stub.calls[0][2]
    assert request.members == (
        MemberRequest(RunRef("sales", "scheduled__2026-03-01T00:00:00+00:00")),
        MemberRequest(RunRef("report", "r"), (TaskRef("load"), TaskRef("split", 2))),
    )
    settings = request.settings
    assert (settings.on_failure, settings.max_active_members, settings.run_on_latest_version) == ("pause", 3, False)
    assert (settings.stop_running_on_terminate, settings.accept_duplicate_runs) == (False, True)
    assert settings.accept_unknown_offsets
    assert (request.plan_token, request.name, request.reason) == ("t", "n", "y")
    assert request.notifications == (
        Notification("data-team", ("succeeded",)),
        Notification("boss", ("succeeded", "terminated", "member_failed")),
    )


@pytest.mark.parametrize(
    "run_id",
    [
        "r",
        "r:a,b",
        "scheduled__2026-03-01T00:00:00+00:00",
        "asset__2026-03-01T00:00:00+00:00_x1",
        "2026-03-01T00:00",
        "a/b:t",
        "eu north 2026+01:00 %é:use",
        ":",
        "r[3]",
        "@next",
    ],
)
@pytest.mark.parametrize("tasks", [None, "a,split[2]"])
def test_a_member_is_a_run_of_any_id_and_perhaps_tasks(
    run_id: str, tasks: str | None, stub: StubService, capsys: Captured
) -> None:
    more = [] if tasks is None else ["--member-tasks", tasks]
    printed(capsys, "submit", *RUN, "--member", f"d/{run_id}", *more)
    wanted = None if tasks is None else (TaskRef("a"), TaskRef("split", 2))
    assert stub.calls[0][2].members == (MemberRequest(RunRef("d", run_id), wanted),)


@pytest.mark.parametrize("argv", [["--member-tasks", "a"], ["--member", "d/r", *["--member-tasks", "a"] * 2]])
def test_tasks_belong_to_the_member_before_them(argv: list[str], stub: StubService, capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["submit", *RUN, *argv])
    assert "right after the --member" in capsys.readouterr().err
    assert stub.calls == []


@pytest.mark.parametrize(("argv", "members"), [(["--only-source"], ()), ([], None)])
def test_the_source_alone_is_not_the_default_selection(
    argv: list[str], members: Any, stub: StubService, capsys: Captured
) -> None:
    printed(capsys, "submit", *RUN, *argv)
    assert stub.calls[0][2].members == members


def test_a_file_gives_the_whole_body(
    stub: StubService, capsys: Captured, tmp_path: Path, mocker: MockerFixture
) -> None:
    body = json.dumps({"source": {"dag_id": "a", "run_id": "r"}, "members": [], "freeze_mode": True})
    file = tmp_path / "body.json"
    file.write_text(body)
    printed(capsys, "submit", "--file", str(file))
    assert stub.calls[0][2].freeze_mode
    mocker.patch("sys.stdin.read", return_value=body)
    assert main(["submit", "--file", "-"]) == 0
    assert stub.calls[-1] == stub.calls[0]


@pytest.mark.parametrize(
    "argv",
    [
        "plan",
        "plan orders",
        "plan a b --file x.json",
        "plan --file /does/not/exist.json",
        "submit a b --only-source --member d/r",
        "submit a b --member d",
        "submit a b --member d/r --member-tasks a,",
        "submit a b --latest-version --same-version",
        "submit a b --dry-run --wait",
        "db downgrade",
        "db downgrade --revision base",
        "links orders --include-manual",
    ],
)
def test_a_contradiction_is_a_usage_error(argv: str, capsys: Captured, stub: StubService) -> None:
    assert main(argv.split()) == 2
    assert capsys.readouterr().err
    assert stub.calls == []


@pytest.mark.parametrize(
    "argv", ["", "fly", "plan a b --output xml", "show seven", "plan a b --max-runs 0", "list --state lost"]
)
def test_what_the_parser_refuses_is_a_usage_error(argv: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv.split())
    assert ended.value.code == 2


def test_a_dry_run_says_what_a_submit_would_do(stub: StubService, capsys: Captured) -> None:
    found = printed(capsys, "submit", *RUN, "--dry-run", "--reason", "why")
    assert plan_payloads.Review.model_validate(found).waves[1][0].dag_id == "sales"
    assert (stub.calls[0][0], stub.calls[0][2].reason) == ("review", "why")
    text = table(capsys, "submit", *RUN, "--dry-run")
    assert "Nothing is stored. 2 runs" in text
    assert "stopped first" in text
    assert "report / 2026-03-02" in text
    assert "paused_dag: The Dag sales is paused." in text
    assert {call[0] for call in stub.calls} == {"review"}


def test_a_refusal_is_said_with_its_reason(stub: StubService, capsys: Captured) -> None:
    stub.refusal = RunInActiveRerun("The run takes part in rerun 3.")
    assert main(["submit", *RUN]) == 3
    out, err = capsys.readouterr()
    hint = "`list --dag-id DAG_ID --run-id RUN_ID` shows that rerun."
    assert (out, err) == ("", f"The run takes part in rerun 3. (run_in_active_rerun)\n{hint}\n")


def test_a_refusal_names_the_option_that_helps(stub: StubService, capsys: Captured) -> None:
    running = {"dag_id": "d", "run_id": "r", "reason": "run_is_running"}
    stub.refusal = NotSelectable("It can't be selected.", runs=[running, {**running, "reason": "manual_run"}])
    assert main(["submit", *RUN]) == 3
    assert capsys.readouterr().err.splitlines()[1:] == [RUNS["run_is_running"]]
    stub.refusal = SourceNotEligible("It can't be the source.", why="before_ready_window")
    assert main(["submit", *RUN]) == 3
    assert "source_ready_since" in capsys.readouterr().err
    stub.refusal = NotFound("There is none.")
    assert main(["submit", *RUN]) == 3
    assert capsys.readouterr().err == "There is none. (not_found)\n"


def test_a_plan_says_that_a_run_can_t_be_the_source(
    stub: StubService, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = replace(PLAN.source, can_be_source=False, source_reason="before_ready_window")
    monkeypatch.setattr(stub, "plan", lambda *_: replace(PLAN, source=source))
    text = table(capsys, "plan", *RUN)
    assert f"{SOURCE} can't be the source: the run was ready before the window of source runs began." in text
    assert RUNS["before_ready_window"] in text


def test_what_the_contract_refuses_is_said_as_it_says_it(capsys: Captured) -> None:
    assert main(["submit", *RUN, "--name", "n" * 501]) == 2
    assert "at most 500 characters. (invalid)" in capsys.readouterr().err
    assert main(["list", "--created-at-gte", "yesterday"]) == 2
    assert main(["show", "0"]) == 3
    assert "There is no rerun 0. (not_found)" in capsys.readouterr().err


def test_list_asks_for_a_page(stub: StubService, capsys: Captured) -> None:
    options = "--state running --state failed --dag-id a --search rate --created-by ana --frozen --limit 3 --offset 2"
    found = printed(capsys, "list", *options.split(), "--order-by", "created_at")
    assert found["total_entries"] == 11
    assert stub.calls[0][2] == RerunFilter(
        states=frozenset({RerunState.RUNNING, RerunState.FAILED}),
        dag_id="a",
        search="rate",
        created_by="ana",
        frozen=True,
        limit=3,
        offset=2,
        order_by="created_at",
    )
    assert "Repair [orders]" in table(capsys, "list")


def test_show_prints_the_record_and_its_parts(capsys: Captured) -> None:
    assert printed(capsys, "show", "7")["id"] == 7
    text = table(capsys, "show", "7")
    assert "Rerun 7 is running: 1 pending, 1 running" in text
    assert "Repair [orders]" in text
    assert "downstream" in text
    assert ", 2 not made anew" in text
    assert "load[2]" in text
    for part in ("members", "not-made-anew", "links", "events", "notifications"):
        assert printed(capsys, "show", "7", "--part", part)[part.replace("-", "_")]
        assert table(capsys, "show", "7", "--part", part)


def test_a_record_for_programs_has_its_members(stub: StubService, capsys: Captured) -> None:
    stub.member_list = tuple(replace(MEMBERS[0], id=number) for number in range(1, 203))
    found = printed(capsys, "show", "7")
    assert [one["id"] for one in found.pop("members")] == list(range(1, 203))
    record_payloads.Rerun.model_validate(found)
    some = printed(capsys, "show", "7", "--limit", "2", "--offset", "200")["members"]
    assert [one["id"] for one in some] == [201, 202]
    assert "Members (50 of 202)" in table(capsys, "show", "7")


def test_targets_and_a_test_of_one(stub: StubService, capsys: Captured) -> None:
    assert printed(capsys, "targets")["notification_targets"][0]["last_test"]["state"] == "sent"
    assert "data-team" in table(capsys, "targets")
    assert printed(capsys, "test-target", "data-team")["created_by"] == "ada"
    assert "sent" in table(capsys, "test-target", "data-team")
    assert ("send_test", "data-team") in [(name, *more[1:]) for name, *more in stub.calls]


class TestVerify:
    """1 when something is wrong, or it is too early to tell."""

    def test_it_prints_what_is_not_proven(self, stub: StubService, capsys: Captured) -> None:
        assert main(["verify", "7"]) == 1
        text = capsys.readouterr().out
        assert "Rerun 7 at 2026-03-01 12:00:00+00:00: violated." in text
        checked = "3 links, 8 tasks and 5 orders of tasks checked: 13 proven, 1 not provable, 1 violation, 1 accepted."
        assert checked in text
        assert "Not proven (2 of 3)" in text
        assert "read_too_early" in text
        assert "At its end, 2026-03-01 12:00:00+00:00: nothing to check. 3 links, 0 tasks" in text
        assert "load of" in text
        assert "read 2026-03-01 12:00:00.000+00:00" in text
        assert "written 2026-03-01 12:00:00.000+00:00" in text
        assert "Not shown: 1 finding about 1 run that you may not read." in text
        assert stub.calls == [("proof", ANA, 7)]

    @pytest.mark.parametrize(
        ("counts", "code"),
        [({"not_provable": 4}, 0), ({"accepted": 2, "older": 1}, 0), ({"violations": 1}, 1), ({"open": 1}, 1)],
    )
    def test_its_exit_code(self, stub: StubService, counts: dict[str, int], code: int) -> None:
        made = replace(stub.proven.proof, counts=Counts(**counts))
        stub.proven = replace(stub.proven, proof=made, findings=(), older=())
        assert main(["verify", "7", "-o", "json"]) == code

    def test_as_a_file(self, stub: StubService, capsys: Captured) -> None:
        assert main(["verify", "7", "--csv", "--limit", "1"]) == 1
        head, *rows = capsys.readouterr().out.splitlines()
        assert head.startswith("outcome,reason,dag_id")
        assert [row.partition(",")[0] for row in rows] == ["violation", "older", "proven", "hidden", "left_out"]

    def test_a_later_look_that_finds_the_same(self, stub: StubService, capsys: Captured) -> None:
        made = stub.proven.proof
        stub.proven = replace(stub.proven, rerun=replace(stub.proven.rerun, proof=made.counts))
        assert main(["verify", "7"]) == 1
        assert "At its end, 2026-03-01 12:00:00+00:00: the same." in capsys.readouterr().out


class TestEstimate:
    """When it ends, in words and in tables."""

    def test_it_prints_the_end_and_what_decides_it(self, stub: StubService, capsys: Captured) -> None:
        assert main(["estimate", "7", "--limit", "2"]) == 0
        text = capsys.readouterr().out
        assert "ETA: 2026-03-01 12:25:00+00:00 (in 25 min); 90 % likely by 2026-03-01 12:30:00+00:00" in text
        assert "decided by: max_active_members: members wait for that limit, too" in text
        assert "longer than ever before: 1 member" in text
        assert f"delayed by: {SOURCE.dag_id} / {SOURCE.run_id} (no_pool_slots: of the pool small)" in text
        assert "Critical path (2 of 3)" in text
        assert "a run that you may not read" in text
        assert "at least, no_past_runs" in text
        assert "1 more member of Dags that you may not read." in text
        assert stub.calls == [("estimate", ANA, 7)]

    def test_a_record_shows_it_in_two_lines(self, stub: StubService, capsys: Captured) -> None:
        text = table(capsys, "show", "7")
        assert "ETA: 2026-03-01 12:25" in text
        assert "delayed by: orders" in text
        assert "Critical path" not in text

    def test_one_that_has_ended_shows_none(self, stub: StubService, capsys: Captured) -> None:
        stub.state = RerunState.SUCCEEDED
        assert "ETA" not in table(capsys, "show", "7")
        assert "estimate" not in {call[0] for call in stub.calls}

    @pytest.mark.parametrize(
        ("made", "line"),
        [
            ({"outlook": Outlook.AT_LEAST, "unknown": 3, "held_up": 1, "failed": 2},
             "at least 2026-03-01 12:25:00+00:00 (in 25 min): 3 members without earlier runs, 1 member held up, "
             "2 members failed"),
            ({"outlook": Outlook.AT_LEAST}, "at least 2026-03-01 12:25:00+00:00 (in 25 min)"),
            ({"outlook": Outlook.OPEN, "ends_at": None}, "none while the rerun is running"),
            ({"outlook": Outlook.ENDED}, "ended 2026-03-01 12:25:00+00:00, after 25 min"),
            ({"ends_late": None, "ends_at": NOON + timedelta(hours=51)}, "2026-03-03 15:00:00+00:00 (in 2 d 3 h)"),
            ({"ends_late": None, "ends_at": NOON}, "2026-03-01 12:00:00+00:00 (now)"),
        ],
    )  # fmt: skip
    def test_every_outlook_has_its_words(
        self, stub: StubService, capsys: Captured, made: dict[str, Any], line: str
    ) -> None:
        stub.expected = replace(stub.expected, estimate=replace(stub.expected.estimate, **made))
        assert f"ETA: {line}\n" in table(capsys, "estimate", "7")

    def test_who_delays_it_off_the_critical_path_and_without_a_reason(
        self, stub: StubService, capsys: Captured
    ) -> None:
        for member_id, line in ((2, f"{SALES.dag_id} / {SALES.run_id} (pending)"), (3, "a run that you may not read")):
            found = replace(stub.expected.estimate, delay=Delay(member_id, None, True))
            stub.expected = replace(stub.expected, estimate=found)
            assert f"delayed by: {line}\n" in table(capsys, "estimate", "7")
        stub.expected = replace(stub.expected, estimate=replace(found, delay=Delay(1, "tasks_failed", False)))
        assert "(tasks_failed, off the critical path)" in table(capsys, "estimate", "7")


@pytest.mark.parametrize("verb", ["pause", "resume", "terminate", "release"])
def test_a_rerun_is_moved(verb: str, stub: StubService, capsys: Captured) -> None:
    assert printed(capsys, verb, "7")["id"] == 7
    assert stub.calls[0] == (verb, ANA, 7)
    assert table(capsys, verb, "7")


def test_a_rerun_is_proposed(stub: StubService, capsys: Captured) -> None:
    assert printed(capsys, "propose", "orders", "r", "--name", "n")["id"] == 7
    asked = stub.calls[0][2]
    assert (asked.propose, asked.name, asked.plan.source.run_id) == (True, "n", "r")
    assert printed(capsys, "propose", "orders", "r", "--dry-run")["waves"]
    assert stub.calls[-1][0] == "review"
    assert stub.calls[-1][2].propose


def test_a_proposal_is_looked_at_and_decided(stub: StubService, capsys: Captured) -> None:
    assert printed(capsys, "approve", "7", "--dry-run")["changes"][0]["change"] == "changed"
    assert "plan token: token-2" in table(capsys, "approve", "7", "--dry-run")
    assert printed(capsys, "approve", "7", "--plan-token", "t")["id"] == 7
    assert printed(capsys, "reject", "7", "--reason", "no")["id"] == 7
    assert {call for call in stub.calls if call[0] in ("approve", "reject")} == {
        ("approve", ANA, 7, "t"),
        ("reject", ANA, 7, "no"),
    }


@pytest.mark.parametrize("verb", ["retry", "skip"])
def test_a_member_is_moved(verb: str, stub: StubService, capsys: Captured) -> None:
    assert printed(capsys, verb, "7", "1")["id"] == 1
    assert stub.calls[0] == (verb, ANA, 7, 1)
    assert table(capsys, verb, "7", "1")


def test_a_comment_is_written(stub: StubService, capsys: Captured) -> None:
    assert printed(capsys, "comment", "7", " The feed is right ")["id"] == 7
    assert stub.calls[0] == ("comment", ANA, 7, "The feed is right")
    assert main(["comment", "7", " "]) == 2


def test_one_frozen_run_is_released(stub: StubService, capsys: Captured) -> None:
    assert printed(capsys, "release", "7", "1")["id"] == 1
    assert stub.calls[0] == ("release_member", ANA, 7, 1)


def test_everything_frozen_is_released(stub: StubService, capsys: Captured) -> None:
    """Of each rerun that holds frozen runs; the stub has 11 of them, told as one a page."""
    stub.pages = 2
    assert printed(capsys, "release", "--all")["total_entries"] == 2
    assert [call[0] for call in stub.calls[:4]] == ["reruns", "reruns", "release", "release"]
    assert stub.calls[0][2].frozen is True


def test_so_is_what_no_record_knows(stub: StubService, capsys: Captured) -> None:
    stub.pages = 0
    stub.lost = [(RunRef("d", "r"), datetime(2026, 11, 1, tzinfo=timezone.utc))]
    assert main(["release", "--all"]) == 0
    assert "d / r was held without a record; it starts at 2026-11-01T00:00:00+00:00." in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["release"], ["release", "7", "--all"]])
def test_release_wants_to_know_what(argv: list[str], capsys: Captured) -> None:
    assert main(argv) == 2
    assert "--all" in capsys.readouterr().err


def test_release_waits_until_nothing_is_frozen(stub: StubService, capsys: Captured) -> None:
    assert main(["release", "7", "--wait"]) == 0
    stub.counts = {MemberState.FROZEN: 1}
    assert main(["release", "7", "--wait", "--timeout", "0"]) == 5


def test_the_frozen_runs_are_listed(stub: StubService, capsys: Captured) -> None:
    stub.pages = 1
    stub.member_list = (replace(MEMBERS[0], state=MemberState.FROZEN, ref=RunRef("weekly", "")),)
    text = table(capsys, "list", "--frozen")
    assert "Frozen runs (1)" in text
    assert "(not made yet)" in text


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("weekly@next", {"dag_id": "weekly", "next": True}),
        ("weekly@partition:2026-01", {"dag_id": "weekly", "partition_key": "2026-01"}),
        ("weekly@2026-01-01T00:00:00Z", {"dag_id": "weekly", "logical_date": "2026-01-01T00:00:00Z"}),
        ("weekly/by@hand", {"dag_id": "weekly", "run_id": "by@hand"}),
    ],
)
def test_a_frozen_run_is_named(text: str, ref: dict[str, object]) -> None:
    assert bodies.frozen_run(text) == ref


@pytest.mark.parametrize("text", ["weekly", "weekly@", "@next", "weekly/"])
def test_a_frozen_run_must_be_named_whole(text: str, capsys: Captured) -> None:
    assert main(["submit", *RUN, "--freeze", text]) == 2
    assert "DAG_ID@LOGICAL_DATE" in capsys.readouterr().err


def test_links_prints_the_plans(capsys: Captured) -> None:
    assert [link["evidence"] for link in printed(capsys, "links", *RUN)["links"]] == [
        "recorded",
        "derived",
        "unresolved",
    ]


def test_links_of_a_dag_are_its_edges(stub: StubService, capsys: Captured) -> None:
    found = printed(capsys, "links", "orders")
    assert plan_payloads.DagEdges.model_validate(found).total_entries == 2
    assert [edge["evidence"] for edge in found["edges"]] == ["unresolved", "recorded"]
    assert stub.calls[0] == ("edges", ANA, "orders")


def test_links_of_a_dag_are_readable(capsys: Captured) -> None:
    text = table(capsys, "links", "orders")
    assert "\x1b" not in text
    for words in (
        "Upstream of orders",
        "{{ ds }} -> orders.wait",
        "What to do: Make a plan from an upstream run",
        "Downstream of orders",
        "orders.load -> sales",
        "asset: x",
        "paused_dag",
        "2 more Dags",
    ):
        assert words in text
    assert "nothing is known" in table(capsys, "links", "elsewhere")


def test_health_fails_when_something_does_not_work(capsys: Captured) -> None:
    assert printed(capsys, "health", code=1)["status"] == "unhealthy"
    assert "No conductor leads." in table(capsys, "health", code=1)


@pytest.mark.parametrize(
    ("state", "code"), [(RerunState.SUCCEEDED, 0), (RerunState.FAILED, 4), (RerunState.TERMINATED, 4)]
)
def test_waiting_shows_progress_and_tells_how_it_ended(
    state: RerunState, code: int, stub: StubService, capsys: Captured
) -> None:
    stub.state = state
    assert main(["submit", *RUN, "--wait", "--output", "json"]) == code
    out, err = capsys.readouterr()
    assert json.loads(out)["state"] == state.value
    assert f"rerun 7 is {state.value}: 1 pending, 1 running" in err
    assert "running    orders / scheduled__" in err


def test_waiting_has_a_limit(capsys: Captured) -> None:
    assert main(["show", "7", "--wait", "--timeout", "0.01"]) == 5
    assert "it continues" in capsys.readouterr().err


def test_a_database_that_is_not_migrated_is_said(stub: StubService, capsys: Captured) -> None:
    stub.refusal = SchemaMismatch("Run `airflow-rerun-downstream db migrate`.")
    assert main(["list"]) == 6
    assert "db migrate` (database_not_migrated)" in capsys.readouterr().err.replace(".", "")


def test_with_an_address_the_rest_api_is_asked(mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    mocker.stopall()
    made = mocker.patch.object(backends, "RerunDownstreamClient", autospec=True)
    asked = mocker.patch("getpass.getpass", autospec=True, return_value="typed")
    mocker.patch("sys.stdin.isatty", return_value=True)
    arguments = {"url": "http://a", "token": None, "username": "ana"}
    backends.backend(cast("Any", type("Args", (), arguments)))
    made.assert_called_with("http://a", token=None, username="ana", password="typed")
    monkeypatch.setenv("AIRFLOW_RERUN_DOWNSTREAM_PASSWORD", "kept")
    backends.backend(cast("Any", type("Args", (), arguments)))
    made.assert_called_with("http://a", token=None, username="ana", password="kept")
    monkeypatch.setenv("AIRFLOW_RERUN_DOWNSTREAM_URL", "http://b")
    monkeypatch.setenv("AIRFLOW_RERUN_DOWNSTREAM_TOKEN", "t")
    backends.backend(cast("Any", type("Args", (), {**arguments, "url": None})))
    made.assert_called_with("http://b", token="t", username=None, password=None)
    assert asked.call_count == 1


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://airflow.example.com", True),
        ("http://10.0.0.1:8080", True),
        ("HTTP://airflow", True),
        ("http://localhost:8080", False),
        ("http://airflow.localhost", False),
        ("http://127.0.0.1:8080", False),
        ("http://127.9.9.9", False),
        ("http://[::1]:8080", False),
        ("https://airflow.example.com", False),
    ],
)
@pytest.mark.parametrize("login", ["token", "password"])
def test_what_is_sent_in_clear_is_warned_of(
    mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch, capsys: Captured, url: str, warned: bool, login: str
) -> None:
    mocker.stopall()
    monkeypatch.setenv("AIRFLOW_RERUN_DOWNSTREAM_PASSWORD", "s3cret")
    arguments = {"url": url, "token": "s3cret" if login == "token" else None, "username": "ana"}
    backends.backend(cast("Any", type("Args", (), arguments)))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (f"Warning: {url} is not https, so the {login} is sent unencrypted.\n" if warned else "")


def test_without_a_terminal_nobody_can_be_asked(
    mocker: MockerFixture, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    mocker.stopall()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert main(["list", "--url", "https://a", "--username", "ana"]) == 2
    assert "AIRFLOW_RERUN_DOWNSTREAM_PASSWORD" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["s3cret\nX-Evil: 1", "s3crét"])
def test_a_token_is_never_printed(mocker: MockerFixture, capsys: Captured, token: str) -> None:
    mocker.stopall()
    assert main(["list", "--url", "http://joe:s3cret@a", "--token", "t"]) == 6
    assert main(["list", "--url", "http://localhost:9", "--token", token]) == 6
    assert "s3cr" not in "".join(capsys.readouterr())


def test_every_verb_does_something() -> None:
    assert [verb.name for verb in VERBS] == sorted(commands.ACTIONS, key=[verb.name for verb in VERBS].index)
    calls = [verb for verb in VERBS if verb.calls]
    assert {verb.ids for verb in calls} == {("rerun_id",), ("rerun_id", "member_id")}
    assert all(hasattr(Api, verb.name) for verb in calls)


LINKS_FILE = """\
links:
  - upstream: {dag_id: a, task_id: t}
    downstream: {dag_id: b}
    offset: P1D
"""


def test_a_file_of_declared_links_is_checked(capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "links.yaml"
    file.write_text(LINKS_FILE)
    assert main(["links", "--check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}:2: a.t -> b (P1D)\n"
    file.write_text(LINKS_FILE.replace("P1D", "tomorrow") + "  - 7\n")
    assert main(["links", "--check", str(file)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.split(": ")[0] for line in said.err.splitlines()[:2]] == [f"{file}:4", f"{file}:5"]
    assert main(["links", "--check", str(tmp_path / "gone.yaml")]) == 1
    assert "can't be read" in capsys.readouterr().err


def test_links_without_a_run_is_no_command(capsys: Captured) -> None:
    assert main(["links"]) == 2
    assert "Give DAG_ID" in capsys.readouterr().err
