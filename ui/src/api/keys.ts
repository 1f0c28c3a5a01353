/** Keys of what is kept from the server, by what it is about. */

import type { DagRunFilters, PlanBody, RerunBody, RerunFilters, RunRef } from "./types";

export const keys = {
  dagRuns: (filters: DagRunFilters) => ["dag-runs", filters] as const,
  sourcesSince: ["sources-since"] as const,
  taskInstances: (run: RunRef | undefined) => ["task-instances", run?.dag_id, run?.run_id] as const,
  dagEdges: (dagId: string) => ["dag-edges", dagId] as const,
  plan: (body: PlanBody | undefined) => ["plan", body] as const,
  review: (body: RerunBody | undefined) => ["review", body] as const,
  everyList: ["reruns"] as const,
  reruns: (filters: RerunFilters) => ["reruns", filters] as const,
  record: (id: number) => ["record", id] as const,
  proposalReview: (id: number) => ["proposal-review", id] as const,
  live: (id: number) => ["live", id] as const,
  rerunDags: (id: number) => ["rerun-dags", id] as const,
  links: (id: number) => ["links", id] as const,
  everyNotMadeAnew: (id: number) => ["not-made-anew", id] as const,
  notMadeAnew: (id: number, count: number) => ["not-made-anew", id, count] as const,
  proof: (id: number, moved: string) => ["proof", id, moved] as const,
  notifications: (id: number) => ["notifications", id] as const,
  estimate: (id: number, state: string) => ["estimate", id, state] as const,
  notificationTargets: ["notification-targets"] as const,
  health: ["health"] as const,
  scheduler: ["scheduler"] as const,
  conductor: ["conductor"] as const,
  taskTries: (run: RunRef, seen: string) => ["task-tries", run.dag_id, run.run_id, seen] as const,
  failedTasks: (run: RunRef, seen: string) => ["failed-tasks", run.dag_id, run.run_id, seen] as const,
};
