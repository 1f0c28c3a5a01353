import { describe, expect, it } from "vitest";

import type { Member, Plan } from "../../../api/types";
import { keyOf } from "../../../domain/runName";
import { causeOf, memberOf, rerunOf } from "../../../testing/samples";
import { link, plan, run, running, SOURCE, task, toCome } from "../../../testing/plans";
import { isWhole, likeRecord, lostOf } from "./again";
import { newDraft, reduce } from "./draft";
import { indexed, selection } from "./plan";

const SOURCE_TASKS = [task("extract"), task("load", { selected: true })];
const PLAN = plan([run("clean"), run("report"), run("extra")], [link("orders", "clean"), link("clean", "report")]);
const RERUN = rerunOf({
  state: "terminated",
  final: true,
  name: "Right rate",
  settings: { ...rerunOf().settings, max_active_members: 3, on_failure: "pause", accept_unknown_offsets: true },
  notifications: [{ target: "ops", on: ["succeeded"] }],
  options: { include_manual: true, link_kinds: null, max_runs: null, max_depth: null },
});
const member = (id: number, dag_id: string, more: Partial<Member> = {}) =>
  memberOf(id, dag_id, { role: "downstream", task_ids: ["load"], ...more });
const MEMBERS = [
  member(1, "orders", { role: "source" }),
  member(2, "clean"),
  member(3, "report", { task_ids: ["load", "check"] }),
];

const recorded = (members = MEMBERS, rerun = RERUN) => ({ rerun, members });
const draftOf = (members?: Member[], rerun = RERUN) =>
  reduce(newDraft(SOURCE), { type: "again", rerunId: 7, like: likeRecord(recorded(members, rerun), SOURCE_TASKS) });
const lost = (of: Plan, members?: Member[], rerun = RERUN) =>
  lostOf(recorded(members, rerun), indexed(of), SOURCE_TASKS);

describe("a draft like a record", () => {
  it("has its selection, mode and settings, and takes nothing else of the plan", () => {
    const draft = draftOf();
    expect(draft).toMatchObject({
      tasks: ["load"],
      rerunSource: true,
      includeManual: true,
      freezeMode: false,
      name: "Right rate",
      reason: "wrong rate",
      notifications: { ops: ["succeeded"] },
      again: 7,
    });
    expect(draft.settings).toMatchObject({ max_active_members: "3", on_failure: "pause" });
    expect(selection(indexed(PLAN), draft).rerun).toEqual([keyOf(run("clean")), keyOf(run("report"))]);
    expect(draft.members.get(keyOf(run("report")))?.tasks).toEqual(["load", "check"]);
  });

  it("has no consent of back then", () => {
    expect(draftOf().settings.accept_unknown_offsets).toBe(false);
  });

  it("leaves the source as it is where that was right", () => {
    const right = member(1, "orders", { role: "source", cause: causeOf("already_right"), task_ids: [] });
    expect(draftOf([right, member(2, "clean")])).toMatchObject({ rerunSource: false, tasks: null });
  });

  it("takes the default tasks of a source that has none of those any more", () => {
    expect(draftOf([member(1, "orders", { role: "source", task_ids: ["gone"] })]).tasks).toBeNull();
  });
});

describe("what of a record can't be chosen any more", () => {
  it("is nothing where the plan is as it was", () => {
    const same = plan([run("clean"), run("report")], [link("orders", "clean"), link("clean", "report")]);
    expect(isWhole(lost(same))).toBe(true);
  });

  it("are runs that aren't downstream now, or can't be taken, and why", () => {
    const found = lost(plan([running("clean")], [link("orders", "clean")]));
    expect(found.runs).toEqual([
      { run: expect.objectContaining({ dag_id: "clean" }) as unknown, reason: "run_is_running" },
      { run: expect.objectContaining({ dag_id: "report" }) as unknown, reason: null },
    ]);
  });

  it("are tasks that their runs don't have any more", () => {
    const smaller = run("report", { task_instances: [task("load")] });
    const members = [member(1, "orders", { role: "source", task_ids: ["gone", "load"] }), ...MEMBERS.slice(1)];
    const found = lost(plan([run("clean"), smaller], []), members);
    expect(found.tasks.map(({ run: of, names }) => [of?.dag_id ?? null, names])).toEqual([
      [null, ["gone"]],
      ["report", ["check"]],
    ]);
  });

  it("are the tasks of the source, or of a run, of which none is left", () => {
    const members = [
      member(1, "orders", { role: "source", task_ids: ["gone"] }),
      member(2, "clean", { task_ids: ["lost", "load"] }),
      member(3, "report", { task_ids: ["lost"] }),
    ];
    const found = lost(PLAN, members);
    expect(found.tasks.map(({ run: of, all }) => [of?.dag_id ?? null, all])).toEqual([
      [null, true],
      ["clean", false],
      ["report", true],
    ]);
  });

  it("are runs in whose places others are, and those without a task in the record", () => {
    const same = plan([run("clean"), run("report")], []);
    const other = lost(same, [...MEMBERS.slice(0, 2), member(3, "report", { original_run_id: "r0" })]);
    expect([other.replaced, other.without, isWhole(other)]).toEqual([1, 0, false]);
    const none = lost(same, [...MEMBERS.slice(0, 2), member(3, "report", { task_ids: [] })]);
    expect([none.replaced, none.without, isWhole(none)]).toEqual([0, 1, false]);
  });

  it("are runs that were frozen and would be rerun now, or the other way round: they aren't taken", () => {
    const frozen = { ...RERUN, freeze_mode: true };
    const members = [
      ...MEMBERS.slice(0, 1),
      member(2, "clean"),
      member(3, "report", { role: "frozen" }),
      member(4, "live", { role: "frozen" }),
      member(5, "made", { role: "frozen", run_id: null, logical_date: "2026-01-05T01:00:00Z" }),
      member(6, "next", { role: "frozen", run_id: null, logical_date: "2026-01-05T01:00:00Z" }),
    ];
    const held = run("clean", { selectable: false, freeze_action: "hold" });
    const now = plan([held, run("report"), running("live"), run("made"), toCome("next")], []);
    expect(lost(now, members, frozen).runs.map(({ run: { dag_id }, was }) => [dag_id, was])).toEqual([
      ["clean", "rerun"],
      ["report", "frozen"],
      ["live", "frozen"],
      ["made", "frozen"],
    ]);
    const draft = draftOf(members, frozen);
    expect(selection(indexed(now), draft)).toEqual({ rerun: [], stop: [], hold: [keyOf(toCome("next"))] });
    const wanted = reduce(draft, { type: "take", keys: [keyOf(run("report"))], taken: true });
    expect(selection(indexed(now), wanted).rerun).toEqual([keyOf(run("report"))]);
  });

  it("names the runs that are new, counts the hidden ones, and tells of options that can't be made here", () => {
    const odd = { ...RERUN, hidden_members: 2, options: { ...RERUN.options, max_depth: 3 } };
    expect(lost(PLAN, MEMBERS, odd)).toMatchObject({ hidden: 2, options: true });
    expect(lost(PLAN).added.map(({ dag_id }) => dag_id)).toEqual(["extra"]);
  });
});
