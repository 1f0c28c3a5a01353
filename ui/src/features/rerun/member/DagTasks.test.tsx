import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import "../../../i18n";
import { statesOf } from "../../../domain/tasks";
import { showPage } from "../../../testing/page";
import { task } from "../../../testing/plans";
import { memberOf } from "../../../testing/samples";
import { DagTasks } from "./DagTasks";

const STRUCTURE = [
  { task_id: "extract", downstream_task_ids: ["load"], group: null },
  { task_id: "load", downstream_task_ids: [], group: "last" },
];

function show(answer: object) {
  const path = "/dag-runs/clean/r1/task-instances";
  return showPage("/records/7", "/records/7", <DagTasks member={memberOf(1, "clean")} />, (asked) =>
    asked.path === path ? answer : undefined,
  );
}

const open = () => userEvent.click(screen.getByText("Tasks in the Dag, as they are now"));

it("asks when it is opened, and draws each task with the states that Airflow gives it", async () => {
  const instances = [
    task("extract", { state: "success" }),
    task("load", { map_index: 0, state: "failed", task_display_name: "Load all" }),
    task("load", { map_index: 1, state: "failed", task_display_name: "Load all" }),
    task("load", { map_index: 2, state: "success", task_display_name: "Load all" }),
  ];
  const { asked } = show({ task_instances: instances, structure: STRUCTURE, total_entries: 4 });
  expect(asked).toEqual([]);
  await open();
  const card = await screen.findByRole("group", { name: "Load all (load)" });
  expect(within(card).getByText("failed")).toBeTruthy();
  expect(within(card).getByText("3 instances")).toBeTruthy();
  expect(screen.getByRole("group", { name: "extract" }).textContent).toContain("success");
});

it("says that there is no graph of a Dag that is gone", async () => {
  show({ task_instances: [], structure: [], total_entries: 0 });
  await open();
  await waitFor(() => expect(screen.getByTestId("dag-tasks").textContent).toContain("isn't there any more"));
});

it("counts the states of a task, the most frequent one first", () => {
  const states = ["success", null, "failed", "failed"].map((state) => task("t", { state }));
  expect(statesOf(states)).toEqual([
    ["failed", 2],
    ["success", 1],
    ["none", 1],
  ]);
});
