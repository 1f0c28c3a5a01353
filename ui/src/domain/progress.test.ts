import { expect, it } from "vitest";

import { mentioned, segmentsOf, tallyOf } from "./progress";
import { NOBODY } from "../testing/samples";

it("shows what is done first and what hasn't begun last, and nobody's states not at all", () => {
  const counts = { ...NOBODY, pending: 2, succeeded: 5, failed: 1, running: 1 };
  expect(segmentsOf(counts).map(({ look }) => look)).toEqual(["succeeded", "running", "failed", "pending"]);
});

it("counts skipped runs as done, and frozen ones not among those that are rerun", () => {
  expect(tallyOf({ ...NOBODY, succeeded: 6, skipped: 1, failed: 1, pending: 1, frozen: 2, released: 1 })).toEqual({
    done: 7,
    total: 9,
  });
});

it("mentions what isn't simply done or waiting", () => {
  expect(mentioned({ ...NOBODY, succeeded: 7, pending: 1, failed: 1, frozen: 2 })).toEqual([
    { look: "failed", count: 1 },
    { look: "frozen", count: 2 },
  ]);
});

it("tells those that Airflow has only queued from those that run, and never more than there are", () => {
  const counts = { ...NOBODY, running: 3 };
  expect(mentioned(counts, 2)).toEqual([
    { look: "running", count: 1 },
    { look: "queued", count: 2 },
  ]);
  expect(mentioned(counts, 9)).toEqual([{ look: "queued", count: 3 }]);
});
