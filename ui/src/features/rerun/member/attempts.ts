/** A member's attempts, as the lines of the record tell them. */

import type { Cause, EventAction, RerunEvent, Sentence } from "../../../api/types";

export interface Attempt {
  /** From 1; null: nobody dispatched it, its run was repaired in Airflow. */
  number: number | null;
  begunAt: string;
  /** Null: it is on its way. */
  endedAt: string | null;
  /** How it ended; null: it is on its way. */
  result: EventAction | null;
  cause: Cause | null;
  detail: string | null;
  /** The same as a code and parameters. */
  sentence: Sentence | null;
}

const ENDS: ReadonlySet<EventAction> = new Set<EventAction>([
  "member_next_stage",
  "member_pending",
  "member_succeeded",
  "member_failed",
  "member_skipped",
  "member_terminated",
]);

/** The attempts, the first one first. `events` are those of the whole record, oldest first. */
export function attemptsOf(events: readonly RerunEvent[], memberId: number): Attempt[] {
  const found: Attempt[] = [];
  let dispatches = 0;
  for (const { member_id, action, at, cause, detail, sentence } of events) {
    const last = found.at(-1);
    const open = last?.endedAt === null ? last : undefined;
    if (member_id !== memberId) {
      continue;
    }
    if (action === "member_dispatched") {
      dispatches += 1;
      close(open, at, null);
      found.push(begun(dispatches, at));
    } else if (action === "member_running" && open === undefined) {
      found.push(begun(null, at));
    } else if (ENDS.has(action) && open !== undefined) {
      close(open, at, action);
      open.cause = cause;
      open.detail = detail;
      open.sentence = sentence;
    }
  }
  return found;
}

function begun(number: number | null, begunAt: string): Attempt {
  return { number, begunAt, endedAt: null, result: null, cause: null, detail: null, sentence: null };
}

function close(attempt: Attempt | undefined, endedAt: string, result: EventAction | null): void {
  if (attempt !== undefined) {
    attempt.endedAt = endedAt;
    attempt.result = result;
  }
}
