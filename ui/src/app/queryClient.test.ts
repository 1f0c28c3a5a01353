import { expect, it } from "vitest";

import { Problem } from "../api/problem";
import { makeQueryClient } from "./queryClient";

const { retry, retryDelay } = makeQueryClient().getDefaultOptions().queries ?? {};
const problem = (status: number, reason: string) => new Problem(status, reason, "");

it.each([
  [problem(0, "no_answer"), true],
  [problem(503, "busy"), true],
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
