import { expect, it } from "vitest";

import { mentioned, segmentsOf, tallyOf } from "./progress";
import { NOBODY } from "../testing/samples";

it("shows what is done first and what hasn't begun last, and nobody's states not at all", () => {
  const counts = { ...NOBODY, pending: 2, succeeded: 5, failed: 1, running: 1 };
  expect(segmentsOf(counts).map(({ state }) => state)).toEqual(["succeeded", "running", "failed", "pending"]);
});

it("counts skipped runs as done, and frozen ones not among those that are rerun", () => {
  expect(tallyOf({ ...NOBODY, succeeded: 6, skipped: 1, failed: 1, pending: 1, frozen: 2, released: 1 })).toEqual({
    done: 7,
    total: 9,
  });
});

it("mentions what isn't simply done or waiting", () => {
  expect(mentioned({ ...NOBODY, succeeded: 7, pending: 1, failed: 1, frozen: 2 })).toEqual([
    { state: "failed", count: 1 },
    { state: "frozen", count: 2 },
  ]);
});
