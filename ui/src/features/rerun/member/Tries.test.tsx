import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import "../../../i18n";
import { Refusal, showPage } from "../../../testing/page";
import type { Attempt } from "./attempts";
import { byAttempt } from "./tries";
import { Tries } from "./Tries";

const at = (minute: number, second = 0) => new Date(Date.UTC(2026, 0, 5, 1, minute, second)).toISOString();
const attempt = (number: number | null, begunAt: string, endedAt: string | null): Attempt => ({
  number,
  begunAt,
  endedAt,
  result: null,
  cause: null,
  detail: null,
  sentence: null,
});
const tryOf = (try_number: number, start_date: string | null, end_date: string | null, state = "success") => ({
  try_number,
  state,
  start_date,
  end_date,
});
const ATTEMPTS = [attempt(1, at(10), at(20)), attempt(2, at(30), null)];

it("gives each try to the last attempt that began before it, and none that is older than the rerun", () => {
  const tries = [
    tryOf(1, at(1), at(2)),
    tryOf(2, at(11), at(12), "failed"),
    tryOf(3, at(14), at(14, 30), "failed"),
    tryOf(4, at(25), at(26)),
    tryOf(5, at(31), null, "running"),
    tryOf(6, null, null, "queued"),
  ];
  expect(byAttempt(tries, ATTEMPTS)).toEqual([
    { count: 3, state: "success", seconds: 150 },
    { count: 1, state: "running", seconds: null },
  ]);
  expect(byAttempt([], ATTEMPTS)).toEqual([undefined, undefined]);
});

function show(answers: Record<string, unknown>) {
  const run = { dag_id: "clean", run_id: "r/1" };
  return showPage("/", "/", <Tries run={run} attempts={ATTEMPTS} />, ({ path }) => answers[path]);
}

const open = () => userEvent.click(screen.getByText("Tries of each task, by attempt"));
const RUN = "/api/v2/dags/clean/dagRuns/r%2F1/taskInstances";

it("asks Airflow when it is opened, for mapped tasks by their index", async () => {
  const { asked } = show({
    [RUN]: {
      task_instances: [
        { task_id: "load", map_index: -1, task_display_name: "Load all" },
        { task_id: "each", map_index: 3, task_display_name: "each" },
      ],
      total_entries: 22,
    },
    [`${RUN}/load/tries`]: { task_instances: [tryOf(3, at(13), at(14)), tryOf(2, at(11), at(12), "failed")] },
    [`${RUN}/each/3/tries`]: { task_instances: [tryOf(2, at(31), at(32))] },
  });
  expect(asked).toEqual([]);
  await open();
  const load = within(await screen.findByRole("row", { name: /Load all/ }));
  expect(load.getAllByRole("cell").map(({ textContent }) => textContent)).toEqual([
    "Load all",
    "2 tries, success, 00:02:00",
    "–",
  ]);
  expect(screen.getByRole("row", { name: /each\[3\]/ }).textContent).toContain("1 try, success");
  expect(screen.getByText(/2 more task instances/)).toBeTruthy();
});

it("says that it may not, or can't, be told", async () => {
  show({ [RUN]: new Refusal(403, { detail: "Forbidden" }) });
  await open();
  expect(await screen.findByText(/You may not read/)).toBeTruthy();
});
