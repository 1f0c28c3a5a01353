/** What somebody who doesn't see a record has to hear of it, and how soon. */

import { tallyOf } from "../../../domain/progress";
import type { Rerun, RerunState } from "../../../api/types";

export interface Heard {
  state: RerunState;
  done: number;
  total: number;
  failed: number;
}

/** `urgent` interrupts; `now` waits for the end of a sentence only; `later` may wait until more has happened. */
export type Pace = "urgent" | "now" | "later";

/** So many milliseconds lie between two lines about progress alone. */
export const PAUSE = 15_000;

export function heardOf({ state, counts }: Pick<Rerun, "state" | "counts">): Heard {
  return { state, failed: counts.failed, ...tallyOf(counts) };
}

/** How soon the difference has to be heard; null where there is none. */
export function paceOf(before: Heard, now: Heard): Pace | null {
  if (now.failed > before.failed || (now.state === "failed" && before.state !== "failed")) {
    return "urgent";
  }
  if (now.state !== before.state) {
    return "now";
  }
  return now.done !== before.done || now.total !== before.total ? "later" : null;
}
