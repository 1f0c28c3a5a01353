import { expect, it } from "vitest";

import { Problem } from "../api/problem";
import { makeQueryClient } from "./queryClient";

const { retry, retryDelay } = makeQueryClient().getDefaultOptions().queries ?? {};
const problem = (status: number, reason: string) => new Problem(status, reason, "");

it.each([
  [problem(0, "no_answer"), true],
  [problem(503, "busy"), true],
  [problem(429, "busy"), true],
  [problem(502, "gateway"), true],
  [problem(504, "gateway"), true],
  [problem(0, "unreadable"), false],
  [new TypeError("x is undefined"), false],
  [problem(503, "database_not_migrated"), false],
  [problem(404, "not_found"), false],
  [problem(500, "internal_error"), false],
])("asks again only where the server had no time or couldn't be reached: %o", (error, again) => {
  const asks = retry as (failures: number, error: Error) => boolean;
  expect([0, 2, 3].map((failures) => asks(failures, error))).toEqual([again, again, false]);
});

it("leaves a busy server in peace for a while", () => {
  const delay = retryDelay as (failures: number, error: Error) => number;
  expect(delay(0, problem(503, "busy"))).toBe(5000);
  expect([0, 1, 2].map((failures) => delay(failures, problem(0, "no_answer")))).toEqual([1000, 2000, 4000]);
});

it("waits as long as the server wants, within reason", () => {
  const delay = retryDelay as (failures: number, error: Error) => number;
  const after = (ms: number) => delay(0, new Problem(429, "busy", "", {}, ms));
  expect([after(0), after(3000), after(3_600_000)]).toEqual([0, 3000, 60_000]);
});

it("never gives an order twice", () => {
  expect(makeQueryClient().getDefaultOptions().mutations?.retry).toBe(false);
});
