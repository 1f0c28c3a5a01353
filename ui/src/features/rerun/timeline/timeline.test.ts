import { expect, it } from "vitest";

import { eventOf, memberOf } from "../../../testing/samples";
import { attemptsOf, ordered, placeOf, rowOf, scaleOf, ticksOf } from "./timeline";

const BEGIN = Date.parse("2026-01-05T09:00:00Z");
const at = (seconds: number) => BEGIN + seconds * 1000;
const iso = (seconds: number) => new Date(at(seconds)).toISOString();

it("lets a run wait from the beginning until it is dispatched", () => {
  const row = rowOf({ state: "succeeded", dispatched_at: iso(10), ended_at: iso(30) }, BEGIN);
  expect(row.waits).toEqual([{ start: BEGIN, end: at(10) }]);
  expect(row.runs).toEqual([{ start: at(10), end: at(30), state: "succeeded" }]);
});

it("lets what hasn't been dispatched wait until now, or until it ended", () => {
  expect(rowOf({ state: "pending", dispatched_at: null, ended_at: null }, BEGIN)).toEqual({
    waits: [{ start: BEGIN, end: null }],
    runs: [],
  });
  expect(rowOf({ state: "released", dispatched_at: null, ended_at: iso(5) }, BEGIN).waits).toEqual([
    { start: BEGIN, end: at(5) },
  ]);
});

it("shows each attempt with what came of it, and the wait for another", () => {
  const events = [
    eventOf(iso(10), "member_dispatched", { member_id: 2 }),
    eventOf(iso(20), "member_failed", { member_id: 2 }),
    eventOf(iso(25), "retry", { member_id: 2 }),
  ];
  const row = rowOf({ state: "pending", dispatched_at: iso(10), ended_at: null }, BEGIN, attemptsOf(events).get(2));
  expect(row.runs).toEqual([{ start: at(10), end: at(20), state: "failed" }]);
  expect(row.waits).toEqual([
    { start: BEGIN, end: at(10) },
    { start: at(20), end: null },
  ]);
});

it("doesn't let the run of a skipped member go on until it was skipped", () => {
  const events = [
    eventOf(iso(10), "member_dispatched", { member_id: 2 }),
    eventOf(iso(20), "member_failed", { member_id: 2 }),
  ];
  const row = rowOf({ state: "skipped", dispatched_at: iso(10), ended_at: iso(90) }, BEGIN, attemptsOf(events).get(2));
  expect(row.runs).toEqual([{ start: at(10), end: at(20), state: "failed" }]);
});

it("knows an attempt of which the events don't tell yet", () => {
  const earlier = [{ start: at(10), end: at(20), state: "failed" as const }];
  const row = rowOf({ state: "running", dispatched_at: iso(40), ended_at: null }, BEGIN, earlier);
  expect(row.runs.at(-1)).toEqual({ start: at(40), end: null, state: "running" });
});

it("opens an attempt again that was repaired by hand", () => {
  const events = [
    eventOf(iso(10), "member_dispatched", { member_id: 2 }),
    eventOf(iso(20), "member_failed", { member_id: 2 }),
    eventOf(iso(30), "member_running", { member_id: 2 }),
  ];
  const row = rowOf({ state: "running", dispatched_at: iso(10), ended_at: null }, BEGIN, attemptsOf(events).get(2));
  expect(row.runs).toEqual([{ start: at(10), end: null, state: "running" }]);
});

it("places spans in percent, what goes on up to now", () => {
  const scale = scaleOf(BEGIN, at(100), at(500));
  expect(placeOf({ start: at(25), end: at(75) }, scale, at(500))).toEqual({ left: 25, width: 50 });
  expect(placeOf({ start: at(90), end: null }, scale, at(95))).toEqual({ left: 90, width: 5 });
  expect(scaleOf(BEGIN, null, BEGIN).to).toBeGreaterThan(BEGIN);
});

it("marks round moments of the time zone", () => {
  const seconds = ticksOf({ from: at(0.5), to: at(7) }, "UTC");
  expect(seconds.map(({ label }) => label)).toEqual([1, 2, 3, 4, 5, 6, 7].map((each) => `09:00:0${each}`));
  const hours = ticksOf({ from: at(0), to: at(6 * 3600) }, "Asia/Kolkata");
  expect(hours[0]).toEqual({ at: at(1800), label: "15:00" });
  const days = ticksOf({ from: at(0), to: at(5 * 86_400) }, "Asia/Shanghai");
  expect(days[0]).toEqual({ at: Date.parse("2026-01-05T16:00:00Z"), label: "2026-01-06" });
});

it.each([1, 50, 1000, 86_400, 40 * 86_400, 400 * 86_400])("never marks more than fit: %s seconds", (length) => {
  const { length: count } = ticksOf({ from: BEGIN, to: at(length) }, "UTC", 8);
  expect(count).toBeGreaterThan(0);
  expect(count).toBeLessThanOrEqual(9);
});

it("goes by wave, or by start with those last that haven't started", () => {
  const members = [
    memberOf(1, "a", { dispatched_at: iso(20) }),
    memberOf(2, "b"),
    memberOf(3, "c", { dispatched_at: iso(10) }),
    memberOf(4, "d"),
  ];
  expect(ordered(members, "wave").map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  expect(ordered(members, "time").map(({ id }) => id)).toEqual([3, 1, 2, 4]);
});
