/** The rows of a run's tasks: task groups with their tasks, mapped tasks with their indexes. */

import type { TaskInstance } from "../../../api/types";
import { byTask, type Structure } from "../../../domain/tasks";
import { instanceKey } from "../state/tasks";

/** A task group, a task, or one index of a mapped task. */
export interface TaskRow {
  id: string;
  /** Of a group: its id. */
  taskId: string;
  mapIndex: number | null;
  isGroup: boolean;
  instances: TaskInstance[];
  subRows?: TaskRow[];
}

/** Tasks in their order; a group stands where its first task would. */
export function rowsOf(instances: readonly TaskInstance[], structure: Structure): TaskRow[] {
  const groupOf = new Map(structure.map(({ task_id, group }) => [task_id, group]));
  const groups = new Map<string, TaskRow>();
  const rows: TaskRow[] = [];
  for (const [taskId, own] of byTask(instances)) {
    const row = taskRow(taskId, own);
    const name = groupOf.get(taskId);
    const known = name ? groups.get(name) : undefined;
    if (known) {
      known.instances = [...known.instances, ...own];
      known.subRows?.push(row);
    } else if (name) {
      const group = { id: groupKey(name), taskId: name, mapIndex: null, isGroup: true, instances: own, subRows: [row] };
      groups.set(name, group);
      rows.push(group);
    } else {
      rows.push(row);
    }
  }
  return rows;
}

/** The groups, by the ids of their rows: they are open at first. */
export function openGroups(rows: readonly TaskRow[]): Record<string, boolean> {
  return Object.fromEntries(rows.filter(({ isGroup }) => isGroup).map(({ id }) => [id, true]));
}

function groupKey(name: string): string {
  return `group\u0000${name}`;
}

function taskRow(taskId: string, instances: TaskInstance[]): TaskRow {
  const mapped = instances.some((each) => each.map_index >= 0);
  const row = { id: taskId, taskId, mapIndex: null, isGroup: false, instances };
  return mapped ? { ...row, subRows: instances.map(indexRow) } : row;
}

function indexRow(instance: TaskInstance): TaskRow {
  return {
    id: instanceKey(instance),
    taskId: instance.task_id,
    mapIndex: instance.map_index,
    isGroup: false,
    instances: [instance],
  };
}
