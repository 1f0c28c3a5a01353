import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it } from "vitest";

import "../../../i18n";
import { statesOf } from "../../../domain/tasks";
import { Refusal, showPage } from "../../../testing/page";
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

it("counts the states of a task, the worst one first however rare it is", () => {
  const states = ["success", "success", "odd", null, "failed", "success"].map((state) => task("t", { state }));
  expect(statesOf(states)).toEqual([
    ["failed", 1],
    ["odd", 1],
    ["none", 1],
    ["success", 3],
  ]);
});

function Changing() {
  const [member, setMember] = useState(memberOf(1, "clean", { state: "running" }));
  return (
    <>
      <button onClick={() => setMember({ ...member, state: "failed" })}>fail</button>
      <DagTasks member={member} />
    </>
  );
}

it("asks again when the member has changed, shows one failure of many, and an error beside what is known", async () => {
  const instances = [0, 1, 2, 3].map((map_index) =>
    task("load", { map_index, state: ["success", "running", "success", "failed"][map_index] }),
  );
  const first = { task_instances: instances.slice(0, 3), structure: STRUCTURE, total_entries: 3 };
  const answers: unknown[] = [
    first,
    { ...first, task_instances: instances },
    new Refusal(503, { detail: "Too much to do.", reason: "busy" }),
  ];
  const { asked } = showPage("/records/7", "/records/7", <Changing />, () => answers[asked.length - 1]);
  await open();
  const card = await screen.findByRole("group", { name: "load" });
  expect(within(card).queryByText("failed")).toBeNull();
  fireEvent.click(screen.getByText("fail"));
  await within(card).findByText("failed");
  fireEvent.click(screen.getByText("Tasks in the Dag, as they are now"));
  await waitFor(() => expect(screen.queryByRole("group", { name: "load" })).toBeNull());
  fireEvent.click(screen.getByText("Tasks in the Dag, as they are now"));
  expect((await screen.findByTestId("problem")).textContent).toContain("Showing the last known state.");
  expect(within(screen.getByRole("group", { name: "load" })).getByText("failed")).toBeTruthy();
});
