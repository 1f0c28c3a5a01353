/** How far a rerun is, from the numbers that the server counts. */

import type { Counts, MemberState } from "../api/types";

/** How members are counted: by their states, and of the running ones, those that Airflow hasn't begun. */
type Counted = MemberState | "queued";

/** From what is done to what hasn't begun, as a bar shows it. */
const ORDER: readonly Counted[] = [
  "succeeded",
  "skipped",
  "released",
  "running",
  "queued",
  "stopping",
  "failed",
  "terminated",
  "frozen",
  "pending",
];

export interface Segment {
  look: Counted;
  count: number;
}

/** The parts of the bar; states in which nobody is are left out. `queued`: so many of the running ones haven't begun. */
export function segmentsOf(counts: Counts, queued = 0): Segment[] {
  const waiting = Math.min(queued, counts.running);
  const all: Record<Counted, number> = { ...counts, running: counts.running - waiting, queued: waiting };
  return ORDER.map((look) => ({ look, count: all[look] })).filter(({ count }) => count > 0);
}

/** `done` of `total` runs to be rerun; frozen runs aren't rerun, and are told beside it. */
export function tallyOf(counts: Counts): { done: number; total: number } {
  const everybody = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const total = everybody - counts.frozen - counts.released;
  return { done: counts.succeeded + counts.skipped, total };
}

const TOLD: readonly Counted[] = [
  ...(["running", "queued", "stopping", "failed", "terminated"] as const),
  ...(["skipped", "frozen", "released"] as const),
];

/** What is told beside the numbers, because it matters: states in which somebody is, in their order. */
export function mentioned(counts: Counts, queued = 0): Segment[] {
  return segmentsOf(counts, queued).filter(({ look }) => TOLD.includes(look));
}
