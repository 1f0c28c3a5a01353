import { afterEach, expect, it, vi } from "vitest";

import { keep, kept, keptAddress } from "./kept";

afterEach(() => {
  vi.restoreAllMocks();
  localStorage.clear();
});

const known = (search: string) => (search.includes("state=failed") ? "state=failed" : "");

it("keeps a text until it is empty", () => {
  keep("filters:runs", "state=failed");
  expect(kept("filters:runs")).toBe("state=failed");
  keep("filters:runs", "");
  expect(kept("filters:runs")).toBeUndefined();
});

it("gives a bare address what is kept, and leaves one with filters as it is", () => {
  keep("filters:runs", "state=failed&odd=1");
  expect(keptAddress("filters:runs", "", known)).toBe("state=failed");
  expect(keptAddress("filters:runs", "?state=failed", known)).toBeUndefined();
  expect(keptAddress("filters:reruns", "", known)).toBeUndefined();
});

it("never leads to an address that says nothing", () => {
  keep("filters:runs", "nonsense");
  expect(keptAddress("filters:runs", "", known)).toBeUndefined();
});

it("does without a storage that is forbidden", () => {
  vi.spyOn(Storage.prototype, "getItem").mockImplementation(() => {
    throw new DOMException("denied", "SecurityError");
  });
  vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
    throw new DOMException("denied", "SecurityError");
  });
  expect(() => keep("filters:runs", "state=failed")).not.toThrow();
  expect(kept("filters:runs")).toBeUndefined();
});
