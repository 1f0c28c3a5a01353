/** How far a rerun is, from the numbers that the server counts. */

import type { Counts, MemberState } from "../api/types";

/** From what is done to what hasn't begun, as a bar shows it. */
const ORDER: readonly MemberState[] = [
  "succeeded",
  "skipped",
  "released",
  "running",
  "stopping",
  "failed",
  "terminated",
  "frozen",
  "pending",
];

export interface Segment {
  state: MemberState;
  count: number;
}

/** The parts of the bar; states in which nobody is are left out. */
export function segmentsOf(counts: Counts): Segment[] {
  return ORDER.map((state) => ({ state, count: counts[state] })).filter(({ count }) => count > 0);
}

/** `done` of `total` runs to be rerun; frozen runs aren't rerun, and are told beside it. */
export function tallyOf(counts: Counts): { done: number; total: number } {
  const everybody = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const total = everybody - counts.frozen - counts.released;
  return { done: counts.succeeded + counts.skipped, total };
}

/** What is told beside the numbers, because it matters: states in which somebody is, in their order. */
export function mentioned(counts: Counts): Segment[] {
  const told: readonly MemberState[] = ["running", "stopping", "failed", "terminated", "skipped", "frozen", "released"];
  return segmentsOf(counts).filter(({ state }) => told.includes(state));
}
