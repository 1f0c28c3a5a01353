import { expect, it } from "vitest";

import { run } from "../testing/plans";
import { freezeRef, futureRef, keyOf } from "./runName";

const NAMES = [
  { dag_id: "a", run_id: "next" },
  { dag_id: "a", next: true },
  { dag_id: "a", logical_date: "2026-01-05T00:00:00Z" },
  { dag_id: "a", partition_key: "2026-01-05T00:00:00Z" },
  { dag_id: "a", run_id: "?" },
  { dag_id: "a" },
  { dag_id: "b" },
];

it("gives different runs different keys, and equal ones the same", () => {
  const keys = NAMES.map(keyOf);
  expect(new Set(keys).size).toBe(NAMES.length);
  expect(NAMES.map((name) => keyOf({ ...name }))).toEqual(keys);
  expect(keyOf({ dag_id: "a", run_id: "x", logical_date: "2026-01-05T00:00:00Z" })).toBe(
    keyOf({ dag_id: "a", run_id: "x" }),
  );
});

it("names a run to come by its partition, its place in line or its date, in this order", () => {
  const coming = run("a", { run_id: null, partition_key: null, next: false, logical_date: "2026-01-05T00:00:00Z" });
  expect(futureRef(coming)).toEqual({ dag_id: "a", logical_date: "2026-01-05T00:00:00Z" });
  expect(futureRef({ ...coming, next: true })).toEqual({ dag_id: "a", next: true });
  expect(futureRef({ ...coming, next: true, partition_key: "p" })).toEqual({ dag_id: "a", partition_key: "p" });
});

it("freezes a run that exists by its id", () => {
  expect(freezeRef(run("a", { run_id: "x" }))).toEqual({ dag_id: "a", run_id: "x" });
  expect(freezeRef(run("a", { run_id: null, next: true }))).toEqual({ dag_id: "a", next: true });
});
