import { describe, expect, it } from "vitest";

import type { RerunBody } from "../../api/types";
import { INITIAL, sentSettings } from "../settings";
import { submitArguments } from "./commandLine";
import { notForOperators } from "./operator";
import { said } from "./said";
import { copied, FORMS } from "./texts";

const ADDRESS = "https://airflow.example.com/team";
const SETTINGS = sentSettings(INITIAL);

function body(more: Partial<RerunBody> = {}): RerunBody {
  return {
    source: { dag_id: "orders", run_id: "r1" },
    task_ids: null,
    rerun_source: true,
    options: { include_manual: false },
    members: null,
    freeze_mode: false,
    frozen: null,
    plan_token: null,
    name: null,
    reason: null,
    settings: SETTINGS,
    notifications: [],
    propose: false,
    ...more,
  };
}

const member = (dag_id: string, task_ids: RerunBody["task_ids"] = null) => ({ dag_id, run_id: "r1", task_ids });

describe("what has to be said", () => {
  it("is the source alone where all is as usual", () => {
    expect(said(body())).toEqual({ source: { dag_id: "orders", run_id: "r1" } });
    expect(said(body({ frozen: [], settings: {} as RerunBody["settings"] }))).toEqual(said(body()));
  });

  it("is everything else, and an empty selection is one", () => {
    const settings = {
      ...SETTINGS,
      max_active_members: 4,
      run_on_latest_version: false,
      stop_running_on_terminate: false,
    };
    const unusual = body({
      members: [],
      rerun_source: false,
      settings,
      options: { include_manual: true, link_kinds: [] },
    });
    expect(said(unusual)).toEqual({
      source: { dag_id: "orders", run_id: "r1" },
      rerun_source: false,
      members: [],
      options: { include_manual: true, link_kinds: [] },
      settings: { max_active_members: 4, run_on_latest_version: false, stop_running_on_terminate: false },
    });
  });
});

describe("the arguments of a command", () => {
  it("say all of it", () => {
    const found = submitArguments(
      body({
        task_ids: ["load", { task_id: "split", map_index: 2 }],
        rerun_source: false,
        options: { include_manual: true, link_kinds: ["asset"], max_runs: 5, max_depth: 2 },
        members: [member("a/b".replace("/", "_"), ["x", { task_id: "y", map_index: 0 }]), member("c")],
        freeze_mode: true,
        frozen: [
          { dag_id: "w", next: true },
          { dag_id: "p", partition_key: "de" },
          { dag_id: "h", run_id: "r@2" },
        ],
        plan_token: "-t",
        name: "it's",
        settings: { ...SETTINGS, on_failure: "pause", run_on_latest_version: true, accept_duplicate_runs: true },
        notifications: [{ target: "ops", on: ["succeeded", "paused"] }],
      }),
    );
    expect(found).toEqual([
      ["orders", "r1"],
      ["--task-id", "load"],
      ["--task-id", "split[2]"],
      ["--already-right"],
      ["--include-manual"],
      ["--link-kind", "asset"],
      ["--max-runs", "5"],
      ["--max-depth", "2"],
      ["--member", "a_b/r1", "--member-tasks", "x,y[0]"],
      ["--member", "c/r1"],
      ["--freeze-mode"],
      ["--freeze", "w@next"],
      ["--freeze", "p@partition:de"],
      ["--freeze", "h/r@2"],
      ["--plan-token=-t"],
      ["--name", "it's"],
      ["--on-failure", "pause"],
      ["--latest-version"],
      ["--accept-duplicate-runs"],
      ["--notify", "ops:succeeded,paused"],
    ]);
  });

  it.each<[string, Partial<RerunBody>]>([
    ["an id that looks like an option", { source: { dag_id: "-x", run_id: "r" } }],
    ["a task that looks like an index", { task_ids: ["load[3]"] }],
    ["an index that isn't one", { task_ids: [{ task_id: "load", map_index: -1 }] }],
    ["no task", { task_ids: [] }],
    ["a Dag with a slash", { members: [member("a/b")] }],
    ["a task with a comma", { members: [member("a", ["x,y"])] }],
    ["no task of a member", { members: [member("a", [])] }],
    ["a target with a colon", { notifications: [{ target: "a:b", on: ["succeeded"] }] }],
    ["a frozen run's Dag with an @", { freeze_mode: true, frozen: [{ dag_id: "a@b", run_id: "r" }] }],
    ["what nobody sees", { reason: "one\ntwo" }],
  ])("can't say %s: that goes in a file", (_, more) => {
    expect(submitArguments(body(more))).toBeUndefined();
    expect(copied("commandLine", body(more), ADDRESS)).toContain("--file - <<'JSON'");
  });

  it("aren't used for what is too long for a command", () => {
    const members = Array.from({ length: 2_000 }, (_, at) => member(`dag_${at}`));
    expect(submitArguments(body({ members }))).toHaveLength(2_001);
    expect(copied("commandLine", body({ members }), ADDRESS)).toContain("--file - <<'JSON'");
  });
});

describe("the texts", () => {
  it("are short where little is asked for", () => {
    expect(copied("commandLine", body(), ADDRESS)).toBe(
      "airflow-rerun-downstream submit --url https://airflow.example.com/team \\\n  orders r1\n",
    );
    expect(copied("curl", body(), ADDRESS)).toBe(
      [
        "curl --fail-with-body -X POST https://airflow.example.com/team/rerun-downstream/api/v1/reruns \\",
        '  -H "Authorization: Bearer $AIRFLOW_RERUN_DOWNSTREAM_TOKEN" \\',
        "  -H 'Content-Type: application/json' \\",
        "  -d @- <<'JSON'",
        '{"source": {"dag_id": "orders", "run_id": "r1"}}',
        "JSON",
        "",
      ].join("\n"),
    );
  });

  it("are a Dag whose task asks for the same", () => {
    const asked = body({
      options: { include_manual: true, max_runs: 5 },
      members: [member("clean")],
      plan_token: "t",
      name: "{{ ds }} isn't\n",
    });
    expect(copied("operator", asked, ADDRESS)).toBe(
      [
        "from airflow.sdk import DAG",
        "from airflow_rerun_downstream.operators import RerunDownstreamOperator",
        "",
        'with DAG("rerun_downstream", schedule=None) as dag:',
        "    RerunDownstreamOperator(",
        '        task_id="rerun",',
        '        source_dag_id="orders",',
        '        source_run_id="r1",',
        "        max_runs=5,",
        "        include_manual=True,",
        '        members=[{"dag_id": "clean", "run_id": "r1"}],',
        String.raw`        name="{{ '{{ ds }} isn\\'t\\n' }}",`,
        "    )",
        "",
      ].join("\n"),
    );
    expect(notForOperators(asked)).toEqual(["plan_token"]);
    expect(notForOperators(body({ propose: true }))).toEqual(["propose"]);
  });

  it.each(FORMS)("as %s hold no sign that nobody would see", (form) => {
    const id = "a\u202e\u0000\u001b]0;x\u0007\u{e0041}b";
    const hostile = body({ source: { dag_id: id, run_id: id }, name: id, members: [member(id, [id])] });
    expect(copied(form, hostile, ADDRESS).replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });
});
