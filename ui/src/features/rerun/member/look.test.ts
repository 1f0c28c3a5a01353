import { expect, it } from "vitest";

import { memberOf } from "../../../testing/samples";
import { lookOf, runningOf } from "./look";

const live = (state: string | null) => ({ state, run_after: null, run_id: "r" });
const NONE = new Set<number>();

it.each([
  ["running", "queued", "queued"],
  ["running", "running", "running"],
  ["running", null, "running"],
  ["pending", "queued", "pending"],
  ["stopping", "queued", "stopping"],
] as const)("a member that is %s, with a run that is %s, is shown as %s", (state, run, look) => {
  expect(lookOf(memberOf(1, "a", { state, live: live(run) }), {}, NONE)).toBe(look);
});

it("believes what Airflow has said last", () => {
  const member = memberOf(1, "a", { state: "running", live: live("queued") });
  expect(lookOf(member, { 1: live("running") }, NONE)).toBe("running");
  expect(lookOf({ ...member, live: live("running") }, { 1: live("queued") }, NONE)).toBe("queued");
});

it("shows a success that left something as it was as another one than a whole success", () => {
  const member = memberOf(1, "a", { state: "succeeded" });
  expect(lookOf(member, {}, new Set([1]))).toBe("partly");
  expect(lookOf(member, {}, new Set([2]))).toBe("succeeded");
  expect(lookOf({ ...member, state: "skipped" }, {}, new Set([1]))).toBe("skipped");
});

it("follows the running members only, and not more than a few hundred", () => {
  const members = Array.from({ length: 1000 }, (_, id) => memberOf(id, "a", { state: id % 2 ? "running" : "pending" }));
  expect(runningOf(members)).toHaveLength(300);
  expect(runningOf(members).slice(0, 2)).toEqual([1, 3]);
});
