import { expect, it } from "vitest";

import type { EventAction, RerunEvent } from "../../../api/types";
import { causeOf, eventOf } from "../../../testing/samples";
import { attemptsOf } from "./attempts";

function lines(...actions: (EventAction | [EventAction, Partial<RerunEvent>])[]): RerunEvent[] {
  return actions.map((each, index) => {
    const [action, more] = Array.isArray(each) ? each : [each, {}];
    return eventOf(`2026-01-05T09:0${index}:00Z`, action, { id: index, member_id: 1, ...more });
  });
}

const told = (events: RerunEvent[]) =>
  attemptsOf(events, 1).map(({ number, begunAt, endedAt, result }) => [
    number,
    begunAt.slice(14, 16),
    endedAt?.slice(14, 16) ?? null,
    result,
  ]);

it("has one for each dispatch, with its end", () => {
  const cause = causeOf("tasks_failed");
  const sentence = { code: "tasks_failed", params: {} };
  const events = lines(
    "submit",
    "member_dispatched",
    ["member_failed", { cause, sentence }],
    "retry",
    "member_dispatched",
  );
  expect(told(events)).toEqual([
    [1, "01", "02", "member_failed"],
    [2, "04", null, null],
  ]);
  expect(attemptsOf(events, 1)[0]).toMatchObject({ cause, sentence });
});

it("counts each stage, as the record does", () => {
  expect(told(lines("member_dispatched", "member_next_stage", "member_dispatched", "member_succeeded"))).toEqual([
    [1, "00", "01", "member_next_stage"],
    [2, "02", "03", "member_succeeded"],
  ]);
});

it("has a run that was repaired in Airflow without a number", () => {
  expect(told(lines("member_dispatched", "member_failed", "member_running", "member_succeeded"))).toEqual([
    [1, "00", "01", "member_failed"],
    [null, "02", "03", "member_succeeded"],
  ]);
});

it("leaves out what is about others, and what happened without an attempt", () => {
  const events = lines(
    ["member_dispatched", { member_id: 2 }],
    ["member_succeeded", { member_id: 2 }],
    "member_skipped",
  );
  expect(told(events)).toEqual([]);
});
