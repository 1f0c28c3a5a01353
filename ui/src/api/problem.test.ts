import { expect, it } from "vitest";

import { asProblem, Problem, problemOf } from "./problem";

it("keeps a refusal's reason, sentence and further fields", () => {
  const problem = problemOf(409, { reason: "plan_changed", detail: "It has changed.", changes: [1] });
  expect(problem).toMatchObject({
    status: 409,
    reason: "plan_changed",
    detail: "It has changed.",
    extra: { changes: [1] },
  });
});

it.each([
  [{ detail: "Not found" }, "Not found"],
  [{ detail: [{ msg: "field required" }] }, "HTTP 422"],
  ["<html>Bad gateway</html>", "<html>Bad gateway</html>"],
  ["", "HTTP 422"],
  [null, "HTTP 422"],
  [undefined, "HTTP 422"],
])("makes a refusal of whatever Airflow or a proxy answers: %j", (body, detail) => {
  expect(problemOf(422, body)).toMatchObject({ status: 422, reason: "refused", detail, extra: {} });
});

it("makes a problem of whatever was thrown, and of nothing none", () => {
  const problem = new Problem(404, "not_found", "There is nothing.");
  expect(asProblem(problem)).toBe(problem);
  expect(asProblem(new TypeError("Failed to fetch"))).toMatchObject({ reason: "no_answer", detail: "Failed to fetch" });
  expect(asProblem({ odd: true })).toMatchObject({ status: 0, reason: "no_answer", detail: '{"odd":true}' });
  expect([asProblem(null), asProblem(undefined)]).toEqual([undefined, undefined]);
});
