import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it } from "vitest";

import "../../i18n";
import type { RerunBody } from "../../api/types";
import { showPage } from "../../testing/page";
import { link, plan, run, SOURCE, task, toCome } from "../../testing/plans";
import { WizardPage } from "./WizardPage";

const NEXT = { next: true, logical_date: null, run_after: null };
const PLAN = plan(
  [
    run("clean"),
    toCome("hourly"),
    toCome("guessed", { ...NEXT, wrong_data: "may_read" }),
    toCome("regular", { ...NEXT, wrong_data: null, freeze_selected: false }),
  ],
  [link("orders", "clean")],
);
const TASKS = { task_instances: [task("load", { selected: true })], structure: [], total_entries: 1 };

function show() {
  return showPage("/rerun?dag_id=orders&run_id=r1&step=downstream", "/rerun", <WizardPage />, ({ path, body }) => {
    const frozen = (body as RerunBody | undefined)?.frozen ?? [];
    const waves = [[SOURCE], [{ dag_id: "clean", run_id: "r1" }]];
    const answers: Record<string, unknown> = {
      "/dag-runs/orders/r1/task-instances": TASKS,
      "/plans": PLAN,
      "/reviews": { warnings: [], waves, stopped: [], frozen, frozen_at_most: 86_400 },
      "/reruns": { reruns: [], total_entries: 0 },
      "/notification-targets": { notification_targets: [] },
    };
    return answers[path];
  });
}

async function freezing() {
  const shown = show();
  await userEvent.click(await screen.findByRole("checkbox", { name: "Freeze mode" }));
  return { ...shown, part: screen.getByRole("region", { name: "Freeze mode" }) };
}

const ticked = (part: HTMLElement) =>
  within(part)
    .getAllByRole("listitem")
    .filter((item) => within(item).getByRole<HTMLInputElement>("checkbox").checked)
    .map((item) => /hourly|guessed|regular/.exec(item.textContent)?.[0]);

beforeEach(() => sessionStorage.clear());

it("preselects what would read wrong data, and says where that can't be told", async () => {
  const { part } = await freezing();
  expect(ticked(part)).toEqual(["hourly", "guessed"]);
  const said = within(part)
    .getAllByRole("listitem")
    .map((item) => item.textContent);
  expect(said[0]).toMatch(/reads wrong data$/);
  expect(said[1]).toMatch(/may read wrong data; that can't be told$/);
  expect(said[2]).toMatch(/not known to read wrong data$/);
});

it("takes all, none or the proposed ones at once", async () => {
  const { part } = await freezing();
  const press = (name: string) => userEvent.click(within(part).getByRole("button", { name }));
  await press("All");
  expect(ticked(part)).toEqual(["hourly", "guessed", "regular"]);
  await press("None");
  expect(ticked(part)).toEqual([]);
  await press("Only those that read wrong data");
  expect(ticked(part)).toEqual(["hourly", "guessed"]);
});

it("is told in the review after the order, with until when", async () => {
  const { part } = await freezing();
  await userEvent.click(within(part).getByRole("button", { name: "All" }));
  await userEvent.click(screen.getByRole("button", { name: "Next" }));
  await userEvent.click(screen.getByRole("button", { name: "Next" }));
  const held = await screen.findByRole("region", { name: "Frozen: 3 runs" });
  const order = screen.getByRole("region", { name: /^Rerun in this order/ });
  expect(order.compareDocumentPosition(held)).toBe(Node.DOCUMENT_POSITION_FOLLOWING);
  expect(held.textContent).toContain("until the rerun as a whole has succeeded, is terminated");
  expect(held.textContent).toContain("They are held for 1d 00:00:00 at most");
  expect(within(held).getByText("1 of them isn't known to read wrong data: a regular run is held back.")).toBeTruthy();
  expect(within(held).getAllByText(/^due when its assets have come$/)).toHaveLength(2);
});
