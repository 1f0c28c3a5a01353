import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, it, vi } from "vitest";

import "../../../../../i18n";
import { showPage } from "../../../../../testing/page";
import { link, plan, run } from "../../../../../testing/plans";
import { WizardPage } from "../../../WizardPage";

const DAGS = Array.from({ length: 20 }, (_, index) => `report_${index}`);
const ANSWERS: Record<string, unknown> = {
  "/plans": plan(
    DAGS.map((dag) => run(dag, { status: dag === "report_7" ? "failed" : "success" })),
    DAGS.map((dag) => link("orders", dag)),
  ),
  "/dag-runs/orders/r1/task-instances": { task_instances: [], structure: [], total_entries: 0 },
  "/reruns": { reruns: [], total_entries: 0 },
};

beforeEach(() => {
  sessionStorage.clear();
  // React Flow draws only what is in sight, and jsdom has no sizes.
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(4_000);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(4_000);
});

it("selects all runs of a group or none, says how they stand, and how many of them were found", async () => {
  showPage("/rerun?dag_id=orders&run_id=r1&step=downstream", "/rerun", <WizardPage />, ({ path }) => ANSWERS[path]);
  const group = await screen.findByRole("group", { name: "20 runs of 20 Dags: 1 failed, 19 success" });
  const note = () => document.getElementById(group.getAttribute("aria-describedby") ?? "")?.textContent;
  expect(note()).toBe("20 of 20 selected");
  fireEvent.keyDown(group, { key: " " });
  expect(note()).toBe("0 of 20 selected");
  expect(screen.getByText("0 of 20 downstream runs selected")).toBeTruthy();
  fireEvent.click(within(group).getByRole("checkbox"));
  expect(note()).toBe("20 of 20 selected");
  await userEvent.type(screen.getByRole("searchbox"), "report_1");
  expect(await within(group).findByText("11 matches")).toBeTruthy();
});
