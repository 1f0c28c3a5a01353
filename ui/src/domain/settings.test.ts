import { expect, it } from "vitest";

import { areValid, consentsTo, INITIAL, numberOf, sentSettings } from "./settings";

it("begins as the server would without them", () => {
  expect(sentSettings(INITIAL)).toEqual({
    max_active_members: null,
    on_failure: "continue_other_branches",
    run_on_latest_version: null,
    stop_running_on_terminate: true,
    accept_duplicate_runs: false,
    accept_unknown_offsets: false,
  });
});

it.each([
  ["", undefined, true],
  [" 8 ", 8, true],
  ["0", NaN, false],
  ["x", NaN, false],
  ["1.5", NaN, false],
])("reads %j as %j", (typed, number, valid) => {
  expect(numberOf(typed)).toBe(number);
  expect(areValid({ ...INITIAL, max_active_members: typed })).toBe(valid);
});

it("sends what was typed as a number", () => {
  expect(sentSettings({ ...INITIAL, max_active_members: " 8 " }).max_active_members).toBe(8);
});

it("asks for an agreement where something was warned of", () => {
  expect(consentsTo(["deadline", "offset_unknown"])).toEqual(["accept_unknown_offsets"]);
  expect(consentsTo(["deadline"])).toEqual([]);
});
