import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";

import type { Changes, PlanWarning, ProposalReview } from "../../../api/types";
import "../../../i18n";
import { type Asked, showPage } from "../../../testing/page";
import { changesOf, memberOf, rerunOf, reviewOf } from "../../../testing/samples";
import { RecordPage } from "../RerunPage";

const run = (dag_id: string) => ({ dag_id, run_id: "r1" });
const orders = memberOf(1, "orders", { role: "source" });
const clean = memberOf(2, "clean");
const waves = [[run("orders")], [run("clean")]];
const proposal = rerunOf({
  state: "proposed",
  proposed_by: "reader",
  expires_at: "2099-01-12T09:00:00Z",
  started_at: null,
  allowed_actions: ["approve", "reject"],
});
const WHOLE = changesOf(proposal, [orders, clean]);

/** The record with the approval asked for; `changes`: what the server says of it, the first time and after. */
async function ask(review: ProposalReview, changes: (since: string | null) => unknown = () => WHOLE) {
  const shown = showPage("/records/7", "/records/:id", <RecordPage />, ({ path, method, query }: Asked) =>
    method === "POST"
      ? proposal
      : {
          "/reruns/7/review": review,
          "/reruns/7/changes": path === "/reruns/7/changes" ? changes(query.get("since")) : undefined,
          "/reruns/7/links": { links: [], total_entries: 0 },
        }[path],
  );
  const user = userEvent.setup();
  await user.click(await screen.findByRole("button", { name: "Approve" }));
  return { ...shown, user, dialog: within(await screen.findByRole("alertdialog")) };
}

it("names what wasn't proposed before all else that has changed, and all of it when asked", async () => {
  const changes = Array.from({ length: 11 }, (_, index) => ({ ...run(`a${index}`), change: "changed" as const }));
  const { user, dialog } = await ask(reviewOf({ waves: [...waves, [run("zulu")]], stale: true, changes }));
  const lines = async () => within(await dialog.findByTestId("proposal-news")).getAllByRole("listitem");
  expect((await lines())[0]?.textContent).toBe("zulu r1: would be rerun, although it wasn't proposed");
  expect(await lines()).toHaveLength(10);
  await user.click(dialog.getByRole("button", { name: "and 2 more" }));
  expect(await lines()).toHaveLength(12);
  expect(dialog.queryByRole("button", { name: /more$/ })).toBeNull();
});

it("names what wasn't proposed, too, where the runs themselves haven't changed", async () => {
  const { dialog } = await ask(reviewOf({ waves: [...waves, [run("zulu")]] }));
  expect((await dialog.findByTestId("proposal-news")).textContent).toContain("zulu r1: would be rerun");
  expect(dialog.getByRole("button", { name: "Approve with these changes" })).toBeTruthy();
});

it("can't be approved until all of its runs are there", async () => {
  let arrive: (rest: Changes) => void = () => undefined;
  const rest = new Promise<Changes>((done) => (arrive = done));
  const part = { ...changesOf(proposal, [orders]), cursor: "part", more: true };
  const { dialog } = await ask(reviewOf({ waves }), (since) => (since === "part" ? rest : part));
  await waitFor(() => expect(dialog.getByText(/Its runs are still loading/)).toBeTruthy());
  expect(dialog.getByTestId("confirm")).toHaveProperty("disabled", true);
  expect(dialog.queryByTestId("proposal-news")).toBeNull();
  arrive({ ...changesOf(proposal, [clean]), whole: false });
  await waitFor(() => expect(dialog.getByTestId("confirm")).toHaveProperty("disabled", false));
  expect(dialog.queryByText(/Its runs are still loading/)).toBeNull();
  expect(dialog.queryByTestId("proposal-news")).toBeNull();
});

const warning: PlanWarning = {
  code: "stays_polluted",
  detail: "report r1 keeps wrong data.",
  sentence: null,
  ...run("report"),
  task_id: null,
};

it("says what would be stopped and frozen, and what it is warned of", async () => {
  const review = { waves, warnings: [warning], stopped: [run("clean")], frozen: [run("weekly")], frozen_at_most: null };
  const { dialog } = await ask({ ...reviewOf({ waves }), review });
  const would = await dialog.findByTestId("proposal-would");
  expect(would.textContent).toContain("Approving it reruns 2 runs. 1 of them is stopped at once. 1 run is frozen");
  expect(dialog.getByText("1 warning")).toBeTruthy();
  expect(dialog.getByText("report r1 keeps wrong data.")).toBeTruthy();
});

it("can't be approved where that would be refused, and says why", async () => {
  const refusal = { reason: "run_in_active_rerun" as const, detail: "clean r1 is in rerun 6.", sentence: null };
  const { dialog } = await ask(reviewOf({ waves: null, refusal }));
  expect((await dialog.findByTestId("approval-refused")).textContent).toContain("clean r1 is in rerun 6.");
  await waitFor(() => expect(dialog.getByTestId("confirm")).toHaveProperty("disabled", true));
});
