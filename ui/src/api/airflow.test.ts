import { expect, it } from "vitest";

import { silenceOf, taskPath } from "./airflow";

it.each([
  [{ scheduler: { status: "healthy", latest_scheduler_heartbeat: "2026-01-05T13:33:00Z" } }, undefined],
  [
    { scheduler: { status: "unhealthy", latest_scheduler_heartbeat: "2026-01-05T13:33:00Z" } },
    { since: "2026-01-05T13:33:00Z" },
  ],
  [{ scheduler: { status: "unhealthy", latest_scheduler_heartbeat: null } }, { since: null }],
  [{ metadatabase: { status: "unhealthy" } }, undefined],
  [null, undefined],
])("knows from Airflow's health since when the scheduler is silent: %j", (health, silence) => {
  expect(silenceOf(health)).toEqual(silence);
});

it("leads to the log of one attempt of a task instance, mapped or not, whatever its ids", () => {
  const run = { dag_id: "a/b", run_id: "r+1" };
  const task = { task_id: "t", map_index: -1, try_number: 2, task_display_name: "T", operator_name: null };
  expect(taskPath(run, task)).toBe("dags/a%2Fb/runs/r%2B1/tasks/t?try_number=2");
  expect(taskPath(run, { ...task, map_index: 3 })).toBe("dags/a%2Fb/runs/r%2B1/tasks/t/mapped/3?try_number=2");
});
