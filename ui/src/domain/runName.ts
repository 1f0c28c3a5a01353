/** Names of runs, as keys of maps and as words on the screen. */

import type { FutureRef, PlanRun, RunRef } from "../api/types";

/** What names a run: created, to come, or (only the Dag is given) one that couldn't be told. */
export interface RunName {
  dag_id: string;
  run_id?: string | null;
  logical_date?: string | null;
  partition_key?: string | null;
  next?: boolean | null;
}

const SEPARATOR = "\u0000";

/** A key that equal names share. */
export function keyOf(run: RunName): string {
  if (run.run_id) {
    return [run.dag_id, run.run_id].join(SEPARATOR);
  }
  const which = run.partition_key ?? (run.logical_date ? `@${run.logical_date}` : run.next ? "next" : "?");
  return [run.dag_id, "", which].join(SEPARATOR);
}

/** The reference of a run of a plan that Airflow hasn't made yet. */
export function futureRef(run: PlanRun): FutureRef {
  if (run.partition_key !== null) {
    return { dag_id: run.dag_id, partition_key: run.partition_key };
  }
  return run.next ? { dag_id: run.dag_id, next: true } : { dag_id: run.dag_id, logical_date: run.logical_date };
}

/** The reference by which a run of a plan is frozen. */
export function freezeRef(run: PlanRun): RunRef | FutureRef {
  return run.run_id === null ? futureRef(run) : { dag_id: run.dag_id, run_id: run.run_id };
}
