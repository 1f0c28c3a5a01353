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

/** The states of a task's instances, each once, the most frequent one first. */
export function statesOf(instances: readonly TaskInstance[]): [state: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { state } of instances) {
    counts.set(state ?? "none", (counts.get(state ?? "none") ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one);
}
