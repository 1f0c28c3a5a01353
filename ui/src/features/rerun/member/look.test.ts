import { expect, it } from "vitest";

import { memberOf } from "../../../testing/samples";
import { lookOf, runningOf, unaskedOf } from "./look";

const live = (state: string | null) => ({ state, run_after: null, run_id: "r" });
const left = (ids: number[], known = true) => ({ ids: new Set(ids), known });
const NONE = left([]);

it.each([
  ["running", "queued", "queued"],
  ["running", "running", "running"],
  ["running", null, "running"],
  ["pending", "queued", "pending"],
  ["stopping", "queued", "stopping"],
] as const)("a member that is %s, with a run that is %s, is shown as %s", (state, run, look) => {
  expect(lookOf(memberOf(1, "a", { state }), { 1: live(run) }, NONE)).toBe(look);
});

it("believes what Airflow has said since, and not how the run was when the member changed", () => {
  const member = memberOf(1, "a", { state: "running", live: live("queued") });
  expect(lookOf(member, { 1: live("running") }, NONE)).toBe("running");
  expect(lookOf({ ...member, live: live("running") }, { 1: live("queued") }, NONE)).toBe("queued");
  expect(lookOf(member, {}, NONE)).toBe("running");
});

it("shows a success that left something as it was as another one than a whole success", () => {
  const member = memberOf(1, "a", { state: "succeeded" });
  expect(lookOf(member, {}, left([1]))).toBe("partly");
  expect(lookOf(member, {}, left([2]))).toBe("succeeded");
  expect(lookOf({ ...member, state: "skipped" }, {}, left([1]))).toBe("skipped");
  expect(lookOf(member, {}, left([1], false))).toBe("partly");
  expect(lookOf(member, {}, left([], false))).toBe("unchecked");
});

it("follows the running members only, and not more than a few hundred", () => {
  const members = Array.from({ length: 1000 }, (_, id) => memberOf(id, "a", { state: id % 2 ? "running" : "pending" }));
  expect(runningOf(members)).toHaveLength(300);
  expect(runningOf(members).slice(0, 2)).toEqual([1, 3]);
});

it("counts the running members that nobody has asked about", () => {
  const members = Array.from({ length: 302 }, (_, id) => memberOf(id, "a", { state: "running" }));
  expect(unaskedOf(members, {})).toBe(2);
  expect(unaskedOf(members, { 301: live("running") })).toBe(1);
  expect(unaskedOf(members.slice(0, 300), {})).toBe(0);
});
