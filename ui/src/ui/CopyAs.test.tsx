import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it, vi } from "vitest";

import type { RerunBody } from "../api/types";
import { INITIAL, sentSettings } from "../domain/settings";
import "../i18n";
import { showPage } from "../testing/page";
import { CopyAs } from "./CopyAs";

const BODY: RerunBody = {
  source: { dag_id: "orders", run_id: "it's r1" },
  rerun_source: true,
  options: { include_manual: false },
  freeze_mode: false,
  plan_token: "seen",
  settings: sentSettings(INITIAL),
  notifications: [],
  propose: false,
};

const show = (body: RerunBody = BODY) =>
  showPage("/", "/", <CopyAs body={() => body}>Not all of it.</CopyAs>, () => null);
const text = () => screen.getByTestId("copy-text").textContent;

async function open(user: ReturnType<typeof userEvent.setup>) {
  await user.click(screen.getByRole("button", { name: "Copy as…" }));
  return within(await screen.findByRole("dialog"));
}

it("gives the rerun in each form, for this Airflow, and says what isn't the same", async () => {
  show();
  const user = userEvent.setup();
  const dialog = await open(user);
  dialog.getByText("Not all of it.");
  expect(text()).toContain("http://localhost:3000/rerun-downstream/api/v1/reruns");
  await user.click(dialog.getByRole("tab", { name: "Command line" }));
  await waitFor(() => expect(text()).toContain(String.raw`orders 'it'\''s r1'`));
  await user.click(dialog.getByRole("tab", { name: "Python" }));
  await waitFor(() => expect(text()).toContain("client.submit("));
  expect(dialog.queryByTestId("not-for-operators")).toBeNull();
  await user.click(dialog.getByRole("tab", { name: "Operator" }));
  await waitFor(() => expect(text()).toContain("RerunDownstreamOperator("));
  expect(text()).not.toContain("seen");
  dialog.getByText(/plan of its own/);
  dialog.getByText(/connection rerun_downstream_default/);
});

it("leaves the plan's token out where it isn't wanted", async () => {
  show();
  const user = userEvent.setup();
  const dialog = await open(user);
  expect(text()).toContain("seen");
  await user.click(dialog.getByRole("checkbox"));
  await waitFor(() => expect(text()).not.toContain("seen"));
});

it("asks about no token where there is none", async () => {
  show({ ...BODY, plan_token: null });
  const dialog = await open(userEvent.setup());
  expect(dialog.queryByRole("checkbox")).toBeNull();
});

it("copies, and says so", async () => {
  show();
  const user = userEvent.setup();
  const dialog = await open(user);
  await user.click(dialog.getByRole("button", { name: "Copy" }));
  await dialog.findByRole("button", { name: "Copied" });
  expect(await navigator.clipboard.readText()).toBe(text());
});

it("says where the browser doesn't let it, and selects the text", async () => {
  show();
  const user = userEvent.setup();
  vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new DOMException("no", "NotAllowedError"));
  const dialog = await open(user);
  await user.click(dialog.getByRole("button", { name: "Copy" }));
  await dialog.findByText(/doesn't allow copying/);
  expect(dialog.queryByRole("button", { name: "Copied" })).toBeNull();
  expect(window.getSelection()?.toString()).toBe(text());
});
