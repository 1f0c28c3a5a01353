/** The tasks of a run, and of its Dag. */

import type { TaskInstance, TaskInstances } from "../api/types";
import { grouped } from "./grouped";

export type Structure = TaskInstances["structure"];

export function byTask(instances: readonly TaskInstance[]): Map<string, TaskInstance[]> {
  return grouped(instances, (each) => each.task_id);
}

/** The edges between the tasks of a Dag. */
export function taskEdges(structure: Structure): { from: string; to: string }[] {
  return structure.flatMap((task) => task.downstream_task_ids.map((to) => ({ from: task.task_id, to })));
}

/** Airflow's states of task instances, first those that a person has to look at. */
export const TASK_STATES: readonly string[] = [
  ...["failed", "upstream_failed", "up_for_retry", "running", "restarting", "deferred", "awaiting_input"],
  ...["up_for_reschedule", "queued", "scheduled", "none", "skipped", "removed", "success"],
];

/** Behind "failed" and "upstream_failed". */
const UNKNOWN = 1.5;

/** The states of a task's instances, each once, the worst one first. One that isn't known here stands behind the failed ones. */
export function statesOf(instances: readonly TaskInstance[]): [state: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { state } of instances) {
    counts.set(state ?? "none", (counts.get(state ?? "none") ?? 0) + 1);
  }
  const rank = ([state]: [string, number]) => {
    const found = TASK_STATES.indexOf(state);
    return found < 0 ? UNKNOWN : found;
  };
  return [...counts].sort((one, other) => rank(one) - rank(other));
}
