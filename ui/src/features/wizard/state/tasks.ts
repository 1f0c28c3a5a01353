/** The choice of task instances of one run: between what the API names and what a person ticks. */

import type { TaskInstance, TaskInstances, TaskRef } from "../../../api/types";
import { byTask, type Structure, taskEdges } from "../../../domain/tasks";
import { forward, reachable } from "../../../ui/graph/structure";

/** Names one instance in a choice. */
export function instanceKey(instance: { task_id: string; map_index: number }): string {
  return `${instance.task_id}\u0000${instance.map_index}`;
}

/** Whether the server lets an instance be chosen: its reason says if it can't. */
export function canBeChosen(instance: TaskInstance): boolean {
  return instance.reason !== "removed";
}

/** Whether an instance failed, was stopped or never ran, in the server's words. */
export function isBroken(instance: TaskInstance): boolean {
  return canBeChosen(instance) && ["failed", "terminated", "revoked"].includes(instance.status);
}

export function keysOf(instances: readonly TaskInstance[], wanted: (instance: TaskInstance) => boolean): Set<string> {
  return new Set(instances.filter((each) => canBeChosen(each) && wanted(each)).map(instanceKey));
}

/** The instances that a list of references means; null: those that the server preselects. */
export function chosenBy(refs: readonly TaskRef[] | null, instances: readonly TaskInstance[]): Set<string> {
  if (refs === null) {
    return keysOf(instances, (each) => each.selected);
  }
  const whole = new Set(refs.filter((ref) => typeof ref === "string"));
  const single = new Set(refs.filter((ref) => typeof ref !== "string").map(instanceKey));
  return keysOf(instances, (each) => whole.has(each.task_id) || single.has(instanceKey(each)));
}

/** The references that mean these instances: a task of which every index is chosen is named as a whole. */
export function refsOf(chosen: ReadonlySet<string>, instances: readonly TaskInstance[]): TaskRef[] {
  const refs: TaskRef[] = [];
  for (const [taskId, group] of byTask(instances.filter(canBeChosen))) {
    const taken = group.filter((each) => chosen.has(instanceKey(each)));
    if (taken.length === group.length) {
      refs.push(taskId);
    } else {
      refs.push(...taken.map((each) => ({ task_id: taskId, map_index: each.map_index })));
    }
  }
  return refs;
}

/** The references of a choice; null where it is the one that the server makes by itself. */
export function refsOrDefault(chosen: ReadonlySet<string>, instances: readonly TaskInstance[]): TaskRef[] | null {
  const preselected = chosenBy(null, instances);
  const same = preselected.size === chosen.size && [...preselected].every((key) => chosen.has(key));
  return same ? null : refsOf(chosen, instances);
}

/** Some instances of a task, and all instances of every task that follows it. */
export function withFollowers(
  taskId: string,
  keys: Iterable<string>,
  instances: readonly TaskInstance[],
  structure: Structure,
): Set<string> {
  const after = reachable([taskId], forward(taskEdges(structure)));
  after.delete(taskId);
  return new Set([...keys, ...keysOf(instances, (each) => after.has(each.task_id))]);
}

/** What a person means who comes from a task instance: it, and what follows it. Undefined if the run hasn't got it. */
export function entryChoice(
  entry: { taskId?: string; mapIndex?: number },
  { task_instances: instances, structure }: Pick<TaskInstances, "task_instances" | "structure">,
): Set<string> | undefined {
  const own = keysOf(
    instances,
    (each) => each.task_id === entry.taskId && (entry.mapIndex === undefined || each.map_index === entry.mapIndex),
  );
  return entry.taskId === undefined || own.size === 0
    ? undefined
    : withFollowers(entry.taskId, own, instances, structure);
}
