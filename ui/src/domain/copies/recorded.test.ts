import { expect, it } from "vitest";

import { causeOf, memberOf, rerunOf } from "../../testing/samples";
import { recordedBody } from "./recorded";

const source = memberOf(1, "orders", { role: "source", task_ids: ["load", { task_id: "split", map_index: 2 }] });

it("asks for the same runs and tasks with the same settings", () => {
  const rerun = rerunOf({
    name: "Monday",
    freeze_mode: true,
    options: { include_manual: true, link_kinds: ["asset"], max_runs: null, max_depth: 3 },
    notifications: [{ target: "ops", on: ["succeeded"] }],
  });
  const members = [
    source,
    memberOf(2, "clean"),
    memberOf(3, "weekly", { role: "frozen", run_id: null, logical_date: "2026-01-06T06:00:00Z" }),
    memberOf(4, "daily", { role: "frozen" }),
  ];
  expect(recordedBody(rerun, members)).toEqual({
    body: {
      source: { dag_id: "orders", run_id: "r1" },
      task_ids: ["load", { task_id: "split", map_index: 2 }],
      rerun_source: true,
      options: rerun.options,
      members: [{ dag_id: "clean", run_id: "r1", task_ids: ["load"] }],
      freeze_mode: true,
      frozen: [
        { dag_id: "weekly", logical_date: "2026-01-06T06:00:00Z" },
        { dag_id: "daily", run_id: "r1" },
      ],
      name: "Monday",
      reason: "wrong rate",
      settings: rerun.settings,
      notifications: rerun.notifications,
      propose: false,
    },
    hidden: 0,
    unnamed: 0,
    replaced: 0,
    without: 0,
  });
});

it("counts what isn't the same", () => {
  const members = [
    memberOf(1, "orders", { role: "source", task_ids: [], state: "skipped", cause: causeOf("only_triggers") }),
    memberOf(2, "clean", { run_id: "new" }),
    memberOf(3, "weekly", { role: "frozen", run_id: null, logical_date: null }),
  ];
  const { body, ...counts } = recordedBody(rerunOf({ hidden_members: 2 }), members);
  expect(counts).toEqual({ hidden: 2, unnamed: 1, replaced: 1, without: 1 });
  expect(body.task_ids).toBeNull();
  expect(body.members).toEqual([{ dag_id: "clean", run_id: "new", task_ids: ["load"] }]);
});

it("leaves a source alone that was right already", () => {
  const right = { ...source, state: "skipped" as const, cause: causeOf("already_right") };
  expect(recordedBody(rerunOf(), [right]).body).toMatchObject({ rerun_source: false, members: [] });
});
