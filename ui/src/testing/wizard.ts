/** What a server answers to a wizard whose run has two runs downstream. */

import type { Asked } from "./page";
import { link, plan, run, SOURCE, task } from "./plans";

export const PLAN = plan([run("clean"), run("report")], [link("orders", "clean"), link("clean", "report")]);
export const TASKS = {
  task_instances: [
    task("extract", { reason: "succeeded" }),
    task("load", { selected: true, status: "failed", reason: "failed" }),
  ],
  structure: [
    { task_id: "extract", downstream_task_ids: ["load"], group: null },
    { task_id: "load", downstream_task_ids: [], group: null },
  ],
  total_entries: 2,
};
export const REVIEW = {
  warnings: [],
  waves: [[SOURCE], [{ dag_id: "clean", run_id: "r1" }]],
  stopped: [],
  frozen: [],
  frozen_at_most: null,
};

export type Answers = Record<string, (asked: Asked) => unknown>;

export function answers(more: Answers = {}): (asked: Asked) => unknown {
  const all: Answers = {
    "GET /dag-runs/orders/r1/task-instances": () => TASKS,
    "POST /plans": () => PLAN,
    "POST /reviews": () => REVIEW,
    "GET /reruns": () => ({ reruns: [], total_entries: 0 }),
    "GET /notification-targets": () => ({ notification_targets: [] }),
    "POST /reruns": () => ({ id: 7 }),
    ...more,
  };
  return (asked) => all[`${asked.method} ${asked.path}`]?.(asked);
}
