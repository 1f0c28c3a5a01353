import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import type { Estimate, Member, Rerun } from "../../../api/types";
import "../../../i18n";
import { type Asked, showPage } from "../../../testing/page";
import { causeOf, changesOf, estimateOf, linkOf, memberOf, rerunOf } from "../../../testing/samples";
import { RecordPage } from "../RerunPage";

const MEMBERS = [memberOf(1, "orders", { state: "running" }), memberOf(2, "sales"), memberOf(3, "report")];

function show(estimate: Estimate | undefined, rerun: Rerun = rerunOf(), tab = "details", members: Member[] = MEMBERS) {
  const answer = ({ path }: Asked) =>
    ({
      "/reruns/7/changes": changesOf(rerun, members),
      "/reruns/7/members": { members, total_entries: members.length },
      "/reruns/7/links": { links: [linkOf("orders", "sales")], total_entries: 1 },
      "/reruns/7/estimate": estimate,
    })[path];
  return showPage(`/records/7?tab=${tab}`, "/records/:id", <RecordPage />, answer);
}

const hence = (seconds: number) => new Date(Date.now() + 1000 * seconds).toISOString();

it("says when a rerun is expected to end, how far off that is, and what decides it", async () => {
  show(estimateOf({ ends_at: hence(600.4), ends_late_at: "2099-01-05T10:10:00Z" }));
  const told = await screen.findByTestId("estimate");
  expect(told.textContent).toMatch(/\(in 00:(10:00|09:5\d)\)/);
  expect(told.textContent).toContain("90 % likely by 2099-01-05 10:10:00");
  expect(told.textContent).toContain("decided by the critical path");
  expect(told.textContent).not.toContain("at least");
});

it.each([
  ["max_active_members", "limited by max_active_members"],
  ["max_active_runs", "limited by max_active_runs of a Dag"],
] as const)("names the limit that decides it: %s", async (decided_by, text) => {
  show(estimateOf({ decided_by }));
  expect((await screen.findByTestId("estimate")).textContent).toContain(text);
});

it("says what isn't known, and that it may be later", async () => {
  const counts = { unknown_members: 1, held_up_members: 2, failed_members: 3, overdue_members: 1 };
  show(estimateOf({ outlook: "at_least", ends_late_at: null, ...counts }));
  const told = await screen.findByTestId("estimate");
  expect(told.textContent).toContain("at least");
  expect(told.textContent).toContain("1 run without earlier runs to compare");
  expect(told.textContent).toContain("2 runs are held up");
  expect(told.textContent).toContain("3 runs failed");
  expect(told.textContent).toContain("1 run has been running longer than ever before");
});

it("never counts below nothing", async () => {
  show(estimateOf({ ends_at: hence(-50) }));
  expect((await screen.findByTestId("estimate")).textContent).toContain("(any moment)");
});

it("has no end for a rerun that doesn't go on, and says who delays it", async () => {
  const delay = { member: { ...member(2), state: "failed" as const }, cause: causeOf("tasks_failed"), critical: false };
  show(estimateOf({ outlook: "open", ends_at: null, decided_by: null, delay }), rerunOf({ state: "paused" }));
  expect((await screen.findByTestId("estimate")).textContent).toBe("none for now");
  const who = screen.getByTestId("estimate-delay");
  expect(who.textContent).toContain("A selected task failed");
  expect(who.textContent).toContain("not on the critical path");
});

it("leads to the member that delays it", async () => {
  show(estimateOf());
  await userEvent.setup().click(within(await screen.findByTestId("estimate-delay")).getByRole("button"));
  expect((await screen.findByRole("dialog")).textContent).toContain("orders");
});

it("names nobody whom the person may not see", async () => {
  show(estimateOf({ delay: { member: null, cause: causeOf("dag_paused"), critical: true } }));
  const who = await screen.findByTestId("estimate-delay");
  expect(who.textContent).toContain("a run you can't see");
  expect(within(who).queryByRole("button")).toBeNull();
});

it("marks the critical path in the graph", async () => {
  show(estimateOf(), rerunOf(), "graph");
  expect(await screen.findAllByTitle("On the critical path")).toHaveLength(2);
});

it("asks for none once the rerun has ended", async () => {
  const { asked } = show(estimateOf(), rerunOf({ state: "succeeded", final: true, ended_at: "2026-01-05T10:00:00Z" }));
  await screen.findByTestId("record-ended");
  expect(screen.queryByTestId("estimate")).toBeNull();
  expect(asked.some(({ path }) => path.endsWith("/estimate"))).toBe(false);
});

it("does without one where there is none to be had", async () => {
  show(undefined);
  await screen.findByTestId("rerun-state");
  expect(screen.queryByTestId("estimate")).toBeNull();
});

function member(id: number) {
  return { id, dag_id: MEMBERS[id - 1]?.dag_id ?? "", run_id: "r1" };
}
