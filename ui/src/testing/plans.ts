/** Small plans for tests. */

import type { Evidence, Link, LinkKind, Plan, PlanRun, TaskInstance } from "../api/types";

export const SOURCE = { dag_id: "orders", run_id: "r1" };

export function task(task_id: string, more: Partial<TaskInstance> = {}): TaskInstance {
  return {
    task_id,
    task_display_name: task_id,
    map_index: -1,
    state: "success",
    status: "success",
    operator: "PythonOperator",
    selected: false,
    reason: null,
    ...more,
  };
}

export function run(dag_id: string, more: Partial<PlanRun> = {}): PlanRun {
  return {
    dag_id,
    dag_display_name: dag_id,
    run_id: "r1",
    note: null,
    run_type: "scheduled",
    state: "success",
    logical_date: "2026-01-05T01:00:00Z",
    run_after: "2026-01-05T01:00:00Z",
    data_interval_start: null,
    data_interval_end: null,
    partition_key: null,
    status: "success",
    exists: true,
    next: false,
    selectable: true,
    reason: null,
    freeze_action: null,
    freeze_reason: null,
    freeze_selected: false,
    wrong_data: null,
    selected: true,
    can_be_source: true,
    source_reason: null,
    task_ids: ["load"],
    task_instances: [task("load", { selected: true, reason: "polluted" }), task("check", { reason: "not_polluted" })],
    ...more,
  };
}

export const running = (dag_id: string) =>
  run(dag_id, {
    status: "running",
    selectable: false,
    selected: false,
    reason: "run_is_running",
    freeze_action: "stop",
    freeze_selected: true,
    wrong_data: "reads",
  });

export const toCome = (dag_id: string, more: Partial<PlanRun> = {}) =>
  run(dag_id, {
    run_id: null,
    exists: false,
    status: "not_ready",
    selectable: false,
    selected: false,
    reason: "not_created",
    freeze_action: "hold",
    freeze_selected: true,
    wrong_data: "reads",
    task_ids: [],
    task_instances: [],
    ...more,
  });

export function link(
  from: string,
  to: Link["downstream"] | string,
  kind: LinkKind = "asset",
  evidence: Evidence = "recorded",
): Link {
  return {
    upstream: { dag_id: from, run_id: "r1" },
    downstream: typeof to === "string" ? { dag_id: to, run_id: "r1" } : to,
    kind,
    evidence,
    via: {},
    from_task_id: null,
    to_task_id: null,
  };
}

export function plan(runs: PlanRun[], links: Link[], more: Partial<Plan> = {}): Plan {
  return { plan_token: "token", source: run("orders"), runs, links, warnings: [], hidden_dags: 0, ...more };
}
