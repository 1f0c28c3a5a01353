import { expect, it } from "vitest";

import type { PlanWarning, WarningCode } from "../../api/types";
import { fitting } from "./Warnings";

const warning = (detail: string) => ({ detail }) as PlanWarning;
const kinds: [WarningCode, PlanWarning[]][] = [
  ["order_lost", [warning("short")]],
  ["stays_polluted", [warning("x".repeat(400))]],
  ["upcoming_run", [warning("short"), warning("short")]],
  ["unresolved_link", Array.from({ length: 4 }, () => warning(""))],
];

it("unfolds all of a few warnings, and never many of a kind", () => {
  expect([...fitting(kinds, Infinity)]).toEqual(["order_lost", "stays_polluted", "upcoming_run"]);
});

it("unfolds what there is room for, beside every kind's name", () => {
  expect([...fitting(kinds, 14)]).toEqual(["order_lost", "upcoming_run"]);
  expect([...fitting(kinds, 9)]).toEqual([]);
});
