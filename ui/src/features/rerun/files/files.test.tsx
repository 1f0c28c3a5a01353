import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";

import type { Member, RerunEvent } from "../../../api/types";
import { host } from "../../../host/Host";
import "../../../i18n";
import { savedFiles } from "../../../testing/files";
import { type Asked, showPage } from "../../../testing/page";
import { causeOf, changesOf, eventOf, memberOf, rerunOf } from "../../../testing/samples";
import { RecordPage } from "../RerunPage";

afterEach(() => vi.restoreAllMocks());

const MEMBERS: Member[] = [
  memberOf(1, "orders", {
    state: "failed",
    cause: causeOf("tasks_failed"),
    attempt: 2,
    dispatched_at: "2026-01-05T09:00:00Z",
    ended_at: "2026-01-05T09:01:30Z",
  }),
  memberOf(2, "订单", { waiting_on: [{ dag_id: "orders", run_id: "r1" }] }),
];
const EVENTS: RerunEvent[] = [
  eventOf("2026-01-05T09:01:30Z", "member_failed", { member_id: 1, actor: "rerun_downstream", detail: "=cmd|x" }),
];

function show(tab: string) {
  const rerun = rerunOf({ hidden_members: 2 });
  const answer = ({ path }: Asked) =>
    ({
      "/reruns/7/changes": changesOf(rerun, MEMBERS, EVENTS),
      "/reruns/7/members": { members: MEMBERS, total_entries: 2 },
      "/reruns/7/links": { links: [], total_entries: 0 },
    })[path];
  return showPage(`/records/7?tab=${tab}`, "/records/:id", <RecordPage />, answer);
}

async function saved(format: "CSV" | "JSON", tab: string): Promise<{ name: string; text: string }> {
  const files = savedFiles(host());
  show(tab);
  await userEvent.click(await screen.findByRole("button", { name: format }));
  await waitFor(() => expect(files).toHaveLength(1));
  return { name: files[0]?.name ?? "", text: (await files[0]?.text()) ?? "" };
}

it("saves the members with their states, reasons, attempts and times, and says how many are hidden", async () => {
  const { name, text } = await saved("CSV", "table");
  expect(name).toMatch(/^rerun-7-members-.*Z\.csv$/);
  const [head, ...lines] = text.split("\r\n");
  const columns = head?.slice(1).split(",") ?? [];
  const values = (lines[0] ?? "").split(",");
  const first = Object.fromEntries(columns.map((column, index) => [column, values[index]]));
  expect(first).toMatchObject({
    id: "1",
    dag_id: "orders",
    state: "failed",
    reason_word: "tasks_failed",
    state_reason: "A selected task failed",
    attempt: "2",
    duration_seconds: "90",
  });
  expect(lines[1]).toContain("订单");
  expect(lines[1]).toContain("orders/r1");
  expect(lines[2]).toMatch(/^2 runs of Dags you can't read are hidden\.,/);
  expect(columns).not.toContain("live");
});

it("saves all members, whatever is searched for, and no state of Airflow's that is as of long ago", async () => {
  const files = savedFiles(host());
  show("table");
  await userEvent.type(await screen.findByLabelText("Search Dags, runs and reasons"), "task failed");
  await screen.findByText("1 of 2 runs");
  await userEvent.click(screen.getByRole("button", { name: "JSON" }));
  await waitFor(() => expect(files).toHaveLength(1));
  const told = JSON.parse((await files[0]?.text()) ?? "") as { notes: string[]; items: Member[] };
  expect(told.items.map(({ dag_id }) => dag_id)).toEqual(["orders", "订单"]);
  expect(told.items[0]).not.toHaveProperty("live");
  expect(told.notes).toHaveLength(1);
});

it("saves the events with the runs that they are about", async () => {
  const { name, text } = await saved("CSV", "events");
  expect(name).toMatch(/^rerun-7-events-.*Z\.csv$/);
  const lines = text.split("\r\n");
  expect(lines[1]).toMatch(/,rerun_downstream,member_failed,Run failed,1,orders,r1,'=cmd\|x$/);
  expect(lines[2]).toMatch(/^Events about runs of Dags you can't read are missing\./);
});
