import { expect, it } from "vitest";

import { asProblem, isUnsure, mayPass, Problem, problemOf } from "./problem";

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
  ["<html>Bad gateway</html>", "HTTP 422"],
  ["", "HTTP 422"],
  [null, "HTTP 422"],
  [undefined, "HTTP 422"],
])("makes a refusal of whatever Airflow or a proxy answers, and prints no page of theirs: %j", (body, detail) => {
  expect(problemOf(422, body)).toMatchObject({ status: 422, reason: "refused", detail, extra: {} });
});

it.each([
  [502, "gateway"],
  [503, "gateway"],
  [504, "gateway"],
  [429, "busy"],
  [500, "refused"],
])("tells who has spoken where the body says nothing: HTTP %i is %s", (status, reason) => {
  expect(problemOf(status, "<html></html>").reason).toBe(reason);
});

it("leaves our own word for a server that isn't set up", () => {
  expect(problemOf(503, { detail: "No tables.", reason: "database_not_migrated" }).reason).toBe(
    "database_not_migrated",
  );
});

it.each([
  ["7", 7000],
  ["0", 0],
  ["", undefined],
  ["soon", undefined],
  [new Date(Date.now() - 5000).toUTCString(), 0],
])("reads when to ask again: %j", (header, after) => {
  expect(problemOf(429, null, new Headers({ "Retry-After": header })).askAgainAfter).toBe(after);
});

it("doesn't take a mistake of the page's own for a server that is gone", () => {
  const problem = new Problem(404, "not_found", "There is nothing.");
  expect(asProblem(problem)).toBe(problem);
  expect(asProblem(new TypeError("x is undefined"))).toMatchObject({ reason: "page_error", detail: "x is undefined" });
  expect(asProblem({ odd: true })).toMatchObject({ status: 0, reason: "page_error", detail: '{"odd":true}' });
  expect([asProblem(null), asProblem(undefined)]).toEqual([undefined, undefined]);
});

it.each([
  ["no_answer", true, true],
  ["gateway", true, true],
  ["unreadable", false, true],
  ["busy", true, false],
  ["page_error", false, false],
  ["action_not_allowed", false, false],
])("knows of %s whether it may pass (%s) and whether an order is in doubt (%s)", (reason, passes, unsure) => {
  const problem = new Problem(0, reason, "");
  expect([mayPass(problem), isUnsure(problem)]).toEqual([passes, unsure]);
});
