import { expect, it } from "vitest";

import { eventOf, memberOf } from "../testing/samples";
import { changedSince, type Followed, merged } from "./following";
import type { EventAction, Member } from "./types";

const running = memberOf(3, "c", { state: "running" });
const done = memberOf(1, "a", { state: "succeeded" });
const members = [done, memberOf(2, "b", { state: "pending" }), running];
const known: Followed = { members, lines: 1, whole: 1000 };
const first = eventOf("2026-01-05T09:00:00Z", "submit");
const about = (member_id: number | null, action: EventAction = "member_dispatched") =>
  eventOf("2026-01-05T09:01:00Z", action, { member_id });
const limits = { now: 2000, wait: 5000, most: 2 };

it("asks for the members of new lines, and for those in flight", () => {
  expect(changedSince(known, [first, about(2)], limits)?.sort()).toEqual([2, 3]);
  expect(changedSince(known, [first, about(3), about(3)], limits)).toEqual([3]);
  expect(changedSince(known, [first], limits)).toEqual([3]);
  const idle = { ...known, members: members.slice(0, 2) };
  expect(changedSince(idle, [first], { ...limits, most: 1 })).toEqual([]);
});

it.each([
  ["a page holds them all", known, [first], { ...limits, most: 3 }],
  ["all were asked for long ago", known, [first], { ...limits, now: 6000 }],
  ["somebody has just done something", { ...known, whole: 0 }, [first], { ...limits, now: 6000 }],
  ["the rerun itself has changed", known, [first, about(null, "resume")], limits],
  ["a member has another run", known, [first, about(2, "member_adopted")], limits],
  ["the record is another one", known, [], limits],
  ["too many have changed", known, [first, about(1), about(2)], limits],
])("asks for all where %s", (_, followed, events, how) => {
  expect(changedSince(followed, events, how)).toBeUndefined();
});

it("puts what is new in its place, and lets nobody wait for what is done", () => {
  const ended = memberOf(3, "c", { state: "succeeded" });
  const ref = { dag_id: "c", run_id: "r1" };
  const other = { dag_id: "x", run_id: "r" };
  const waits = memberOf(2, "b", { state: "pending", waiting_on: [ref, other] });
  const found = merged([done, waits, running], [ended]);
  expect(found?.map(({ id, state }) => [id, state])).toEqual([
    [1, "succeeded"],
    [2, "pending"],
    [3, "succeeded"],
  ]);
  expect(found?.[1]?.waiting_on).toEqual([other]);
  expect(found?.[0]).toBe(done);
});

it("can't tell what waits for a run that is run again, nor where a new member stands", () => {
  const again: Member = memberOf(1, "a", { state: "running" });
  expect(merged(members, [again])).toBeUndefined();
  expect(merged(members, [memberOf(9, "z")])).toBeUndefined();
  expect(merged(members, [])).toEqual(members);
});
