/** Which of a task's tries were of which attempt of its member. */

import type { TaskTry } from "../../../api/airflow";
import type { Attempt } from "./attempts";

/** What a task did in one attempt. */
export interface TriesOfAttempt {
  count: number;
  /** Of the last one. */
  state: string | null;
  /** Seconds that all of them took together; null: the last one is on its way, or hasn't begun. */
  seconds: number | null;
}

/**
 * For each attempt what a task did in it; undefined where it didn't run. A try is of the last attempt that began before it
 * did; what is older than all of them isn't of this rerun.
 */
export function byAttempt(tries: readonly TaskTry[], attempts: readonly Attempt[]): (TriesOfAttempt | undefined)[] {
  const found = attempts.map((): TaskTry[] => []);
  for (const one of tries) {
    const began = one.start_date === null ? NaN : Date.parse(one.start_date);
    const place = attempts.findLastIndex(({ begunAt }) => Date.parse(begunAt) <= began);
    found[place]?.push(one);
  }
  return found.map((some) => {
    const last = some.at(-1);
    return last && { count: some.length, state: last.state, seconds: together(some) };
  });
}

function together(tries: readonly TaskTry[]): number | null {
  let seconds = 0;
  for (const { start_date, end_date } of tries) {
    if (start_date === null || end_date === null) {
      return null;
    }
    seconds += (Date.parse(end_date) - Date.parse(start_date)) / 1000;
  }
  return seconds;
}
