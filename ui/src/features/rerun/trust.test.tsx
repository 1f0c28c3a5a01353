import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import "../../i18n";
import type { Member, Rerun } from "../../api/types";
import { type Asked, Refusal, showPage } from "../../testing/page";
import { causeOf, changesOf, memberOf, NOBODY, rerunOf } from "../../testing/samples";
import { RecordPage } from "./RerunPage";

const live = (state: string) => ({ state, run_after: null, run_id: "r1" });
const running = (id: number, dag: string, state: string) =>
  memberOf(id, dag, { state: "running", attempt: 1, live: live(state) });
const failed = memberOf(2, "finance", { state: "failed", cause: causeOf("tasks_failed"), attempt: 1 });

type Answers = Record<string, unknown>;

function show(rerun: Rerun, members: Member[], more: Answers = {}) {
  const answers: Answers = {
    "/reruns/7/changes": changesOf(rerun, members),
    "/reruns/7/members": { members, total_entries: members.length },
    "/reruns/7/links": { links: [], total_entries: 0 },
    ...more,
  };
  return showPage("/records/7?tab=table", "/records/:id", <RecordPage />, ({ path }: Asked) => answers[path]);
}

it("tells a run that Airflow has only queued from one that runs, in its bar and in its table", async () => {
  const rerun = rerunOf({ counts: { ...NOBODY, running: 2 } });
  show(rerun, [running(1, "sales", "running"), running(2, "finance", "queued")]);
  const bar = await screen.findByRole("progressbar");
  await waitFor(() => expect(bar.getAttribute("aria-valuetext")).toBe("0 of 2 done, 1 running, 1 queued in Airflow"));
});

it("asks Airflow about running members that nobody looks at, and not about others", async () => {
  const { asked } = show(rerunOf({ counts: { ...NOBODY, running: 1, pending: 1 } }), [
    running(1, "sales", "queued"),
    memberOf(3, "later"),
  ]);
  await waitFor(() =>
    expect(
      asked
        .filter(({ path }) => path === "/reruns/7/members")
        .at(-1)
        ?.query.getAll("member_id"),
    ).toContain("1"),
  );
});

const health = (status: string, at: string | null) => ({
  "/api/v2/monitor/health": { scheduler: { status, latest_scheduler_heartbeat: at } },
});

it("says since when the scheduler hasn't been heard, on the person's clock", async () => {
  show(rerunOf(), [memberOf(3, "later")], health("unhealthy", "2026-01-05T13:33:39Z"));
  expect((await screen.findByTestId("scheduler-silent")).textContent).toBe(
    "Airflow's scheduler hasn't been heard since 2026-01-05 13:33:39 (UTC); nothing moves until it is back.",
  );
});

it.each([
  ["it is heard", rerunOf(), health("healthy", "2026-01-05T13:33:39Z")],
  ["nothing can move any more", rerunOf({ state: "succeeded", final: true }), health("unhealthy", null)],
  ["nobody knows", rerunOf(), {}],
])("says nothing of the scheduler where %s", async (_, rerun, more) => {
  show(rerun, [memberOf(3, "later")], more);
  await screen.findByTestId("rerun-state");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(screen.queryByTestId("scheduler-silent")).toBeNull();
});

const INSTANCES = "/api/v2/dags/finance/dagRuns/r1/taskInstances";
const load = { task_id: "load", task_display_name: "Load", map_index: 2, try_number: 3, operator_name: "@task" };

it("names the failed tasks of a failed member as Airflow does, with the way to each log", async () => {
  show(rerunOf(), [failed], { [INSTANCES]: { task_instances: [load], total_entries: 12 } });
  const tasks = within(await screen.findByTestId("failed-tasks"));
  const log = tasks.getByRole("link", { name: "Log of Load[2] in Airflow" });
  expect(log.getAttribute("href")).toBe("/dags/finance/runs/r1/tasks/load/mapped/2?try_number=3");
  expect(tasks.getByText("@task")).toBeTruthy();
  expect(tasks.getByText("and 2 more, on the run's page in Airflow")).toBeTruthy();
});

it("asks for the last lines of a log only when somebody wants them, and shows them as text", async () => {
  const { asked } = show(rerunOf(), [failed], {
    [INSTANCES]: { task_instances: [load], total_entries: 1 },
    [`${INSTANCES}/load/logs/3`]: { event: "<b>no rate</b>", timestamp: "2026-01-05T09:00:00Z" },
  });
  const button = await screen.findByRole("button", { name: "Show last lines" });
  expect(asked.some(({ path }) => path.includes("/logs/"))).toBe(false);
  await userEvent.click(button);
  expect((await screen.findByTestId("last-lines")).textContent).toContain("<b>no rate</b>");
  expect(asked.find(({ path }) => path.includes("/logs/"))?.query.get("map_index")).toBe("2");
});

it.each([
  [403, "Airflow doesn't let you read this."],
  [404, "Airflow has no log of this attempt."],
  [502, "Airflow couldn't be asked. Open the run in Airflow."],
])("says why there are no lines: HTTP %i", async (status, text) => {
  show(rerunOf(), [failed], {
    [INSTANCES]: { task_instances: [load], total_entries: 1 },
    [`${INSTANCES}/load/logs/3`]: new Refusal(status, { detail: "<html>" }),
  });
  await userEvent.click(await screen.findByRole("button", { name: "Show last lines" }));
  expect(await screen.findByText(text)).toBeTruthy();
  expect(screen.queryByText("<html>")).toBeNull();
});

it("says that Airflow doesn't let the person read the tasks", async () => {
  show(rerunOf(), [failed], { [INSTANCES]: new Refusal(403, { detail: "Forbidden" }) });
  expect(await screen.findByText("Airflow doesn't let you read this.")).toBeTruthy();
});

it("shows a success that has left something as it was as one of its own", async () => {
  const done = memberOf(4, "report", { state: "succeeded" });
  const omission = { member_id: 4, dag_id: "report", run_id: "r1", task_id: "load", reason: "tasks_skipped" };
  show(rerunOf({ not_made_anew: 1, counts: { ...NOBODY, succeeded: 1 } }), [done], {
    "/reruns/7/not-made-anew": { not_made_anew: [{ ...omission, read_by: [] }], total_entries: 1 },
  });
  await waitFor(() => expect(screen.getAllByText("succeeded, not all anew").length).toBeGreaterThan(0));
});

const BUSY = new Refusal(503, { detail: "Too much to do.", reason: "busy" });

it("calls no success a whole one while it isn't known what was left as it was, and says why", async () => {
  show(
    rerunOf({ not_made_anew: 1, counts: { ...NOBODY, succeeded: 1 } }),
    [memberOf(4, "report", { state: "succeeded" })],
    { "/reruns/7/not-made-anew": BUSY },
  );
  expect((await screen.findAllByText("succeeded, being checked")).length).toBeGreaterThan(0);
  expect(screen.queryByText("succeeded")).toBeNull();
  expect((await screen.findByTestId("problem")).textContent).toContain("Too much to do.");
});

it("says that Airflow's states of the runs weren't answered, and doesn't call them queued", async () => {
  const rerun = rerunOf({ counts: { ...NOBODY, running: 1 } });
  show(rerun, [running(1, "sales", "queued")], { "/reruns/7/members": BUSY });
  expect((await screen.findByTestId("problem")).textContent).toContain("Too much to do.");
  expect(screen.getByRole("progressbar").getAttribute("aria-valuetext")).toBe("0 of 1 done, 1 running");
});
