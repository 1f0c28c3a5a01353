/** What an approval would do otherwise than what was proposed. */

import type { Member, ProposalReview, RunRef } from "../../../api/types";
import { keyOf } from "../../../domain/runName";

export type What = "taken" | "dropped" | "changed" | "found";

/** A run, and what is new about it. */
export interface News {
  run: RunRef;
  what: What;
}

/** What an approval accepts without anybody having proposed it comes first. */
const FIRST: readonly What[] = ["taken", "dropped", "changed", "found"];

/**
 * Each run once, those that would be rerun or no longer would be before the others.
 *
 * `taken` and `dropped`: the approval would rerun it although it wasn't proposed, or not although it was. `changed`: its
 * state, tasks or links are others. `found`: it is new in the plan, and wouldn't be rerun.
 */
export function newsOf({ changes, review }: ProposalReview, members: readonly Member[]): News[] {
  const news = new Map<string, News>();
  const add = (run: RunRef, what: What) => {
    news.set(keyOf(run), { run: { dag_id: run.dag_id, run_id: run.run_id }, what });
  };
  for (const one of changes) {
    add(one, one.change === "added" ? "found" : "changed");
  }
  if (review !== null) {
    const proposed = members.filter(({ role, state }) => role !== "frozen" && state !== "skipped").flatMap(refOf);
    const now = review.waves.flat();
    missing(now, proposed).forEach((run) => add(run, "taken"));
    missing(proposed, now).forEach((run) => add(run, "dropped"));
  }
  return [...news.values()].sort((one, other) => FIRST.indexOf(one.what) - FIRST.indexOf(other.what));
}

function refOf({ dag_id, original_run_id: run_id }: Member): RunRef[] {
  return run_id === null ? [] : [{ dag_id, run_id }];
}

function missing(from: readonly RunRef[], others: readonly RunRef[]): RunRef[] {
  const there = new Set(others.map(keyOf));
  return from.filter((run) => !there.has(keyOf(run)));
}
